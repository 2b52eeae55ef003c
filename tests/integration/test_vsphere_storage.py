"""Storage of a vCenter and an ESXi beside what govc reads of them."""

import json

import pytest

from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_storage_world import Files, estate

MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def vcenter():
    with VCenter(*flags_of(datacenters=2, hosts=2, machines=1, datastores=2, pools=1, pods=1)) as started:
        yield started


@pytest.fixture
def seen(vcenter):
    with estate(vcenter) as opened:
        yield opened


def disk_of(vcenter, guest):
    """The guest's only disk as govc tells it."""
    (found,) = json.loads(vcenter.govc("device.info", "-vm", guest, "-json", "disk-*"))["devices"]
    return found


def test_every_datastore_is_told_as_govc_reads_it(vcenter, seen):
    references = vcenter.references("s")
    assert len(references) == 4
    assert len({path.rsplit("/", 1)[1] for path in references}) == 2  # the same names in both datacenters
    for path, reference in references.items():
        summary = vcenter.collect(path, "summary")["summary"]
        vcenter.set(reference, {"summary": summary | {"uncommitted": 5_000_000_000, "multipleHostAccess": True}})
        told = vcenter.collect(path, "summary", "info", "host")
        seen.collect("storage")
        found, summary = seen.storage(reference), told["summary"]
        assert (found.name, found.backing, found.shared) == (summary["name"], summary["type"], True)
        assert (found.capacity_bytes, found.free_bytes) == (summary["capacity"], summary["freeSpace"])
        assert found.provisioned_bytes == summary["capacity"] - summary["freeSpace"] + 5_000_000_000
        assert found.hosts == len(told["host"]["_value"])
        assert found.hosts_accessible == sum(each["mountInfo"]["accessible"] for each in told["host"]["_value"])
        assert found.data_timestamp_seconds == pytest.approx(seconds(vcenter, path), abs=0.001)
    assert len(seen.seen.storages) == 4
    assert not seen.seen.problems


def seconds(vcenter, path):
    import datetime as dt

    text = vcenter.collect(path, "info.timestamp")["info.timestamp"]
    whole, _, rest = text.rstrip("Z").partition(".")
    return dt.datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{rest or 0}")


def test_a_datastore_that_is_lost_keeps_its_flag_only(vcenter, seen):
    path, reference = next(iter(vcenter.references("s").items()))
    mounts = vcenter.collect(path, "host")["host"]["_value"]
    mounts[0]["mountInfo"] |= {"accessible": False, "inaccessibleReason": "AllPathsDown_Start"}
    vcenter.set(reference, {"summary.accessible": False, "host": mounts})
    seen.collect("storage")
    found = seen.storage(reference)
    assert (found.accessible, found.hosts, found.hosts_accessible) == (False, len(mounts), len(mounts) - 1)
    assert (found.capacity_bytes, found.free_bytes, found.provisioned_bytes) == (None, None, None)
    vcenter.set(reference, {"summary.accessible": True})
    seen.collect("storage")
    assert seen.storage(reference).capacity_bytes == vcenter.collect(path, "summary")["summary"]["capacity"]


def test_storage_is_known_by_its_export_or_volume(vcenter, seen):
    nfs, vmfs, other, _ = vcenter.references("s").values()
    nas = {
        "_typeName": "HostNasVolume",
        "type": "NFS",
        "name": "x",
        "capacity": 1,
        "remoteHost": "filer",
        "remotePath": "/a",
    }
    info = {"_typeName": "NasDatastoreInfo", "name": "x", "url": "ds:///vmfs/volumes/hash/", "freeSpace": 1,
            "maxFileSize": 1, "nas": nas, "timestamp": "2026-01-02T03:04:05Z"}  # fmt: skip
    vcenter.set(nfs, {"info": info, "summary.type": "NFS"})
    vcenter.set(vmfs, {"summary.url": "ds:///vmfs/volumes/5F3C2B1A-1/", "summary.type": "VMFS"})
    seen.collect("storage")
    assert (seen.storage(nfs).key, seen.storage(nfs).backing) == ("nfs:filer:/a", "NFS")
    assert seen.storage(nfs).data_timestamp_seconds == 1767323045
    assert seen.storage(vmfs).key == "5f3c2b1a-1"
    instance = json.loads(vcenter.govc("about", "-json"))["about"]["instanceUuid"]
    assert seen.storage(other).key == f"{instance}/{other.split(':')[1]}"


def test_a_datastore_in_a_datastore_cluster_names_it(vcenter, seen):
    (pod,) = vcenter.govc("find", "-type", "StoragePod", "/DC1").split()
    path = sorted(each for each in vcenter.references("s") if each.startswith("/DC1"))[1]
    reference = vcenter.references("s")[path]
    vcenter.govc("object.mv", path, pod)
    (pod_reference,) = vcenter.govc("find", "-i", "-type", "StoragePod", "/DC1").split()
    drs = {
        "storageDrsConfig": {
            "podConfig": {"enabled": True, "ioLoadBalanceEnabled": False, "defaultVmBehavior": "manual"}
        }
    }
    vcenter.set(pod_reference, {"podStorageDrsEntry": drs, "name": "pod%2fone"})
    seen.collect("storage")
    assert seen.storage(reference).storage_cluster == "pod/one"
    extra = seen.storage(reference).extra
    assert (extra["maintenance"], extra["automated"]) == (0, True)
    others = [each for each in seen.seen.storages if each.id != reference.split(":")[1]]
    assert {(each.storage_cluster, each.extra["automated"]) for each in others} == {("", None)}


