"""What every benchmark here is made of: CPU seconds, memory, a daemon that watches the generated estate, and a verdict.

CPU seconds and ratios within one run, because the machine may be busy with other things; milliseconds are for people.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from tests.backends.daemon import Daemon, repository
from tests.backends.processes import until

SLACK = float(os.environ.get("BENCH_SLACK", "1"))
"""A goal that is missed by less than this factor is told, but is no failure: for machines that are busy with others."""

SUCCESS = "hypervisor_target_last_success_timestamp_seconds{"


class Verdict:
    """Prints figures and remembers which goals were missed."""

    def __init__(self, title: str) -> None:
        self._missed: list[str] = []
        self._failed = False
        print(f"\n{title}")

    def show(self, what: str, value: float, unit: str, more: str = "") -> None:
        print(f"  {what:<62}{value:>11.2f} {unit:<14}{more}", flush=True)

    def at_most(self, what: str, value: float, limit: float, unit: str) -> None:
        """A goal; `value` and `limit` in the unit."""
        self.show(what, value, unit, f"goal <= {limit:.4g}: {self._judged(what, _share(value, limit))}")

    def fraction(self, what: str, ours: float, theirs: float, limit: float) -> None:
        """A goal: ours over theirs, both seconds."""
        judged = self._judged(what, ours / theirs / limit)
        self.show(
            what, ours * 1e3, "ms", f"1/{theirs / ours:.0f} of {theirs * 1e3:.0f} ms, goal 1/{1 / limit:.0f}: {judged}"
        )

    def unmeasured(self, what: str, why: str) -> None:
        """A goal that nothing can be said of; no failure where the machine may be busy."""
        print(f"  {what}: not measured, {why}", flush=True)
        self._missed.append(what)
        self._failed |= SLACK <= 1

    def _judged(self, what: str, share: float) -> str:
        """`share` of what the goal allows."""
        if share <= 1:
            return "met"
        self._missed.append(what)
        self._failed |= share > SLACK
        return "MISSED"

    def exit_code(self) -> int:
        for what in self._missed:
            print(f"  goal missed: {what}")
        return 1 if self._failed else 0


def _share(value: float, limit: float) -> float:
    """How much of what a goal allows was used; of nothing at all, nothing or too much."""
    if limit:
        return value / limit
    return float("inf") if value else 0.0


def cpu_seconds(act: Callable[[], object], times: int = 1) -> float:
    """CPU time of one run in this process, the median of several."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return median(spent)


def cpu_of(pid: int, threads: str = "") -> float:
    """CPU seconds of a process so far, by the scheduler's nanoseconds: all living threads, or those named like this."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            if (task / "comm").read_text().startswith(threads):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss_bytes(process: psutil.Process) -> float:
    """Memory of a process, shared pages divided among those that share them."""
    return float(process.memory_full_info().pss)


def target(number: int, **options: Any) -> dict[str, Any]:
    return {
        "name": f"t-{number:03d}",
        "platform": "bench",
        "address": "bench://",
        "options": {"number": number, **options},
    }


class Estate(Daemon):
    """A real daemon that watches generated targets."""

    def __init__(self, targets: Sequence[Mapping[str, Any]], intervals: Mapping[str, str], **rest: Any) -> None:
        path = os.pathsep.join([str(repository() / "tests/bench/site"), str(repository())])
        profiles = {"default": {"intervals": dict(intervals)}}
        config = {"config_version": 1, "profiles": profiles, "targets": list(targets), **rest}
        self.fire = Path(f"/tmp/bench-burn-{os.getpid()}")
        super().__init__(json.dumps(config), env={"PYTHONPATH": path, "BENCH_BURN": str(self.fire)})
        self.targets = len(targets)

    def complete(self, timeout_seconds: float = 120) -> float:
        """Wait until every group of every target has delivered; seconds since this was called."""
        begun = time.monotonic()
        until(lambda: self.get("/metrics").text.count(SUCCESS) == 4 * self.targets, timeout_seconds, "page", self.child)
        return time.monotonic() - begun

    def processes(self) -> Iterator[psutil.Process]:
        """The parent and its workers."""
        yield psutil.Process(self.child.pid)
        yield from self.workers()

    def pss_bytes(self) -> list[float]:
        return [pss_bytes(process) for process in self.processes()]

    def parent_cpu(self, seconds: float) -> float:
        """The part of a core that the parent uses while nobody asks it anything."""
        before, begun = cpu_of(self.child.pid), time.monotonic()
        time.sleep(seconds)
        return (cpu_of(self.child.pid) - before) / (time.monotonic() - begun)

    def stop(self) -> None:
        self.fire.unlink(missing_ok=True)
        super().stop()
