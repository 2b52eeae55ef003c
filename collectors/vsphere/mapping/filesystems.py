"""File systems inside a guest, as VMware Tools report them."""

from __future__ import annotations

from collectors.vsphere.mapping.checked import Facts, Oddities, number, parts, text
from exporter.model import GuestFilesystem

PATHS = ("runtime.powerState", "guest.toolsRunningStatus", "guest.disk")


def filesystems(facts: Facts, odd: Oddities) -> tuple[GuestFilesystem, ...]:
    """The file systems of a guest (GuestDiskInfo; bytes); none where Tools do not run: what is told then is old."""
    if facts.get("guest.toolsRunningStatus") != "guestToolsRunning" or facts.get("runtime.powerState") != "poweredOn":
        return ()
    found: dict[str, GuestFilesystem] = {}
    for each in parts(facts, "guest.disk", odd):
        path = text(each, "diskPath", odd)
        if not path:
            odd.append("a file system of guest.disk has no path")
            continue
        told = GuestFilesystem(path, number(each, "capacity", odd), number(each, "freeSpace", odd))
        if found.setdefault(path, told) != told:
            odd.append(f"two file systems are mounted at {path}")
    return tuple(found.values())
