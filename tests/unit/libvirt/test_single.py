"""Guests asked one call after the other: what a call that fails costs, and how it is told."""

import pytest

from collectors.libvirt.client.errors import Failed, Gone, Refused, WrongState
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups import storage, vitals
from exporter.errors import AuthenticationFailed, Forbidden, Malformed, TimedOut, Unreachable, Unsupported
from exporter.model import GuestMemory
from tests.unit.libvirt.shapes import SECONDS, Shape, around, collected

NOTHING = GuestMemory(configured_bytes=2048 * 1024)
WELL = {
    "state": "running",
    "reason": "booted",
    "vcpus": 2,
    "cpu": SECONDS / 1e9,
    "configured": 2048 * 1024,
    "assigned": 1024 * 1024,
    "disks": {"vda": 512, "vdb": 512, "vdc": 512},
    "nics": {"vif1": 10, "vif2": 10},
}


def told(guest):
    """What of a guest a call can cost."""
    return {
        "state": guest.state,
        "reason": guest.state_reason,
        "vcpus": guest.cpu.vcpus,
        "cpu": guest.cpu.seconds,
        "configured": guest.memory.configured_bytes,
        "assigned": guest.memory.assigned_bytes,
        "disks": {disk.disk: disk.read_bytes for disk in guest.disks},
        "nics": {nic.nic: nic.traffic.receive_bytes for nic in guest.nics},
    }


@pytest.mark.parametrize(
    "error", [Failed("it broke"), Refused("it broke"), Malformed("it broke"), Forbidden("it broke")]
)
@pytest.mark.parametrize(
    ("call", "lost"),
    [
        pytest.param("state", {"reason": "unknown"}, id="the numbers know the state"),
        pytest.param("info", dict.fromkeys(["vcpus", "cpu", "configured", "assigned"]), id="numbers"),
        pytest.param("memory", {}, id="statistics of memory, which Xen has nothing more in"),
        pytest.param("xml", {"disks": {}, "nics": {}}, id="the description: names of disks and adapters"),
        pytest.param("block", {"disks": {}}, id="every disk"),
        pytest.param(("block", "b", "vdb"), {"disks": {"vda": 512, "vdc": 512}}, id="one disk"),
        pytest.param("interface", {"nics": {}}, id="every adapter"),
        pytest.param(("interface", "b", "vif1"), {"nics": {"vif2": 10}}, id="one adapter"),
    ],
)
def test_a_call_that_fails_costs_what_it_tells_and_is_counted_once(call, lost, error):
    key = (call, "b") if isinstance(call, str) else call
    guests, problems = collected(Shape("xen", ("a", "b"), {key: error}), vitals)
    assert (told(guests["a"]), told(guests["b"])) == (WELL, WELL | lost)
    ((count, example),) = problems.values()
    assert count == 1
    assert example.startswith("guest 'b'")
    assert "it broke" in example


def test_every_kind_of_call_is_named_once_with_its_first_example():
    broken = Failed("virDomainMemoryStats: no such cgroup"), Failed("virDomainBlockStats: no device")
    failing = {"memory": broken[0], "block": broken[1]}
    guests, problems = collected(Shape("xen", ("a", "b"), failing), vitals)
    assert guests.keys() == {"a", "b"}
    assert problems == {
        "object_inaccessible": (
            4,
            "guest 'a': virDomainMemoryStats: no such cgroup; guest 'a', vda: virDomainBlockStats: no device",
        )
    }


def test_a_guest_of_which_nothing_is_known_is_left_out_and_told():
    failing = {("state", "b"): Failed("no state"), ("info", "b"): Failed("no numbers")}
    shape = Shape("xen", ("a", "b"), failing)
    guests, problems = collected(shape, vitals)
    assert guests.keys() == {"a"}
    assert problems == {"object_inaccessible": (2, "guest 'b': no state; guest 'b': no numbers")}
    assert not [each for each in shape.asked if each[0] in {"memory", "block"} and each[1] == "b"]


@pytest.mark.parametrize("call", ["state", "info"])
@pytest.mark.parametrize("error", [Gone("no domain"), WrongState("domain is not running")])
def test_a_guest_that_vanishes_is_left_out_and_no_problem(call, error):
    failing = {(call, "b"): error, ("state", "b"): Gone("no domain")}
    guests, problems = collected(Shape("xen", ("a", "b"), failing), vitals)
    assert (guests.keys(), problems) == ({"a"}, {})


@pytest.mark.parametrize("call", ["memory", "block", "interface", "xml"])
def test_a_guest_that_is_switched_off_meanwhile_costs_itself_and_is_no_problem(call):
    class SwitchedOff(Shape):
        def state(self, domain):
            answer = (5, 1) if (call, domain.name) in {each[:2] for each in self.asked} else (1, 1)
            return self._answer("state", answer, domain)

    guests, problems = collected(SwitchedOff("xen", ("a",), {call: WrongState("domain is not running")}), vitals)
    assert (guests.keys(), problems) == ({"a"}, {})


@pytest.mark.parametrize("call", ["memory", "block", "interface", "xml"])
def test_operation_invalid_of_a_guest_that_runs_is_a_failure(call):
    guests, problems = collected(Shape("lxc", ("a",), {call: WrongState("blkio cgroup isn't mounted")}), vitals)
    assert guests["a"].state == "running"
    ((name, (count, example)),) = problems.items()
    assert (name, count) == ("object_inaccessible", 1)
    assert "blkio cgroup isn't mounted" in example


