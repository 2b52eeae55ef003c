"""The generated estate of `tests.bench.fleet` as a platform, so that real daemons can watch it.

What making the world costs is counted as the endpoint's own: `hypervisor_target_api_request_seconds_total` of the
operation `world` is CPU time here, to be taken off the worker's.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from exporter.config.model import Target
from exporter.contract import Context, Deadline, Options, Platform, options_of
from exporter.model import Observation
from tests.bench.fleet import PLATFORM as GENERATED
from tests.bench.fleet import Size, observed

BURNING = threading.Event()


class BenchOptions(Options):
    """How large the target is, and whether its worker is kept busy by so many threads that parse and calculate."""

    number: int = 0
    guests: int = 10
    hosts: int = 1
    snapshots: int = 0
    running: float = 1.0
    burn: int = 0


def _burn() -> None:
    """While the file that the environment names is there: what parsers of large answers do, hold the interpreter."""
    fire = Path(os.environ["BENCH_BURN"])
    while True:
        if not fire.exists():
            time.sleep(0.2)
        for _ in range(100):
            " ".join(str(number) for number in range(1000)).split()


class _Session:
    def __init__(self, target: Target, context: Context) -> None:
        self._options = options_of(PLATFORM, target)
        self._meter = context.meter
        self._begun = time.monotonic()
        if self._options.burn and not BURNING.is_set():
            BURNING.set()
            for _ in range(self._options.burn):
                threading.Thread(target=_burn, name="burn", daemon=True).start()

    def collect(self, group: str, deadline: Deadline) -> Observation:
        deadline.check("making a world")
        options = self._options
        size = Size(options.guests, options.hosts, options.snapshots, options.running)
        begun = time.thread_time()
        seen = observed(group, options.number, size, int(time.monotonic() - self._begun))
        self._meter.add("world", seconds=time.thread_time() - begun)
        return seen

    def close(self) -> None:
        """Nothing is open."""


PLATFORM = Platform("bench", "Bench", GENERATED.support, open=_Session, options=BenchOptions)
