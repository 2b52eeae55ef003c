"""Containers of a real libvirt, asked guest by guest; expected numbers from virsh and the containers' cgroups."""

import re
from functools import partial
from pathlib import Path

import libvirt
import pytest

from collectors.libvirt.drivers import DRIVERS, NO, YES
from exporter.config.model import Profile
from exporter.errors import Unsupported
from tests.backends.need import need
from tests.backends.processes import until
from tests.integration.libvirt_world import key_values, number, world

pytestmark = pytest.mark.backend
MIB = 2**20
(ROW,) = (driver for driver in DRIVERS if driver.type == "lxc")
# Debian's essential perl; 17 is AF_PACKET, 3 SOCK_RAW. The kernel takes the frame for what it claims to be.
TALKER = (
    "exec perl -e 'socket(W, 17, 3, 0) or die; open(F, q(/sys/class/net/eth0/ifindex)); $eth0 = &lt;F&gt;; while (1) "
    "{ send(W, q(x) x 60, 0, pack(q(SnlSCCa8), 17, 0, $eth0, 1, 0, 6, q())); select(undef, undef, undef, 0.1) }'"
)
EVERYTHING = Profile(family_include=("hypervisor_guest_*",))


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "unshare", "perl"], ["libvirt"])
    if not list(Path("/usr/lib").glob("*/libvirt/connection-driver/libvirt_driver_lxc.so")):
        need(["libvirt's LXC driver"])
    from tests.backends.libvirt_lxc import LxcLab, NoContainers

    try:
        with LxcLab() as opened:
            yield opened
    except NoContainers as reason:
        pytest.skip(str(reason))


@pytest.fixture
def session(lab):
    with world(lab.uri, profile=EVERYTHING) as opened:
        yield opened


@pytest.fixture
def container(lab):
    """`container(name, ...)` is a running container that ends with the test."""
    names: list[str] = []

    def launch(name: str, *arguments, **shape):
        guest = lab.define(name, *arguments, **shape)
        names.append(name)
        guest.create()
        return guest

    yield launch
    for name in names:
        lab.discard(name)


def cpu_seconds(lab, name: str) -> float:
    file = lab.cgroup(name, "cpuacct", "cpuacct.usage", "cpu.stat")
    if file.name == "cpuacct.usage":
        return int(file.read_text()) / 1e9
    return int(key_values(file.read_text(), " ")["usage_usec"]) / 1e6


def memory_bytes(lab, name: str) -> int:
    return int(lab.cgroup(name, "memory", "memory.usage_in_bytes", "memory.current").read_text())


def dominfo_bytes(lab, name: str, key: str) -> int:
    return number(key_values(lab.virsh("dominfo", name), ":")[key]) * 1024


def test_cpu_time_is_that_of_the_cgroup(lab, session, container):
    from tests.backends.libvirt_lxc import BUSY

    container("busy", BUSY)
    before = cpu_seconds(lab, "busy")
    first = session.guests("vitals")["busy"].cpu.seconds
    after = cpu_seconds(lab, "busy")
    assert before <= first <= after
    until(lambda: cpu_seconds(lab, "busy") > after + 0.1, 20, "busy container")
    assert session.guests("vitals")["busy"].cpu.seconds > first


def test_a_paused_container_stands_still_and_says_why(lab, session, container):
    container("frozen", vcpus=2).suspend()
    assert lab.virsh("domstate", "frozen", "--reason").strip() == "paused (user)"
    first, seconds = session.guests("vitals")["frozen"], cpu_seconds(lab, "frozen")
    assert (first.state, first.state_reason, first.cpu.vcpus) == ("paused", "user", 2)
    assert first.cpu.seconds == pytest.approx(seconds, abs=1e-6)
    assert session.guests("vitals")["frozen"].cpu.seconds == first.cpu.seconds


