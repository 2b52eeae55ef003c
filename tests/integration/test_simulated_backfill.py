"""The past of a simulated fleet in a real Prometheus: numbers come out as they went in, and rates as they must be."""

import pytest

from collectors.simulated import observe
from exporter.commands.backfill import History, instants, main, stamped, write
from exporter.commands.configuration import from_targets
from tests.backends.daemon import Page, document
from tests.backends.need import need
from tests.backends.prometheus import Prometheus, promtool

START = 1_767_254_400  # 2026-01-01T08:00:00Z: an even number of two-hour blocks
STEP = 30.0
OPTIONS = {"guests": 16, "seed": "backfill", "like": "vsphere"}
TARGETS = [
    {"name": "vc", "platform": "simulated", "address": "simulated://vc", "options": OPTIONS},
    {"name": "kvm", "platform": "simulated", "address": "simulated://kvm", "options": {"like": "libvirt", "guests": 4}},
]
ALWAYS = "15y"


def config():
    return from_targets(TARGETS, "test")


def guest_at(instant):
    """The first guest that runs all the time."""
    return next(guest for guest in observe(OPTIONS, "vitals", instant).guests if guest.boot_timestamp_seconds)


@pytest.mark.backend
def test_prometheus_holds_the_past_and_its_rates_are_those_of_the_fleet(tmp_path):
    need(["prometheus", "promtool"])
    history, blocks = tmp_path / "history", tmp_path / "blocks"
    history.mkdir()
    # Over the edge of two blocks.
    wanted = list(instants(START + 7200 - 1800, START + 7200 + 1800, STEP))
    write(config(), wanted, history)
    files = sorted(history.iterdir())
    assert [file.name for file in files] == [f"{START}.om", f"{START + 7200}.om"]
    for file in files:
        made = promtool("tsdb", "create-blocks-from", "openmetrics", str(file), str(blocks))
        assert made.returncode == 0, made.stderr
    at = float(wanted[-1])
    guest, before = guest_at(at), guest_at(at - 600)
    assert guest.id == before.id
    with Prometheus([], flags=[f"--storage.tsdb.retention.time={ALWAYS}"], blocks=blocks) as prometheus:
        series = f'hypervisor_guest_cpu_seconds_total{{target="vc",guest_id="{guest.id}"}}'
        (held,) = prometheus.query(series, time=at)
        assert held.value == guest.cpu.seconds
        assert held.labels["platform"] == "vsphere"
        assert prometheus.query(f"{series} offset 10m", time=at)[0].value == before.cpu.seconds
        (rate,) = prometheus.query(f"rate({series}[10m])", time=at)
        # Prometheus 3 leaves the sample at the window's left edge out and extrapolates.
        assert rate.value == pytest.approx((guest.cpu.seconds - before.cpu.seconds) / 600, rel=0.02)
        (count,) = prometheus.query('count(count_over_time(hypervisor_target_up{target="vc"}[1h]) >= 120)', time=at)
        assert count.value == 1
        up = prometheus.query("hypervisor_target_up", time=at)
        assert {(sample.labels["target"], sample.labels["platform"], sample.value) for sample in up} == {
            ("vc", "vsphere", 1.0),
            ("kvm", "libvirt", 1.0),
        }
        assert prometheus.query('hypervisor_host_up{target="kvm"}', time=at)[0].value == 1


def test_every_instant_is_what_a_daemon_shows_then():
    history = History(config())
    try:
        text = history.exposition(START).decode()
        assert text.endswith("# EOF\n")
        page = Page(text.replace("# EOF\n", "").replace("# TYPE", "# was TYPE"))
        seen = guest_at(START)
        assert page.value("hypervisor_guest_cpu_seconds_total", guest_id=seen.id) == seen.cpu.seconds
        assert page.value("hypervisor_target_last_success_timestamp_seconds", target="vc", group="vitals") == START
        later = history.exposition(START + 30).decode()
        assert f'group="vitals"}} {START + 30}\n' in later
        assert f'group="snapshots"}} {START}\n' in later, "not due yet"
    finally:
        history.close()


def test_the_past_is_the_same_whenever_it_is_told(tmp_path):
    wanted = list(instants(START, START + 300, 60))
    for name in ("one", "two"):
        write(config(), wanted, tmp_path / name)
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two
    assert len(one) > 100_000


def test_a_target_that_is_down_stays_visible_as_such():
    faults = [{"kind": "unreachable", "from": "2026-01-01T08:01:00Z", "until": "2026-01-01T08:10:00Z"}]
    down = from_targets([{**TARGETS[0], "options": {**OPTIONS, "faults": faults}}], "test")
    history = History(down)
    found = {}
    for after in range(0, 720, 30):
        text = history.exposition(START + after).decode()
        found[after] = (
            'hypervisor_target_up{target="vc",platform="vsphere"} 1' in text,
            "hypervisor_guest_vcpus{" in text,
        )
    history.close()
    assert found[30] == (True, True)
    assert found[60] == (False, True), "data stay for their time to live"
    assert found[300] == (False, False)
    assert found[690] == (True, True)


def test_samples_get_their_timestamp_and_headers_stand_once():
    told = set()
    first = stamped(b'# TYPE a gauge\na{b="# 1"} 1\n# EOF\n', 5.0, told)
    second = stamped(b'# TYPE a gauge\na{b="# 1"} 2\n# EOF\n', 6.5, told)
    assert first + second == b'# TYPE a gauge\na{b="# 1"} 1 5.000\na{b="# 1"} 2 6.500\n'


def test_the_tool_writes_a_file_and_refuses_targets_with_clocks_of_their_own(tmp_path, capsys):
    file = tmp_path / "config.yml"
    span = ["--from", "2026-01-01T08:00:00Z", "--to", "2026-01-01T08:01:00Z", "--step", "30s"]
    arguments = [f"--config.file={file}", *span, f"--output={tmp_path / 'out.om'}"]
    file.write_text(document(TARGETS))
    assert main(arguments) == 0
    assert (tmp_path / "out.om").read_bytes().endswith(b"# EOF\n")
    own = {**TARGETS[0], "options": {**OPTIONS, "start": "2025-06-01T00:00:00Z"}}
    file.write_text(document([own]))
    assert main(arguments) == 2
    assert "vc has a clock of its own: leave out start and speed" in capsys.readouterr().err
