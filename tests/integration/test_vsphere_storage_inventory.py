"""Storage and snapshots of a generated inventory, guest by guest as it was meant and as govc weighs it."""

import json

import pytest

from tests.backends.inventory.chains import DESCRIPTOR_BYTES
from tests.backends.vcenter import VCenter
from tests.backends.vcsim_inventory import Size, write
from tests.integration.vsphere_storage_world import estate

NOW = 1_790_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storage") / "inventory"
    plan = write(folder, Size(60, hosts=6), NOW)
    with VCenter(f"--load={folder}", "--api-version=8.0.3.0") as vcenter, estate(vcenter) as seen:
        yield vcenter, plan, seen


def by_govc(vcenter, guest):
    """Bytes of a guest's snapshots by their references, without files of memory."""
    left = json.loads(vcenter.govc("snapshot.tree", "-s", "-i", "-json", "-vm.ipath", path_of(vcenter, guest)))
    for each in left:
        left += each["childSnapshotList"] or []
    return {each["id"]: each["size"] for each in left}


def path_of(vcenter, guest):
    paths = {reference: path for path, reference in vcenter.references("m").items()}
    return paths[str(guest.ref)]


def test_every_snapshot_weighs_what_govc_says(world):
    vcenter, plan, seen = world
    seen.collect("snapshots")
    frozen = [each for each in plan.guests if each.tree.snapshots]
    assert len(frozen) == 12
    for each in frozen:
        found = seen.guest(str(each.ref))
        memory = {one.ref.id: one.memory_bytes for one in each.tree.snapshots}
        assert {one.id: one.memory for one in found.snapshots} == {
            ref: size is not None for ref, size in memory.items()
        }
        without_memory = {one.id: one.size_bytes - (memory[one.id] or 0) for one in found.snapshots}
        assert without_memory == by_govc(vcenter, each)
        assert {one.id: one.created_timestamp_seconds for one in found.snapshots} == {
            one.ref.id: one.created for one in each.tree.snapshots
        }
        assert [one.id for one in found.snapshots if one.current] == [each.tree.snapshots[each.tree.current].ref.id]
        assert found.snapshots_size_bytes == sum(one.size_bytes for one in found.snapshots)
    assert not seen.seen.problems


def test_datastores_carry_the_snapshots_of_their_guests(world):
    _, plan, seen = world
    seen.collect("snapshots")
    held = {}
    for each in plan.guests:
        size = seen.guest(str(each.ref)).snapshots_size_bytes or 0
        held[each.datastore.ref.id] = held.get(each.datastore.ref.id, 0) + size
    stores = [each for one in plan.datacenters for each in one.datastores if each.kind != "vsan"]
    assert {each.id: each.snapshots_size_bytes for each in seen.seen.storages} == {
        each.ref.id: held.get(each.ref.id, 0) for each in stores
    }


def test_leftovers_are_those_that_were_meant(world):
    _, plan, seen = world
    seen.collect("snapshots")
    for each in plan.guests:
        found = seen.guest(str(each.ref))
        if not each.known:
            assert (found.snapshots, found.orphaned_overlays) == (None, None)
        else:
            assert len(found.snapshots) == len(each.tree.snapshots)
            assert found.orphaned_overlays == (2 if each.role == "deltas" else 0), each.role


def test_disks_lie_and_weigh_as_meant(world):
    _, plan, seen = world
    seen.collect("storage")
    names = {ref.id: ref for ref in (each.datastore.ref for each in plan.guests)}
    for each in (one for one in plan.guests if one.known):
        disks = seen.guest(str(each.ref)).disks
        assert [disk.capacity_bytes for disk in disks] == list(each.disks)
        tips = [chain[-1] for chain in each.tree.active]
        assert [disk.path for disk in disks] == [f"{tip.path(each.base)}.vmdk" for tip in tips]
        assert [disk.allocated_bytes for disk in disks] == [tip.extent_bytes + DESCRIPTOR_BYTES for tip in tips]
        assert [disk.chain_depth for disk in disks] == [len(chain) - 1 for chain in each.tree.active]
        assert {disk.storage_id for disk in disks} == {each.datastore.ref.id} <= set(names)
        assert {disk.storage for disk in disks} == {each.datastore.name.replace("%2f", "/")}
    assert not seen.seen.problems


def test_datastores_are_as_meant(world):
    _, plan, seen = world
    seen.collect("storage")
    for datacenter in plan.datacenters:
        for each in datacenter.datastores:
            found = seen.storage(str(each.ref))
            usable = each.state != "inaccessible"
            assert (found.name, found.backing, found.accessible) == (each.name, each.kind, usable)
            assert found.capacity_bytes == (each.capacity_bytes if usable else None)
            assert found.free_bytes == (each.capacity_bytes - each.used_bytes if usable else None)
            assert found.provisioned_bytes == (each.used_bytes + each.promised_bytes if usable else None)
            assert found.storage_cluster == ("pod / 1" if each.pod else "")
            assert found.extra["maintenance"] == int(each.state == "inMaintenance")
            assert found.hosts == len(each.hosts)
            if each.kind != "vsan":  # its UUID is in the URL alone, and the simulator makes a path of its own of that
                assert found.key == ("nfs:nas.example.net:/export" if each.kind == "NFS" else each.uuid)


def test_a_file_system_belongs_to_a_guest_whose_tools_run(world):
    vcenter, plan, seen = world
    seen.collect("storage")
    compared = 0
    for each in plan.guests:
        told = vcenter.collect(str(each.ref), "guest.disk", "guest.toolsRunningStatus") if each.running else {}
        disks = (told.get("guest.disk") or {}).get("_value") or []
        running = told.get("guest.toolsRunningStatus") == "guestToolsRunning"
        wanted = {one["diskPath"]: (one["capacity"], one["freeSpace"]) for one in disks} if running else {}
        found = {one.mountpoint: (one.size_bytes, one.free_bytes) for one in seen.guest(str(each.ref)).filesystems}
        assert found == wanted
        compared += len(found)
    assert compared > 20


def test_only_the_pools_of_clusters_that_somebody_made_are_told(world):
    vcenter, plan, seen = world
    seen.collect("storage")
    megahertz = {}
    for each in plan.clusters():
        for ref, name in each.pools:
            told = vcenter.collect(str(ref), "runtime.cpu.overallUsage")["runtime.cpu.overallUsage"]
            megahertz[f"{ref.id} {name}".replace("%2f", "/")] = told * 1e6
    assert megahertz
    used = [each.extra["pool_cpu_used"] for each in seen.seen.clusters if "pool_cpu_used" in each.extra]
    found = {key: value for each in used for key, value in each.values.items()}
    assert found == megahertz
