"""Memory of a domain."""

from __future__ import annotations

from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestMemory
from exporter.units import kibibytes


def guest_memory(
    stats: Stats, *, active: bool, fresh: bool, limit_bytes: float | None = None, reservation_bytes: float | None = None
) -> GuestMemory:
    """Memory of one domain, from the BALLOON group (KiB).

    `balloon.maximum` and `balloon.current` are what the host allows, `balloon.rss` what the process of the guest
    occupies. The rest is the guest's own report through the balloon driver and is used only while `fresh`: libvirt goes
    on showing the last one for ever. Used is visible less usable (kernel's MemAvailable), else less unused (MemFree).
    """
    configured = kibibytes(stats.number("balloon.maximum"))
    if not active:
        return GuestMemory(configured_bytes=configured, limit_bytes=limit_bytes, reservation_bytes=reservation_bytes)
    visible, available = stats.number("balloon.available"), _available(stats)
    used = None if visible is None or available is None or available > visible else visible - available
    return GuestMemory(
        configured_bytes=configured,
        assigned_bytes=kibibytes(stats.number("balloon.current")),
        host_used_bytes=kibibytes(stats.number("balloon.rss")),
        used_bytes=kibibytes(used) if fresh else None,
        available_bytes=kibibytes(available) if fresh else None,
        os_swap_in_bytes=kibibytes(stats.number("balloon.swap_in")) if fresh else None,
        os_swap_out_bytes=kibibytes(stats.number("balloon.swap_out")) if fresh else None,
        limit_bytes=limit_bytes,
        reservation_bytes=reservation_bytes,
    )


def _available(stats: Stats) -> int | None:
    usable = stats.number("balloon.usable")
    return stats.number("balloon.unused") if usable is None else usable
