"""Two copies of one guest while it moves: which of them is followed. One memory per (target, group), beside the ledger.

Hypervisors list a migrating guest on both hosts for a while, each copy with counters of its own. Following one, then
the other, then the first again would read as hours of CPU time within a minute.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from exporter.model import Guest, GuestState

CYCLES_BEFORE_RETURN = 10
_OFF = frozenset({GuestState.STOPPED, GuestState.CRASHED, GuestState.MIGRATING})

Copy = tuple[str, str]
"""What tells copies apart: the platform's own id, and the host."""


class Twins:
    """Follows one copy until it is gone or off, and does not go back to one it left within ten cycles."""

    def __init__(self, rank: Callable[[Guest], tuple[Any, ...]]) -> None:
        self._rank = rank
        self._followed: dict[str, Copy] = {}
        self._left: dict[str, dict[Copy, int]] = {}
        self._cycle = 0

    def settle(self, guests: Sequence[Guest]) -> tuple[tuple[Guest, ...], int]:
        """One guest per id, and how many copies were left out."""
        self._cycle += 1
        if not self._followed and len({guest.id for guest in guests}) == len(guests):
            return tuple(guests), 0
        copies: dict[str, list[Guest]] = defaultdict(list)
        for guest in guests:
            copies[guest.id].append(guest)
        chosen = tuple(self._choose(identity, found) for identity, found in copies.items())
        self._forget(set(copies))
        return chosen, len(guests) - len(chosen)

    def _choose(self, identity: str, found: list[Guest]) -> Guest:
        if len(found) == 1 and identity not in self._followed:
            return found[0]
        followed = self._followed.get(identity)
        by_copy: dict[Copy, Guest] = {}
        for guest in sorted(found, key=self._rank):
            by_copy.setdefault((guest.native_id, guest.host_id), guest)
        if followed in by_copy and (len(by_copy) == 1 or by_copy[followed].state not in _OFF):
            return by_copy[followed]
        chosen = min(by_copy.items(), key=lambda item: (self._recently_left(identity, item[0]), self._rank(item[1])))
        if followed is not None and followed != chosen[0]:
            self._left.setdefault(identity, {})[followed] = self._cycle
        self._followed[identity] = chosen[0]
        return chosen[1]

    def _recently_left(self, identity: str, copy: Copy) -> bool:
        left = self._left.get(identity, {}).get(copy)
        return left is not None and self._cycle - left < CYCLES_BEFORE_RETURN

    def _forget(self, present: set[str]) -> None:
        for identity in self._followed.keys() - present:
            del self._followed[identity]
            self._left.pop(identity, None)
