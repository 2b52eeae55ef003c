"""The integrated rates of one family, side by side: three lists instead of an object and an entry for each counter.

The ledger has one for each family of samples. The numbers that are told are the very objects that are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import cast

from exporter.model import Samples
from exporter.runtime.integral import NO_ENDS, Ends, Integral, Window

Single = Callable[[Integral, Samples], float | None]
"""Lets one counter grow by samples that are not plainly new and all there; None where it has no value."""


class Integrals:
    """Counters of things by their ids, in the order in which these came last; `others` were not seen then."""

    __slots__ = ("_ends", "_ids", "_others", "_totals", "_window")

    def __init__(self, known: dict[Hashable, Integral]) -> None:
        self._ids: Sequence[Hashable] = ()
        self._totals: list[float] = []
        self._ends: list[Ends] = []
        self._others = known
        self._window = Window()

    def settle(
        self, ids: Sequence[Hashable], values: Sequence[Samples | None], single: Single, *, complete: bool
    ) -> list[float | None]:
        """What the counters of these things have grown to; with `complete`, those of all others are forgotten."""
        self._align(ids, complete=complete)
        # New lists, as what was told the last time is compared with what is told now.
        totals, ends, window = self._totals.copy(), self._ends, self._window
        # Things that were sampled differently come mixed: those of other hosts, those that are off. Each window is
        # found out about once, and what it tells is shared by all that are in it.
        windows = {(window.timestamps, window.interval_seconds): window}
        missing: list[int] = []
        for place, seen in enumerate(values):
            if seen is None:
                missing.append(place)
                continue
            if not seen.timestamps and ends[place] and seen.interval_seconds == window.interval_seconds:
                continue  # nothing new
            if window.timestamps is not seen.timestamps or window.interval_seconds != seen.interval_seconds:
                window = _window_of(seen, windows)
            growth = window.growth(ends[place], seen.told)
            if growth is not None:
                totals[place] += growth
                ends[place] = window.after
                continue
            if not ends[place] and (begun := window.begin(seen.told)):
                ends[place] = begun
                continue
            state = Integral(totals[place], ends[place])
            if single(state, seen) is None:
                missing.append(place)
            totals[place], ends[place] = state.total, state.until
        self._totals, self._window = totals, window
        if not missing:
            return cast("list[float | None]", totals)  # nobody changes it
        settled: list[float | None] = [*totals]
        for place in missing:
            settled[place] = None
        return settled

    def states(self) -> Iterator[tuple[Hashable, Integral]]:
        """Every counter there is."""
        yield from self._others.items()
        for key, total, ends in zip(self._ids, self._totals, self._ends, strict=True):
            if ends:
                yield key, Integral(total, ends)

    def _align(self, ids: Sequence[Hashable], *, complete: bool) -> None:
        # The same list object means the same things as the last time.
        if ids is not self._ids and ids != self._ids:
            known: dict[Hashable, Integral] = {}
            for key, state in self.states():
                known.setdefault(key, state)  # of two with one id, the first is the one that is shown
            found = [known.pop(key, None) for key in ids]
            self._totals = [0.0 if each is None else each.total for each in found]
            self._ends = [NO_ENDS if each is None else each.until for each in found]
            self._others = known
        self._ids = ids
        if complete:
            self._others = {}


def _window_of(seen: Samples, known: dict[tuple[tuple[float, ...], float], Window]) -> Window:
    alike = (tuple(seen.timestamps), seen.interval_seconds)
    return known.get(alike) or known.setdefault(alike, Window(*alike))
