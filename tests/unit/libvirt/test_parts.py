"""Disks and network adapters."""

import pytest

from collectors.libvirt.mapping.description import DiskSource
from collectors.libvirt.mapping.disks import Place, disk_space, guest_disks, monitor_answered
from collectors.libvirt.mapping.nics import guest_nics
from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestDisk, GuestNic, Traffic

VDA = {
    "block.0.name": "vda",
    "block.0.path": "/images/a.qcow2",
    "block.0.rd.reqs": 3,
    "block.0.rd.bytes": 12288,
    "block.0.rd.times": 2_500_000,
    "block.0.wr.reqs": 1,
    "block.0.wr.bytes": 524288,
    "block.0.wr.times": 700_000_000,
    "block.0.fl.reqs": 2,
    "block.0.fl.times": 1_000_000_000,
    "block.0.capacity": 1048576,
    "block.0.allocation": 524288,
    "block.0.physical": 200704,
}


def test_disk_counters_are_bytes_operations_and_seconds():
    assert guest_disks(Stats({"block.count": 1, **VDA}), {}) == (
        GuestDisk(
            disk="vda",
            reads=3,
            read_bytes=12288,
            read_seconds=0.0025,
            writes=1,
            written_bytes=524288,
            write_seconds=0.7,
            flushes=2,
            flush_seconds=1.0,
        ),
    )


@pytest.mark.parametrize(
    ("second", "names"),
    [
        pytest.param({"name": "vdb", "path": "/b", "rd.bytes": 0, "wr.bytes": 0}, ["vda", "vdb"], id="a second disk"),
        pytest.param({"name": "vdb", "capacity": 5, "rd.bytes": 0}, ["vda", "vdb"], id="over the network: no path"),
        pytest.param({"name": "sda", "rd.bytes": 0, "wr.bytes": 0}, ["vda"], id="an empty drive"),
        pytest.param({"name": "vdb", "path": "/b"}, ["vda"], id="the monitor did not answer: no counters"),
        pytest.param({"name": "vda", "path": "/base", "rd.bytes": 0}, ["vda"], id="a layer below the first"),
        pytest.param({"path": "/b", "rd.bytes": 0}, ["vda"], id="without a name"),
        pytest.param({"name": "vdb", "path": "/b", "rd.bytes": -1, "wr.bytes": -1}, ["vda"], id="-1 is unknown"),
    ],
)
def test_which_entries_are_disks(second, names):
    stats = {"block.count": 2, **VDA, **{f"block.1.{key}": value for key, value in second.items()}}
    assert [disk.disk for disk in guest_disks(Stats(stats), {})] == names


def test_the_error_that_stopped_a_disk_has_a_name():
    (disk,) = guest_disks(Stats({"block.count": 1, **VDA}), {"vda": 2})
    assert disk.error == "no_space"


@pytest.mark.parametrize(
    ("stats", "answered"),
    [
        ({"balloon.rss": 1, "block.count": 1, "block.0.name": "vda"}, True),
        ({"block.count": 1, **VDA}, True),
        ({"block.count": 1, "block.0.name": "vda", "block.0.path": "/a", "vcpu.0.time": 5}, False),
        ({"state.state": 1}, False),
    ],
)
def test_whether_the_monitor_answered(stats, answered):
    assert monitor_answered(Stats(stats)) is answered


@pytest.mark.parametrize(
    ("source", "layers", "depth"),
    [
        pytest.param({"chain_known": True, "chain": ()}, 1, 0, id="no backing file"),
        pytest.param({"chain_known": True, "chain": ("/b", "/a")}, 3, 2, id="two overlays on a base"),
        pytest.param(
            {"chain_known": True, "chain": ("/b", "/a")}, 0, 2, id="the monitor did not answer, the XML knows"
        ),
        pytest.param({}, 1, None, id="the driver shows one layer and no chain"),
        pytest.param({}, 0, None, id="off: unknown"),
    ],
)
def test_how_deep_a_chain_is(source, layers, depth):
    stats = {"block.count": layers} | {f"block.{number}.name": "vda" for number in range(layers)}
    assert disk_space(DiskSource("vda", "/a", **source), Stats(stats), Place()).chain_depth == depth


def test_sizes_come_from_the_newest_layer():
    stats = Stats({"block.count": 2, **VDA, "block.1.name": "vda", "block.1.capacity": 7, "block.1.physical": 8})
    disk = disk_space(DiskSource("vda", "/images/a.qcow2", "qcow2"), stats, Place("pool", "uuid"))
    assert disk == GuestDisk(
        disk="vda",
        capacity_bytes=1048576,
        allocated_bytes=200704,
        physical_bytes=200704,
        chain_depth=1,
        storage="pool",
        storage_id="uuid",
        path="/images/a.qcow2",
        format="qcow2",
    )


@pytest.mark.parametrize(
    ("kind", "allocation", "allocated"),
    [
        pytest.param("file", 0, 200704, id="a file takes its blocks, whatever was written since the start"),
        pytest.param("block", 524288, None, id="a device: the highest offset written is no allocation"),
        pytest.param("network", 1024, None, id="the same over the network"),
    ],
)
def test_what_is_allocated(kind, allocation, allocated):
    stats = Stats({"block.count": 1, **VDA, "block.0.allocation": allocation})
    assert disk_space(DiskSource("vda", "/a", kind=kind), stats, Place()).allocated_bytes == allocated


def test_network_counters_are_named_by_device_and_counted_once():
    net = {"rx.bytes": 10, "rx.pkts": 2, "rx.errs": 0, "rx.drop": 1, "tx.bytes": 20, "tx.pkts": 4, "tx.errs": 3}
    stats = {"net.count": 4, "net.0.name": "vnet5", "net.2.name": "vnet5", "net.3.rx.bytes": 9}
    stats |= {f"net.0.{key}": value for key, value in net.items()}
    assert guest_nics(Stats(stats)) == (
        GuestNic(
            nic="vnet5",
            traffic=Traffic(
                receive_bytes=10,
                receive_packets=2,
                receive_errors=0,
                receive_drops=1,
                transmit_bytes=20,
                transmit_packets=4,
                transmit_errors=3,
                transmit_drops=None,
            ),
        ),
    )
