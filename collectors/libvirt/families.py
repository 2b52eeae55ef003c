"""Families that only libvirt has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.libvirt.mapping.limits import BYTES, OPERATIONS, WEIGHT
from exporter.catalogue.family import INVENTORY, Entity, Priority, Row, Section
from exporter.model import Guest

_slow = Section(Entity.GUEST, INVENTORY, Priority.DETAIL)


def _limits(what: str) -> Callable[[Guest], Iterable[Row]]:
    def each(guest: Guest) -> Iterable[Row]:
        told = (
            (key.removeprefix(what).partition(" "), limit) for key, limit in guest.extra.items() if key.startswith(what)
        )
        return [((disk, direction), limit) for (direction, _, disk), limit in told]

    return each


FAMILIES = (
    _slow.gauge(
        "hypervisor_libvirt_guest_disk_limit_bytes",
        "Bytes that the disk may move in a second by its iotune: total, read, write; absent without a limit.",
        labels=("disk", "direction"),
        each=_limits(BYTES),
        cost=2,
        default=False,
    ),
    _slow.gauge(
        "hypervisor_libvirt_guest_disk_limit_operations",
        "Operations that the disk may do in a second by its iotune: total, read, write; absent without a limit.",
        labels=("disk", "direction"),
        each=_limits(OPERATIONS),
        cost=2,
        default=False,
    ),
    _slow.gauge(
        "hypervisor_libvirt_guest_io_weight",
        "Weight of the guest's I/O among others of its host by its blkiotune; absent where none is set.",
        value=lambda guest: guest.extra.get(WEIGHT),
        default=False,
    ),
)
