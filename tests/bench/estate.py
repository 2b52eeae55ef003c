"""A whole daemon and a large estate: start, memory, reload, and what the parent does while nobody asks it anything.

The world is made anew at every collection and not kept, so the memory is the exporter's.
"""

from __future__ import annotations

import json
import re
import sys
import time

import psutil

from tests.backends.processes import until
from tests.bench.measuring import Estate, Verdict, cpu_of, target

TARGETS, GUESTS, HOSTS, SNAPSHOTS = 10, 1000, 30, 2000
DEFAULT = {"vitals": "30s"}
SMALL_TARGETS = 300
SMALL = {"vitals": "10s"}
WATCHED_SECONDS = 40.0
SOAKED, LEAK_LIMIT = 1000, 1.1
COLLECTED = re.compile(r'_collections_total\{[^}]*group="vitals",outcome="success"\} ([0-9.e+]+)')
SMALL_LIMIT = 5.0
"""Per cent of a core. 3.5 was measured on a machine shared with others; the hope is below 3."""


def counts(estate: Estate) -> tuple[int, int]:
    """Threads and descriptors of all processes."""
    processes = [psutil.Process(process.pid) for process in estate.processes()]
    return sum(process.num_threads() for process in processes), sum(process.num_fds() for process in processes)


def reload_seconds(estate: Estate) -> float:
    """From the signal until a target's new label is shown."""
    config = json.loads(estate.config)
    config["targets"][0]["labels"] = {"site": "moved"}
    begun = time.monotonic()
    estate.reload(json.dumps(config))
    until(lambda: 'site="moved"' in estate.get("/metrics?target=t-000").text, 30, "new label", estate.child)
    return time.monotonic() - begun


def large() -> int:
    """10,000 guests on 300 hosts with 20,000 snapshots behind ten targets, at the default intervals."""
    targets = [target(n, guests=GUESTS, hosts=HOSTS, snapshots=SNAPSHOTS) for n in range(TARGETS)]
    begun = time.monotonic()
    with Estate(targets, DEFAULT) as estate:
        estate.complete()
        start = time.monotonic() - begun
        verdict = Verdict(f"estate: {TARGETS} targets, {GUESTS} guests, {HOSTS} hosts and {SNAPSHOTS} snapshots each")
        verdict.at_most("start to first complete page", start, 10.0, "s")
        busy = sum(cpu_of(process.pid) for process in estate.processes())
        verdict.show("  CPU of all processes, the making of the world included", busy, "s")
        before = counts(estate)
        parent = estate.parent_cpu(WATCHED_SECONDS)
        verdict.at_most("parent between scrapes, of a core", parent * 100, 1.0, "%")
        sizes = estate.pss_bytes()
        parts = " + ".join(f"{size / 1e6:.0f}" for size in sizes)
        verdict.at_most("memory, sum of PSS", sum(sizes) / 1e6, 300.0, f"MB = {parts}")
        series = sum(not line.startswith("#") for line in estate.get("/metrics").text.splitlines())
        verdict.show("series", series, "")
        after = counts(estate)
        verdict.at_most("threads more than at the start", after[0] - before[0], 2, "")
        verdict.at_most("descriptors more than at the start", after[1] - before[1], 2, "")
        verdict.at_most("reload until the new label is shown", reload_seconds(estate), 1.0, "s")
    return verdict.exit_code()


def many_small() -> int:
    """300 targets of ten guests, each collected every ten seconds."""
    targets = [target(n, guests=10, snapshots=10) for n in range(SMALL_TARGETS)]
    begun = time.monotonic()
    with Estate(targets, SMALL) as estate:
        estate.complete()
        start = time.monotonic() - begun
        verdict = Verdict(f"small targets: {SMALL_TARGETS} with ten guests every ten seconds")
        verdict.show("start to first complete page", start, "s")
        verdict.at_most("parent between scrapes, of a core", estate.parent_cpu(20.0) * 100, SMALL_LIMIT, "%")
        verdict.show("memory, sum of PSS", sum(estate.pss_bytes()) / 1e6, "MB")
    return verdict.exit_code()


def soak() -> int:
    """Two targets of 1,000 guests, collected every second until there were 1,000 collections."""
    targets = [target(n, guests=GUESTS, hosts=HOSTS, snapshots=SNAPSHOTS) for n in range(2)]
    with Estate(targets, {"vitals": "1s", "storage": "10s", "snapshots": "10s", "inventory": "10s"}) as estate:
        estate.complete()
        until(lambda: vitals(estate) >= SOAKED / 10, 600, "a tenth of the collections", estate.child)
        before, memory = counts(estate), sum(estate.pss_bytes())
        until(lambda: vitals(estate) >= SOAKED, 1800, "all collections", estate.child)
        after = counts(estate)
        verdict = Verdict(f"soak: {SOAKED} collections of {GUESTS} guests by a daemon; since a tenth of them")
        verdict.at_most("memory, sum of PSS", sum(estate.pss_bytes()) / memory, LEAK_LIMIT, "times")
        verdict.at_most("threads more", after[0] - before[0], 2, "")
        verdict.at_most("descriptors more", after[1] - before[1], 2, "")
    return verdict.exit_code()


def vitals(estate: Estate) -> float:
    """How often vitals were collected so far, of all targets."""
    time.sleep(1)
    return sum(float(count) for count in COLLECTED.findall(estate.get("/metrics").text))


if __name__ == "__main__":
    sys.exit(max(large(), many_small(), soak() if "--full" in sys.argv else 0))
