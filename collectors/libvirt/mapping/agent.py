"""What the agent inside a guest tells."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.libvirt.mapping.record import Stats
from exporter.model import GuestFilesystem

_ALWAYS_FULL = {"squashfs", "iso9660", "udf", "cdfs", "CDFS"}
"""Images that are mounted as they are: nobody can free space there."""


def filesystems(answer: Mapping[str, object]) -> tuple[GuestFilesystem, ...]:
    """File systems of virDomainGetGuestInfo: `fs.N.mountpoint`, `fs.N.name`, `fs.N.total-bytes`, `fs.N.used-bytes`.

    Agents tell of every mount. A device that is mounted at several places (bind mounts of containers, subvolumes)
    counts once, at the shortest path; of two mounts at one place either is what is seen there. One whose size the agent
    does not tell (QEMU's before 3.0, and what has no size) is left out.
    """
    mounts = [mount for _, each in Stats(answer).each("fs", "count") if (mount := _mount(each)) is not None]
    found: dict[str, GuestFilesystem] = {}
    devices: set[object] = set()
    for device, place in sorted(mounts, key=lambda each: (len(each[1].mountpoint), each[1].mountpoint)):
        if device not in devices:
            devices.add(device)
            found.setdefault(place.mountpoint, place)
    return tuple(found[mountpoint] for mountpoint in sorted(found))


def _mount(told: Stats) -> tuple[object, GuestFilesystem] | None:
    """One mount with what tells its file system from others: its device and, because of quotas, its size."""
    mountpoint, total, used = told.text("mountpoint"), told.number("total-bytes"), told.number("used-bytes")
    if not mountpoint or not total or told.text("fstype") in _ALWAYS_FULL:
        return None
    # On Unix the total is without what is kept for root, so what is left is what anybody may use.
    free = float(total - used) if used is not None and used <= total else None
    return (told.text("name") or mountpoint, total), GuestFilesystem(mountpoint, float(total), free)


def operating_system(answer: Mapping[str, object]) -> str:
    """The guest's own name of its system (`os.pretty-name`), "" where the agent does not tell."""
    told = Stats(answer)
    return told.text("os.pretty-name") or told.text("os.name") or ""
