"""What the agent inside a guest tells."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestFilesystem

_ALWAYS_FULL = {"squashfs", "iso9660", "udf", "cdfs", "CDFS"}
"""Images that are mounted as they are: nobody can free space there."""


def filesystems(answer: Mapping[str, object]) -> tuple[GuestFilesystem, ...]:
    """File systems of virDomainGetGuestInfo: `fs.N.mountpoint`, `fs.N.total-bytes`, `fs.N.used-bytes`.

    One that is mounted twice at a place counts once; one whose size the agent does not tell (QEMU's before 3.0, and
    what has no size) is left out.
    """
    found = {}
    for _, each in Stats(answer).each("fs", "count"):
        mountpoint, total, used = each.text("mountpoint"), each.number("total-bytes"), each.number("used-bytes")
        if mountpoint and total and each.text("fstype") not in _ALWAYS_FULL and mountpoint not in found:
            free = float(total - used) if used is not None and used <= total else None
            found[mountpoint] = GuestFilesystem(mountpoint, float(total), free)
    return tuple(found.values())
