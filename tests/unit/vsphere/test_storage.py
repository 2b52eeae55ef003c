"""Datastores: identity across endpoints, sizes by hand, odd answers. Resource pools."""

import pytest

from collectors.vsphere.client.decode import KIND, Ref
from collectors.vsphere.families import FAMILIES
from collectors.vsphere.mapping.pools import values_of
from collectors.vsphere.mapping.storage import StorageView, storage
from exporter.catalogue.family import Entity
from exporter.model import Cluster

VIEW = StorageView(Ref("Datastore", "datastore-7"), "uuid-of-vcenter", "gold", automated=True)
FACTS = {
    "name": "fast%2fone",
    "parent": Ref("Folder", "group-s1"),
    "summary.accessible": True,
    "summary.capacity": 1000,
    "summary.freeSpace": 300,
    "summary.uncommitted": 900,
    "summary.maintenanceMode": "normal",
    "summary.multipleHostAccess": True,
    "summary.type": "VMFS",
    "summary.url": "ds:///vmfs/volumes/5F3C2B1A-0011/",
    "info": {KIND: "VmfsDatastoreInfo", "timestamp": 1_700_000_000.5, "vmfs": {"uuid": "5f3c2b1a-0011"}},
    "host": [
        {"key": Ref("HostSystem", "host-1"), "mountInfo": {"accessible": True, "mounted": True}},
        {"key": Ref("HostSystem", "host-2"), "mountInfo": {"accessible": False}},
        {"key": Ref("HostSystem", "host-3"), "mountInfo": {"path": "/vmfs"}},
    ],
}


def read(**changes):
    odd = []
    facts = {path: value for path, value in (FACTS | changes).items() if value is not ...}
    return storage(VIEW, facts, odd), odd


def test_a_datastore():
    found, odd = read()
    assert (found.id, found.name, found.backing, found.shared) == ("datastore-7", "fast/one", "VMFS", True)
    assert (found.key, found.storage_cluster) == ("5f3c2b1a-0011", "gold")
    assert (found.accessible, found.hosts, found.hosts_accessible) == (True, 3, 1)
    # 700 are in use, and thin disks may still grow by 900.
    assert (found.capacity_bytes, found.free_bytes, found.provisioned_bytes) == (1000, 300, 1600)
    assert found.data_timestamp_seconds == 1_700_000_000.5
    assert not odd


def test_of_one_that_nobody_reaches_only_that_is_told():
    found, _ = read(**{"summary.accessible": False})
    assert (found.accessible, found.hosts) == (False, 3)
    assert (found.capacity_bytes, found.free_bytes, found.provisioned_bytes) == (None, None, None)


NAS = {KIND: "NasDatastoreInfo", "nas": {"remoteHost": "Filer.example.net", "remotePath": "/vol/a"}}
NAS41 = {"nas": {"remoteHost": "10.0.0.2,10.0.0.1", "remotePath": "/v", "remoteHostNames": ["10.0.0.2", "10.0.0.1"]}}


@pytest.mark.parametrize(
    ("info", "url", "key"),
    [
        pytest.param(NAS, "ds:///vmfs/volumes/a-hash/", "nfs:filer.example.net:/vol/a", id="NFS"),
        pytest.param(NAS41, "ds:///vmfs/volumes/a-hash/", "nfs:10.0.0.1:/v", id="NFS 4.1"),
        pytest.param({}, "ds:///vmfs/volumes/vsan:52aB-1/", "vsan:52ab-1", id="vSAN"),
        pytest.param({}, "/vmfs/volumes/5f3c", "5f3c", id="an ESXi's VMFS"),
        pytest.param({"nas": {"remoteHost": "a"}}, "", "uuid-of-vcenter/datastore-7", id="neither"),
        pytest.param(..., ..., "uuid-of-vcenter/datastore-7", id="nothing told"),
    ],
)
def test_the_key_is_the_same_for_whoever_sees_the_storage(info, url, key):
    assert read(info=info, **{"summary.url": url})[0].key == key


