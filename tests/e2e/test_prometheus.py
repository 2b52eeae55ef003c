"""A real Prometheus scrapes real guests through the daemon, and what it then knows equals what virsh measured."""

import threading
import time

import pytest

from tests.backends import estate as world
from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.processes import until
from tests.backends.prometheus import promtool, scrape

WINDOW_SECONDS = 60
GONE, OFF = "e2e transient", "e2e persistent"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def watched(libvirt_lab, estate):
    """The estate and two guests that the test destroys."""
    libvirt_lab.launch(GONE, transient=True, devices=world.qcow2(libvirt_lab, "e2e-gone"))
    libvirt_lab.launch(OFF, devices=world.qcow2(libvirt_lab, "e2e-off"))
    yield estate
    libvirt_lab.discard(OFF)


class Writing:
    """Writes 64 KiB to a disk ten times a second, for as long as the block runs."""

    def __init__(self, lab) -> None:
        self._lab, self._stop = lab, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            world.move_disk(self._lab, world.TWO_DISKS, "vda", 65536)


def test_rates_equal_what_virsh_measured_and_series_end_when_they_should(libvirt_lab, watched, virsh, prometheus):
    def measured():
        spinner = virsh.domstats(watched.guests[world.SPINNER].uuid)
        disk = virsh.domstats(watched.guests[world.TWO_DISKS].uuid)
        cpu = sum(int(value) for key, value in spinner.items() if key.startswith("vcpu.") and key.endswith(".time"))
        return time.time(), cpu / 1e9, int(disk["block.0.wr.bytes"])

    with Daemon(document([libvirt("lab", libvirt_lab.uri)])) as daemon, Writing(libvirt_lab):
        server = prometheus([scrape("hypervisors", daemon.address, scrape_interval="2s")])
        server.wait_for('up{job="hypervisors"} == 1')
        server.wait_for('hypervisor_guest_running{guest="spinner"} == 1')
        begin, cpu_before, bytes_before = measured()
        until(lambda: time.time() >= begin + WINDOW_SECONDS, WINDOW_SECONDS + 5, "a window of samples", daemon.child)
        end, cpu_after, bytes_after = measured()

        def rate(family, **labels):
            matchers = ",".join(f'{key}="{value}"' for key, value in labels.items())
            ((_, value, _),) = server.query(f"rate({family}{{{matchers}}}[{WINDOW_SECONDS}s])", time=end)
            return value

        cpu = (cpu_after - cpu_before) / (end - begin)
        assert cpu > 0.01
        assert rate("hypervisor_guest_cpu_seconds_total", guest="spinner") == pytest.approx(cpu, rel=0.1)
        written = (bytes_after - bytes_before) / (end - begin)
        assert written > 65536
        disk = {"guest": world.TWO_DISKS, "disk": "vda"}
        assert rate("hypervisor_guest_disk_written_bytes_total", **disk) == pytest.approx(written, rel=0.1)

        assert [sample.value for sample in server.query(f"min_over_time(up[{WINDOW_SECONDS}s])")] == [1]
        old = f'hypervisor_guest_oldest_snapshot_timestamp_seconds{{guest="{world.OLD}"}}'
        ((_, days, _),) = server.query(f"(time() - {old}) / 86400")
        assert 400 <= days < 400.1
        assert server.query("sum(resets(hypervisor_guest_cpu_seconds_total[60s]))")[0].value == 0

        for guest in (GONE, OFF):
            libvirt_lab.conn().lookupByName(guest).destroy()
        server.wait_for(f'hypervisor_guest_state{{guest="{OFF}", state="stopped"}} == 1')
        server.wait_for(f'{{guest="{GONE}"}}', lambda samples: not samples)
        left = {sample.labels["__name__"] for sample in server.query(f'{{guest="{OFF}"}}')}
        assert {"hypervisor_guest_vcpus", "hypervisor_guest_memory_configured_bytes", "hypervisor_guest_info"} <= left
        assert not left & {
            "hypervisor_guest_cpu_seconds_total",
            "hypervisor_guest_cpu_ready_seconds_total",
            "hypervisor_guest_disk_written_bytes_total",
            "hypervisor_guest_memory_host_used_bytes",
        }
        assert [sample.value for sample in server.query('hypervisor_guest_running{guest="spinner"}')] == [1]


def test_promtool_finds_nothing_to_say_about_the_page(daemon):
    text = daemon.get("/metrics").text
    checked = promtool("check", "metrics", input=text)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    openmetrics = daemon.get("/metrics", Accept="application/openmetrics-text;version=1.0.0").text
    assert openmetrics.endswith("# EOF\n")
