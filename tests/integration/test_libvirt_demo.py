"""libvirt's in-process `test` driver: the demo estate, and the path of drivers without bulk statistics."""

import time

import pytest

from collectors.libvirt.platform import PLATFORM
from tests.integration.libvirt_world import world

pytest.importorskip("libvirt")

DAY = 86_400


@pytest.fixture
def demo(tmp_path):
    """Sessions of the demo's targets by name."""
    targets = PLATFORM.demo(tmp_path)
    opened = [(target["name"], world(target["address"], target["name"])) for target in targets]
    yield {name: context.__enter__() for name, context in opened}
    for _, context in opened:
        context.__exit__(None, None, None)


def test_addresses_of_the_demo_are_good(tmp_path):
    assert [PLATFORM.check_address(target["address"]) for target in PLATFORM.demo(tmp_path)] == [None, None]


def test_the_demo_shows_guests_in_several_states_on_two_hosts(demo):
    states = {}
    for name, session in demo.items():
        session.collect("inventory")
        observation = session.collect("vitals")
        (host,) = observation.hosts
        assert (host.name, host.id) == (name, name), "the driver would give the exporter's own name"
        assert host.memory.capacity_bytes in (64 * 2**30, 32 * 2**30)
        assert host.cpu.capacity_cpus == host.cpu.threads == 2 * host.cpu.cores
        assert not observation.problems
        states |= {guest.name: (guest.state.value, guest.os) for guest in observation.guests}
    assert len(states) == 11
    assert states["web-1"] == ("running", "debian 12")
    assert {state for state, _ in states.values()} == {"running", "paused", "stopped", "crashed"}


def test_counters_of_the_demo_grow_with_the_clock(demo):
    session = demo["demo-kvm-1"]
    first, begun = session.guests("vitals")["database"], time.monotonic()
    time.sleep(0.2)
    second, elapsed = session.guests("vitals")["database"], time.monotonic() - begun
    assert second.cpu.seconds - first.cpu.seconds == pytest.approx(elapsed, abs=0.1)
    assert [disk.disk for disk in second.disks] == ["vda", "vdb"]
    assert all(after.read_bytes > before.read_bytes for before, after in zip(first.disks, second.disks, strict=True))
    assert second.nics[0].traffic.receive_bytes > first.nics[0].traffic.receive_bytes
    assert second.cpu.ready_seconds is None, "this driver counts none"


def test_snapshots_of_the_demo_are_as_old_as_they_say(demo):
    guests = demo["demo-kvm-1"].guests("snapshots")
    (old,) = guests["legacy-erp"].snapshots
    assert time.time() - old.created_timestamp_seconds == pytest.approx(400 * DAY, abs=60)
    before, after = guests["web-1"].snapshots
    assert (before.parent_id, after.parent_id, before.current, after.current) == ("", "before-upgrade", False, True)
    assert guests["web-2"].snapshots == ()


def test_pools_of_the_demo_fill_up(demo):
    for session in demo.values():
        observation = session.collect("storage")
        pools = {pool.name: pool for pool in observation.storages}
        used = {name: 1 - pool.free_bytes / pool.capacity_bytes for name, pool in pools.items()}
        assert used == {"images": pytest.approx(0.84), "archive": pytest.approx(0.37)}
        assert {disk.storage for guest in observation.guests for disk in guest.disks} == {"images"}


def test_the_drivers_own_default_world():
    with world("test:///default", "sandbox") as session:
        vitals = session.collect("vitals")
        (guest,) = vitals.guests
        assert (guest.name, guest.state, guest.cpu.vcpus) == ("test", "running", 2)
        assert guest.memory.configured_bytes == 8 * 2**30
        assert guest.memory.assigned_bytes == 2 * 2**30
        assert guest.memory.used_bytes is None, "its report is from 1989"
        assert (vitals.hosts[0].memory.capacity_bytes, vitals.hosts[0].memory.available_bytes) == (3 * 2**30, None)
        assert not vitals.problems
        (nic,) = session.guests("inventory")["test"].nics
        assert (nic.nic, nic.mac, nic.network) == ("testnet0", "aa:bb:cc:dd:ee:ff", "default")


def test_what_a_driver_does_not_support_is_asked_once():
    with world("test:///default") as session:
        for _ in range(3):
            session.collect("vitals")
        assert session.meter.take()["virNodeGetMemoryStats"].count == 1
