"""CPU and memory per guest as estates grow, and what stays after many cycles. `--full`: 30,000 guests, 1,000 cycles.

Every size in a process of its own: all four groups of one target as a worker holds them, and the store.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import psutil

from exporter.catalogue import GROUPS
from exporter.runtime.memory import Garbage, use_one_arena
from exporter.runtime.pipeline import Pipeline, families_of
from exporter.runtime.store import Store
from exporter.runtime.worker import GARBAGE_AFTER
from tests.backends.daemon import repository
from tests.bench import fleet
from tests.bench.measuring import Verdict, cpu_seconds, pss_bytes

CPU_LIMIT, MEMORY_LIMIT, LEAK_LIMIT = 1.15, 1.2, 1.1
"""Per guest against 1,000 guests; memory at the end over memory after a quarter of the cycles."""
ROUNDS = 3
"""Sizes take turns, and the least counts: what else a machine does can only add to it."""


def run(guests: int, cycles: int) -> dict[str, Any]:
    """Collect all groups of one target so many times; what a cycle costs and what is held after each quarter."""
    use_one_arena()
    gc.set_threshold(GARBAGE_AFTER, 10, 10)
    garbage = Garbage()
    me = psutil.Process()
    store, target, size = Store(fleet.FAMILIES), fleet.target(0), fleet.Size(guests, max(1, guests // 33), 2 * guests)
    pipes = {
        group: Pipeline(target, fleet.PLATFORM, group, families_of(target, fleet.PLATFORM, group, fleet.FAMILIES))
        for group in GROUPS
    }
    base, spent, cleared, held = pss_bytes(me), [], [], []
    for cycle in range(cycles):
        cpu = 0.0
        for group, pipe in pipes.items():
            seen = fleet.observed(group, 0, size, cycle)
            cpu += cpu_seconds(
                lambda pipe=pipe, seen=seen, group=group: store.swap(
                    target.name, group, pipe.page(seen, whole=False), 1e18
                )
            )
            del seen
            cleared.append(cpu_seconds(lambda: garbage.clear(failed=False)))
        spent.append(cpu)
        held.append(pss_bytes(me) - base)
    # The search for garbage comes every few cycles: its mean, beside the least that the rest takes.
    clearing = sum(cleared[len(pipes) :]) / (cycles - 1)
    return {"cpu": min(spent[1:]) + clearing, "held": held, "series": store.series, "threads": me.num_threads()}


def child(guests: int, cycles: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.growth", "child", str(guests), str(cycles)]
    done = subprocess.run(command, cwd=repository(), capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def least(sizes: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The cheapest of some runs of each size."""
    rounds = [{guests: child(guests, 6) for guests in sizes} for _ in range(ROUNDS)]
    return {guests: min((one[guests] for one in rounds), key=lambda run: float(run["cpu"])) for guests in sizes}


def main() -> int:
    """Measure and judge."""
    full = "--full" in sys.argv
    verdict = Verdict("growth: one target, all groups; CPU of a cycle, PSS above an empty process")
    known = least((100, 1_000, 10_000, *((30_000,) if full else ())))
    cpu = known[1_000]["cpu"] / 1_000
    memory = known[1_000]["held"][-1] / 1_000
    for guests, found in known.items():
        verdict.show(f"{guests} guests, CPU", found["cpu"] / guests * 1e6, "us a guest")
        verdict.show("  memory", found["held"][-1] / guests / 1e3, "kB a guest", f"{found['series']} series")
    for guests in (guests for guests in known if guests > 1_000):
        more = known[guests]["cpu"] / guests / cpu
        verdict.at_most(f"CPU per guest, {guests} over 1,000 guests", more, CPU_LIMIT, "times")
        more = known[guests]["held"][-1] / guests / memory
        verdict.at_most("memory per guest", more, MEMORY_LIMIT, "times")
    for guests, cycles in ((1_000, 1_000 if full else 60), *(((10_000, 50),) if full else ())):
        held = child(guests, cycles)["held"]
        quarter = max(held[: cycles // 4])
        verdict.at_most(f"memory after {cycles} cycles of {guests} guests", held[-1] / quarter, LEAK_LIMIT, "times")
    return verdict.exit_code()


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        print(json.dumps(run(int(sys.argv[2]), int(sys.argv[3]))))
        sys.exit()
    sys.exit(main())
