"""Rates integrated over samples, each second once: what a counter that is made of them grows by.

The ledger keeps the state and decides what is counted; here is the arithmetic. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from types import MappingProxyType
from typing import Any, cast

from exporter.exposition.text import refusal
from exporter.model import Samples
from exporter.model.counters import Sampled

NUMBERS = frozenset((int, float))
_LARGEST = 1e300
"""What a plain sample may be: larger ones are looked at more closely, lest a sum of them be infinite."""


Ends = Mapping[str, float]
"""Per instance the end of the last interval that is counted. Shared by all that were sampled alike: replaced, never
changed."""
NO_ENDS: Ends = MappingProxyType({})


@dataclass(slots=True)
class Integral:
    """An integrated rate: what it has grown to, and up to where."""

    total: float = 0.0
    until: Ends = field(default_factory=lambda: NO_ENDS)


class Window:
    """What timestamps of samples say, found out once for everything that was sampled alike."""

    __slots__ = ("_before", "_count", "_ends", "_regular", "after", "flaw", "interval_seconds", "timestamps")

    def __init__(self, timestamps: tuple[float, ...] = (), interval_seconds: float = 0.0) -> None:
        self.timestamps, self.interval_seconds = timestamps, interval_seconds
        self.flaw = flaw_of((*timestamps, interval_seconds))
        # Whether no two samples tell of the same second.
        self._count = len(timestamps)
        self._regular = (
            self._count > 0 and not self.flaw and all(b - a >= interval_seconds for a, b in pairwise(timestamps))
        )
        self._ends: dict[str, Ends] = {}
        self._before: Ends = NO_ENDS
        self.after: Ends = NO_ENDS
        """Up to where is counted after the samples whose growth was asked last."""

    def begin(self, told: Mapping[str, Sampled] | Sampled) -> Ends | None:
        """Up to where a counter is counted that begins with these samples, if they are all there; else None."""
        if not self._regular:
            return None
        (instance, values), *others = (("", told),) if isinstance(told, tuple) else told.items() or (("", ()),)
        if others or len(values) != self._count:
            return None
        return self._ends.setdefault(instance, {instance: self.timestamps[-1]})

    def growth(self, known: Ends, told: Mapping[str, Sampled] | Sampled) -> float | None:
        """What a counter grows by with samples that are plainly new and all there, as nearly always; else None.

        `known` is up to where it is counted.
        """
        if type(told) is tuple:
            instance, values = "", told
        elif len(told) == 1:
            ((instance, values),) = cast("Mapping[str, Sampled]", told).items()
        else:
            return None
        if not (self._regular and len(values) == self._count):
            return None
        if not ((known is self._before and instance in known) or self._follow(known, instance)):
            return None
        grown = _plain(values[0]) if self._count == 1 else _sum_of(values)
        return None if grown is None else grown * self.interval_seconds

    def _follow(self, known: Ends, instance: str) -> bool:
        """Whether these samples all lie whole intervals behind what is known."""
        until = known.get(instance) if len(known) == 1 else None
        if until is None or self.timestamps[0] - until < self.interval_seconds:
            return False
        self._before, self.after = known, self._ends.setdefault(instance, {instance: self.timestamps[-1]})
        return True


def _plain(value: float | None) -> float | None:
    """The number if it may be counted with as it is."""
    if type(value) in NUMBERS and 0 <= cast("float", value) <= _LARGEST:
        return value
    return None


def _sum_of(values: Sampled) -> float | None:
    """The sum of plain numbers that may be counted with; None where one of them is something else."""
    if not NUMBERS.issuperset(map(type, values)):
        return None
    numbers = cast("tuple[float, ...]", values)
    if not (min(numbers) >= 0 and max(numbers) <= _LARGEST):
        return None
    total = sum(numbers)  # NaN is neither small nor large, but shows here
    return total if isfinite(total) else None


def flaw_of(values: Collection[Any]) -> str | None:
    """Why these cannot be counted with, or None."""
    try:
        # Only numbers, and a finite sum has only finite summands: nearly always so, and quickly found out.
        if NUMBERS.issuperset(map(type, values)) and isfinite(sum(values)) and min(values, default=0) >= 0:
            return None
    except OverflowError:
        pass
    return next((reason for value in values if (reason := refusal(value, counter=True))), None)


def integrate(state: Integral, instance: str, seen: Samples, values: Sampled) -> int:
    """Let a counter grow by those samples of an instance that are new; how many of these the endpoint did not have."""
    newest, gaps = max(seen.timestamps), 0
    until = state.until.get(instance)
    # A whole answer that ends before what is known, by more than it spans: the endpoint's clock was put back.
    window = newest - min(seen.timestamps) + 2 * seen.interval_seconds
    if until is None or newest < until - window:
        state.until = {**state.until, instance: newest}
        return 0
    for at, value in zip(seen.timestamps, values, strict=True):
        if at <= until:
            continue
        # -1 and NaN are vendors' other words for null.
        if value is not None and refusal(value, counter=True) is None:
            state.total += value * min(seen.interval_seconds, at - until)
        else:
            gaps += 1
        until = at
    state.until = {**state.until, instance: until}
    return gaps
