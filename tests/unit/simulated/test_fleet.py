"""The same everywhere and for ever; counters exact; sums that add up."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.simulated import observe
from collectors.simulated.curves import DAY, ORIGIN, TEXTURE, WEEK, in_batch, level
from collectors.simulated.fleet import fleet_of
from collectors.simulated.names import NASTY
from collectors.simulated.options import SimulatedOptions
from exporter.model import GuestState
from tests.backends.daemon import repository
from tests.unit.simulated.seen import counters, guests

OPTIONS = {"guests": 60, "seed": "unit"}
NOW = ORIGIN + 500.37 * DAY
instants = st.floats(ORIGIN + DAY, ORIGIN + 3 * 365 * DAY)

SCRIPT = """
import hashlib, json, sys
from collectors.simulated import observe
found = {}
for group, instant in json.loads(sys.argv[1]):
    for options in ({"guests": 60, "seed": "unit"}, {"like": "vsphere"}, {"like": "libvirt", "guests": 9}):
        seen = observe(options, group, instant)
        found[f"{group} {instant} {options}"] = hashlib.sha256(repr(seen).encode()).hexdigest()
print(json.dumps(found))
"""


def hashes(asked, seed):
    """Digests of observations, from a fresh interpreter."""
    env = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(repository())}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(asked)], env=env, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_process_sees_the_same_in_whichever_order_it_asks():
    asked = [
        (group, NOW + hour * 3600) for group in ("vitals", "storage", "snapshots", "inventory") for hour in (0, 77)
    ]
    first, second = hashes(asked, 1), hashes(asked[::-1], 2)
    assert first == second
    assert len(set(first.values())) == len(first)


def test_another_seed_is_another_fleet():
    assert not guests(OPTIONS, NOW).keys() & guests({**OPTIONS, "seed": "other"}, NOW).keys()


@settings(max_examples=60, deadline=None)
@given(instants, st.floats(0.002, 20 * DAY))
def test_no_counter_falls_unless_its_guest_or_host_was_started_anew(start, length):
    before, after = (observe(OPTIONS, "vitals", at) for at in (start, start + length))
    boots = [
        {thing.id: thing.boot_timestamp_seconds for thing in (*seen.hosts, *seen.guests)} for seen in (before, after)
    ]
    then = counters(before)
    for (family, key), value in counters(after).items():
        same_life = boots[0][key[1]] == boots[1][key[1]]
        if same_life and (family, key) in then:
            assert value >= then[family, key], (family, key)


def test_the_cpu_counter_is_the_integral_of_the_load():
    """By small steps, from the plan of a guest."""
    fleet = fleet_of(SimulatedOptions.model_validate(OPTIONS))
    plan = next(guest for guest in fleet.guests if guest.pattern.name == "STEADY" and guest.busy[4] == 0)
    start, step, count = NOW, 20.0, 3000
    load = 0.0
    for number in range(count):
        at = start + (number + 0.5) * step
        waves = zip((DAY, WEEK, TEXTURE), (plan.rhythm.day, plan.rhythm.week, plan.rhythm.texture), strict=True)
        shares = (1.0, *(level(period, phase, at) for period, phase in waves), in_batch(plan.rhythm.batch, at))
        load += step * plan.vcpus * sum(a * b for a, b in zip(plan.busy, shares, strict=True))
    then, now = (guests(OPTIONS, at)[plan.id] for at in (start, start + step * count))
    assert then.boot_timestamp_seconds == now.boot_timestamp_seconds
    assert now.cpu.seconds - then.cpu.seconds == pytest.approx(load, rel=1e-4)


@pytest.mark.parametrize("day", [0, 3.3, 101.7, 333.9])
def test_hosts_use_at_least_what_their_guests_use_and_no_more_than_they_have(day):
    start, length = NOW + day * DAY, 300.0
    before, after = (observe(OPTIONS, "vitals", at) for at in (start, start + length))
    then = {guest.id: guest for guest in before.guests}
    used = dict.fromkeys((host.id for host in after.hosts), 0.0)
    for guest in after.guests:
        was = then[guest.id]
        stayed = was.host_id == guest.host_id and was.boot_timestamp_seconds == guest.boot_timestamp_seconds
        if stayed and guest.cpu.seconds is not None and was.cpu.seconds is not None:
            used[guest.host_id] += guest.cpu.seconds - was.cpu.seconds
    for host, earlier in zip(after.hosts, before.hosts, strict=True):
        if host.up and earlier.up and host.boot_timestamp_seconds == earlier.boot_timestamp_seconds:
            busy = host.cpu.busy_seconds - earlier.cpu.busy_seconds
            # The hypervisor's own share pays for milliseconds lost to rounding.
            assert used[host.id] <= busy <= length * host.cpu.capacity_cpus
        if host.up:
            resident = sum(g.memory.host_used_bytes or 0 for g in after.guests if g.host_id == host.id)
            assert resident <= host.memory.used_bytes <= host.memory.capacity_bytes
            assert host.memory.used_bytes + host.memory.available_bytes == host.memory.capacity_bytes


@pytest.mark.parametrize("day", [0, 40.4, 333.9])
def test_storages_hold_what_their_disks_and_snapshots_hold(day):
    at = NOW + day * DAY
    space, snapshots = observe(OPTIONS, "storage", at), observe(OPTIONS, "snapshots", at)
    held = {storage.id: storage.snapshots_size_bytes for storage in snapshots.storages}
    assert sum(held.values()) == sum(
        snapshot.size_bytes for guest in snapshots.guests for snapshot in guest.snapshots or ()
    )
    beside = set()
    for storage in space.storages:
        if not storage.accessible:
            assert storage.capacity_bytes is None
            continue
        disks = [disk for guest in space.guests for disk in guest.disks if disk.storage_id == storage.id]
        used = storage.capacity_bytes - storage.free_bytes
        beside.add(used - sum(disk.allocated_bytes for disk in disks) - held[storage.id])
        promised = sum(disk.capacity_bytes - disk.allocated_bytes for disk in disks)
        assert storage.provisioned_bytes == used + promised
        assert 0 < storage.free_bytes < storage.capacity_bytes
    assert beside == {40 * 2**30}, "files that are no disks"
    local = {storage.id for storage in space.storages if not storage.shared}
    assert any(disk.storage_id in local for guest in space.guests for disk in guest.disks)


def test_a_storage_fills_evenly():
    def free(at):
        storage = next(s for s in observe(OPTIONS, "storage", at).storages if s.name.endswith("vol-01"))
        snapshots = next(s for s in observe(OPTIONS, "snapshots", at).storages if s.id == storage.id)
        return storage.free_bytes + snapshots.snapshots_size_bytes, storage.capacity_bytes

    found = [free(NOW + day * DAY) for day in range(40)]
    slopes = [later[0] - earlier[0] for earlier, later in pairwise(found)]
    falling = [slope for slope in slopes if slope < 0]
    assert len(falling) >= 38, "cleaned up at most once"
    assert max(falling) == pytest.approx(min(falling), rel=1e-6)
    assert -falling[0] > found[0][1] / 1000


def test_names_that_nobody_should_have_chosen_are_there():
    names = {guest.name for guest in guests(OPTIONS, NOW).values()}
    assert names > set(NASTY)
    assert any(name != name.strip() for name in NASTY)


def test_every_state_is_there():
    states = {guest.state for hour in range(30) for guest in guests(OPTIONS, NOW + hour * 3600).values()}
    wanted = {GuestState.RUNNING, GuestState.STOPPED, GuestState.SUSPENDED, GuestState.PAUSED, GuestState.CRASHED}
    assert states >= {*wanted, None}
    assert any(guest.kind == "template" for guest in guests(OPTIONS, NOW).values())


@pytest.mark.parametrize(
    ("options", "hosts"), [({"guests": 0}, 1), ({"guests": 1, "hosts": 3}, 3), ({"guests": 200, "hosts": 1}, 1)]
)
def test_odd_sizes_work_in_every_group(options, hosts):
    for group in ("vitals", "storage", "snapshots", "inventory"):
        seen = observe(options, group, NOW)
        assert len(seen.guests) == options["guests"]
    assert len(observe(options, "vitals", NOW).hosts) == hosts


def test_as_many_guests_have_snapshots_as_were_asked_for():
    options = {"guests": 100, "snapshots": 17}
    fleet = fleet_of(SimulatedOptions.model_validate(options))
    assert sum(guest.snaps.name != "NONE" for guest in fleet.guests) == 17
