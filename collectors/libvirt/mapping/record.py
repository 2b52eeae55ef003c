"""One domain's bulk record, read with care: a key that is missing, of another type or negative is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache


@lru_cache(maxsize=4096)
def _full(prefix: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys as the record has them; made once, and with them their hashes."""
    return tuple(prefix + key for key in keys)


class Stats:
    """Keys and units as in virConnectGetAllDomainStats; `prefix` is what stands before every key that is asked for."""

    __slots__ = ("_prefix", "_raw")

    def __init__(self, raw: Mapping[str, object], prefix: str = "") -> None:
        self._raw = raw
        self._prefix = prefix

    def number(self, key: str) -> int | None:
        """A count or quantity; libvirt writes -1 for unknown."""
        value = self._raw.get(self._prefix + key)
        return value if type(value) is int and value >= 0 else None

    def numbers(self, *keys: str) -> list[int | None]:
        """Several of them at once, which is quicker."""
        found = map(self._raw.get, _full(self._prefix, keys))
        return [value if type(value) is int and value >= 0 else None for value in found]

    def text(self, key: str) -> str | None:
        """A name or path."""
        value = self._raw.get(self._prefix + key)
        return value if isinstance(value, str) else None

    def each(self, kind: str, bound: str) -> Iterator[tuple[int, Stats]]:
        """The entries `kind.0.`, `kind.1.`, … below the number that `kind.bound` names; the array may have holes."""
        for number in range(min(self.number(f"{kind}.{bound}") or 0, len(self._raw))):
            yield number, Stats(self._raw, f"{self._prefix}{kind}.{number}.")
