"""The chunks of one family, one per target, with their checksums kept up to date as far as a swap can afford.

Sixteen places make a block. Exchanging a chunk sums up its block anew, which is four pairs; all blocks are summed up
when somebody asks, once per change.
"""

from __future__ import annotations

from typing import NamedTuple

from exporter.exposition.chunk import Chunk, Run, crc_combine

_PLACES = 16
_NOTHING = Chunk(b"", 0, 0, 0)

_Sum = tuple[int, int]
"""Length and CRC-32 of a text."""


class _Part(NamedTuple):
    """A block at one moment."""

    bodies: tuple[bytes, ...]
    sum: _Sum
    series: int


class Joined:
    """Everything that was on a shelf at one moment. Immutable, but for a sum that every thread finds alike."""

    __slots__ = ("_blocks", "_run")

    def __init__(self, blocks: tuple[_Part, ...] = ()) -> None:
        self._blocks = blocks
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """All blocks as one; summed up the first time."""
        run = self._run
        if run is None:
            run = self._run = _one_after_the_other(self._blocks)
        return run


class Shelf:
    """A place per target, in order. Written by one thread; what `joined` returns never changes."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._parts: list[_Part] = []

    def put(self, place: int, chunk: Chunk | None) -> None:
        """Exchange what stands at a place; None clears it."""
        number, place = divmod(place, _PLACES)
        while number >= len(self._blocks):
            self._blocks.append(_Block())
            self._parts.append(_Part((), (0, 0), 0))
        self._parts[number] = self._blocks[number].put(place, chunk)

    def joined(self) -> Joined:
        """Everything on the shelf now."""
        return Joined(tuple(self._parts))


class _Block:
    """Neighbouring places. Nodes of the tree: the children of i are 2i and 2i + 1, the root is 1, then the leaves."""

    __slots__ = ("_bodies", "_series", "_tree")

    def __init__(self) -> None:
        self._bodies = [b""] * _PLACES
        self._series = [0] * _PLACES
        self._tree: list[_Sum] = [(0, 0)] * (2 * _PLACES)

    def put(self, place: int, chunk: Chunk | None) -> _Part:
        """Exchange a chunk; returns all of the block as it is now."""
        chunk = chunk or _NOTHING
        tree = self._tree
        self._bodies[place], self._series[place] = chunk.body, chunk.series
        node = place + _PLACES
        tree[node] = (chunk.length, chunk.crc)
        while node > 1:
            node >>= 1
            tree[node] = _both(tree[2 * node], tree[2 * node + 1])
        return _Part(tuple([body for body in self._bodies if body]), tree[1], sum(self._series))


def _both(left: _Sum, right: _Sum) -> _Sum:
    if not right[0]:
        return left
    if not left[0]:
        return right
    return left[0] + right[0], crc_combine(left[1], right[1], right[0])


def _one_after_the_other(blocks: tuple[_Part, ...]) -> Run:
    bodies: list[bytes] = []
    total, series = (0, 0), 0
    for block in blocks:
        bodies += block.bodies
        total = _both(total, block.sum)
        series += block.series
    return Run(tuple(bodies), *total, series)
