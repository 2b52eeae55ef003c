"""Snapshots of a vCenter beside what govc tells of them; sizes are also added up by hand."""

import datetime as dt
import json

import pytest

from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_storage_world import Files, estate, frozen


@pytest.fixture
def vcenter():
    with VCenter(*flags_of(datacenters=2, clusters=0, hosts=1, machines=2, datastores=1)) as started:
        yield started


@pytest.fixture
def seen(vcenter):
    with estate(vcenter) as opened:
        yield opened


def first(vcenter, datacenter="DC0"):
    """Path and reference of a guest."""
    return next(
        (path, ref) for path, ref in sorted(vcenter.references("m").items()) if path.startswith(f"/{datacenter}")
    )


def tree_of(vcenter, path):
    """The tree of a guest as govc tells it, flat, by name."""
    left = list(vcenter.collect(path, "snapshot")["snapshot"]["rootSnapshotList"])
    for each in left:
        left += each.get("childSnapshotList") or []
    return {each["name"]: each for each in left}


def sizes_of(vcenter, path):
    """Bytes of snapshots by their references, as `govc snapshot.tree` counts them: without files of memory."""
    found = {}

    def walk(node):
        found[node["id"]] = node["size"]
        for each in node.get("childSnapshotList") or []:
            walk(each)

    for root in json.loads(vcenter.govc("snapshot.tree", "-s", "-i", "-json", "-vm", path)):
        walk(root)
    return found


def home_of(vcenter, path):
    files = vcenter.collect(path, "config.files")["config.files"]["vmPathName"]
    return files.rpartition("/")[0]


def set_runtime(vcenter, path, reference, **changes):
    runtime = vcenter.collect(path, "runtime")["runtime"]
    vcenter.set(reference, {"runtime": runtime | changes})


def branched(vcenter, path, reference, disk_key):
    """Two branches on one root, the guest in the middle of the first; three layers of a disk, memory in `leaf`.

    root: data 1,000. middle: data 2,000, layer 10,100, and what the guest has written since, 40,100. leaf: data
    3,000, memory 500,000, layer 20,100. side: data 4,000, layer 30,100.
    """
    for name, parent in (("root", None), ("middle", "root"), ("leaf", "middle"), ("side", "root")):
        if parent:
            vcenter.govc("snapshot.revert", "-vm", path, parent)
        vcenter.govc("snapshot.create", "-vm", path, "-m=false", name)
    vcenter.govc("snapshot.revert", "-vm", path, "middle")
    snapshots = {name: each["snapshot"]["value"] for name, each in tree_of(vcenter, path).items()}
    home, files = home_of(vcenter, path), Files()
    base, one, two, three, four = (
        files.layer(f"{home}/d-{number:06}.vmdk", size)
        for number, size in enumerate((9_000_000, 10_000, 20_000, 30_000, 40_000))
    )
    data = {name: files.file(f"{home}/{name}.vmsn", (1 + place) * 1000, "snapshotData")
            for place, name in enumerate(("root", "middle", "leaf", "side"))}  # fmt: skip
    memory = files.file(f"{home}/leaf.vmem", 500_000, "snapshotMemory")
    layout = files.value(
        {disk_key: [base, one, four]},
        [
            frozen(snapshots["root"], data["root"], {disk_key: [base]}),
            frozen(snapshots["middle"], data["middle"], {disk_key: [base, one]}),
            frozen(snapshots["leaf"], data["leaf"], {disk_key: [base, one, two]}, memory),
            frozen(snapshots["side"], data["side"], {disk_key: [base, three]}),
        ],
        timestamp="2026-03-03T03:03:03Z",
    )
    vcenter.set(reference, {"layoutEx": layout})
    return snapshots


HELD = {"root": 1000, "middle": 2000 + 10_100 + 40_100, "leaf": 3000 + 500_000 + 20_100, "side": 4000 + 30_100}


def test_a_tree_is_told_as_govc_tells_it(vcenter, seen):
    path, reference = first(vcenter)
    branched(vcenter, path, reference, 204)
    told = tree_of(vcenter, path)
    seen.collect("snapshots")
    found = {each.name: each for each in seen.guest(reference).snapshots}
    assert {name: each.id for name, each in found.items()} == {
        name: each["snapshot"]["value"] for name, each in told.items()
    }
    children = {(name, child["name"]) for name, each in told.items() for child in each.get("childSnapshotList") or []}
    by_id = {each.id: each.name for each in found.values()}
    assert {(by_id[each.parent_id], each.name) for each in found.values() if each.parent_id} == children
    assert [each.name for each in found.values() if each.current] == ["middle"]
    for name, each in told.items():
        created = dt.datetime.fromisoformat(each["createTime"][:19] + "+00:00").timestamp()
        assert created <= found[name].created_timestamp_seconds <= created + 1
        assert (found[name].quiesced, found[name].state) == (each["quiesced"], each["state"])
    assert not seen.seen.problems


def test_snapshots_hold_what_govc_and_a_calculator_say(vcenter, seen):
    path, reference = first(vcenter)
    branched(vcenter, path, reference, 204)
    seen.collect("snapshots")
    guest = seen.guest(reference)
    assert {each.name: each.size_bytes for each in guest.snapshots} == HELD
    by_govc = sizes_of(vcenter, path)
    assert {each.id: each.size_bytes - 500_000 * (each.name == "leaf") for each in guest.snapshots} == by_govc
    assert {each.name for each in guest.snapshots if each.memory} == {"leaf"}
    assert guest.snapshots_size_bytes == sum(HELD.values())
    assert guest.storage_data_timestamp_seconds == 1772506983
    assert guest.orphaned_overlays == 0


