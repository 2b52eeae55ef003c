"""Files of virtual disks: size, kind and parent, from the two methods that tell them; chains and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.rows import Instance, Row, every
from collectors.hyperv.mapping.settings import DiskFile
from collectors.hyperv.mapping.values import Oddities, number, whole, word

DIFFERENCING = 4
_FORMATS = {2: "vhd", 3: "vhdx", 4: "vhds"}
_LONGEST_CHAIN = 64
"""Hyper-V makes at most 50 checkpoints; a loop ends here."""


@dataclass(frozen=True, slots=True)
class DiskFileFacts:
    """One file. `read_at` is when it was read, Unix seconds."""

    read_at: float
    capacity_bytes: float | None = None
    file_bytes: float | None = None
    kind: int | None = None
    format: str = ""
    parent: str = ""

    @property
    def growth_bytes(self) -> float | None:
        """How much the file may still grow."""
        if self.capacity_bytes is None or self.file_bytes is None:
            return None
        return max(0.0, self.capacity_bytes - self.file_bytes)


def key_of(path: str) -> str:
    """A path by which a file is known again: case and kind of separator do not matter."""
    return path.strip().replace("/", "\\").lower()


def embedded(answer: Row, name: str, parse: Callable[[str], Instance | None]) -> Row | None:
    """The instance that a method returned in an out parameter: as an instance, or as a string of CIM-XML."""
    for value in every(answer, name):
        if isinstance(value, Instance):
            return value.row
        if isinstance(value, str) and (found := parse(value)) is not None:
            return found.row
    return None


def file_facts(setting: Row, state: Row | None, read_at: float, odd: Oddities) -> DiskFileFacts:
    """What GetVirtualHardDiskSettingData and GetVirtualHardDiskState say of one file, in bytes."""
    return DiskFileFacts(
        read_at=read_at,
        capacity_bytes=number(setting, "MaxInternalSize", odd) or None,
        file_bytes=None if state is None else number(state, "FileSize", odd),
        kind=whole(setting, "Type", odd),
        format=_FORMATS.get(whole(setting, "Format", odd) or 0, ""),
        parent=word(setting, "ParentPath"),
    )


Files = Mapping[str, DiskFileFacts]
"""Facts by `key_of` a path."""


def chain(path: str, files: Files) -> list[str] | None:
    """Keys of a file and of those below it, the newest first; None where a link is not known yet."""
    found: list[str] = []
    at = path
    while at and key_of(at) not in found and len(found) < _LONGEST_CHAIN:
        facts = files.get(key_of(at))
        if facts is None:
            return None
        found.append(key_of(at))
        at = facts.parent
    return found


def parents(paths: Iterable[str], files: Files) -> list[str]:
    """Files that are not known yet on the way down from these: what to read next."""
    wanted: dict[str, str] = {}
    for path in paths:
        at, seen = path, set[str]()
        while at and key_of(at) not in seen:
            seen.add(key_of(at))
            facts = files.get(key_of(at))
            if facts is None:
                wanted.setdefault(key_of(at), at)
                break
            at = facts.parent
    return list(wanted.values())


def snapshot_sizes(
    snapshots: Mapping[str, Sequence[DiskFile]], disks: Sequence[DiskFile], files: Files
) -> tuple[dict[str, float], float | None]:
    """Bytes that each checkpoint of a guest holds: what was written since it was made; and all of them together.

    A checkpoint's own disks are the files as they were; what was written since is in the files whose parents they are.
    None for the sum where a file of a chain is not known.
    """
    layers: set[str] = set()
    whole_known = True
    for disk in (*disks, *(each for owned in snapshots.values() for each in owned)):
        found = chain(disk.path, files)
        if found is None:
            whole_known = False
        else:
            layers.update(key for key in found if files[key].kind == DIFFERENCING or files[key].parent)
    if not whole_known or any(files[key].file_bytes is None for key in layers):
        return {}, None
    sizes = {
        snapshot: sum(
            files[layer].file_bytes or 0.0
            for layer in layers
            if key_of(files[layer].parent) in {key_of(disk.path) for disk in owned}
        )
        for snapshot, owned in snapshots.items()
    }
    return sizes, sum(files[key].file_bytes or 0.0 for key in layers)
