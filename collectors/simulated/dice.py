"""Chance without a generator: everything random about a thing is a hash of its path, the same on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import unpack
from typing import TypeVar

T = TypeVar("T")
_THROWS = 16


class Dice:
    """The throws of one thing, in order; a thing's throws do not depend on what else was asked for."""

    __slots__ = ("_next", "_path", "_throws")

    def __init__(self, *path: object) -> None:
        self._path = "/".join(map(str, path))
        self._throws: tuple[int, ...] = ()
        self._next = 0

    def share(self) -> float:
        """A number from 0 up to, but not, 1."""
        place = self._next % _THROWS
        if place == 0:
            digest = blake2b(f"{self._path}#{self._next // _THROWS}".encode("utf-8", "surrogatepass")).digest()
            self._throws = unpack(f"<{_THROWS}I", digest)
        self._next += 1
        return self._throws[place] / 2**32

    def between(self, low: float, high: float) -> float:
        """A number between the two."""
        return low + (high - low) * self.share()

    def number(self, count: int) -> int:
        """A whole number from 0 to one less than `count`."""
        return int(self.share() * count)

    def one_of(self, things: Sequence[T]) -> T:
        """One of them."""
        return things[self.number(len(things))]


def identity(*path: object) -> str:
    """A UUID in lower case that belongs to this path."""
    digits = blake2b("/".join(map(str, path)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def mac(prefix: str, *path: object) -> str:
    """A hardware address under a vendor's prefix of three bytes."""
    digits = blake2b("/".join(map(str, path)).encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
    return f"{prefix}:{digits[:2]}:{digits[2:4]}:{digits[4:]}"
