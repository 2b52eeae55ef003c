"""Things to be done at a later instant of the monotonic clock, for an event loop that asks how long it may sleep."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timer:
    """Something to be done; nothing happens any more once it is cancelled."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget it; what it would have called is let go of at once."""
        self.callback = None


class Timers:
    """Callbacks in order of their instants. Not thread-safe: one loop owns it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def at(self, instant: float, callback: Callable[[], None]) -> Timer:
        """Call back once `run_due` is called at or after the instant."""
        timer = Timer(callback)
        heapq.heappush(self._heap, (instant, next(self._order), timer))
        return timer

    def seconds_until_next(self, now: float, at_most: float) -> float:
        """How long nothing is due."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return min(at_most, max(0.0, self._heap[0][0] - now)) if self._heap else at_most

    def run_due(self, now: float) -> None:
        """Call back everything that is due."""
        while self._heap and self._heap[0][0] <= now:
            callback = heapq.heappop(self._heap)[2].callback
            if callback is not None:
                callback()
