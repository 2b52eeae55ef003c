"""How many calls a target may leave hanging in its hypervisor, counted there: two, whoever made them.

A call that waits for a guest's monitor holds one of the daemon's workers (20 by default) until that QEMU answers, even
when the process that made it is dead. So the own calls that are under way are counted together with the guests whose
monitor somebody waits for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST = 2
"""Calls that may hang at one hypervisor."""
STUCK_MILLISECONDS = 2000
"""A monitor that is occupied for longer than this will not answer soon."""
LONGEST_DOUBT_SECONDS = 3.0
GLANCE_SECONDS = 0.1

LINGER_SECONDS = 1.0
"""For so long a call that was left behind still counts when its guest answers again: it goes on to the next guest."""

OCCUPIED = 2
_ERROR = 3


@dataclass(frozen=True, slots=True)
class Monitors:
    """What virDomainGetControlInfo says of some guests: by UUID state, details and milliseconds in that state.

    A background job (1) keeps the monitor free between two of its questions, so it is nothing to stay away from.
    """

    control: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def occupied(self) -> set[str]:
        """Guests whose monitor somebody waits for at this moment."""
        return {guest for guest, (state, *_) in self.control.items() if state == OCCUPIED}

    @property
    def stuck(self) -> set[str]:
        """Guests that are not to be asked for what their monitor knows."""
        return {guest for guest in self.control if self.silent_seconds(guest) is not None}

    def silent_seconds(self, guest: str) -> float | None:
        """For how long a stuck guest's monitor has not answered, 0 where it is broken; None for all others."""
        state, _, milliseconds = self.control.get(guest, (0, 0, 0))
        if state == _ERROR:
            return 0.0
        return milliseconds / 1000 if state == OCCUPIED and milliseconds > STUCK_MILLISECONDS else None

    def updated(self, newer: Monitors) -> Monitors:
        """These, with what has been asked since."""
        return Monitors({**self.control, **newer.control})


AskAgain = Callable[[Collection[str] | None], Monitors]
"""Looks at some guests' monitors, or with None at all of them."""


class Budget:
    """The places of one target; both lanes of a session share it.

    `elsewhere` tells how many calls hang that need no monitor (a guest agent, a pool); `stuck` how many monitors were
    occupied for too long when they were last looked at.
    """

    def __init__(
        self,
        elsewhere: Callable[[], int] = int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self._sleep = sleep
        self._clock = clock
        self._elsewhere = elsewhere
        self._left: dict[str, float | None] = {}
        self.stuck = 0

    @property
    def left(self) -> set[str]:
        """Guests in which a call was left behind: they are looked at before each further call."""
        with self._lock:
            return set(self._left)

    def leave(self, guest: str) -> None:
        """A call is left behind that this guest holds: it counts in the place of the call that returns now."""
        with self._lock:
            self._left[guest] = None

    @contextmanager
    def place(self, monitors: Monitors, ask_again: AskAgain) -> Iterator[Monitors | None]:
        """A place for one call and what the guests' monitors do by now; None if all places are taken.

        A monitor that is occupied for a few milliseconds is somebody else's question and soon free; one that is not
        yet occupied for long enough may be a call of ours that a process left behind when it was killed. Where the
        difference matters this waits until it shows. Whoever has waited looks at everybody again: meanwhile others
        may have met guests that nobody had asked before.
        """
        waited, granted = 0.0, self._take(monitors)
        while not granted and waited < LONGEST_DOUBT_SECONDS and len(self.hopeless(monitors)) < MOST:
            self._sleep(GLANCE_SECONDS)
            waited += GLANCE_SECONDS
            monitors = monitors.updated(ask_again(monitors.occupied | self.left))
            if self._fits(monitors):
                monitors = monitors.updated(ask_again(None))
                granted = self._take(monitors)
        self.stuck = len(self.hopeless(monitors))
        try:
            yield monitors if granted else None
        finally:
            if granted:
                with self._lock:
                    self._under_way -= 1

    def hopeless(self, monitors: Monitors) -> set[str]:
        """Guests whose monitor is occupied and will not answer soon."""
        return monitors.occupied & (monitors.stuck | self.left)

    def _take(self, monitors: Monitors) -> bool:
        with self._lock:
            free = self._places(monitors) > 0
            self._under_way += free
        return free

    def _fits(self, monitors: Monitors) -> bool:
        with self._lock:
            return self._places(monitors) > 0

    def _places(self, monitors: Monitors) -> int:
        self._forget(monitors.occupied)
        return MOST - len(monitors.occupied | self._left.keys()) - self._under_way - self._elsewhere()

    def _forget(self, occupied: Collection[str]) -> None:
        """Calls that were left behind are forgotten when their guests have been answering for a while."""
        now = self._clock()
        for guest, free_since in list(self._left.items()):
            if guest in occupied:
                self._left[guest] = None
            elif free_since is None:
                self._left[guest] = now
            elif now - free_since > LINGER_SECONDS:
                del self._left[guest]
