"""Snapshots of a domain."""

from __future__ import annotations

from collectors.libvirt.mapping.xml import attribute, number_of, parse, text_of
from exporter.errors import Malformed
from exporter.model import Snapshot

_MEMORY = {"no": False, "internal": True, "external": True}


def snapshot(text: str, name: str, current: str | None) -> Snapshot:
    """One snapshot of its XML (virDomainSnapshotGetXMLDesc): `creationTime` (Unix seconds of the host), parent, state.

    `current` is the name of the snapshot that the domain is at. Whether a backup made it is not said: `kind` is left
    to the configured patterns of names. Raises `Malformed`.
    """
    what = f"snapshot {name!r}"
    root = parse(text, what)
    if root.tag != "domainsnapshot":
        raise Malformed(f"{what} is described by <{root.tag}>", where=what)
    created = number_of(root, "creationTime")
    return Snapshot(
        id=name,
        name=name,
        created_timestamp_seconds=None if created is None else float(created),
        parent_id=text_of(root, "parent/name"),
        memory=_MEMORY.get(attribute(root, "memory", "snapshot")),
        current=name == current,
        state=text_of(root, "state"),
    )
