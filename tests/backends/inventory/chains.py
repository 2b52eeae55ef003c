"""Snapshots of a guest as a tree, the layers of its disks that come with them, and the files all that lies in."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.backends.inventory.xml import Ref

MIB, GIB = 2**20, 2**30
DAY = 86400


@dataclass(frozen=True, slots=True)
class Layer:
    """A disk's file: layer 0 is the disk itself, every other one a delta. Bytes of its extent."""

    disk: int
    number: int
    extent_bytes: int

    def path(self, folder: str) -> str:
        """The descriptor; its extent's name has an ending more."""
        return f"{folder}{'' if self.disk == 0 else f'_{self.disk}'}{'' if self.number == 0 else f'-{self.number:06d}'}"


Chains = tuple[tuple[Layer, ...], ...]
"""The layers of every disk, the base first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot; `above` is the place of its parent in the list, None for one without; `chains` is what it froze."""

    ref: Ref
    name: str
    created: int
    above: int | None
    memory_bytes: int | None
    quiesced: bool
    chains: Chains


@dataclass(frozen=True, slots=True)
class Tree:
    """A guest's snapshots, oldest first, which of them it goes on from, and the layers that it writes to."""

    snapshots: tuple[Snapshot, ...]
    current: int | None
    active: Chains

    def below(self, place: int | None) -> list[int]:
        """Places of the snapshots directly below one, of the roots for None."""
        return [n for n, each in enumerate(self.snapshots) if each.above == place]

    def layers(self) -> list[Layer]:
        """Every layer there is, each once."""
        chains = [*self.active, *(chain for each in self.snapshots for chain in each.chains)]
        return list({layer: None for chain in chains for layer in chain})


NAMES = ('before "update" %2f 🚀', "backup", "pre-patch", "Veeam <tmp> & co", "it's fine", "baseline")


def plain(bases: Sequence[int]) -> Tree:
    """Disks without a snapshot."""
    return Tree((), None, tuple((Layer(disk, 0, size),) for disk, size in enumerate(bases)))


def left_over(dice: random.Random, bases: Sequence[int]) -> Tree:
    """Disks that run on deltas though no snapshot is left."""
    return Tree((), None, _on_top(dice, plain(bases).active, 1))


def grown(
    dice: random.Random, bases: Sequence[int], ids: Iterator[int], now: int, memory_bytes: int, *, off: bool
) -> Tree:
    """One to six snapshots of the last 400 days; sometimes the guest went back to an earlier one and on from there."""
    count = dice.choice((1, 1, 1, 2, 2, 3, 4, 6))
    ages = sorted((dice.randrange(3600, 400 * DAY) for _ in range(count)), reverse=True)
    found: list[Snapshot] = []
    current, active = None, plain(bases).active
    for number, age in enumerate(ages, 1):
        if found and dice.random() < 0.25:
            current = dice.randrange(len(found))
            active = _on_top(dice, found[current].chains, 100 + number)
        found.append(
            Snapshot(
                Ref("VirtualMachineSnapshot", f"snapshot-{next(ids)}"),
                dice.choice(NAMES),
                now - age,
                current,
                memory_bytes if not off and dice.random() < 0.3 else None,
                dice.random() < 0.5,
                active,
            )
        )
        current, active = len(found) - 1, _on_top(dice, active, number)
    return Tree(tuple(found), current, active)


def _on_top(dice: random.Random, chains: Chains, number: int) -> Chains:
    return tuple((*chain, Layer(disk, number, dice.randrange(1, 4096) * MIB)) for disk, chain in enumerate(chains))


@dataclass(frozen=True, slots=True)
class File:
    """A file on a datastore, in the words of layoutEx."""

    key: int
    path: str
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Files:
    """What lies in a guest's folder, with the keys under which layouts name it."""

    all: tuple[File, ...]
    of_layer: dict[Layer, tuple[int, int]]
    data: tuple[int, ...]
    memory: tuple[int, ...]
    """Keys by the place of the snapshot; -1 without memory."""

    @property
    def bytes(self) -> int:
        return sum(each.size_bytes for each in self.all)


DESCRIPTOR_BYTES, DATA_BYTES = 600, 28_000


def files(tree: Tree, folder: str, swap_bytes: int) -> Files:
    """The files of a guest in `[datastore] name/name`; a running one has a swap file of what is not reserved."""
    found: list[File] = []

    def add(path: str, kind: str, size: int) -> int:
        found.append(File(len(found), path, kind, size))
        return found[-1].key

    for ending, kind, size in (("vmx", "config", 3200), ("nvram", "nvram", 8684), ("vmsd", "snapshotList", 43)):
        add(f"{folder}.{ending}", kind, size)
    add(f"{folder.rpartition('/')[0]}/vmware.log", "log", 262_144)
    if swap_bytes:
        add(f"{folder}.vswp", "swap", swap_bytes)
    keys = {}
    for layer in tree.layers():
        path, extent = layer.path(folder), "sesparse" if layer.number else "flat"
        first = add(f"{path}.vmdk", "diskDescriptor", DESCRIPTOR_BYTES)
        keys[layer] = (first, add(f"{path}-{extent}.vmdk", "diskExtent", layer.extent_bytes))
    data, memory = [], []
    for number, each in enumerate(tree.snapshots, 1):
        data.append(add(f"{folder}-Snapshot{number}.vmsn", "snapshotData", DATA_BYTES))
        size = each.memory_bytes
        memory.append(-1 if size is None else add(f"{folder}-Snapshot{number}.vmem", "snapshotMemory", size))
    return Files(tuple(found), keys, tuple(data), tuple(memory))


def parents(chain: Sequence[Layer]) -> Iterator[tuple[Layer, Layer | None]]:
    """Every layer from the newest down, with the one below it."""
    downwards = list(reversed(chain))
    yield from pairwise(downwards)
    yield downwards[-1], None
