"""The worker processes: how many there are, which targets live in which, and how each of them ends.

Shared workers hold many targets; a quarantine worker holds a target that hung or crashed one, apart from the others.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from exporter.report import WorkerReport
from exporter.runtime.messages import Finish, Key, Pulse, Settings
from exporter.runtime.process import WorkerProcess

log = logging.getLogger("workers")

QUICK_DEATH_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 30.0
MOST_QUARANTINES = 4
"""Quarantine workers cost some 40 MB each; when so many are in use, the next culprit shares the emptiest."""
RETIRING_GRACE_SECONDS = 5.0


@dataclass(eq=False)
class Member:
    """One worker with its targets."""

    process: WorkerProcess
    started_at: float
    quarantine: bool = False
    retiring: bool = False
    """It takes no more targets, and ends when the last of its own has moved away."""
    keys: set[Key] = field(default_factory=set)
    abandoned: set[tuple[Key, int]] = field(default_factory=set)
    """Runs past their deadline whose call has not returned: a thread of the worker hangs in each."""
    pulse: Pulse | None = None
    finishing: bool = False

    @property
    def name(self) -> str:
        """The worker's name, as in the label `worker`."""
        return self.process.name

    def send(self, message: object) -> None:
        """Tell the worker something."""
        self.process.send(message)


class Crew:
    """All workers. `received(member, message)` is called from reader threads, with None once a worker is gone."""

    def __init__(self, settings: Settings, received: Callable[[Member, object], None]) -> None:
        self._settings, self._received = settings, received
        self._members: dict[str, Member] = {}
        self._places = 0
        self._stopping = False
        self._quick_deaths = 0
        self.restarts = 0

    def resize(self, configured: int | None, targets: int) -> None:
        """How many shared workers there may be: as configured, else the smaller of cores and targets. Never shrinks."""
        cores = len(os.sched_getaffinity(0))
        self._places = max(self._places, 1, min(configured or cores, max(targets, 1)))

    def shared(self) -> Member:
        """The worker for one more target: a new one while there is a free place, else the one with the fewest."""
        open_to_all = [member for member in self._members.values() if not (member.quarantine or member.retiring)]
        if len(open_to_all) < self._places:
            return self._hire("worker", quarantine=False)
        return min(open_to_all, key=lambda member: (len(member.keys), member.name))

    def quarantine(self) -> Member:
        """A worker for one target that has done harm."""
        apart = [member for member in self._members.values() if member.quarantine and not member.finishing]
        if len(apart) < MOST_QUARANTINES:
            return self._hire("quarantine", quarantine=True)
        return min(apart, key=lambda member: (len(member.keys), member.name))

    def let_go(self, member: Member, key: Key) -> None:
        """A target has left the worker; one that is empty and no longer wanted is ended."""
        member.keys.discard(key)
        if not member.keys and (member.retiring or member.quarantine):
            self.end(member)

    def end(self, member: Member) -> None:
        """End a worker whose targets are gone: gently, then by force."""
        if not member.finishing:
            member.finishing = True
            member.process.finish(Finish(RETIRING_GRACE_SECONDS / 2), RETIRING_GRACE_SECONDS)

    def lost(self, member: Member) -> bool:
        """Forget a worker whose process is gone; whether it died without being told to."""
        self._members.pop(member.name, None)
        if self._stopping or member.finishing:
            return False
        lived = time.monotonic() - member.started_at
        self._quick_deaths = self._quick_deaths + 1 if lived < QUICK_DEATH_SECONDS else 0
        self.restarts += 1
        fields = {"worker": member.name, "pid": member.process.pid, "targets": len(member.keys)}
        log.error("a worker died: %s; its targets move", member.process.fate(), extra={"fields": fields})
        return True

    def pause_before_restart(self) -> float:
        """Seconds to wait before a new worker is started: none, unless workers keep dying young."""
        if self._quick_deaths <= 1:
            return 0.0
        return float(min(LONGEST_PAUSE_SECONDS, 2.0 ** (self._quick_deaths - 2)))

    @property
    def members(self) -> list[Member]:
        """Every worker whose process has not ended yet."""
        return list(self._members.values())

    def abandoned_calls(self) -> int:
        """Calls past their deadline that still hang in some worker."""
        return sum(len(member.abandoned) for member in self._members.values())

    def reports(self) -> dict[str, WorkerReport]:
        """Every worker's figures by its name."""
        return {name: _report(member) for name, member in sorted(self._members.items())}

    def finish(self, until: float) -> None:
        """End all workers: ask, wait until the given monotonic instant, then by force."""
        self._stopping = True
        members = list(self._members.values())
        for member in members:
            member.send(Finish(max(0.1, until - time.monotonic())))
        for member in members:
            if not member.process.wait(until - time.monotonic()):
                log.warning("a worker did not end in time and is killed", extra={"fields": {"worker": member.name}})
            member.process.kill()
        self._members.clear()

    def _hire(self, kind: str, *, quarantine: bool) -> Member:
        number = next(number for number in range(len(self._members) + 1) if f"{kind}-{number}" not in self._members)
        process = WorkerProcess(replace(self._settings, name=f"{kind}-{number}"))
        member = Member(process, time.monotonic(), quarantine=quarantine)
        self._members[member.name] = member
        process.listen(lambda message: self._received(member, message))
        return member


def _report(member: Member) -> WorkerReport:
    if member.pulse is None:
        return WorkerReport(targets=len(member.keys))
    return WorkerReport(member.pulse.cpu_seconds, member.pulse.resident_memory_bytes, len(member.keys))
