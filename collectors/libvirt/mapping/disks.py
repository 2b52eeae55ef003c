"""Virtual disks of a domain: counters for vitals, sizes and places for storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.libvirt.mapping.description import DiskSource
from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestDisk
from exporter.units import nanoseconds

_ERRORS = {1: "unspecified", 2: "no_space"}


def guest_disks(stats: Stats, errors: Mapping[str, int]) -> tuple[GuestDisk, ...]:
    """Counters of a running domain's disks, from the BLOCK group (`block.N.rd.*`, `wr.*`, `fl.*`; times in ns).

    The target's name (`vda`) identifies a disk, as the order of the entries changes when one is plugged. An empty drive
    (neither a path nor a capacity) and an entry without counters (the monitor did not answer) are left out. `errors` is
    virDomainGetDiskErrors: asked only where an I/O error paused the guest.
    """
    disks = {}
    for _, block in stats.each("block", "count"):
        name = block.text("name")
        if name and name not in disks and (disk := _counted(name, block, errors.get(name, 0))) is not None:
            disks[name] = disk
    return tuple(disks.values())


def _counts(block: Stats) -> bool:
    return block.number("rd.bytes") is not None or block.number("wr.bytes") is not None


def _counted(name: str, block: Stats, error: int) -> GuestDisk | None:
    """The disk, None for an empty drive or without counters."""
    capacity, reads, read_bytes, read_time, writes, written_bytes, write_time, flushes, flush_time = block.numbers(
        "capacity", "rd.reqs", "rd.bytes", "rd.times", "wr.reqs", "wr.bytes", "wr.times", "fl.reqs", "fl.times"
    )
    if (read_bytes is None and written_bytes is None) or (capacity is None and block.text("path") is None):
        return None
    return GuestDisk(
        disk=name,
        reads=reads,
        read_bytes=read_bytes,
        read_seconds=nanoseconds(read_time),
        writes=writes,
        written_bytes=written_bytes,
        write_seconds=nanoseconds(write_time),
        flushes=flushes,
        flush_seconds=nanoseconds(flush_time),
        error=_ERRORS.get(error, "unspecified") if error else None,
    )


def monitor_answered(stats: Stats) -> bool:
    """Whether QEMU's monitor had its say: else the process's memory and every block counter are missing."""
    return stats.number("balloon.rss") is not None or any(_counts(block) for _, block in stats.each("block", "count"))


@dataclass(frozen=True, slots=True)
class Place:
    """The storage that holds a disk."""

    storage: str = ""
    storage_id: str = ""


def disk_space(source: DiskSource, stats: Stats, place: Place) -> GuestDisk:
    """Size and place of one disk: bytes from its BLOCK entry, all else from the description.

    `capacity` is what the guest sees, `physical` what the newest layer's file or device takes. What is allocated on a
    device or over a network is not told: `allocation` is the highest offset written since the guest was started. With
    BACKING the layers below follow under the same name: the first entry is the newest layer.
    """
    layers = [block for _, block in stats.each("block", "count") if block.text("name") == source.disk]
    newest = layers[0] if layers else Stats({})
    return GuestDisk(
        disk=source.disk,
        capacity_bytes=newest.number("capacity"),
        allocated_bytes=newest.number("physical") if source.is_file else None,
        physical_bytes=newest.number("physical"),
        chain_depth=len(layers) - 1 if len(layers) > 1 else source.known_layers_below,
        storage=place.storage,
        storage_id=place.storage_id,
        path=source.path,
        format=source.format,
    )
