"""Snapshots of a domain."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.description import place_of_source
from collectors.libvirt.mapping.xml import Oddities, attribute, number_of, parse, shortened, text_of
from exporter.model import Snapshot

_MEMORY = {"no": False, "internal": True, "external": True}


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot and the overlays that hold what was written since.

    `outside`: all that it takes is in these overlays, nothing in the image or in a file of memory. `read`: False where
    its description could not be read.
    """

    snapshot: Snapshot
    overlays: tuple[str, ...] = ()
    outside: bool = False
    read: bool = True
    oddities: tuple[str, ...] = ()
    """What was there and made no sense, a sentence each."""


def snapshot(text: str, name: str, current: str | None) -> Taken:
    """One snapshot of its XML (virDomainSnapshotGetXMLDesc): `creationTime` (Unix seconds of the host), parent, state.

    `current` is the name of the snapshot that the domain is at. Whether a backup made it is not said: `kind` is left
    to the configured patterns of names. Raises `Malformed`.
    """
    root = parse(text, f"snapshot {shortened(name)}", root="domainsnapshot")
    odd: Oddities = []
    described = Snapshot(
        id=name,
        name=name,
        created_timestamp_seconds=_created(root, odd),
        parent_id=text_of(root, "parent/name"),
        memory=_MEMORY.get(attribute(root, "memory", "snapshot")),
        current=name == current,
        state=text_of(root, "state"),
    )
    disks = [disk for disk in root.iterfind("disks/disk") if disk.get("snapshot") not in {None, "no"}]
    overlays = [place_of_source(disk.find("source")) for disk in disks if disk.get("snapshot") == "external"]
    in_files = attribute(root, "memory", "snapshot") in {"", "no"} and bool(disks)
    return Taken(
        described,
        overlays=tuple(path for path in overlays if path),
        outside=in_files and len(overlays) == len(disks) and all(overlays),
        oddities=tuple(f"snapshot {shortened(name)}: {sentence}" for sentence in odd),
    )


def checkpoint_time(text: str, guest: str) -> float | None:
    """When a checkpoint was made (virDomainCheckpointGetXMLDesc `creationTime`), Unix seconds of the host."""
    return _created(parse(text, f"a checkpoint of guest {guest!r}", root="domaincheckpoint"), [])


def _created(root: Element, odd: Oddities) -> float | None:
    """`creationTime`; libvirt leaves it out where it is 0, as no snapshot is from before 1970."""
    created = number_of(root, "creationTime", odd)
    if created is not None and created <= 0:
        odd.append(f"creationTime is {created}, when nothing can have been made")
        return None
    return None if created is None else float(created)
