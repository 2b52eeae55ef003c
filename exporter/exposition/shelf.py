"""The chunks of one family, one per target, with their checksums kept up to date as far as a swap can afford.

Eight places make a block. Exchanging a chunk sums up its block anew, three pairs and a join of small bodies; what all
blocks are together is found out when somebody asks, once per change. So neither a swap nor a scrape walks over every
target of every family.
"""

from __future__ import annotations

from exporter.exposition.chunk import Chunk, Run, crc_combine

_PLACES = 8
_SMALL_BYTES = 32 * 1024
"""A block of less is kept as one piece, too: a scrape has fewer to touch. Larger ones are not held twice."""

_NOTHING = Chunk(b"", 0, 0, 0)

_Sum = tuple[int, int]
"""Length and CRC-32 of a text."""


class Joined:
    """Everything that was on a shelf at one moment. Immutable, but for a sum that every thread finds alike."""

    __slots__ = ("_blocks", "_run")

    def __init__(self, blocks: tuple[Run, ...] = ()) -> None:
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
        self._runs: list[Run] = []

    def put(self, place: int, chunk: Chunk | None) -> None:
        """Exchange what stands at a place; None clears it."""
        number, place = divmod(place, _PLACES)
        while number >= len(self._blocks):
            self._blocks.append(_Block())
            self._runs.append(Run())
        self._runs[number] = self._blocks[number].put(place, chunk)

    def joined(self) -> Joined:
        """Everything on the shelf now."""
        return Joined(tuple(self._runs))


class _Block:
    """Neighbouring places. Nodes of the tree: the children of i are 2i and 2i + 1, the root is 1, then the leaves."""

    __slots__ = ("_bodies", "_series", "_size", "_tree")

    def __init__(self) -> None:
        self._bodies = [b""] * _PLACES
        self._size = 0
        self._series = [0] * _PLACES
        self._tree: list[_Sum] = [(0, 0)] * (2 * _PLACES)

    def put(self, place: int, chunk: Chunk | None) -> Run:
        """Exchange a chunk; returns all of the block as one."""
        chunk = chunk or _NOTHING
        bodies, tree = self._bodies, self._tree
        self._size += len(chunk.body) - len(bodies[place])
        bodies[place], self._series[place] = chunk.body, chunk.series
        node = place + _PLACES
        tree[node] = (chunk.length, chunk.crc)
        while node > 1:
            node >>= 1
            tree[node] = _both(tree[2 * node], tree[2 * node + 1])
        kept = (b"".join(bodies),) if 0 < self._size <= _SMALL_BYTES else tuple([body for body in bodies if body])
        return Run(kept, *tree[1], sum(self._series))


def _both(left: _Sum, right: _Sum) -> _Sum:
    if not right[0]:
        return left
    if not left[0]:
        return right
    return left[0] + right[0], crc_combine(left[1], right[1], right[0])


def _one_after_the_other(runs: tuple[Run, ...]) -> Run:
    bodies: list[bytes] = []
    total, series = (0, 0), 0
    for run in runs:
        bodies += run.bodies
        total = _both(total, (run.length, run.crc))
        series += run.series
    return Run(tuple(bodies), *total, series)
