"""What is collected of a host of each driver is what the table of drivers promises, and nothing more."""

import pytest

from collectors.libvirt.drivers import BY_VCPU, DRIVERS, NO, YES, ZERO
from collectors.libvirt.groups import inventory, snapshots, storage, vitals
from exporter.errors import Unsupported
from exporter.model import Parts
from tests.unit.libvirt.shapes import SECONDS, Shape, around, collected

SINGLY = [row for row in DRIVERS if row.bulk in (NO, "state only")]
MIB = 2**20
drivers = pytest.mark.parametrize("row", SINGLY, ids=lambda row: row.type)


@pytest.fixture
def guest(row):
    guests, problems = collected(Shape(row.type), vitals)
    assert problems == {}, "what a driver does not know is no problem"
    return guests["a"]


@drivers
def test_cpu_time_is_counted_or_absent_and_never_a_zero_that_nobody_counted(row, guest):
    expected = {
        YES: SECONDS / 1e9,
        ZERO: None,
        BY_VCPU: Parts({"0": SECONDS / 1e9, "1": 2 * SECONDS / 1e9}, complete=True, epoch="1"),
    }
    assert guest.cpu.seconds == expected[row.guest_cpu]
    assert (guest.cpu.vcpus, guest.cpu.ready_seconds) == (2, None)


@drivers
def test_a_driver_that_counts_may_say_zero(row):
    guests, _ = collected(Shape(row.type, failing={"info": (1, 2048, 1024, 2, 0), "vcpus": [(0, 1, 0, 0)]}), vitals)
    seconds = guests["a"].cpu.seconds
    if row.guest_cpu == YES:
        assert seconds == 0.0
    if row.guest_cpu == ZERO:
        assert seconds is None
    if row.guest_cpu == BY_VCPU:
        assert seconds.complete is False, "one of two"


@drivers
def test_memory_that_the_guest_reports_is_taken_only_where_a_guest_reports(row, guest):
    memory = guest.memory
    assert memory.configured_bytes == 2 * MIB
    assert memory.assigned_bytes == 1 * MIB
    resident = {"lxc": 300 * 1024, "bhyve": 500 * 1024, "test": 600 * 1024}
    assert memory.host_used_bytes == resident.get(row.type)
    assert (memory.host_used_bytes is not None) is (row.guest_memory != NO)
    reports = row.guest_memory == "invented"
    assert (memory.used_bytes, memory.available_bytes) == ((800 * 1024, 200 * 1024) if reports else (None, None))
    assert (memory.os_swap_in_bytes, memory.os_swap_out_bytes) == ((0, 0) if reports else (None, None))


@drivers
def test_zeros_for_what_is_not_known_are_absent(row):
    guests, _ = collected(Shape(row.type, failing={"info": (1, 0, 0, 0, 0), "memory": {}}), vitals)
    guest = guests["a"]
    assert (guest.cpu.vcpus, guest.memory.configured_bytes, guest.memory.assigned_bytes) == (None, None, None)


@drivers
def test_counters_of_disks_and_adapters(row, guest):
    assert [disk.disk for disk in guest.disks] == (["vda", "vdb", "vdc"] if row.disk_counters != NO else [])
    assert [nic.nic for nic in guest.nics] == (["vif1", "vif2"] if row.nic_counters != NO else [])
    assert guest.stats_complete is True


@drivers
def test_sizes_of_disks(row):
    guests, problems = collected(Shape(row.type), storage)
    assert problems == {}
    assert {disk.capacity_bytes for disk in guests["a"].disks} == ({4096} if row.disk_sizes != NO else {None})
    assert [disk.path for disk in guests["a"].disks] == ["/vda", "/vdb", "/vdc"]


@drivers
def test_snapshots_are_none_or_unknown(row):
    if row.snapshots == NO:
        with pytest.raises(Unsupported, match="knows no snapshots"):
            snapshots.collect(around(Shape(row.type)))
    else:
        guests, problems = collected(Shape(row.type), snapshots)
        assert (guests["a"].snapshots, problems) == ((), {})


@drivers
def test_inventory_needs_nothing_but_descriptions(row):
    guests, problems = collected(Shape(row.type), inventory)
    assert (guests["a"].autostart, problems) == (None, {})
    assert [nic.mac for nic in guests["a"].nics] == ["52:54:00:00:00:01", "52:54:00:00:00:02"]


@drivers
def test_the_host(row):
    (host,) = vitals.collect(around(Shape(row.type))).hosts
    assert host.cpu.busy_seconds == (3.0 if row.host_cpu == YES else None)
    used = {"yes": 3 * MIB, "free": 4096 * MIB - 3 * MIB, NO: None}
    assert host.memory.used_bytes == used[row.host_memory]
