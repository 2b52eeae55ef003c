"""Calls that may never come back: each runs in a thread of its own, and few may hang at once.

A call that hangs holds a worker of the daemon until the guest or the storage answers, so nobody asks the same thing
again before. One such call is enough: of the two places of a hypervisor, the other is left to vitals.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from exporter.errors import CollectorError, TimedOut

OWN = 1
PLACES = 2
"""Calls of this kind that may hang at once, and calls of any kind."""
HELD_SECONDS = 1800.0
"""For so long what somebody else's call holds counts, unless it is asked again before: then the answer counts."""

T = TypeVar("T")


class Occupied(CollectorError):
    """Not asked: an earlier call has not come back, about `thing` itself or about something else."""

    outcome = "timed_out"

    def __init__(self, sentence: str, *, itself: bool = True) -> None:
        super().__init__(sentence)
        self.itself = itself


class Patience:
    """Asks with a time limit and remembers what has not come back.

    `elsewhere` tells how many calls hang that others have made. Where libvirt gives up to wait for a thing (after 30 s)
    somebody's call hangs in it, perhaps one of a process that was killed: the thing counts until it answers again.
    """

    def __init__(
        self,
        own: int = OWN,
        places: int = PLACES,
        elsewhere: Callable[[], int] = int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._places = places
        self._elsewhere = elsewhere
        self._clock = clock
        self._lock = threading.Lock()
        self._hanging: set[str] = set()
        self._held: dict[str, float] = {}

    @property
    def hanging(self) -> int:
        """Calls that were given up and have not come back, and things that others hold up."""
        with self._lock:
            return len(self._taken())

    def ask(self, thing: str, question: Callable[[], T], seconds: float) -> T:
        """The answer, or the question's own error. Raises `TimedOut` after `seconds`, `Occupied` at once."""
        with self._lock:
            if thing in self._hanging:
                raise Occupied(f"an earlier call about {thing} has not come back")
            # Only by asking shows whether what others held up is free again: one such question at a time.
            again = thing in self._held and self._hanging
            others = len(self._taken() - {thing})
            if again or others >= self._own or others + self._elsewhere() >= self._places:
                raise Occupied("not asked: calls to others have not come back", itself=False)
        answer: queue.Queue[Callable[[], T]] = queue.Queue(1)

        def ask() -> None:
            outcome, held = _outcome(question)
            with self._lock:
                self._hanging.discard(thing)
                self._held.pop(thing, None)
                if held:
                    self._held[thing] = self._clock() + HELD_SECONDS
                answer.put(outcome)

        threading.Thread(target=ask, name="libvirt-patience", daemon=True).start()
        try:
            return answer.get(timeout=max(seconds, 0))()
        except queue.Empty:
            with self._lock:
                if answer.empty():
                    self._hanging.add(thing)
            raise TimedOut(f"no answer within {seconds:.0f} s") from None

    def _taken(self) -> set[str]:
        now = self._clock()
        return self._hanging | {thing for thing, until in self._held.items() if until > now}


def _outcome(question: Callable[[], T]) -> tuple[Callable[[], T], bool]:
    """What the question gave, to be had in another thread, and whether somebody else's call kept it from an answer."""
    try:
        answer = question()
    except Exception as error:  # noqa: BLE001 - raised again by whoever waits
        failure = error

        def fail() -> T:
            raise failure

        return fail, isinstance(error, TimedOut)
    return (lambda: answer), False
