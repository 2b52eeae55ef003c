"""The memory of counters of one (target, group): turns parts, samples and raw counts into values that never fall.

Lives in the worker that holds the target; a session may be made anew beneath it. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from exporter.exposition.text import NOT_FINITE, refusal
from exporter.model import Parts, Samples, Wrapping

INCOMPLETE = "incomplete"
MISALIGNED = "misaligned"
LONGEST_WINDOW_SECONDS = 3600.0
"""No endpoint offers samples older than this; times further back than that mean that its clock was put back."""


@dataclass(slots=True)
class _Sum:
    """A sum of parts: what it has grown to, and each part's value when it was last seen."""

    total: float
    last: Mapping[str, float] = field(default_factory=dict)
    epoch: str = ""


@dataclass(slots=True)
class _Integral:
    """An integrated rate: what it has grown to, and per instance the end of the last interval that is in it."""

    total: float = 0.0
    until: dict[str, float] = field(default_factory=dict)


_State = _Sum | _Integral
_KEPT = frozenset((Parts, Samples, Wrapping))
_MADE = frozenset((Samples, Wrapping))
_NUMBERS = frozenset((int, float))


class Ledger:
    """State by family name and by the identity of the thing counted. One thread at a time."""

    def __init__(self, *, integrate: bool = True) -> None:
        """With `integrate` off, counters that would begin at 0 now are left out: one collection cannot tell them."""
        self._makes = integrate
        self.omitted: set[str] = set()
        """Families of which a counter was left out for that."""
        self._families: dict[str, dict[Hashable, _State]] = {}
        self._checked: dict[str, Sequence[Hashable]] = {}
        self.rejected: Tally[str] = Tally()
        """Counters that could not be told, by reason, since they were last taken."""
        self.gaps = 0
        """Samples that the endpoint did not have, since they were last taken."""

    def settle(self, family: str, ids: Sequence[Hashable], values: list[Any], *, complete: bool = True) -> list[Any]:
        """The family's counters as numbers, None where there is none this time; plain numbers are passed through.

        `ids` are the things that were seen. With `complete`, what is not among them is forgotten.
        """
        states = self._families.get(family)
        if not states and _KEPT.isdisjoint(map(type, values)):
            return values
        states = self._families.setdefault(family, {})
        if not self._makes and not _MADE.isdisjoint(map(type, values)):
            self.omitted.add(family)
            values = [None if type(value) in _MADE else value for value in values]
        settled = [self._one(states, key, value) for key, value in zip(ids, values, strict=True)]
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

    def _one(self, states: dict[Hashable, _State], key: Hashable, value: Any) -> Any:
        kind = type(value)
        if kind is Parts:
            return self._parts(states, key, value)
        if kind is Samples:
            return self._samples(states, key, value)
        if kind is Wrapping:
            return self._wrapping(states, key, value)
        return value

    def _parts(self, states: dict[Hashable, _State], key: Hashable, seen: Parts) -> float | None:
        if not seen.complete:
            return self._refused(INCOMPLETE)
        if reason := _flaw(seen.values.values()):
            return self._refused(reason)
        state = states.get(key)
        if not isinstance(state, _Sum):
            if not seen.values:
                return None
            state = states[key] = _Sum(float(sum(seen.values.values())))
        elif seen.epoch == state.epoch:
            for part, value in seen.values.items():
                # A part that is new, came back or fell counts from elsewhere: only its growth from now on is known.
                growth = value - state.last.get(part, value)
                if growth > 0:
                    state.total += growth
        state.last, state.epoch = dict(seen.values), seen.epoch
        return state.total if seen.values else None

    def _wrapping(self, states: dict[Hashable, _State], key: Hashable, seen: Wrapping) -> float | None:
        size = 1 << seen.bits
        if reason := _flaw((*seen.values.values(), seen.unit)):
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

    def _samples(self, states: dict[Hashable, _State], key: Hashable, seen: Samples) -> float | None:
        if reason := _flaw((*seen.timestamps, seen.interval_seconds)):
            return self._refused(reason)
        state = states.get(key)
        if not isinstance(state, _Integral):
            state = _Integral()
        for instance, values in seen.series.items():
            if len(values) != len(seen.timestamps):
                self._refused(MISALIGNED)
            elif values:
                self._integrate(state, instance, seen, values)
        if not state.until:
            return None
        states[key] = state
        return state.total

    def _integrate(self, state: _Integral, instance: str, seen: Samples, values: tuple[float | None, ...]) -> None:
        newest = max(seen.timestamps)
        until = state.until.get(instance)
        if until is None or newest < until - LONGEST_WINDOW_SECONDS:
            state.until[instance] = newest
            return
        for at, value in zip(seen.timestamps, values, strict=True):
            if at <= until:
                continue
            # -1 and NaN are vendors' other words for null.
            if value is not None and refusal(value, counter=True) is None:
                state.total += value * min(seen.interval_seconds, at - until)
            else:
                self.gaps += 1
            until = at
        state.until[instance] = until

    def _refused(self, reason: str) -> float | None:
        self.rejected[reason] += 1
        return None


def _flaw(values: Collection[Any]) -> str | None:
    """Why these cannot be counted with, or None."""
    try:
        # Only numbers, and a finite sum has only finite summands: nearly always so, and quickly found out.
        if _NUMBERS.issuperset(map(type, values)) and isfinite(sum(values)) and min(values, default=0) >= 0:
            return None
    except OverflowError:
        pass
    return next((reason for value in values if (reason := refusal(value, counter=True))), None)
