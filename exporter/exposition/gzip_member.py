"""One gzip member (RFC 1952) put together from deflate fragments: what `/metrics` sends.

Concatenated members would be simpler, but curl, wget, httpx and Chromium read only the first of several.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from exporter.exposition.chunk import Chunk, Run, compress, crc_combine

_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no flags, no time, unknown system
_LAST_BLOCK = b"\x03\x00"  # an empty block that ends the stream
_PIECE = 1 << 17
"""Each piece is a trip to another thread and back, which costs more than inflating 64 KiB."""

END_OF_OPENMETRICS = compress(b"# EOF\n", 0)


class Member:
    """An exposition, held compressed; immutable, so that threads may share it."""

    __slots__ = ("_crc", "_fragments", "size")

    def __init__(self, fragments: tuple[bytes, ...] = (), size: int = 0, crc: int = 0) -> None:
        self._fragments = fragments
        self._crc = crc
        self.size = size
        """Bytes of the plain text."""

    @classmethod
    def of(cls, pieces: Iterable[Chunk | Run]) -> Member:
        """The pieces one after the other; combines one checksum per piece."""
        return cls().append(*pieces)

    def append(self, *pieces: Chunk | Run) -> Member:
        """A member with these pieces at its end."""
        fragments = list(self._fragments)
        size, crc = self.size, self._crc
        for piece in pieces:
            if isinstance(piece, Run):
                fragments += piece.bodies
            else:
                fragments.append(piece.body)
            crc = crc_combine(crc, piece.crc, piece.length)
            size += piece.length
        return Member(tuple(fragments), size, crc)

    def gzip(self) -> list[bytes]:
        """Header, deflate fragments and trailer; nothing is hashed or copied."""
        trailer = self._crc.to_bytes(4, "little") + (self.size & 0xFFFFFFFF).to_bytes(4, "little")
        return [_HEADER, *self._fragments, _LAST_BLOCK + trailer]

    def inflate(self) -> Iterator[bytes]:
        """The plain text in pieces of some 128 KiB; a long one takes time, so not for an event loop."""
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        waiting: list[bytes] = []
        length = 0
        for fragment in self._fragments:
            rest = fragment
            while rest:
                piece = inflater.decompress(rest, _PIECE)
                rest = inflater.unconsumed_tail
                waiting.append(piece)
                length += len(piece)
                if length >= _PIECE:
                    yield b"".join(waiting)
                    waiting.clear()
                    length = 0
        if length:
            yield b"".join(waiting)
