"""The files of a guest (`layoutEx`): which layers its disks have, what snapshots froze, and how large it all is.

Keys of files are only meant within one layout. Layers come base first from a vCenter, but nothing promises that: the
newest is found by the path that the device itself names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.vsphere.mapping.checked import Facts, Oddities, flag, number, parts, reference, text, whole
from collectors.vsphere.mapping.devices import Disk

_WITHOUT_SIZES = {"vsan", "vvol"}

Layer = tuple[int, ...]
"""Keys of the files of one layer: its descriptor, its extents."""
Chain = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class File:
    """One file: `[datastore] folder/name`, and its bytes; None where they are not known."""

    path: str
    size_bytes: float | None
    unique_bytes: float | None

    @property
    def storage(self) -> str:
        """Name of the datastore it lies on."""
        return self.path[1:].partition("] ")[0] if self.path.startswith("[") else ""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a snapshot holds on to: its data, its memory, the chains of its disks. -1 is no file, None not told."""

    data: int | None
    memory: int | None
    chains: tuple[Chain, ...]

    @property
    def disk_files(self) -> frozenset[int]:
        """Every file of its disks."""
        return files_of(self.chains)


@dataclass(frozen=True, slots=True)
class Layout:
    """A guest's files by key, the chains of its disks by the device's key, its snapshots by reference."""

    timestamp_seconds: float | None
    files: Mapping[int, File]
    disks: Mapping[int, Chain]
    snapshots: Mapping[str, Frozen]

    def newest(self, disk: Disk) -> Layer | None:
        """The layer that a disk writes to; None where the layout does not know the disk."""
        chain = self.disks.get(disk.key)
        if not chain:
            return None
        named = (each for each in chain if any(key in self.files and self.files[key].path == disk.path for key in each))
        return next(named, chain[-1])

    def bytes_of(self, keys: Iterable[int], *, unique: bool = False) -> float | None:
        """Bytes of some files together; None where one of them is not known."""
        total = 0.0
        for key in keys:
            file = self.files.get(key)
            size = None if file is None else file.unique_bytes if unique else file.size_bytes
            if size is None:
                return None
            total += size
        return total


@dataclass(frozen=True, slots=True)
class DiskSize:
    """Bytes of a disk's newest layer, those of them that nothing else shares, and how many layers lie below."""

    allocated_bytes: float | None
    physical_bytes: float | None
    chain_depth: int


def has_sizes(kind: str) -> bool:
    """Whether files on a datastore of this type have true sizes: on vSAN and vVols disks are objects, not files."""
    return kind.casefold() not in _WITHOUT_SIZES


def files_of(chains: Iterable[Chain]) -> frozenset[int]:
    """Every file of some chains."""
    return frozenset(key for chain in chains for layer in chain for key in layer)


def layout_of(raw: Facts, odd: Oddities) -> Layout | None:
    """A layout (VirtualMachineFileLayoutEx; sizes in bytes). None where it is unset."""
    if not raw:
        return None
    frozen = {}
    for each in parts(raw, "snapshot", odd):
        ref = reference(each, "key")
        if ref is None:
            odd.append("a snapshot of layoutEx has no key")
        else:
            data, memory = whole(each, "dataKey", odd), whole(each, "memoryKey", odd)
            frozen[ref.id] = Frozen(data, memory, tuple(_chains(each, odd).values()))
    return Layout(
        timestamp_seconds=number(raw, "timestamp", odd),
        files=dict(_files(raw, odd)),
        disks=_chains(raw, odd),
        snapshots=frozen,
    )


def _files(raw: Facts, odd: Oddities) -> Iterable[tuple[int, File]]:
    for each in parts(raw, "file", odd):
        key = whole(each, "key", odd)
        if key is None:
            odd.append("a file of layoutEx has no key")
            continue
        # The size of a file that is out of reach is what it was, or 0.
        seen = flag(each, "accessible", odd) is not False
        size, unique = number(each, "size", odd), number(each, "uniqueSize", odd)
        yield key, File(text(each, "name", odd), size if seen else None, unique if seen else None)


def _chains(raw: Facts, odd: Oddities) -> dict[int, Chain]:
    found: dict[int, Chain] = {}
    for each in parts(raw, "disk", odd):
        key = whole(each, "key", odd)
        if key is None:
            odd.append("a disk of layoutEx has no key")
        else:
            found[key] = tuple(_layer(unit, odd) for unit in parts(each, "chain", odd))
    return found


def _layer(unit: Facts, odd: Oddities) -> Layer:
    keys = unit.get("fileKey")
    if not isinstance(keys, list) or not all(isinstance(key, int) for key in keys):
        odd.append("a layer of layoutEx has no files")
        return (-1,)  # no file has this key: what the layer takes is unknown
    return tuple(keys)


def disk_size(layout: Layout, disk: Disk, *, sized: bool) -> DiskSize | None:
    """A disk's bytes by the layout; None where it does not know the disk. `sized`: files have true sizes there.

    Of a raw device the file is a pointer with the device's size: what was written to it is not known.
    """
    newest = layout.newest(disk)
    if newest is None:
        return None
    known = sized and disk.format != "rdm"
    return DiskSize(
        allocated_bytes=layout.bytes_of(newest) if known else None,
        physical_bytes=layout.bytes_of(newest, unique=True) if known else None,
        chain_depth=len(layout.disks[disk.key]) - 1,
    )
