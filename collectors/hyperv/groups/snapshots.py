"""Checkpoints of every guest, what they hold, leftovers of them; backups and replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.rows import Row
from collectors.hyperv.groups import hosts, topology
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import snapshots as mapping
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.settings import DiskFile, disks_of
from collectors.hyperv.mapping.storage import Places
from collectors.hyperv.mapping.values import Table, guid, is_guid, word
from collectors.hyperv.mapping.vhd import DIFFERENCING, chain, snapshot_sizes
from collectors.hyperv.reach import Reading
from exporter.model import Guest, Observation, Storage

TABLES: Sequence[Table] = (
    tables.PROTECTION,
    tables.SYSTEMS,
    tables.DISK_FILES,
    tables.CONTROLLERS,
    tables.REPLICATION,
)


def collect(around: Surroundings) -> Observation:
    """The checkpoints of one target."""
    topology.learn(around, again=False)
    told = hosts.read_hosts(around, TABLES, partial(_links, around))
    guests: dict[str, Guest] = {}
    layers: dict[str, tuple[str, Sequence[DiskFile], bool]] = {}
    for node, reading in told.readings.items():
        for guest, disks in _guests(around, reading):
            if guest.id not in guests or around.memory.guests.get(guest.id) == node:
                guests[guest.id] = guest
                layers[guest.id] = (node, disks, bool(guest.snapshots))
    return Observation(
        around.now,
        guests=tuple(guests.values()),
        storages=_held(around, layers),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _links(around: Surroundings, _node: str, connection: Connection, until: float, reading: Reading) -> None:
    """The association of checkpoints and guests, only where a checkpoint does not name its guest."""
    if mapping.unowned(reading.answers.get(tables.SYSTEMS, ()), _ids(reading)):
        reading.merge(around.read(connection, (tables.SNAPSHOT_LINKS,), until))


def _ids(reading: Reading) -> set[str]:
    rows = reading.answers.get(tables.PROTECTION, ())
    return {word(row, "Name").lower() for row in rows if is_guid(word(row, "Name"))}


def _guests(around: Surroundings, reading: Reading) -> list[tuple[Guest, Sequence[DiskFile]]]:
    """Guests of one host with all the files that are part of them."""
    odd: list[str] = []
    answers = reading.answers
    rows: Sequence[Row] = answers.get(tables.SYSTEMS, ())
    protected = mapping.protection(answers, odd)
    whose = mapping.owners(rows, set(protected), answers.get(tables.SNAPSHOT_LINKS, ()))
    disks, busy = disks_of(answers), mapping.busy(answers)
    names = _names(rows)
    sizes: dict[str, tuple[dict[str, float], float | None]] = {}
    owned: dict[str, dict[str, Sequence[DiskFile]]] = {}
    for snapshot, owner in whose.items():
        owned.setdefault(owner, {})[snapshot] = (disks or {}).get(snapshot, ())
    for each in protected:
        sizes[each] = snapshot_sizes(owned.get(each, {}), (disks or {}).get(each, ()), around.memory.files)
    each_size = {snapshot: size for found, _ in sizes.values() for snapshot, size in found.items()}
    trees = mapping.snapshots_of(rows, whose, each_size, odd)
    found: list[tuple[Guest, Sequence[DiskFile]]] = []
    for identity, protection in protected.items():
        tree = tuple(trees.get(identity, ())) if tables.SYSTEMS in answers else None
        mine = None if disks is None else disks.get(identity, ())
        name = word(protection_row(answers, identity), "ElementName") or names.get(identity, identity)
        guest = replace(
            mapping.bare(identity, name),
            snapshots=tree,
            snapshots_size_bytes=sizes[identity][1] if tree and disks is not None else None,
            consolidation_needed=None
            if tree is None
            else mapping.consolidation_needed(mine, tree, is_busy=identity in busy),
            storage_data_timestamp_seconds=_read_at(around, mine),
            **protection,  # type: ignore[arg-type]
        )
        files = [*(mine or ()), *(disk for held in owned.get(identity, {}).values() for disk in held)]
        found.append((guest, files))
    around.odd(odd, "checkpoints")
    return found


def protection_row(answers: Mapping[Table, Sequence[Row]], identity: str) -> Row:
    """The guest's own row."""
    return next((row for row in answers.get(tables.PROTECTION, ()) if word(row, "Name").lower() == identity), {})


def _names(rows: Sequence[Row]) -> dict[str, str]:
    return {
        guid(word(row, "VirtualSystemIdentifier")): word(row, "ElementName")
        for row in rows
        if not mapping.is_snapshot(row)
    }


def _read_at(around: Surroundings, disks: Sequence[DiskFile] | None) -> float | None:
    """When the files of a guest were read, the one longest ago."""
    known = [around.memory.files[key] for disk in disks or () for key in (chain(disk.path, around.memory.files) or ())]
    return min((facts.read_at for facts in known), default=None)


def _held(around: Surroundings, guests: Mapping[str, tuple[str, Sequence[DiskFile], bool]]) -> tuple[Storage, ...]:
    """What checkpoints hold on each volume; nothing for one where a guest's checkpoints hold an unknown amount."""
    files, places, ids = around.memory.files, Places(around.memory.volumes), around.memory.ids()
    held: dict[str, float] = {each.storage.id: 0.0 for each in around.memory.volumes}
    unknown: set[str] = set()
    for node, disks, has_snapshots in guests.values():
        if not has_snapshots:
            continue
        host, counted = ids.get(node, node), set[str]()
        for disk in disks:
            place, layers = places.storage(disk.path, host), chain(disk.path, files)
            if layers is None:
                unknown |= {place.id} if place is not None else set()
                continue
            for key in (key for key in layers if key not in counted):
                counted.add(key)
                there = places.storage(key, host)
                if there is None or files[key].kind != DIFFERENCING:
                    continue
                size = files[key].file_bytes
                if size is None:
                    unknown.add(there.id)
                else:
                    held[there.id] = held.get(there.id, 0.0) + size
    return tuple(
        Storage(each.storage.id, each.storage.name, snapshots_size_bytes=held[each.storage.id])
        for each in around.memory.volumes
        if each.storage.id not in unknown and around.options.disk_files
    )
