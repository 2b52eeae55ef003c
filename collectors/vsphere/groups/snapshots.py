"""Snapshots of every guest with what they hold, and leftovers of snapshots that are gone.

Files are asked for only where there is something to tell: a snapshot, an overlay, a consolidation that is due.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import Ref, Shape, Shapes
from collectors.vsphere.groups import inventory, turns
from collectors.vsphere.groups.layouts import TIMESTAMP, Known, guests_of, note, outdated, read_layouts, state_of
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.checked import Facts, Oddities, flag, number, part, text
from collectors.vsphere.mapping.devices import Disk, Place
from collectors.vsphere.mapping.layout import Layout, has_sizes
from collectors.vsphere.mapping.paths import DATASTORE
from collectors.vsphere.mapping.places import Places, plain
from collectors.vsphere.mapping.snapshots import (
    Held,
    by_storage,
    folder,
    layers_used,
    orphans,
    snapshots_of,
    with_sizes,
)
from collectors.vsphere.memory import Held as HeldBy
from exporter.model import Guest, Observation, Snapshot, Storage

_CONNECTION, _CONSOLIDATION, _HOME = "runtime.connectionState", "runtime.consolidationNeeded", "config.files.vmPathName"
PATHS: Mapping[str, Sequence[str]] = {DATASTORE: ("name", "summary.type")}
OF_GUESTS = (_CONNECTION, _CONSOLIDATION, _HOME, "snapshot", "datastore", TIMESTAMP)
_TOLD = frozenset(
    {
        "childSnapshotList",
        "createTime",
        "currentSnapshot",
        "id",
        "name",
        "quiesced",
        "rootSnapshotList",
        "snapshot",
        "state",
    }
)
_SHAPES: Shapes = {"snapshot": Shape(frozenset(), _TOLD, lambda told: told)}
"""What is read of a tree of snapshots."""
_OUT_OF_REACH = {"orphaned", "inaccessible", "invalid"}
"""What vCenter has of such guests is a memory, and may be nothing."""

Objects = Mapping[Ref, dict[str, Any]]


@dataclass(slots=True)
class _Seen:
    """A guest while its facts come together. `snapshots` is None where they are not known."""

    ref: Ref
    id: str
    name: str
    disks: Sequence[Disk]
    facts: Facts
    snapshots: tuple[Snapshot, ...] | None
    consolidation_needed: bool | None
    held: Held | None = None

    @property
    def interesting(self) -> bool:
        """Whether its files tell something."""
        layered = any(disk.layered for disk in self.disks)
        return self.snapshots is not None and (bool(self.snapshots) or layered or self.consolidation_needed is True)


def collect(around: Surroundings) -> Observation:
    """The snapshots of one endpoint."""
    inventory.refresh(around)
    found: dict[Ref, dict[str, Any]] = {}
    for page in around.lane.every(PATHS):
        around.deadline.check("reading datastores")
        found |= page.objects
        around.findings.lost(page.lost)
    trees = turns.read_guests(around, around.memory.trees, OF_GUESTS, _SHAPES)
    found |= trees.objects
    unread = {ref for ref, path, _ in trees.lost if path == "snapshot"}
    late = set(around.memory.trees.behind)
    places = Places(around.memory.slow, around.lane.service.instance)
    seen = [_seen(around, each, found, unread) for each in guests_of(around, places)]
    _read_files(around, found, [each for each in seen if each.interesting])
    used = Counter(layers_used(each.disks for each in seen))
    guests = tuple(_guest(around, each, found, used) for each in seen if each.ref not in late)
    around.memory.held = {
        each.ref: around.memory.held.get(each.ref, {}) if each.ref in late else _held(each, found) for each in seen
    }
    return Observation(
        collected_at=around.now,
        guests=guests,
        storages=_storages(around, found),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _seen(around: Surroundings, known: Known, found: Objects, unread: set[Ref]) -> _Seen:
    ref, identity, name, labelled = known
    disks = [disk for _, disk in labelled]
    facts = found.get(ref, {})
    odd: Oddities = []
    # A guest that has none does not name the property: all that is known is that it was asked.
    asked = ref in found and ref not in unread and facts.get(_CONNECTION, "connected") not in _OUT_OF_REACH
    snapshots = snapshots_of(part(facts, "snapshot", odd), odd) if asked else None
    needed = flag(facts, _CONSOLIDATION, odd) if asked else None
    note(around, ref, odd)
    return _Seen(ref, identity, name, disks, facts, snapshots, needed)


def _read_files(around: Surroundings, found: Objects, interesting: Sequence[_Seen]) -> None:
    """Bring what is remembered of files up to date."""
    layouts = around.memory.layouts
    states = {each.ref: (state_of(each.facts, each.disks), _ids(each.snapshots)) for each in interesting}
    for ref in layouts.keys() - states.keys() - set(around.memory.trees.behind):
        del layouts[ref]
    for ref, layout in read_layouts(around, outdated(states, layouts, found)):
        layouts[ref] = states[ref], layout


def _ids(snapshots: Sequence[Snapshot] | None) -> tuple[str, ...]:
    return tuple(each.id for each in snapshots or ())


def _guest(around: Surroundings, seen: _Seen, found: Objects, used: Mapping[Place, int]) -> Guest:
    _, layout = around.memory.layouts.get(seen.ref, (None, None))
    if seen.snapshots:
        seen.held = with_sizes(seen.snapshots, layout, _sized(seen.facts, found))
    return Guest(
        id=seen.id,
        name=seen.name,
        native_id=seen.ref.id,
        described=False,
        snapshots=seen.snapshots if seen.held is None else seen.held.snapshots,
        snapshots_size_bytes=None if seen.held is None else seen.held.size_bytes,
        consolidation_needed=seen.consolidation_needed,
        orphaned_overlays=_orphans(seen, layout, used),
        storage_data_timestamp_seconds=number(seen.facts, TIMESTAMP, []) or None,
    )


def _orphans(seen: _Seen, layout: Layout | None, used: Mapping[Place, int]) -> int | None:
    if seen.snapshots is None:
        return None
    if seen.snapshots or not seen.interesting:
        return 0
    return None if layout is None else orphans(seen.disks, layout, folder(text(seen.facts, _HOME, [])), used)


# Datastores.


def _of_guest(facts: Facts, found: Objects) -> dict[str, Ref]:
    """The datastores that a guest has files on by their names, which are unique within a datacenter only."""
    refs = facts.get("datastore")
    known = [each for each in refs if isinstance(each, Ref) and each in found] if isinstance(refs, list) else []
    names = {str(found[ref].get("name", "")): ref for ref in known}
    return {plain(name): ref for name, ref in names.items()} | names


def _sized(facts: Facts, found: Objects) -> set[str]:
    kinds = {name: found[ref].get("summary.type") for name, ref in _of_guest(facts, found).items()}
    return {name for name, kind in kinds.items() if isinstance(kind, str) and has_sizes(kind)}


def _held(seen: _Seen, found: Objects) -> HeldBy:
    """What a guest's snapshots hold on each datastore that it has files on, as far as that is known."""
    if not seen.snapshots:
        return {}
    named = _of_guest(seen.facts, found)
    if seen.held is None or seen.held.files is None:
        return dict.fromkeys(named.values())
    sizes = by_storage(seen.held.files)
    return {named[name]: size for name, size in sizes.items() if name in named}


def _storages(around: Surroundings, found: Objects) -> tuple[Storage, ...]:
    """What snapshots hold on each datastore; nothing for one where a guest's snapshots hold an unknown amount."""
    trees, held = around.memory.trees, defaultdict[Ref, list[float | None]](list)
    if any(ref not in trees.read_at for ref in trees.behind):
        return ()
    for of_guest in around.memory.held.values():
        for ref, size in of_guest.items():
            held[ref].append(size)
    return tuple(
        Storage(ref.id, plain(str(facts.get("name", ""))), snapshots_size_bytes=sum(known, 0.0))
        for ref, facts in found.items()
        if ref.kind == DATASTORE
        and has_sizes(str(facts.get("summary.type", "")))
        and len(known := [size for size in held[ref] if size is not None]) == len(held[ref])
    )
