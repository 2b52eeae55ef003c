"""Volumes and cluster shared volumes; the expected numbers were worked out by hand."""

import pytest

from collectors.hyperv.mapping.storage import (
    Places,
    local_volumes,
    provisioned,
    redirected,
    seen_by,
    shared_volumes,
)
from exporter.model import Parts, Storage

GUID, OTHER = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
TIB = 2.0**40


def volume(name, guid=GUID, **more):
    return {"DeviceID": f"\\\\?\\Volume{{{guid.upper()}}}\\", "Name": name, "FileSystem": "NTFS", "Capacity": "2000",
            "FreeSpace": "500", **more}  # fmt: skip


def local(*rows, host=""):
    return local_volumes(rows, [], host_id="h", host=host, target="hv", now=7.0)


def test_a_volume():
    (found,) = local(volume("D:\\"))
    assert found.storage == Storage(
        GUID, "D:", backing="NTFS", shared=False, key=f"hv/{GUID}", accessible=True, capacity_bytes=2000,
        free_bytes=500, data_timestamp_seconds=7.0,
    )  # fmt: skip
    assert local(volume("D:\\"), host="HV-1")[0].storage.name == "HV-1 D:"


def test_what_is_no_place_for_files_is_left_out():
    shared = volume("C:\\ClusterStorage\\Volume1\\", FileSystem="CSVFS")
    assert local(volume(f"\\\\?\\Volume{{{GUID}}}\\"), shared, {"Name": "X:\\"}) == []
    assert seen_by([shared, volume("D:\\", OTHER)]) == {GUID}


def test_a_volume_that_tells_no_size_cannot_be_used():
    (found,) = local(volume("E:\\", Capacity=None, FreeSpace=None))
    assert (found.storage.accessible, found.storage.capacity_bytes, found.storage.free_bytes) == (False, None, None)


def csv(**more):
    return {
        "Name": "C:\\ClusterStorage\\Volume1",
        "VolumeName": f"\\\\?\\Volume{{{GUID}}}\\",
        "FaultState": "0",
        **more,
    }


PARTITION = {"Path": "C:\\ClusterStorage\\Volume1", "VolumeGuid": GUID, "TotalSize": "10485760", "FreeSpace": "4194304"}


@pytest.mark.parametrize(
    ("faults", "accessible", "no_direct_io", "maintenance"),
    [(0, True, 0, 0), (1, True, 1, 0), (2, False, 0, 0), (4, True, 0, 1), (8, False, 0, 0), (5, True, 1, 1)],
)
def test_a_shared_volume(faults, accessible, no_direct_io, maintenance):
    (found,) = shared_volumes([csv(FaultState=str(faults))], [PARTITION], [], nodes=4, now=7.0)
    storage = found.storage
    assert (storage.id, storage.name, storage.key, storage.shared) == (GUID, "Volume1", GUID, True)
    assert (storage.capacity_bytes, storage.free_bytes) == (10 * TIB, 4 * TIB)
    assert (storage.accessible, storage.hosts) == (accessible, 4)
    assert storage.extra == {"no_direct_io": no_direct_io, "in_maintenance": maintenance}


def test_partitions_are_found_by_their_path_too():
    by_path = {**PARTITION, "VolumeGuid": None}
    (found,) = shared_volumes([csv()], [by_path], [], nodes=4, now=7.0)
    assert found.storage.capacity_bytes == 10 * TIB
    (found,) = shared_volumes([csv(VolumeName=None)], [PARTITION], [], nodes=4, now=7.0)
    assert found.storage.id == GUID
    (found,) = shared_volumes([csv()], [], [], nodes=4, now=7.0)
    assert (found.storage.capacity_bytes, found.storage.free_bytes) == (None, None)


def test_redirected_bytes_are_counted_by_every_node():
    row = {"Name": "volume1", "RedirectedReadBytes": "10", "RedirectedWriteBytes": "20"}
    by_node = {"hv-2": [row], "hv-1": [{**row, "RedirectedReadBytes": "5"}, {"Name": "Volume2"}]}
    assert redirected(by_node, "Volume1", []) == {
        "read": Parts({"hv-1": 5, "hv-2": 10}),
        "write": Parts({"hv-1": 20, "hv-2": 20}),
    }


def test_places_of_paths():
    shared = shared_volumes([csv()], [PARTITION], [], nodes=2, now=7.0)
    places = Places([*local(volume("C:\\", OTHER)), *shared])
    assert places.storage(r"c:\clusterstorage\VOLUME1\web\a.vhdx", "h").id == GUID
    assert places.storage(r"C:\ClusterStorage\Volume10\a.vhdx", "h").id == OTHER
    assert places.storage(r"C:\a.vhdx", "another host") is None
    assert places.storage(r"C:\ClusterStorage\Volume1\a.vhdx", "another host").id == GUID
    assert places.storage(r"\\files\vm\a.vhdx", "h") is None


def test_what_is_promised():
    storage = Storage("s", "s", capacity_bytes=1000, free_bytes=400)
    assert provisioned(storage, [300.0, 0.0]).provisioned_bytes == 900
    assert provisioned(storage, []).provisioned_bytes == 600
    assert provisioned(storage, [300.0, None]).provisioned_bytes is None
