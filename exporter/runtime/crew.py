"""The worker processes: how many, which target lives in which, what becomes of one that dies."""

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


@dataclass(eq=False)
class Member:
    """One worker with its targets."""

    process: WorkerProcess
    started_at: float
    keys: set[Key] = field(default_factory=set)
    pulse: Pulse | None = None

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
        self._finishing = False
        self._quick_deaths = 0
        self.restarts = 0
        self._to_replace = 0

    def resize(self, configured: int | None, targets: int) -> None:
        """How many workers there may be: as configured, else the smaller of cores and targets. Never shrinks."""
        cores = len(os.sched_getaffinity(0))
        self._places = max(self._places, 1, min(configured or cores, max(targets, 1)))

    def take_on(self, key: Key) -> Member:
        """Give a target to the worker with the fewest, starting one while there is a free place."""
        if len(self._members) < self._places:
            member = self._hire()
        else:
            member = min(self._members.values(), key=lambda known: (len(known.keys), known.name))
        member.keys.add(key)
        return member

    def holder(self, key: Key) -> Member | None:
        """The worker that a target lives in."""
        return next((member for member in self._members.values() if key in member.keys), None)

    def let_go(self, key: Key) -> Member | None:
        """Take a target from its worker, which is returned."""
        member = self.holder(key)
        if member is not None:
            member.keys.discard(key)
        return member

    def pulse(self, member: Member, pulse: Pulse) -> None:
        """Note a worker's figures."""
        member.pulse = pulse

    def lost(self, member: Member) -> set[Key]:
        """Forget a worker that is gone; returns the targets that need another."""
        if self._members.pop(member.name, None) is None or self._finishing:
            return set()
        lived = time.monotonic() - member.started_at
        self._quick_deaths = self._quick_deaths + 1 if lived < QUICK_DEATH_SECONDS else 0
        self._to_replace += 1
        fields = {"worker": member.name, "pid": member.process.pid, "targets": len(member.keys)}
        log.error("a worker died: %s; its targets move to a new one", member.process.fate(), extra={"fields": fields})
        return member.keys

    def pause_before_restart(self) -> float:
        """Seconds to wait before a new worker is started: none, unless workers keep dying young."""
        if self._quick_deaths <= 1:
            return 0.0
        return min(LONGEST_PAUSE_SECONDS, 2.0 ** (self._quick_deaths - 2))

    def reports(self) -> dict[str, WorkerReport]:
        """Every worker's figures by its name."""
        reports = {}
        for name, member in sorted(self._members.items()):
            report = WorkerReport(targets=len(member.keys))
            if member.pulse is not None:
                report = replace(
                    report,
                    cpu_seconds=member.pulse.cpu_seconds,
                    resident_memory_bytes=member.pulse.resident_memory_bytes,
                )
            reports[name] = report
        return reports

    def finish(self, until: float) -> None:
        """End all workers: ask, wait until the given monotonic instant, then by force."""
        self._finishing = True
        members = list(self._members.values())
        for member in members:
            member.send(Finish(max(0.1, until - time.monotonic())))
        for member in members:
            if not member.process.wait(until - time.monotonic()):
                log.warning("a worker did not end in time and is killed", extra={"fields": {"worker": member.name}})
                member.process.kill()
        self._members.clear()

    def _hire(self) -> Member:
        if self._to_replace:
            self._to_replace -= 1
            self.restarts += 1
        place = next(number for number in range(len(self._members) + 1) if f"worker-{number}" not in self._members)
        member = Member(WorkerProcess(replace(self._settings, name=f"worker-{place}")), time.monotonic())
        self._members[member.name] = member
        member.process.listen(lambda message: self._received(member, message))
        return member
