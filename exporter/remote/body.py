"""The body of an HTTP answer, read piece by piece, inflated, and never larger than what is sensible."""

from __future__ import annotations

import zlib
from http.client import HTTPResponse, IncompleteRead

from exporter.errors import Malformed

LARGEST_BYTES = 128 << 20
"""Of one answer, inflated. A page of 500 guests with their devices has 5 MiB."""
_PIECE_BYTES = 1 << 16
_GZIP = 31
"""zlib's number for "with the head and tail of gzip"."""


def read_body(response: HTTPResponse, where: str) -> tuple[bytes, int]:
    """The body, and how many bytes were received. Raises `Malformed`, and what reading a connection raises."""
    reading = _Reading(response.getheader("Content-Encoding") or "", where)
    while piece := response.read1(_PIECE_BYTES):
        reading.add(piece)
    if response.length:
        raise IncompleteRead(b"", response.length)  # read1 takes an end in the middle for the end
    response.close()
    return reading.whole(), reading.received


class _Reading:
    def __init__(self, encoding: str, where: str) -> None:
        self._where = where
        self._parts: list[bytes] = []
        self._size = self.received = 0
        known = encoding.strip().casefold()
        if known not in {"", "identity", "gzip", "x-gzip"}:
            raise Malformed(f"{where} compresses its answers as {known[:20]!r}, which was not asked for")
        self._inflater = zlib.decompressobj(_GZIP) if "gzip" in known else None

    def add(self, piece: bytes) -> None:
        self.received += len(piece)
        if self._inflater is None:
            self._keep(piece)
            return
        while piece:
            if self._inflater.eof:  # another gzip member
                self._inflater = zlib.decompressobj(_GZIP)
            self._keep(self._inflater.decompress(piece, LARGEST_BYTES - self._size + 1))
            piece = self._inflater.unconsumed_tail or self._inflater.unused_data.lstrip(b"\0")

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LARGEST_BYTES:
            raise Malformed(f"{self._where} sends more than {LARGEST_BYTES >> 20} MiB in one answer")
        self._parts.append(part)

    def whole(self) -> bytes:
        if self._inflater is not None and self.received and not self._inflater.eof:
            raise Malformed(f"{self._where} breaks off in the middle of a compressed answer")
        return b"".join(self._parts)