def test_a_crashed_guest_cannot_answer_and_that_is_no_failure():
    failing = {"memory": WrongState("domain is not running"), "state": (6, 1)}
    guests, problems = collected(Shape("xen", ("a",), failing), vitals)
    assert (guests["a"].state, problems) == ("crashed", {})


@pytest.mark.parametrize("error", [Unreachable("the connection broke"), AuthenticationFailed("no")])
@pytest.mark.parametrize("call", ["state", "info", "memory", "xml", "block", "interface"])
def test_a_lost_connection_ends_the_collection(call, error):
    with pytest.raises(type(error)):
        vitals.collect(around(Shape("xen", ("a", "b"), {call: error})))


def test_a_call_that_waits_too_long_costs_what_it_tells():
    guests, problems = collected(Shape("xen", ("a",), {("block", "a", "vda"): TimedOut("no job within 30 s")}), vitals)
    assert told(guests["a"]) == WELL | {"disks": {"vdb": 512, "vdc": 512}}
    assert problems == {"monitor_stuck": (1, "guest 'a', vda: no job within 30 s")}


def test_a_driver_that_does_not_know_a_call_is_no_problem():
    for call in ("memory", "block", "interface", "info"):
        guests, problems = collected(Shape("xen", ("a",), {call: Unsupported("not here")}), vitals)
        assert (guests.keys(), problems) == ({"a"}, {})


def test_a_disk_whose_size_cannot_be_read_costs_its_size_only():
    guests, problems = collected(Shape("test", ("a",), {("block_sizes", "a", "vdb"): Failed("I/O error")}), storage)
    sizes = {disk.disk: (disk.capacity_bytes, disk.allocated_bytes, disk.path) for disk in guests["a"].disks}
    assert sizes == {"vda": (4096, 2048, "/vda"), "vdb": (None, None, "/vdb"), "vdc": (4096, 2048, "/vdc")}
    assert problems == {"object_inaccessible": (1, "guest 'a', vdb: I/O error")}


def test_guests_that_are_off_are_asked_for_their_state_only():
    shape = Shape("xen", ("a",), off=("a",))
    guests, _ = collected(shape, vitals)
    assert {each[0] for each in shape.asked} == {"state", "info"}
    assert (guests["a"].state, guests["a"].memory, guests["a"].cpu.seconds) == ("stopped", NOTHING, None)


@pytest.mark.parametrize(
    "counters",
    [
        pytest.param((), id="none at all"),
        pytest.param((-1, -1, -1, -1, -1), id="all unknown"),
        pytest.param((1,), id="fewer than expected, without bytes"),
    ],
)
def test_a_disk_without_numbers_is_not_shown_with_zeros(counters):
    guests, problems = collected(Shape("xen", ("a",), {("block", "a", "vda"): counters}), vitals)
    assert {disk.disk for disk in guests["a"].disks} == {"vdb", "vdc"}
    assert problems == {}


def test_counters_that_libvirt_does_not_know_are_absent_each_for_itself():
    failing = {("block", "a", "vda"): (3, -1, 4, 77, 5), ("interface", "a", "vif1"): (-1, 1, 2, -1, 5, -1, 7, 8)}
    guests, _ = collected(Shape("xen", ("a",), failing), vitals)
    disk, nic = guests["a"].disks[0], guests["a"].nics[0].traffic
    assert (disk.reads, disk.read_bytes, disk.writes, disk.written_bytes) == (3, None, 4, 77)
    assert (disk.read_seconds, disk.errors) == (None, None)
    assert (nic.receive_bytes, nic.receive_packets, nic.receive_errors, nic.receive_drops) == (None, 1, 2, None)
    assert (nic.transmit_bytes, nic.transmit_packets, nic.transmit_errors, nic.transmit_drops) == (5, None, 7, 8)


def test_each_kind_of_call_counts_for_itself():
    failing = {"state": Failed("no state"), "memory": Failed("no memory"), "block": Failed("no disk")}
    _, problems = collected(Shape("xen", ("a",), failing), vitals)
    assert problems == {
        "object_inaccessible": (3, "guest 'a': no state; guest 'a': no memory; guest 'a', vda: no disk")
    }


def test_without_a_kind_every_failure_counts():
    findings = Findings()
    for _ in range(2):
        with findings.about("guest 'a'"):
            raise Failed("no")
    assert [(each.count, each.example) for each in findings.problems] == [(2, "guest 'a': no")]


def test_a_guest_that_vanishes_behind_operation_invalid_is_no_problem():
    class Vanishing(Shape):
        def state(self, domain):
            if "memory" in {each[0] for each in self.asked}:
                raise Gone("no domain with matching uuid")
            return super().state(domain)

    _, problems = collected(Vanishing("xen", ("a",), {"memory": WrongState("domain is not running")}), vitals)
    assert problems == {}


def test_only_adapters_with_a_device_are_asked():
    nics = "<interface><mac address='52:54:00:00:00:01'/></interface><interface><target dev='vif2'/></interface>"
    shape = Shape("xen", ("a",), {"xml": f"<domain><devices>{nics}</devices></domain>"})
    guests, problems = collected(shape, vitals)
    assert ([nic.nic for nic in guests["a"].nics], problems) == (["vif2"], {})
    assert [part for call, _, part in shape.asked if call == "interface"] == ["vif2"]
