"""Snapshots of a guest: their tree, what each holds in files, and overlays that belong to none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.vsphere.mapping.checked import Facts, Oddities, flag, number, parts, reference, text, whole
from collectors.vsphere.mapping.devices import Disk, Place
from collectors.vsphere.mapping.layout import Chain, File, Layout, files_of
from collectors.vsphere.mapping.places import plain
from exporter.model import Snapshot


def snapshots_of(found: Facts, odd: Oddities) -> tuple[Snapshot, ...]:
    """The snapshots of a tree (VirtualMachineSnapshotInfo), parents before children.

    Times are the endpoint's. `memory` and sizes are not in the tree. What comes twice is counted once.
    """
    current = reference(found, "currentSnapshot")
    known: dict[str, Snapshot] = {}
    left = [(each, "") for each in reversed(list(parts(found, "rootSnapshotList", odd)))]
    while left:
        node, parent = left.pop()
        taken = _snapshot(node, parent, "" if current is None else current.id, odd)
        if taken.id in known:
            odd.append(f"snapshot {taken.id} is in the tree twice")
            continue
        known[taken.id] = taken
        left += [(each, taken.id) for each in reversed(list(parts(node, "childSnapshotList", odd)))]
    return tuple(known.values())


def _snapshot(node: Facts, parent: str, current: str, odd: Oddities) -> Snapshot:
    ref = reference(node, "snapshot")
    if ref is None:
        odd.append(f"a snapshot has no reference: {text(node, 'name', odd)!r}")
    created = number(node, "createTime", odd)
    return Snapshot(
        id=ref.id if ref is not None else f"id-{whole(node, 'id', odd)}",
        name=plain(text(node, "name", odd)),
        # The API knows no snapshot without a time; 1970 stands for one that was not kept.
        created_timestamp_seconds=created or None,
        parent_id=parent,
        quiesced=flag(node, "quiesced", odd),
        current=ref.id == current if ref is not None and current else None,
        state=text(node, "state", odd),
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A guest's snapshots with their sizes, and the files that all of them hold together; None where unknown."""

    snapshots: tuple[Snapshot, ...]
    size_bytes: float | None = None
    files: tuple[File, ...] | None = None


def with_sizes(snapshots: Sequence[Snapshot], layout: Layout | None, sized: Collection[str]) -> Held:
    """The snapshots with the bytes that each holds. `sized`: names of datastores where files have true sizes.

    Without snapshots there is nothing to tell the size of.
    """
    if layout is None or not snapshots:
        return Held(tuple(snapshots))
    owned = {each.id: _owned(each, layout) for each in snapshots}
    found = [
        replace(each, memory=_memory(each, layout), size_bytes=_size(owned[each.id], layout, sized))
        for each in snapshots
    ]
    keys = _union(owned.values())
    size = _size(keys, layout, sized)
    files = None if keys is None or size is None else tuple(layout.files[key] for key in sorted(keys))
    return Held(tuple(found), size, files)


def _memory(snapshot: Snapshot, layout: Layout) -> bool | None:
    frozen = layout.snapshots.get(snapshot.id)
    return None if frozen is None or frozen.memory is None else frozen.memory >= 0


def _owned(snapshot: Snapshot, layout: Layout) -> frozenset[int] | None:
    """Keys of the files that a snapshot holds; None where the layout does not tell.

    Its data and memory, and what was written between its parent and itself: the layers of its disks that are not its
    parent's. What was there when the first snapshot was made, or of a disk that came later, belongs to the guest. The
    snapshot that the guest is at also holds what was written since.
    """
    frozen = layout.snapshots.get(snapshot.id)
    if frozen is None or frozen.data is None:
        return None
    owned = {key for key in (frozen.data, frozen.memory) if key is not None and key >= 0}
    if snapshot.parent_id:
        parent = layout.snapshots.get(snapshot.parent_id)
        if parent is None:
            return None
        owned |= _grown(frozen.chains, parent.disk_files)
    if snapshot.current:
        owned |= _grown(layout.disks.values(), frozen.disk_files)
    return frozenset(owned)


def _grown(chains: Iterable[Chain], before: frozenset[int]) -> frozenset[int]:
    """Files of chains that were not there before. A chain that shares nothing with it is another disk, not growth."""
    return files_of(chain for chain in chains if files_of([chain]) & before) - before


def _union(owned: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    found: set[int] = set()
    for keys in owned:
        if keys is None:
            return None
        found |= keys
    return frozenset(found)


def _size(keys: frozenset[int] | None, layout: Layout, sized: Collection[str]) -> float | None:
    if keys is None or any(key not in layout.files or layout.files[key].storage not in sized for key in keys):
        return None
    return layout.bytes_of(keys)


def by_storage(files: Iterable[File]) -> dict[str, float]:
    """Bytes of files by the name of their datastore."""
    found: dict[str, float] = {}
    for file in files:
        found[file.storage] = found.get(file.storage, 0.0) + (file.size_bytes or 0.0)
    return found


def folder(path: str) -> str:
    """`[datastore] folder/` of a path."""
    head, slash, _ = path.rpartition("/")
    return head + slash if slash else path.partition("] ")[0] + "] "


def orphans(disks: Iterable[Disk], layout: Layout, home: str, used: Mapping[Place, int]) -> int | None:
    """Overlays of a guest without snapshots that are leftovers of its own; None where the files do not tell.

    `home` is the folder of its configuration, `used` tells how many guests use a file. A linked clone stands on files
    elsewhere, a base may carry the guests made of it, and a disk that forgets has an overlay by design: none of these
    is a leftover.
    """
    total = 0
    for disk in disks:
        chain = layout.disks.get(disk.key, ())
        if not disk.persistent or len(chain) == 1:
            continue
        paths = [layout.files[key].path if key in layout.files else "" for key in files_of([chain])]
        if "" in paths or (not chain and disk.layered):
            return None
        own = {home, folder(disk.path)}
        if all(folder(path) in own for path in paths) and not any(used.get(each, 0) > 1 for each in disk.layers):
            total += max(0, len(chain) - 1)
    return total


def layers_used(guests: Iterable[Iterable[Disk]]) -> Iterator[Place]:
    """Every file that disks name, once for each guest."""
    for disks in guests:
        yield from {place for disk in disks for place in disk.layers}
