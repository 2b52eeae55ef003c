"""A vCenter too slow for one collection of the slow lane: part is told anew, nothing else goes or moves."""

import pytest

from collectors.vsphere.client import properties
from exporter.runtime.carry import Carry
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_storage_world import Files, estate, frozen

GUESTS, PAGE = 4, 3
LATE = "ContinueRetrievePropertiesEx"


@pytest.fixture
def vcenter():
    with VCenter(*flags_of(hosts=1, machines=2)) as started:
        yield started


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    whole = properties.retrieve
    monkeypatch.setattr("collectors.vsphere.client.properties.retrieve", lambda of, what, _=0: whole(of, what, PAGE))


def told(carry, seen, at):
    """What is shown of an observation."""
    return carry.complete(seen, at)[0]


def free(seen):
    return {guest.native_id: [each.free_bytes for each in guest.filesystems] for guest in seen.guests}


def set_free(vcenter, size):
    for reference in vcenter.references("m").values():
        disk = {"diskPath": "/", "capacity": 1 << 30, "freeSpace": size}
        vcenter.set(reference, {"guest.disk": [disk], "guest.toolsRunningStatus": "guestToolsRunning"})


def test_file_systems_that_there_was_no_time_for_stay_as_they_were_and_are_first_the_next_time(vcenter):
    carry = Carry(600)
    set_free(vcenter, 1000)
    with estate(vcenter) as slow:
        before = told(carry, slow.collect("storage"), 0)
        assert sorted(free(before).values()) == [[1000]] * GUESTS
        set_free(vcenter, 2000)
        vcenter.order("delay", **{LATE: 9000})
        first = told(carry, slow.collect("storage", seconds=4), 1)
        assert slow.seen.partial
        assert slow.problems() == {"objects_late": GUESTS - PAGE}
        assert sorted(free(first).values()) == [[1000]] * (GUESTS - PAGE) + [[2000]] * PAGE
        assert {each.id for each in first.storages} == {each.id for each in before.storages}
        second = told(carry, slow.collect("storage", seconds=4), 2)
        assert sorted(free(second).values()) == [[2000]] * GUESTS
        vcenter.clear()
        slow.collect("storage")
        assert (slow.collect("storage").partial, slow.problems()) == (False, {})


def test_snapshots_that_there_was_no_time_for_stay_and_so_do_the_sums_of_datastores(vcenter):
    carry = Carry(600)
    for path, reference in vcenter.references("m").items():
        vcenter.govc("snapshot.create", "-vm", path, "kept")
        tree = vcenter.collect(path, "snapshot")["snapshot"]["rootSnapshotList"][0]["snapshot"]["value"]
        files = Files()
        name = path.rsplit("/", 1)[1]
        layer = files.layer(f"[LocalDS_0] {name}/{name}.vmdk", 1000)
        data = files.file(f"[LocalDS_0] {name}/{name}-Snapshot1.vmsn", 50, "snapshotData")
        kept = frozen(tree, data, {2000: [layer]})
        vcenter.set(reference, {"layoutEx": files.value({2000: [layer]}, [kept])})
    with estate(vcenter) as slow:
        before = told(carry, slow.collect("snapshots"), 0)
        sizes = {each.id: each.snapshots_size_bytes for each in before.storages}
        assert sum(size or 0 for size in sizes.values()) > 0
        late = vcenter.order
        late("delay", **{LATE: 9000})
        for at in (1, 2):
            seen = told(carry, slow.collect("snapshots", seconds=4), at)
            assert slow.problems() == {"objects_late": GUESTS - PAGE}
            assert [len(guest.snapshots) for guest in seen.guests] == [1] * GUESTS
            assert {each.id: each.snapshots_size_bytes for each in seen.storages} == sizes


def test_a_snapshot_that_is_removed_while_the_vcenter_is_slow_is_gone_when_its_guest_had_its_turn(vcenter):
    carry, paths = Carry(600), list(vcenter.references("m"))
    for path in paths:
        vcenter.govc("snapshot.create", "-vm", path, "kept")
    with estate(vcenter) as slow:
        told(carry, slow.collect("snapshots"), 0)
        for path in paths:
            vcenter.govc("snapshot.remove", "-vm", path, "kept")
        vcenter.order("delay", **{LATE: 9000})
        counts = [
            sorted(len(guest.snapshots) for guest in told(carry, slow.collect("snapshots", seconds=4), at).guests)
            for at in (1, 2)
        ]
    assert counts == [[0] * PAGE + [1] * (GUESTS - PAGE), [0] * GUESTS]
