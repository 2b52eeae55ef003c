"""The bounded summary for people."""

import random

from exporter.model import Allocation, Guest, Host, HostCpu, HostMemory, Observation, SnapshotSummary, Storage
from exporter.runtime.digest import LARGEST_BYTES, digest, read


def guest(number: int, oldest: float | None) -> Guest:
    return Guest(id=f"g{number}", name=f"guest {number}", snapshot_summary=SnapshotSummary(1, oldest))


def test_the_oldest_snapshots_come_first_and_the_rest_is_counted():
    guests = [guest(number, 1000.0 - number) for number in range(300)]
    guests += [Guest(id="none", name="none", snapshot_summary=SnapshotSummary(0)), guest(999, None)]
    random.Random(1).shuffle(guests)
    found = read(digest(Observation(0.0, guests=tuple(guests))))["snapshots"]
    assert found["of"] == 301
    assert [entry["id"] for entry in found["first"]] == [f"g{number}" for number in range(299, 99, -1)]
    assert found["first"][0]["oldest_timestamp_seconds"] == 701.0


def test_hosts_are_ranked_by_overcommitted_memory_and_storage_by_fullness():
    def host(name: str, allocated: float) -> Host:
        memory = HostMemory(capacity_bytes=100.0)
        return Host(id=name, name=name, memory=memory, cpu=HostCpu(cores=4), allocation=Allocation({}, 8, allocated))

    storages = tuple(
        Storage(name, name, capacity_bytes=10.0, free_bytes=free) for name, free in (("a", 9.0), ("b", 1.0))
    )
    found = read(digest(Observation(0.0, hosts=(host("low", 50.0), host("high", 150.0)), storages=storages)))
    assert [entry["id"] for entry in found["hosts"]["first"]] == ["high", "low"]
    assert [entry["id"] for entry in found["storages"]["first"]] == ["b", "a"]


def test_a_storage_that_two_groups_list_is_shown_once():
    """The group of snapshots lists it for what snapshots hold; one that is out of reach has no sizes, but is one."""
    full = Storage("a", "a", accessible=True, capacity_bytes=10.0, free_bytes=1.0)
    away = Storage("b", "b", accessible=False)
    held = Storage("a", "a", snapshots_size_bytes=3.0)
    assert read(digest(Observation(0.0, storages=(full, away))))["storages"]["of"] == 2
    assert digest(Observation(0.0, storages=(held,))) == b""


def test_it_stays_within_its_size_whatever_the_names():
    noise = random.Random(2)
    names = [noise.randbytes(100).hex() for _ in range(20_000)]
    storages = tuple(Storage(name, name, accessible=True) for name in names)
    text = digest(Observation(0.0, storages=storages))
    assert len(text) <= LARGEST_BYTES
    found = read(text)["storages"]
    assert found["of"] == 20_000
    assert 0 < len(found["first"]) < 20_000


def test_an_observation_with_nothing_to_show_has_none():
    assert digest(Observation(0.0, guests=(Guest(id="a", name="a"),))) == b""
    assert read(b"") == {}
