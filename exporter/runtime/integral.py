"""Rates integrated over samples, each second once: what a counter that is made of them grows by.

The ledger keeps the state and decides what is counted; here is the arithmetic. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Any, cast

from exporter.exposition.text import refusal
from exporter.model import Samples

NUMBERS = frozenset((int, float))
_LARGEST = 1e300
"""What a plain sample may be: larger ones are looked at more closely, lest a sum of them be infinite."""


@dataclass(slots=True)
class Integral:
    """An integrated rate: what it has grown to, and per instance the end of the last interval that is in it.

    `until` is shared by all that were sampled alike: it is replaced, never changed.
    """

    total: float = 0.0
    until: Mapping[str, float] = field(default_factory=dict)


class Window:
    """What timestamps of samples say, found out once for everything that was sampled alike."""

    __slots__ = ("_after", "_before", "_count", "_ends", "_regular", "flaw", "interval_seconds", "timestamps")

    def __init__(self, timestamps: tuple[float, ...] = (), interval_seconds: float = 0.0) -> None:
        self.timestamps, self.interval_seconds = timestamps, interval_seconds
        self.flaw = flaw_of((*timestamps, interval_seconds))
        # Whether no two samples tell of the same second.
        self._count = len(timestamps)
        self._regular = (
            self._count > 0 and not self.flaw and all(b - a >= interval_seconds for a, b in pairwise(timestamps))
        )
        self._ends: dict[str, Mapping[str, float]] = {}
        self._before: Mapping[str, float] = {}
        self._after: Mapping[str, float] = self._before

    def adds(self, state: Integral, seen: Samples) -> bool:
        """Let a counter grow by samples that are plainly new and all there, if they are: nearly always so."""
        series = seen.series
        if len(series) != 1 or not self._regular:
            return False
        ((instance, values),) = series.items()
        known = state.until
        alike = known is self._before and instance in known
        ends = self._after if alike else self._follow(known, instance)
        if ends is None or len(values) != self._count:
            return False
        if self._count == 1:
            growth: float | None = values[0]
            if not (type(growth) in NUMBERS and 0 <= growth <= _LARGEST):  # type: ignore[operator]
                return False
        else:
            growth = _sum_of(values)
        if growth is None:
            return False
        state.total += growth * self.interval_seconds
        state.until = ends
        return True

    def _follow(self, known: Mapping[str, float], instance: str) -> Mapping[str, float] | None:
        """Up to where is counted after these samples, if they all lie whole intervals behind what is known."""
        until = known.get(instance) if len(known) == 1 else None
        if until is None or self.timestamps[0] - until < self.interval_seconds:
            return None
        self._before, self._after = known, self._ends.setdefault(instance, {instance: self.timestamps[-1]})
        return self._after


def _sum_of(values: tuple[float | None, ...]) -> float | None:
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


def integrate(state: Integral, instance: str, seen: Samples, values: tuple[float | None, ...]) -> int:
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
