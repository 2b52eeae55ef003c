"""Virtual devices: what disks are made of, and that an odd device costs no other."""

import pytest

from collectors.vsphere.client.decode import KIND, Ref
from collectors.vsphere.mapping.devices import DEVICES, Devices, devices_of, disks_of, nics_of, unique

HERE, THERE = Ref("Datastore", "ds-1"), Ref("Datastore", "ds-2")
CONTROLLER = {KIND: "VirtualNVMEController", "key": 31000, "busNumber": 1}


def disk(**changes):
    return {
        KIND: "VirtualDisk",
        "key": 2000,
        "deviceInfo": {"label": "Hard disk 1"},
        "controllerKey": 31000,
        "unitNumber": 3,
        "capacityInKB": 2048,
        "backing": {
            KIND: "VirtualDiskFlatVer2BackingInfo",
            "fileName": "[one] a/a.vmdk",
            "datastore": HERE,
            "diskMode": "persistent",
            "thinProvisioned": True,
        },
    } | changes


def backing(**changes):
    return {"backing": disk()["backing"] | changes}


def read(**changes):
    (found,) = disks_of([CONTROLLER, disk(**changes)])
    return found


def test_a_disk():
    found = read()
    assert (found.label, found.instance, found.key) == ("Hard disk 1", "nvme1:3", 2000)
    assert (found.capacity_bytes, found.path, found.storage) == (2_097_152, "[one] a/a.vmdk", HERE)
    assert (found.format, found.persistent, found.layered) == ("thin", True, False)


def test_bytes_win_over_kilobytes():
    assert read(capacityInBytes=2_097_151).capacity_bytes == 2_097_151


@pytest.mark.parametrize(
    ("changes", "form"),
    [
        (backing(thinProvisioned=False), "thick"),
        (backing(thinProvisioned=None), ""),
        (backing(**{KIND: "VirtualDiskRawDiskMappingVer1BackingInfo", "thinProvisioned": None}), "rdm"),
        ({"backing": None}, ""),
    ],
)
def test_formats(changes, form):
    assert read(**changes).format == form


def test_layers_below_are_told_by_the_parents():
    base = {"fileName": "[two] b/b.vmdk", "datastore": THERE}
    middle = {"fileName": "[one] a/a-000001.vmdk", "datastore": HERE, "parent": base}
    found = read(**backing(fileName="[one] a/a-000002.vmdk", parent=middle))
    assert found.layers == (
        (HERE, "[one] a/a-000002.vmdk"),
        (HERE, "[one] a/a-000001.vmdk"),
        (THERE, "[two] b/b.vmdk"),
    )
    assert found.layered


@pytest.mark.parametrize(
    ("path", "layered"),
    [("[one] a/a-000001.vmdk", True), ("[one] a/a-1.vmdk", False), ("[one] a-000001/a.vmdk", False), ("", False)],
)
def test_a_name_tells_an_overlay_where_no_parent_is_told(path, layered):
    assert read(**backing(fileName=path)).layered is layered


@pytest.mark.parametrize(("mode", "kept"), [("independent_persistent", True), ("independent_nonpersistent", False)])
def test_a_disk_that_forgets(mode, kept):
    assert read(**backing(diskMode=mode)).persistent is kept


def test_a_chain_without_end_is_cut():
    endless = {"fileName": "[one] a/a.vmdk"}
    endless["parent"] = endless
    assert len(read(**backing(parent=endless)).below) == 1000


@pytest.mark.parametrize(
    "odd",
    [
        disk(key=None, controllerKey=None, unitNumber=None, capacityInKB=None, backing="", deviceInfo=""),
        disk(key=[], controllerKey=[], deviceInfo=[1], backing=[1], capacityInKB="1"),
        disk(capacityInKB=-1, backing={"fileName": 3, "datastore": "x", "parent": "y"}),
        "device",
        None,
        {},
        {KIND: 3, "key": {}},
        {"macAddress": 5, "key": None, "backing": "x"},
    ],
)
def test_an_odd_device_costs_no_other(odd):
    good = disk(key=2001, deviceInfo={"label": "good"})
    found = [each for each in disks_of([odd, CONTROLLER, good]) if each.label == "good"]
    assert [(each.key, each.instance) for each in found] == [(2001, "nvme1:3")]
    mac = {"key": 4000, "macAddress": "00:50:56:AA:00:01", "backing": {"deviceName": "net"}}
    assert [(each.mac, each.network_name({})) for each in nics_of([odd, mac]) if each.key == "4000"] == [
        ("00:50:56:aa:00:01", "net")
    ]


@pytest.mark.parametrize("devices", ["", None, 3, ()])
def test_no_devices(devices):
    assert disks_of(devices) == [] == nics_of(devices)


def test_what_is_kept_is_the_same_whether_it_was_made_at_once_or_not_yet():
    raw = [CONTROLLER, disk(), {"key": 4000, "macAddress": "00:50:56:AA:00:01"}]
    kept = Devices.of(raw)
    assert [(label, each.instance) for label, each in kept.disks] == [("Hard disk 1", "nvme1:3")]
    assert [(each.key, each.mac) for each in kept.nics] == [("4000", "00:50:56:aa:00:01")]
    assert devices_of({DEVICES: raw}) == kept == devices_of({DEVICES: kept})
    assert devices_of({}) == Devices()


def test_labels_that_come_twice_get_their_place():
    pair = disks_of([CONTROLLER, disk(), disk(unitNumber=4), disk(deviceInfo={"label": "other"})])
    assert [label for label, _ in unique(pair)] == ["Hard disk 1 (nvme1:3)", "Hard disk 1 (nvme1:4)", "other"]
