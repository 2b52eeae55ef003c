"""The chunks of one family, one per target, with the checksum of all of them kept up to date.

A tree of checksums: exchanging one chunk among n combines log2(n) pairs, not n.
"""

from __future__ import annotations

from exporter.exposition.chunk import Chunk, Run, crc_combine


class Shelf:
    """A place per target, in order. Written by one thread; what `joined` returns never changes."""

    def __init__(self) -> None:
        self._chunks: list[Chunk | None] = [None]
        self._tree: list[tuple[int, int]] = [(0, 0), (0, 0)]
        """Length and CRC-32: the children of node i are 2i and 2i + 1, the root is 1, the leaves are the last half."""
        self._series = 0

    def put(self, place: int, chunk: Chunk | None) -> None:
        """Exchange what stands at a place; None clears it."""
        while place >= len(self._chunks):
            self._grow()
        before = self._chunks[place]
        self._chunks[place] = chunk
        self._series += (chunk.series if chunk else 0) - (before.series if before else 0)
        node = place + len(self._chunks)
        self._tree[node] = (chunk.length, chunk.crc) if chunk else (0, 0)
        while node > 1:
            node //= 2
            self._tree[node] = self._both(node)

    def joined(self) -> Run:
        """Everything on the shelf now."""
        length, crc = self._tree[1]
        return Run(tuple([chunk.body for chunk in self._chunks if chunk]), length, crc, self._series)

    def _both(self, node: int) -> tuple[int, int]:
        left, right = self._tree[2 * node], self._tree[2 * node + 1]
        if not right[0]:
            return left
        if not left[0]:
            return right
        return left[0] + right[0], crc_combine(left[1], right[1], right[0])

    def _grow(self) -> None:
        places = len(self._chunks)
        leaves = self._tree[places:] + [(0, 0)] * places
        self._chunks += [None] * places
        self._tree = [(0, 0)] * (2 * places) + leaves
        for node in range(2 * places - 1, 0, -1):
            self._tree[node] = self._both(node)