def test_memory_in_use_is_not_taken_for_memory_granted(lab, session, container):
    container("sleeper", memory_mib=48)
    memory = session.guests("vitals")["sleeper"].memory
    nearly = partial(pytest.approx, abs=MIB // 2)  # the kernel goes on tidying up after the start
    assert memory.host_used_bytes == nearly(memory_bytes(lab, "sleeper"))
    assert memory.host_used_bytes == nearly(dominfo_bytes(lab, "sleeper", "Used memory")), "what LXC calls memory"
    assert memory.host_used_bytes > 0
    stats = key_values(lab.virsh("dommemstat", "sleeper"), " ")
    assert memory.assigned_bytes == int(stats["actual"]) * 1024 == 48 * MIB
    limit = lab.cgroup("sleeper", "memory", "memory.limit_in_bytes", "memory.max")
    assert memory.configured_bytes == int(limit.read_text()) == 48 * MIB
    assert (memory.used_bytes, memory.available_bytes) == (None, None), "no container reports anything"
    assert (memory.os_swap_in_bytes, memory.os_swap_out_bytes) == (None, None), "swap_in of LXC is swap in use"


def test_a_quota_limits_a_container_as_a_whole(lab, session, container):
    container("limited", vcpus=2, head="<cputune><quota>50000</quota></cputune>")
    container("free", vcpus=2)
    session.collect("inventory")
    limits = {name: guest.cpu.limit_cpus for name, guest in session.guests("vitals").items()}
    file = lab.cgroup("limited", "cpu", "cpu.cfs_quota_us", "cpu.max")
    text = (
        file.read_text()
        if file.name == "cpu.max"
        else file.read_text() + (file.parent / "cpu.cfs_period_us").read_text()
    )
    quota, period = map(int, text.split())
    assert limits == {"limited": quota / period, "free": None}
    assert limits["limited"] == 0.5


def test_adapters_are_counted_from_the_containers_point_of_view(lab, session, container):
    device = (
        "<interface type='ethernet'><mac address='52:54:00:00:00:07'/><target dev='lxclab0'/><link state='up'/>"
        "</interface>"
    )
    try:
        container("wired", TALKER, devices=device)
    except libvirt.libvirtError as error:
        pytest.skip(f"no virtual adapters here: {error}")
    statistics = Path("/sys/class/net/lxclab0/statistics")

    def host(counter: str) -> int:
        return int((statistics / counter).read_text())

    until(lambda: host("rx_packets") > 2, 30, "packets from a container")
    session.collect("inventory")
    before = {counter: host(counter) for counter in ("rx_bytes", "rx_packets", "tx_bytes", "tx_packets")}
    (nic,) = session.guests("vitals")["wired"].nics
    after = {counter: host(counter) for counter in before}
    assert nic.nic == "lxclab0"
    assert before["rx_bytes"] <= nic.traffic.transmit_bytes <= after["rx_bytes"]
    assert before["rx_packets"] <= nic.traffic.transmit_packets <= after["rx_packets"]
    assert before["tx_bytes"] <= nic.traffic.receive_bytes <= after["tx_bytes"]
    (described,) = session.guests("inventory")["wired"].nics
    assert (described.nic, described.mac) == ("lxclab0", "52:54:00:00:00:07")


def test_a_container_that_is_off_uses_nothing_and_is_off(lab, session):
    lab.define("off", vcpus=3)
    try:
        guest = session.guests("vitals")["off"]
    finally:
        lab.discard("off")
    assert (guest.state, guest.cpu.vcpus, guest.cpu.seconds, guest.persistent) == ("stopped", 3, None, True)
    assert (guest.memory.configured_bytes, guest.memory.assigned_bytes) == (64 * MIB, None)


def test_the_host_is_what_virsh_says_of_the_node(lab, session):
    look = key_values(lab.virsh("nodecpustats"), ":")
    (host,) = session.collect("vitals").hosts
    again = key_values(lab.virsh("nodecpustats"), ":")
    low, high = ((int(each["system"]) + int(each["user"])) / 1e9 for each in (look, again))
    assert low <= host.cpu.busy_seconds <= high
    assert host.memory.capacity_bytes == number(key_values(lab.virsh("nodememstats"), ":")["total"]) * 1024
    assert (host.product, host.name) == ("LXC", lab.virsh("hostname").strip())
    assert host.version == re.search(r"Running hypervisor: LXC (\S+)", lab.virsh("version"))[1]


def test_what_the_support_matrix_denies_is_not_there(lab, session, container):
    container("plain")
    session.collect("inventory")
    observation = session.collect("vitals")
    (guest,) = observation.guests
    assert (observation.problems, observation.partial) == ((), False), "what is not offered is no failure"
    assert (guest.kind, guest.io_error, guest.stats_complete) == ("container", False, True)
    assert (ROW.snapshots, ROW.checkpoints, ROW.agent, ROW.bulk) == (NO, NO, NO, NO)
    with pytest.raises(Unsupported, match="knows no snapshots"):
        session.collect("snapshots")
    requests = session.meter.take()
    session.collect("vitals")
    assert not [name for name in session.meter.take() if "ListGetStats" in name or "Snapshot" in name], requests


def test_pools_are_there_although_the_driver_is_another(lab, session):
    folder = lab.scratch.directory("pool")
    lab.virsh("pool-create-as", "shelf", "dir", "--target", str(folder))
    try:
        (pool,) = session.collect("storage").storages
        info = key_values(lab.virsh("pool-info", "shelf", "--bytes"), ":")
        assert (pool.name, pool.accessible, ROW.pools) == ("shelf", True, YES)
        assert pool.capacity_bytes == number(info["Capacity"])
    finally:
        lab.virsh("pool-destroy", "shelf")


def test_a_container_that_ends_between_two_calls_is_no_problem(lab, session, monkeypatch):
    from collectors.libvirt.client.endpoint import Endpoint

    asked = Endpoint.memory

    def end_first(self, domain):
        lab.conn().lookupByName("short").destroy()
        return asked(self, domain)

    lab.launch("short")
    monkeypatch.setattr(Endpoint, "memory", end_first)
    try:
        observation = session.collect("vitals")
    finally:
        lab.discard("short")
    assert [guest.name for guest in observation.guests] == ["short"]
    assert observation.problems == ()
