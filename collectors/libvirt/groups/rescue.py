"""A call that a guest's monitor does not answer is left to the hypervisor, so that its collection can go on without.

Cutting our own socket ends the wait here, not the call there: that holds one of the daemon's workers until the guest
answers, whoever waits for it. It is done only where the guest that holds the call is known, so that it is counted
from then on as a guest whose monitor is occupied.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.client.errors import Failed, Gone
from collectors.libvirt.groups.budget import OCCUPIED, STUCK_MILLISECONDS, Budget
from exporter.errors import CollectorError, Unreachable

LEAST_SECONDS = 0.5
SHARE = 4
"""A monitor that has not answered for a quarter of the time that a collection has, at least half a second and at most
as long as it takes to count as stuck, is not waited for."""
MARGIN_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class LeftBehind(Unreachable):
    """The call was left behind: the collection can begin anew without the guest that holds it."""

    def __init__(self, guest: Domain) -> None:
        super().__init__(f"the monitor of guest {guest.name!r} does not answer")


class Rescue:
    """Watches the calls of one collection, which has `seconds`.

    `aside` opens another connection to look at guests, `cut` has the call under way fail and tells whether it could.
    """

    def __init__(
        self,
        aside: Callable[[], AbstractContextManager[Questions]],
        cut: Callable[[], bool],
        budget: Budget,
        seconds: float,
    ) -> None:
        self._aside = aside
        self._cut = cut
        self._budget = budget
        self._patience = min(STUCK_MILLISECONDS / 1000, max(LEAST_SECONDS, seconds / SHARE))

    @contextmanager
    def watching(self, domains: Collection[Domain]) -> Iterator[None]:
        """Watch one call that asks these guests' monitors. Raises `LeftBehind` where it was cut."""
        call = _Call(self._aside, self._cut, self._budget, self._patience)
        thread = threading.Thread(target=call.watch, args=(domains,), name="libvirt-watch", daemon=True)
        thread.start()
        try:
            yield
        except Unreachable as error:
            call.end()
            if call.left is not None:
                raise LeftBehind(call.left) from error
            raise
        finally:
            call.end()
        if call.left is not None:
            # It returned in the instant in which it was cut: the connection is gone all the same.
            raise LeftBehind(call.left)


class _Call:
    """One call under way."""

    def __init__(
        self,
        aside: Callable[[], AbstractContextManager[Questions]],
        cut: Callable[[], bool],
        budget: Budget,
        patience_seconds: float,
    ) -> None:
        self.left: Domain | None = None
        self._aside, self._cut, self._budget = aside, cut, budget
        self._patience = patience_seconds
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()

    def end(self) -> None:
        """The call has returned: from now on nothing is cut."""
        with self._lock:
            self._over.set()

    def watch(self, domains: Collection[Domain]) -> None:
        """Wait for the end of the call, and leave it behind when a guest holds it."""
        if self._over.wait(self._patience + MARGIN_SECONDS):
            return
        # What cannot be looked at is left alone; whoever waits for the call hears what is wrong from the call.
        with suppress(CollectorError), self._aside() as questions:
            self._look(questions, {domain.uuid for domain in domains})

    def _look(self, questions: Questions, asked: set[str]) -> None:
        guests = [domain for domain in questions.domains() if domain.active and domain.uuid in asked]
        pause = MARGIN_SECONDS
        while not self._over.is_set():
            holder = next((guest for guest in guests if self._is_held_by(questions, guest)), None)
            if holder is not None:
                self._leave(holder)
                return
            self._over.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _is_held_by(self, questions: Questions, guest: Domain) -> bool:
        """Whether the guest's monitor is occupied for too long, but not for longer than the call is under way.

        One that was occupied before is not what holds the call: libvirt passes by a guest that is being asked already.
        """
        if self._over.is_set():
            return False
        with suppress(Gone, Failed):
            state, _, milliseconds = questions.control(guest) or (0, 0, 0)
            elapsed = (time.monotonic() - self._begun) * 1000
            return state == OCCUPIED and self._patience * 1000 < milliseconds <= elapsed
        return False

    def _leave(self, guest: Domain) -> None:
        with self._lock:
            if not self._over.is_set() and self._cut():
                self._budget.leave(guest.uuid)
                self.left = guest
