"""How a process of ours keeps its memory small and its collections even: one arena, and when to look for cycles.

What collections leave behind are trees that live until the next one; a search through all of them, as Python starts it
by itself, costs more per guest the more guests there are, and finds next to nothing.
"""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from contextlib import suppress

SEARCH_EVERY_SECONDS = 600.0
LEAST_ADDED = 100_000
"""Objects (some 10 MB) that may be added before everything is searched."""

_M_ARENA_MAX = -8


def use_one_arena() -> None:
    """Have glibc serve all threads from one heap: one for each keeps that thread's largest page for ever.

    To be called before threads start. Other C libraries have nothing of the kind.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return free memory at the end of the heap, and whole free pages within it, to the system."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Garbage:
    """Searches for cycles when a collection has failed, as errors leave some, and everything only now and then.

    Everything is searched every ten minutes, and when half as much again as after the last time has been added; what
    lives is then set aside.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._known = 0
        self._added = 0
        self._next_search = time.monotonic() + SEARCH_EVERY_SECONDS
        self.searches = 0
        """How often everything was searched."""

    def clear(self, *, failed: bool) -> None:
        """To be called when a collection is over, from any thread; one that comes while another is at it leaves it."""
        if self._turn.acquire(blocking=False):
            try:
                # Python counts what is made less what is deleted, never below 0: an upper bound of what was added.
                added = self._added + gc.get_count()[0]
                if time.monotonic() >= self._next_search or added > max(LEAST_ADDED, self._known // 2):
                    self._search_everything()
                elif failed:
                    self._added = added
                    gc.collect(1)
            finally:
                self._turn.release()

    def _search_everything(self) -> None:
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        give_back()
        self._known, self._added = gc.get_freeze_count(), 0
        self._next_search = time.monotonic() + SEARCH_EVERY_SECONDS
        self.searches += 1
