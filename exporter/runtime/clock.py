"""The clock: APScheduler says when, and nothing else. Its jobs only put a tick into the supervisor's queue.

Runs missed while the machine slept collapse into one; a job never blocks, so it runs in the scheduler's own thread.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger


def next_phase(now: float, interval_seconds: float, *identity: str) -> float:
    """Unix time of the first regular tick: a point of the interval fixed by the identity, half of it away or more.

    The same target keeps its place over restarts, and many targets spread evenly.
    """
    digest = hashlib.sha256("\0".join(identity).encode("utf-8", "surrogatepass")).digest()
    phase = int.from_bytes(digest[:8], "big") / 2**64 * interval_seconds
    earliest = now + interval_seconds / 2
    turns = (earliest - phase) // interval_seconds + 1
    return phase + turns * interval_seconds


class Clock:
    """Calls `tick(target, group)` at every group's interval, from one thread named `clock`."""

    def __init__(self, tick: Callable[[str, str], None]) -> None:
        self._tick = tick
        self._intervals: dict[str, tuple[str, str, float]] = {}
        self._ticked: dict[str, float] = {}
        self._scheduler = BackgroundScheduler(
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """No tick comes after this returns."""
        self._scheduler.shutdown(wait=True)

    def add(self, target: str, group: str, interval_seconds: float) -> None:
        """Tick a group of a target from now on, or at another interval than before."""
        begin = next_phase(time.time(), interval_seconds, target, group)
        self._add(target, group, interval_seconds, begin)

    def remove(self, target: str) -> None:
        """Tick nothing of this target any more."""
        for job_id in [job_id for job_id, (name, _, _) in self._intervals.items() if name == target]:
            del self._intervals[job_id]
            self._ticked.pop(job_id, None)
            self._scheduler.remove_job(job_id)

    def resync(self) -> None:
        """Lay every tick anew: the wall clock that APScheduler follows has been set back or forth.

        By the monotonic clock nothing has happened: every group ticks when it would have ticked.
        """
        for job_id, (target, group, interval_seconds) in list(self._intervals.items()):
            passed = time.monotonic() - self._ticked[job_id]
            self._add(target, group, interval_seconds, time.time() + max(0.0, interval_seconds - passed))

    def _add(self, target: str, group: str, interval_seconds: float, begin: float) -> None:
        job_id = f"{group}/{target}"
        self._intervals[job_id] = (target, group, interval_seconds)
        # Where the group has not ticked yet: as if one interval before its first tick.
        self._ticked.setdefault(job_id, time.monotonic() + begin - time.time() - interval_seconds)
        self._scheduler.add_job(
            self._run,
            IntervalTrigger(seconds=interval_seconds, start_date=datetime.fromtimestamp(begin, UTC), timezone=UTC),
            args=(job_id, target, group),
            id=job_id,
            replace_existing=True,
        )

    def _run(self, job_id: str, target: str, group: str) -> None:
        self._ticked[job_id] = time.monotonic()
        self._tick(target, group)
