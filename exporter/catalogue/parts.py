"""Families about parts of a guest: disks, network adapters, file systems."""

from __future__ import annotations

from exporter.catalogue.family import INVENTORY, STORAGE, VITALS, Entity, Family, Priority, Section, one_of
from exporter.model import GuestDisk, GuestNic

_disk = Section(Entity.DISK, VITALS, Priority.PART)
_space = Section(Entity.DISK, STORAGE, Priority.PART)
_nic = Section(Entity.NIC, VITALS, Priority.PART)
_wire = Section(Entity.NIC, INVENTORY, Priority.PART)
_fs = Section(Entity.FILESYSTEM, STORAGE, Priority.PART)


def _describe_disk(disk: GuestDisk) -> tuple[str, ...] | None:
    return None if disk.path is None else (disk.storage, disk.storage_id, disk.path, disk.format)


def _describe_nic(nic: GuestNic) -> tuple[str, ...] | None:
    return None if nic.mac is None else (nic.mac, nic.network)


_DISKS = (
    _disk.counter("hypervisor_guest_disk_read_bytes_total", "Bytes read.", value=lambda d: d.read_bytes),
    _disk.counter("hypervisor_guest_disk_written_bytes_total", "Bytes written.", value=lambda d: d.written_bytes),
    _disk.counter("hypervisor_guest_disk_reads_total", "Read operations completed.", value=lambda d: d.reads),
    _disk.counter("hypervisor_guest_disk_writes_total", "Write operations completed.", value=lambda d: d.writes),
    _disk.counter(
        "hypervisor_guest_disk_read_seconds_total",
        "Time spent reading, summed over parallel requests.",
        value=lambda d: d.read_seconds,
    ),
    _disk.counter(
        "hypervisor_guest_disk_write_seconds_total",
        "Time spent writing, summed over parallel requests.",
        value=lambda d: d.write_seconds,
    ),
    _disk.counter("hypervisor_guest_disk_flushes_total", "Flush operations.", value=lambda d: d.flushes, default=False),
    _disk.counter(
        "hypervisor_guest_disk_flush_seconds_total",
        "Time spent flushing.",
        value=lambda d: d.flush_seconds,
        default=False,
    ),
    _disk.counter("hypervisor_guest_disk_errors_total", "Failed operations.", value=lambda d: d.errors),
    _disk.gauge(
        "hypervisor_guest_disk_error",
        "The error that stopped the disk, value 1; absent while it works.",
        labels=("error",),
        each=one_of(lambda d: d.error),
        cost=0,
    ),
    _space.gauge("hypervisor_guest_disk_capacity_bytes", "Size that the guest sees.", value=lambda d: d.capacity_bytes),
    _space.gauge(
        "hypervisor_guest_disk_allocated_bytes",
        "Space written so far in the disk's newest layer.",
        value=lambda d: d.allocated_bytes,
    ),
    _space.info(
        "hypervisor_guest_disk_info",
        "Where the disk's data lies and in which format.",
        labels=("storage", "storage_id", "path", "format"),
        describe=_describe_disk,
    ),
    _space.gauge(
        "hypervisor_guest_disk_physical_bytes",
        "Space the newest layer takes on its storage.",
        value=lambda d: d.physical_bytes,
        default=False,
    ),
    _space.gauge(
        "hypervisor_guest_disk_chain_depth",
        "Layers below the newest one; 0 for a disk without backing file.",
        value=lambda d: d.chain_depth,
        default=False,
    ),
)

_NICS = (
    _nic.counter(
        "hypervisor_guest_network_receive_bytes_total",
        "Bytes the guest received.",
        value=lambda n: n.traffic.receive_bytes,
    ),
    _nic.counter(
        "hypervisor_guest_network_transmit_bytes_total",
        "Bytes the guest sent.",
        value=lambda n: n.traffic.transmit_bytes,
    ),
    _nic.counter(
        "hypervisor_guest_network_receive_packets_total",
        "Packets the guest received.",
        value=lambda n: n.traffic.receive_packets,
    ),
    _nic.counter(
        "hypervisor_guest_network_transmit_packets_total",
        "Packets the guest sent.",
        value=lambda n: n.traffic.transmit_packets,
    ),
    _nic.counter(
        "hypervisor_guest_network_receive_drops_total",
        "Packets for the guest that were dropped.",
        value=lambda n: n.traffic.receive_drops,
    ),
    _nic.counter(
        "hypervisor_guest_network_transmit_drops_total",
        "Packets of the guest that were dropped.",
        value=lambda n: n.traffic.transmit_drops,
    ),
    _nic.counter(
        "hypervisor_guest_network_receive_errors_total",
        "Errors on the way to the guest.",
        value=lambda n: n.traffic.receive_errors,
    ),
    _nic.counter(
        "hypervisor_guest_network_transmit_errors_total",
        "Errors on the way from the guest.",
        value=lambda n: n.traffic.transmit_errors,
    ),
    _wire.info(
        "hypervisor_guest_network_info",
        "Hardware address of the adapter and the network it is connected to.",
        labels=("mac", "network"),
        describe=_describe_nic,
    ),
)

_FILESYSTEMS = (
    _fs.gauge(
        "hypervisor_guest_filesystem_size_bytes", "Size of a file system in the guest.", value=lambda f: f.size_bytes
    ),
    _fs.gauge(
        "hypervisor_guest_filesystem_free_bytes",
        "Free space of a file system in the guest.",
        value=lambda f: f.free_bytes,
    ),
)

FAMILIES: tuple[Family, ...] = (*_DISKS, *_NICS, *_FILESYSTEMS)
