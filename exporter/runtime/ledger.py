"""The memory of counters of one (target, group): turns parts, samples and raw counts into values that never fall.

Lives in the worker that holds the target; a session may be made anew beneath it. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from operator import ge
from typing import Any

from exporter.exposition.text import NOT_FINITE
from exporter.model import Parts, Samples, Wrapping
from exporter.runtime.integral import NUMBERS, Integral, Window, flaw_of, integrate
from exporter.runtime.integrals import Integrals

INCOMPLETE = "incomplete"
MISALIGNED = "misaligned"


@dataclass(slots=True)
class _Sum:
    """A sum of parts: what it has grown to, and each part's value when it was last seen."""

    total: float
    last: Mapping[str, float] = field(default_factory=dict)
    epoch: str = ""
    seen_at: float = 0.0
    bridged: bool = False
    """Whether the total differs from the vendor's sum on purpose: a part is gone, or counts from elsewhere."""


_State = _Sum | Integral
Offsets = Mapping[str, Mapping[Hashable, float]]
"""By family and identity: what a sum stands above the vendor's own."""

SECONDS = "_seconds_total"
SLACK = 1.1
"""Clocks and the collection's own length blur how much time can have passed."""

_KEPT = frozenset((Parts, Samples, Wrapping))
_MADE = frozenset((Samples, Wrapping))
_SAMPLED = frozenset((Samples, type(None)))