def test_what_snapshots_hold_counts_on_their_own_datastore(vcenter, seen):
    """Both datacenters have a datastore of the same name."""
    path, reference = first(vcenter, "DC1")
    branched(vcenter, path, reference, 204)
    seen.collect("snapshots")
    datastores = vcenter.references("s")
    assert {path.rsplit("/", 1)[1] for path in datastores} == {"LocalDS_0"}
    held = {each.id: each.snapshots_size_bytes for each in seen.seen.storages}
    (mine,) = (ref.split(":")[1] for path, ref in datastores.items() if path.startswith("/DC1"))
    (other,) = (ref.split(":")[1] for path, ref in datastores.items() if path.startswith("/DC0"))
    assert held == {mine: sum(HELD.values()), other: 0}


def test_on_vsan_snapshots_are_counted_but_not_weighed(vcenter, seen):
    path, reference = first(vcenter)
    branched(vcenter, path, reference, 204)
    for datastore in vcenter.references("s").values():
        vcenter.set(datastore, {"summary.type": "vsan"})
    seen.collect("snapshots")
    guest = seen.guest(reference)
    assert len(guest.snapshots) == 4
    assert guest.snapshots_size_bytes is None
    assert {each.size_bytes for each in guest.snapshots} == {None}
    assert seen.seen.storages == ()


def test_without_files_ages_and_counts_remain(vcenter, seen):
    path, reference = first(vcenter)
    branched(vcenter, path, reference, 204)
    vcenter.set(reference, {"layoutEx": None})
    seen.collect("snapshots")
    guest = seen.guest(reference)
    assert [each.created_timestamp_seconds is None for each in guest.snapshots] == [False] * 4
    assert (guest.snapshots_size_bytes, guest.storage_data_timestamp_seconds) == (None, None)
    (there,) = vcenter.collect(path, "datastore")["datastore"]["_value"]
    assert there["value"] not in {each.id for each in seen.seen.storages}


def test_no_snapshots_is_a_fact_of_guests_that_can_be_read(vcenter, seen):
    path, reference = first(vcenter)
    set_runtime(vcenter, path, reference, connectionState="orphaned")
    seen.collect("snapshots")
    told = {each.native_id: (each.snapshots, each.orphaned_overlays) for each in seen.seen.guests}
    assert told.pop(reference.split(":")[1]) == (None, None)
    assert set(told.values()) == {((), 0)}
    assert len(told) == 3


def test_an_estate_without_snapshots_is_asked_for_no_files(vcenter, seen):
    path, reference = first(vcenter)
    seen.collect("vitals")  # the inventory is known from now on
    idle = seen.asked("snapshots")
    assert seen.asked("snapshots") == idle
    branched(vcenter, path, reference, 204)
    assert seen.asked("snapshots") == idle + 1
    assert seen.asked("snapshots") == idle  # nothing has changed
    assert seen.guest(reference).snapshots_size_bytes == sum(HELD.values())


def test_a_removed_snapshot_is_gone(vcenter, seen):
    path, reference = first(vcenter)
    branched(vcenter, path, reference, 204)
    seen.collect("snapshots")
    vcenter.govc("snapshot.remove", "-vm", path, "side")
    seen.collect("snapshots")
    assert {each.name for each in seen.guest(reference).snapshots} == {"root", "middle", "leaf"}


def test_leftovers_of_deleted_snapshots_show(vcenter, seen):
    path, reference = first(vcenter)
    home, files = home_of(vcenter, path), Files()
    layers = [files.layer(f"{home}/d{end}.vmdk", 1000) for end in ("", "-000001", "-000002")]
    vcenter.set(reference, {"layoutEx": files.value({204: layers})})
    set_runtime(vcenter, path, reference, consolidationNeeded=True)
    seen.collect("snapshots")
    guest = seen.guest(reference)
    assert (guest.consolidation_needed, guest.snapshots, guest.orphaned_overlays) == (True, (), 2)
    elsewhere = Files()
    layers = [elsewhere.layer(f"[LocalDS_0] gold/d{end}.vmdk", 1000) for end in ("", "-000001")]
    layers.append(elsewhere.layer(f"{home}/d.vmdk", 5))
    vcenter.set(reference, {"layoutEx": elsewhere.value({204: layers}, timestamp="2026-05-05T00:00:00Z")})
    set_runtime(vcenter, path, reference, consolidationNeeded=False)
    seen.collect("snapshots")
    guest = seen.guest(reference)
    assert (guest.consolidation_needed, guest.orphaned_overlays) == (False, 0)


def test_odd_names_and_dates(vcenter, seen):
    path, reference = first(vcenter)
    vcenter.govc("snapshot.create", "-vm", path, "plain")
    (node,) = tree_of(vcenter, path).values()
    odd = node | {"name": 'a%2fb %25 "ü"\n<&>', "createTime": "2025-10-17T02:00:00+02:00"}
    vcenter.set(reference, {"snapshot.rootSnapshotList": [odd, odd | {"name": "twin"}]})
    seen.collect("snapshots")
    (found,) = seen.guest(reference).snapshots
    assert (found.name, found.created_timestamp_seconds) == ('a/b % "ü"\n<&>', 1760659200)
    assert seen.problems() == {"value_rejected": 1}


def test_an_esxi_tells_its_snapshots():
    with VCenter("--esx", "--machines=1") as host, estate(host) as seen:
        ((path, reference),) = host.references("m").items()
        host.govc("snapshot.create", "-vm", path, "one")
        seen.collect("snapshots")
        assert [each.name for each in seen.guest(reference).snapshots] == ["one"]
        assert not seen.seen.problems