@pytest.mark.parametrize(
    ("changes", "fields", "said"),
    [
        ({"summary.uncommitted": ...}, {"provisioned_bytes": None, "free_bytes": 300}, []),
        ({"summary.freeSpace": "much"}, {"provisioned_bytes": None, "free_bytes": None, "capacity_bytes": 1000},
         ["summary.freeSpace is 'much'"]),
        ({"summary.capacity": float("nan")}, {"capacity_bytes": None, "free_bytes": 300}, ["summary.capacity is nan"]),
        ({"summary.accessible": ...}, {"accessible": None, "capacity_bytes": 1000}, []),
        ({"host": ...}, {"hosts": None, "hosts_accessible": None}, []),
        ({"host": ""}, {"hosts": 0, "hosts_accessible": 0}, []),
        ({"host": [3, *FACTS["host"]]}, {"hosts": 3, "hosts_accessible": 1}, ["host holds 3"]),
        ({"host": [{"mountInfo": "x"}]}, {"hosts": 1, "hosts_accessible": 0}, ["mountInfo is 'x'"]),
        ({"info": "x"}, {"data_timestamp_seconds": None, "capacity_bytes": 1000}, ["info is 'x'"] * 2),
        ({"name": 7}, {"name": "", "capacity_bytes": 1000}, ["name is 7"]),
        ({"summary.capacity": True}, {"capacity_bytes": None}, ["summary.capacity is True"]),
    ],
)  # fmt: skip
def test_an_odd_value_costs_itself_only(changes, fields, said):
    found, odd = read(**changes)
    assert {name: getattr(found, name) for name in fields} == fields
    assert odd == said


def family(name):
    return next(each for each in FAMILIES if each.name == f"hypervisor_vsphere_{name}")


@pytest.mark.parametrize(
    ("mode", "value"), [("normal", 0), ("enteringMaintenance", 1), ("inMaintenance", 1), ("", None), (..., None)]
)
def test_maintenance(mode, value):
    assert family("storage_maintenance_mode").value(read(**{"summary.maintenanceMode": mode})[0]) == value


def test_storage_drs():
    assert family("storage_drs_enabled").value(read()[0]) is True


def test_pools_have_what_they_are_promised_may_take_and_take():
    pools = {
        Ref("ResourcePool", "resgroup-2"): {
            "name": "gold%2fa b",
            "config.cpuAllocation.reservation": 2000,
            "config.cpuAllocation.limit": -1,
            "runtime.cpu.overallUsage": 1500,
            "config.memoryAllocation.reservation": 1,
            "config.memoryAllocation.limit": 2,
            "runtime.memory.overallUsage": 4096,
        },
        Ref("ResourcePool", "resgroup-3"): {"name": "bare", "config.cpuAllocation.limit": "none"},
    }
    odd = []
    cluster = Cluster("c", "c", extra=values_of(pools, odd))
    of_clusters = [each for each in FAMILIES if each.entity is Entity.CLUSTER]
    told = {each.name: list(each.each(cluster)) for each in of_clusters if "resource_pool" in each.name}
    label = ("gold/a b", "resgroup-2")
    assert told == {
        "hypervisor_vsphere_resource_pool_cpu_reservation_hertz": [(label, 2e9)],
        "hypervisor_vsphere_resource_pool_cpu_limit_hertz": [],  # it has none
        "hypervisor_vsphere_resource_pool_cpu_used_hertz": [(label, 1.5e9)],
        "hypervisor_vsphere_resource_pool_memory_reservation_bytes": [(label, 1_048_576)],
        "hypervisor_vsphere_resource_pool_memory_limit_bytes": [(label, 2_097_152)],
        "hypervisor_vsphere_resource_pool_memory_used_bytes": [(label, 4096)],
    }
    assert odd == ["config.cpuAllocation.limit is 'none'"]
    assert all(not list(each.each(Cluster("d", "d"))) for each in of_clusters if each.each is not None)