def test_a_disk_lies_where_govc_says_and_takes_what_its_files_do(vcenter, seen):
    for path, reference in vcenter.references("m").items():
        device = disk_of(vcenter, path)
        backing = device["backing"]
        files = Files()
        layer = files.layer(backing["fileName"], 7 * MEGABYTE)
        vcenter.set(reference, {"layoutEx": files.value({device["key"]: [layer]})})
        seen.collect("storage")
        (disk,) = seen.guest(reference).disks
        assert disk.disk == device["deviceInfo"]["label"]
        assert disk.capacity_bytes == device["capacityInBytes"]
        assert disk.path == backing["fileName"]
        assert disk.storage_id == backing["datastore"]["value"]
        assert f"[{disk.storage}] " == disk.path[: len(disk.storage) + 3]
        assert disk.format == ("thin" if backing.get("thinProvisioned") else "thick")
        assert (disk.allocated_bytes, disk.physical_bytes, disk.chain_depth) == (7 * MEGABYTE + 100,) * 2 + (0,)


def test_files_are_read_anew_only_where_they_have_changed(vcenter, seen):
    path, reference = next(iter(vcenter.references("m").items()))
    device = disk_of(vcenter, path)
    seen.collect("storage")
    idle = seen.asked("storage")
    files = Files()
    base = files.layer(device["backing"]["fileName"].replace(".vmdk", "_0.vmdk"), 10)
    top = files.layer(device["backing"]["fileName"], 20)
    vcenter.set(reference, {"layoutEx": files.value({device["key"]: [base, top]}, timestamp="2026-02-02T00:00:00Z")})
    assert seen.asked("storage") == idle + 1
    (disk,) = seen.guest(reference).disks
    assert (disk.allocated_bytes, disk.chain_depth) == (120, 1)
    assert seen.asked("storage") == idle
    assert seen.guest(reference).disks == (disk,)


def test_on_vsan_disks_have_no_size_of_files(vcenter, seen):
    path, reference = next(iter(vcenter.references("m").items()))
    datastore = f"Datastore:{disk_of(vcenter, path)['backing']['datastore']['value']}"
    kind = vcenter.collect(datastore, "summary")["summary"]["type"]
    vcenter.set(datastore, {"summary.type": "vsan"})
    seen.collect("storage")
    vcenter.set(datastore, {"summary.type": kind})
    (disk,) = seen.guest(reference).disks
    assert (disk.allocated_bytes, disk.physical_bytes) == (None, None)
    assert disk.capacity_bytes == disk_of(vcenter, path)["capacityInBytes"]


def test_file_systems_in_guests(vcenter, seen):
    reference = next(iter(vcenter.references("m").values()))
    told = [
        {"diskPath": "/", "capacity": 1000, "freeSpace": 10, "filesystemType": "ext4"},
        {"diskPath": "C:\\", "capacity": 50},
    ]
    vcenter.set(reference, {"guest.disk": told, "guest.toolsRunningStatus": "guestToolsRunning"})
    seen.collect("storage")
    found = [(each.mountpoint, each.size_bytes, each.free_bytes) for each in seen.guest(reference).filesystems]
    assert found == [("/", 1000, 10), ("C:\\", 50, 0 if found[1][2] == 0 else None)]
    vcenter.set(reference, {"guest.toolsRunningStatus": "guestToolsNotRunning"})
    seen.collect("storage")
    assert seen.guest(reference).filesystems == ()


def test_pools_that_somebody_made(vcenter, seen):
    path = next(each for each in sorted(vcenter.references("p")) if each.endswith("/Resources/DC0_C0_RP1"))
    vcenter.govc("pool.change", "-cpu.reservation=100", "-cpu.limit=3000", "-mem.reservation=64", "-mem.limit=-1", path)
    reference = vcenter.references("p")[path]
    vcenter.set(reference, {"runtime.cpu.overallUsage": 250, "runtime.memory.overallUsage": 123456})
    seen.collect("storage")
    (cluster,) = (each for each in seen.seen.clusters if each.name == "DC0_C0")
    told = {name: dict(parts.values) for name, parts in cluster.extra.items() if name.startswith("pool_")}
    name = f"{reference.split(':')[1]} DC0_C0_RP1"
    assert {value: {name: told[value].get(name)} for value in told} == {
        "pool_cpu_reservation": {name: 100e6},
        "pool_cpu_limit": {name: 3000e6},
        "pool_cpu_used": {name: 250e6},
        "pool_memory_reservation": {name: 64 * MEGABYTE},
        "pool_memory_limit": {name: None},
        "pool_memory_used": {name: 123456},
    }
    assert len(told["pool_cpu_used"]) == 1  # the cluster's own pool is the cluster


def test_a_datastore_with_a_senseless_size_costs_itself(vcenter, seen):
    reference = next(iter(vcenter.references("s").values()))
    capacity = vcenter.collect(reference, "summary")["summary"]["capacity"]
    vcenter.set(reference, {"summary.capacity": -5})
    seen.collect("storage")
    vcenter.set(reference, {"summary.capacity": capacity})
    assert seen.storage(reference).capacity_bytes is None
    assert seen.problems() == {"value_rejected": 1}
    assert all(each.capacity_bytes for each in seen.seen.storages if each.id != reference.split(":")[1])


def test_an_esxi_tells_its_storage():
    with VCenter("--esx", "--machines=1") as host, estate(host) as seen:
        seen.collect("storage")
        assert {each.id for each in seen.seen.storages} == {
            reference.split(":")[1] for reference in host.references("s").values()
        }
        assert all(each.capacity_bytes for each in seen.seen.storages)
        assert all(each.disks[0].capacity_bytes for each in seen.seen.guests)
        assert not seen.seen.problems
