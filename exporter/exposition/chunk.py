"""Text as a raw deflate fragment that can be joined with others, and the arithmetic that joins their checksums.

Workers make chunks; the store keeps them and puts them together without ever inflating or hashing one again.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

LEVEL = 1
"""Levels 2 and 3 save nothing on this text, 6 saves a tenth of the bytes for more than twice the time."""

LINES_AT_ONCE = 1000
"""Some 150 kB: what a processor's cache holds beside everything else."""

_SHORT_WBITS, _SHORT_MEMORY = 12, 5
_SHORT = 1 << _SHORT_WBITS

_POLYNOMIAL = 0xEDB88320
_ONES = 0xFFFFFFFF
_ZEROS = memoryview(bytes(4096))
"""Up to this length zlib's own loop over zero bytes beats the tables."""


class Chunk(NamedTuple):
    """A deflate fragment that ends on a byte boundary, with length and CRC-32 of its plain text and its series.

    A tuple, because thousands of them come out of workers' pickles every second.
    """

    body: bytes
    length: int
    crc: int
    series: int


class Run(NamedTuple):
    """Chunks one after the other, as if they were one."""

    bodies: tuple[bytes, ...] = ()
    length: int = 0
    crc: int = 0
    series: int = 0


def compress(text: bytes, series: int, level: int = LEVEL) -> Chunk:
    """The text as a chunk. The sync flush ends it on a byte boundary and leaves the stream open for the next one."""
    if len(text) <= _SHORT:
        # A window as long as the text: as small a result, and less memory to prepare for it.
        squeezer = zlib.compressobj(level, zlib.DEFLATED, -_SHORT_WBITS, _SHORT_MEMORY)
    else:
        squeezer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = squeezer.compress(text) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    return Chunk(body, len(text), zlib.crc32(text), series)


def compress_piecewise(lines: Sequence[str], series: int) -> Chunk:
    """The lines as a chunk, without ever holding all of their text: fresh memory for megabytes is dear."""
    squeezer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    bodies, length, crc = [], 0, 0
    for begin in range(0, len(lines), LINES_AT_ONCE):
        text = "".join(lines[begin : begin + LINES_AT_ONCE]).encode()
        bodies.append(squeezer.compress(text))
        length += len(text)
        crc = zlib.crc32(text, crc)
    bodies.append(squeezer.flush(zlib.Z_SYNC_FLUSH))
    return Chunk(b"".join(bodies), length, crc, series)


def crc_combine(crc1: int, crc2: int, length2: int) -> int:
    """CRC-32 of two texts one after the other, from the CRC-32 of each and the length of the second.

    A CRC is linear over GF(2): the first one moves on by as many zero bytes as the second text is long, then both add.
    """
    if length2 <= len(_ZEROS):
        # zlib inverts before and after; inverting once more on both sides leaves the bare register.
        return zlib.crc32(_ZEROS[:length2], crc1 ^ _ONES) ^ _ONES ^ crc2
    for row in _ROWS:
        digit = length2 & 15
        if digit:
            low, second, third, high = row[digit] or _moved_by(row, digit)
            crc1 = low[crc1 & 255] ^ second[crc1 >> 8 & 255] ^ third[crc1 >> 16 & 255] ^ high[crc1 >> 24]
        length2 >>= 4
        if not length2:
            break
    return crc1 ^ crc2


_Matrix = tuple[int, ...]
"""An operator over GF(2): what each of the 32 bits of a register becomes."""


class _Row(list["tuple[array[int], ...] | None"]):
    """By a hexadecimal digit of a length: what each byte of a register becomes after digit * 16**place zero bytes.

    Arrays: lists would save making an object at each look, and lose as much to caches, as they are five times as large.
    """

    def __init__(self, place: int) -> None:
        super().__init__([None] * 16)
        self.place = place


_ROWS = tuple([_Row(place) for place in range(16)])


def _moved_by(row: _Row, digit: int) -> tuple[array[int], ...]:
    columns = _zero_bytes(digit, row.place)
    tables = []
    for shift in (0, 8, 16, 24):
        table = array("L", bytes(256 * array("L").itemsize))
        for value in range(1, 256):
            lowest = value & -value
            table[value] = table[value ^ lowest] ^ columns[shift + lowest.bit_length() - 1]
        tables.append(table)
    row[digit] = found = tuple(tables)
    return found


@cache
def _zero_bytes(digit: int, place: int) -> _Matrix:
    if digit > 1:
        return _product(_zero_bytes(1, place), _zero_bytes(digit - 1, place))
    if place:
        return _product(_zero_bytes(8, place - 1), _zero_bytes(8, place - 1))
    bits: _Matrix = (_POLYNOMIAL, *(1 << n for n in range(31)))
    for _ in range(3):  # one bit, two, four, eight: a byte
        bits = _product(bits, bits)
    return bits


def _product(outer: _Matrix, inner: _Matrix) -> _Matrix:
    return tuple(_times(outer, column) for column in inner)


def _times(matrix: _Matrix, vector: int) -> int:
    result = 0
    for column in matrix:
        if vector & 1:
            result ^= column
        vector >>= 1
    return result