class Ledger:
    """State by family name and by the identity of the thing counted. One thread at a time."""

    def __init__(self, *, integrate: bool = True, offsets: Offsets | None = None) -> None:
        """With `integrate` off, counters that would begin at 0 now are left out: one collection cannot tell them.

        `offsets` are those of the ledger before, of another worker; sums then go on where they stood.
        """
        self._makes = integrate
        self._inherited = offsets or {}
        self._at = 0.0
        self._window = Window()
        self._bridged: set[str] = set()
        self.omitted: set[str] = set()
        """Families of which a counter was left out for that."""
        self._families: dict[str, dict[Hashable, _State]] = {}
        self._sampled: dict[str, Integrals] = {}
        """Families of nothing but samples."""
        self._checked: dict[str, Sequence[Hashable]] = {}
        self.rejected: Tally[str] = Tally()
        """Counters that could not be told, by reason, since they were last taken."""
        self.gaps = 0
        """Samples that the endpoint did not have, since they were last taken."""

    def settle(
        self, family: str, ids: Sequence[Hashable], values: list[Any], *, complete: bool = True, at: float = 0.0
    ) -> list[Any]:
        """The family's counters as numbers, None where there is none this time; plain numbers are passed through.

        `ids` are the things that were seen, at the monotonic instant `at`. With `complete`, what is not among them is
        forgotten.
        """
        self._at = at
        kinds = set(map(type, values))
        sampled = self._sampled.get(family)
        if sampled is None and not self._families.get(family) and _KEPT.isdisjoint(kinds):
            return values
        if not self._makes and not _MADE.isdisjoint(kinds):
            self.omitted.add(family)
            values = [None if type(value) in _MADE else value for value in values]
            kinds = set(map(type, values))
        if kinds <= _SAMPLED and (sampled is not None or Samples in kinds):
            if sampled is None:
                sampled = self._sampled[family] = Integrals(self._integrals_of(family))
            return sampled.settle(ids, values, self._samples, complete=complete)
        states = self._families.setdefault(family, {})
        if sampled is not None:  # among them is something else now
            states.update(self._sampled.pop(family).states())
        settled = [self._one(family, states, key, value) for key, value in zip(ids, values, strict=True)]
        # The same list object means the same things as the last time.
        if complete and self._checked.get(family) is not ids:
            for gone in states.keys() - set(ids):
                del states[gone]
            self._checked[family] = ids
        return settled

    def take(self) -> tuple[Tally[str], int]:
        """Rejected counters by reason and missing samples since the last call."""
        taken = (self.rejected, self.gaps)
        self.rejected, self.gaps = Tally(), 0
        return taken

    def _one(self, family: str, states: dict[Hashable, _State], key: Hashable, value: Any) -> Any:
        kind = type(value)
        if kind is Parts:
            return self._parts(family, states, key, value)
        if kind is Samples:
            state = states.get(key)
            if not isinstance(state, Integral):
                state = Integral()
            total = self._samples(state, value)
            if state.until:
                states[key] = state
            return total
        if kind is Wrapping:
            return self._wrapping(states, key, value)
        return value

    def _parts(self, family: str, states: dict[Hashable, _State], key: Hashable, seen: Parts) -> float | None:
        known = states.get(key)
        if type(known) is _Sum and not known.bridged and (total := _goes_on(known, seen)) is not None:
            known.total, known.last, known.seen_at = total, dict(seen.values), self._at
            return total
        if not seen.complete:
            return self._refused(INCOMPLETE)
        if reason := flaw_of(seen.values.values()):
            return self._refused(reason)
        state = states.get(key)
        if not isinstance(state, _Sum):
            if not seen.values:
                return None
            offset = self._inherited.get(family, {}).get(key, 0.0)
            state = states[key] = _Sum(sum(seen.values.values()) + offset, bridged=bool(offset))
        elif seen.epoch == state.epoch:
            self._grow(state, seen)
        else:
            self._begin_life(family, state, seen)
        state.last, state.epoch, state.seen_at = dict(seen.values), seen.epoch, self._at
        if state.bridged:
            self._bridged.add(family)
        return state.total if seen.values else None

    @staticmethod
    def _grow(state: _Sum, seen: Parts) -> None:
        for part, value in seen.values.items():
            # A part that is new, came back or fell counts from elsewhere: only its growth from now on is known.
            growth = value - state.last.get(part, value)
            if growth > 0:
                state.total += growth
            if growth < 0 or (part not in state.last and value):
                state.bridged = True
        if seen.values and not state.last.keys() <= seen.values.keys():
            state.bridged = True

    def _begin_life(self, family: str, state: _Sum, seen: Parts) -> None:
        """The vendor counts from elsewhere: a boot, or another host.

        Seconds that can have passed since the last look are a boot, and shown as one: the counter begins anew, with the
        vendor's own sum, as it would after a restart of ours. More than that is somebody else's history: it is bridged.
        """
        fresh = float(sum(seen.values.values()))
        most = (self._at - state.seen_at) * len(seen.values) * SLACK
        if family.endswith(SECONDS) and 0 < most >= fresh:
            state.total, state.bridged = fresh, False
        else:
            state.bridged = True

    def offsets(self) -> Offsets:
        """What the sums are above (or below) the vendor's own, where that is on purpose; for the ledger after this."""
        found: dict[str, dict[Hashable, float]] = {}
        for family in self._bridged:
            for key, state in self._families.get(family, {}).items():
                if isinstance(state, _Sum) and state.bridged and state.last:
                    found.setdefault(family, {})[key] = state.total - sum(state.last.values())
        return found

    def _wrapping(self, states: dict[Hashable, _State], key: Hashable, seen: Wrapping) -> float | None:
        size = 1 << seen.bits
        if reason := flaw_of((*seen.values.values(), seen.unit)):
            return self._refused(reason)
        if any(value >= size for value in seen.values.values()):
            return self._refused(NOT_FINITE)
        state = states.get(key)
        if not isinstance(state, _Sum):
            if not seen.values:
                return None
            state = states[key] = _Sum(0.0)
        for part, value in seen.values.items():
            delta = (value - state.last.get(part, value)) % size
            # More than half way round is no progress but a counter that began anew.
            if delta <= size >> 1:
                state.total += delta * seen.unit
        state.last = dict(seen.values)
        return state.total if seen.values else None

    def _integrals_of(self, family: str) -> dict[Hashable, Integral]:
        """The integrals among a family's counters, until now beside others: they are no longer kept there."""
        states = self._families.get(family, {})
        found = {key: state for key, state in states.items() if isinstance(state, Integral)}
        for key in found:
            del states[key]
        return found

    def _samples(self, state: Integral, seen: Samples) -> float | None:
        if self._window.timestamps is not seen.timestamps or self._window.interval_seconds != seen.interval_seconds:
            self._window = Window(seen.timestamps, seen.interval_seconds)
        if reason := self._window.flaw:
            return self._refused(reason)
        for instance, values in seen.series.items():
            if len(values) != len(seen.timestamps):
                self._refused(MISALIGNED)
            elif values:
                self.gaps += integrate(state, instance, seen, values)
        return state.total if state.until else None

    def _refused(self, reason: str) -> float | None:
        self.rejected[reason] += 1
        return None


def _goes_on(state: _Sum, seen: Parts) -> float | None:
    """The vendor's own sum where it simply grew: every part that was there still is, and none fell. Else None.

    Nearly always so, and then the sum of parts is the vendor's sum; it cannot fall, because no part did.
    """
    values, last = seen.values, state.last
    if not values or not seen.complete or seen.epoch != state.epoch or list(values) != list(last):
        return None
    now = list(values.values())
    if not (NUMBERS.issuperset(map(type, now)) and all(map(ge, now, last.values()))):
        return None
    total = sum(now)
    try:
        return total if isfinite(total) else None
    except OverflowError:
        return None
