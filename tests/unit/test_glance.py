"""The estate at a glance, over several targets."""

import pytest

from exporter.glance import glance
from exporter.model import Allocation, Guest, Host, HostCpu, HostMemory, Observation, SnapshotSummary, Storage
from exporter.runtime.digest import digest
from exporter.web.source import FullStorage, LoadedHost, OldSnapshot


def host(name, cores, vcpus, memory, allocated):
    cpu, capacity = HostCpu(cores=cores), HostMemory(capacity_bytes=memory)
    return Host(id=name, name=name, cpu=cpu, memory=capacity, allocation=Allocation({}, vcpus, allocated))


def guest(name, oldest, count=1):
    return Guest(id=name, name=name, snapshot_summary=SnapshotSummary(count, oldest, chain_depth=count))


def test_the_first_of_each_over_all_targets():
    a = Observation(0.0, hosts=(host("calm", 8, 8, 100.0, 50.0),), guests=(guest("new", 900.0), guest("none", None, 0)))
    b = Observation(
        0.0,
        hosts=(host("packed", 8, 32, 100.0, 120.0),),
        guests=(guest("old", 100.0, count=3),),
        storages=(
            Storage("s", "s", capacity_bytes=100.0, free_bytes=10.0, provisioned_bytes=250.0),
            Storage("dead", "dead", accessible=False),
        ),
    )
    seen = glance([("a", digest(a)), ("b", digest(b)), ("c", b"")])
    assert seen.snapshots == (
        OldSnapshot("b", "old", 3, 100.0, 3, None),
        OldSnapshot("a", "new", 1, 900.0, 1, None),
    )
    assert seen.guests_with_snapshots == 2
    assert seen.hosts == (LoadedHost("b", "packed", 4.0, 1.2), LoadedHost("a", "calm", 1.0, 0.5))
    assert seen.storages == (FullStorage("b", "s", pytest.approx(0.9), 2.5, 10.0),)
    assert seen.storages_in_all == 2


def test_no_more_than_asked_for_and_the_rest_is_counted():
    seen = glance([("a", digest(Observation(0.0, guests=tuple(guest(f"g{n}", float(n)) for n in range(50)))))], most=3)
    assert [old.guest for old in seen.snapshots] == ["g0", "g1", "g2"]
    assert seen.guests_with_snapshots == 50
