"""Files of guests: sizes of disks by hand, odd answers, file systems."""

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.devices import Disk
from collectors.vsphere.mapping.filesystems import filesystems
from collectors.vsphere.mapping.layout import DiskSize, disk_size, has_sizes, layout_of
from exporter.model import GuestFilesystem

BASE, TOP = "[one] vm/vm.vmdk", "[one] vm/vm-000001.vmdk"
RAW = {
    "timestamp": 1000.0,
    "file": [
        {"key": 0, "name": "[one] vm/vm.vmx", "type": "config", "size": 3000, "uniqueSize": 3000, "accessible": True},
        {"key": 4, "name": BASE, "type": "diskDescriptor", "size": 500, "uniqueSize": 500},
        {"key": 5, "name": "[one] vm/vm-flat.vmdk", "type": "diskExtent", "size": 9_000_000, "uniqueSize": 7_000_000},
        {"key": 6, "name": TOP, "type": "diskDescriptor", "size": 300, "uniqueSize": 300},
        {"key": 7, "name": "[one] vm/vm-000001-delta.vmdk", "type": "diskExtent", "size": 64_000, "uniqueSize": 64_000},
    ],
    "disk": [{"key": 2000, "chain": [{"fileKey": [4, 5]}, {"fileKey": [6, 7]}]}],
}
*REST, LAST = RAW["file"]


def disk(path, key=2000, form="thin"):
    return Disk("Hard disk 1", "scsi0:0", key, 1.0, path, Ref("Datastore", "ds-1"), form)


def read(**changes):
    odd = []
    return layout_of(RAW | changes, odd), odd


def test_the_newest_layer_is_what_the_disk_has_written_to():
    found, odd = read()
    assert disk_size(found, disk(TOP), sized=True) == DiskSize(64_300, 64_300, 1)
    assert not odd


def test_layers_may_come_the_newest_first():
    found, _ = read(disk=[{"key": 2000, "chain": [{"fileKey": [6, 7]}, {"fileKey": [4, 5]}]}])
    assert disk_size(found, disk(TOP), sized=True) == DiskSize(64_300, 64_300, 1)


def test_what_others_share_takes_no_space_of_its_own():
    found, _ = read(disk=[{"key": 2000, "chain": [{"fileKey": [4, 5]}]}])
    assert disk_size(found, disk(BASE), sized=True) == DiskSize(9_000_500, 7_000_500, 0)


@pytest.mark.parametrize(
    ("of", "sized"),
    [
        pytest.param(disk(TOP), False, id="an object of vSAN"),
        pytest.param(disk(TOP, form="rdm"), True, id="a raw device, whose pointer is as large as itself"),
    ],
)
def test_a_size_that_is_none_is_not_told(of, sized):
    assert disk_size(read()[0], of, sized=sized) == DiskSize(None, None, 1)


def test_a_disk_that_is_not_there():
    assert disk_size(read()[0], disk(TOP, key=2001), sized=True) is None


@pytest.mark.parametrize(("kind", "sized"), [("VMFS", True), ("NFS41", True), ("vsan", False), ("VVOL", False)])
def test_datastores_with_true_sizes(kind, sized):
    assert has_sizes(kind) is sized


@pytest.mark.parametrize("unset", [{}, None])
def test_no_files_at_all(unset):
    assert layout_of(unset or {}, []) is None


@pytest.mark.parametrize(
    ("changes", "size", "said"),
    [
        ({"file": ""}, DiskSize(None, None, 1), []),
        ({"file": 3}, DiskSize(None, None, 1), ["file is 3"]),
        ({"file": [*RAW["file"], {"name": "x"}, "y"]}, DiskSize(64_300, 64_300, 1),
         ["a file of layoutEx has no key", "file holds 'y'"]),
        ({"file": [*REST, LAST | {"size": -1}]}, DiskSize(None, 64_300, 1), ["size is -1"]),
        ({"file": [*REST, LAST | {"size": "big"}]}, DiskSize(None, 64_300, 1), ["size is 'big'"]),
        ({"file": [*REST, LAST | {"accessible": False}]}, DiskSize(None, None, 1), []),
        ({"disk": [{"chain": []}, *RAW["disk"]]}, DiskSize(64_300, 64_300, 1), ["a disk of layoutEx has no key"]),
        ({"disk": [{"key": 2000, "chain": [{"fileKey": [4, 5]}, {}]}]}, DiskSize(None, None, 1),
         ["a layer of layoutEx has no files"]),
        ({"snapshot": [{"dataKey": 1}]}, DiskSize(64_300, 64_300, 1), ["a snapshot of layoutEx has no key"]),
        ({"timestamp": "noon", "novelty": {"a": 1}}, DiskSize(64_300, 64_300, 1), ["timestamp is 'noon'"]),
    ],
)  # fmt: skip
def test_an_odd_part_costs_itself_only(changes, size, said):
    found, odd = read(**changes)
    # Where no file's name is known, the last layer is taken for the newest, as vCenter tells them.
    assert disk_size(found, disk(TOP), sized=True) == size
    assert odd == said


# File systems.

RUNNING = {"guest.toolsRunningStatus": "guestToolsRunning", "runtime.powerState": "poweredOn"}
ROOT = {"diskPath": "/", "capacity": 1000, "freeSpace": 10, "filesystemType": "ext4", "mappings": [{"key": 2000}]}


def systems(*disks, **changes):
    odd = []
    return filesystems(RUNNING | {"guest.disk": list(disks)} | changes, odd), odd


def test_file_systems_by_their_mount_points():
    found, odd = systems(ROOT, {"diskPath": "C:\\", "capacity": 5, "freeSpace": 0})
    assert found == (GuestFilesystem("/", 1000, 10), GuestFilesystem("C:\\", 5, 0))
    assert not odd


@pytest.mark.parametrize(
    "changes",
    [
        {"guest.toolsRunningStatus": "guestToolsNotRunning"},
        {"runtime.powerState": "poweredOff"},
        {"guest.disk": ""},
        {"guest.disk": None},
    ],
)
def test_what_nobody_reports_now_is_not_told(changes):
    assert systems(ROOT, **changes) == ((), [])


def test_a_mount_point_that_comes_twice_is_told_once():
    assert systems(ROOT, ROOT) == ((GuestFilesystem("/", 1000, 10),), [])
    assert systems(ROOT, ROOT | {"freeSpace": 9}) == (
        (GuestFilesystem("/", 1000, 10),),
        ["two file systems are mounted at /"],
    )


def test_odd_file_systems_cost_themselves_only():
    found, odd = systems({"capacity": 5}, {"diskPath": "/a", "capacity": "x"}, 7, ROOT)
    assert found == (GuestFilesystem("/a", None, None), GuestFilesystem("/", 1000, 10))
    assert odd == ["a file system of guest.disk has no path", "capacity is 'x'", "guest.disk holds 7"]
