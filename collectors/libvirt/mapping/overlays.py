"""Files stacked on files: what external snapshots hold, and which overlays nobody answers for."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from collectors.libvirt.mapping.description import Description
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.snapshots import Taken


def layer_bytes(stats: Stats) -> dict[str, int]:
    """Bytes that each layer of a running guest's disks takes, by path: `block.N.path` and `physical` with BACKING."""
    found = {block.text("path"): block.number("physical") for _, block in stats.each("block", "count")}
    return {path: size for path, size in found.items() if path and size is not None}


def has_sizes(stats: Stats) -> bool:
    """Whether QEMU told the size of any disk (`block.N.capacity`)."""
    return any(block.number("capacity") is not None for _, block in stats.each("block", "count"))


def held_bytes(taken: Taken, layers: Mapping[str, int]) -> float | None:
    """Bytes that a snapshot holds: what its overlays take.

    None where something of it is elsewhere (in the image, in a file of memory) or an overlay is not in use.
    """
    if not taken.outside or any(path not in layers for path in taken.overlays):
        return None
    return float(sum(layers[path] for path in taken.overlays))


def orphans(guest: Description, claimed: Collection[str], used: Collection[str], bases: Collection[str]) -> int | None:
    """Overlays of a guest that no snapshot names (`claimed`), and whose base is nobody else's.

    A base that another guest uses (`used`) or that matches the patterns `bases` is an image that guests are cloned
    from. None where the description does not show a chain: the guest is off.
    """
    if not all(disk.chain_known for disk in guest.disks):
        return None
    chains = [(disk.path, *disk.chain) for disk in guest.disks]
    return sum(
        overlay not in claimed and base not in used and not any(fnmatch.fnmatchcase(base, glob) for glob in bases)
        for chain in chains
        for overlay, base in pairwise(chain)
    )


def files(guests: Iterable[Description]) -> set[str]:
    """Every path that the guests' disks are known to consist of."""
    return {path for guest in guests for disk in guest.disks for path in (disk.path, *disk.chain)}
