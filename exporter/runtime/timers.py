"""Things to be done at a later instant of the monotonic clock, for an event loop that asks how long it may sleep."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timers:
    """Callbacks in order of their instants. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, instant: float, callback: Callable[[], None]) -> None:
        """Call back once `run_due` is called at or after the instant."""
        heapq.heappush(self._heap, (instant, next(self._order), callback))

    def seconds_until_next(self, now: float, at_most: float) -> float:
        """How long nothing is due."""
        return min(at_most, max(0.0, self._heap[0][0] - now)) if self._heap else at_most

    def run_due(self, now: float) -> None:
        """Call back everything that is due."""
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
