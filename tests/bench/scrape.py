"""What a scrape costs against prometheus_client over the same values, and what it costs to get there.

Run by `make bench`; prints a table and exits 1 where a goal is missed.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter.exposition.negotiation import Format
from exporter.runtime.page import Page
from exporter.runtime.pipeline import Pipeline
from exporter.runtime.store import Store
from tests.bench import fleet

SERIES = 100_000
TARGETS = 50
SCRAPE_GOAL = 1 / 100
RENDER_GOAL = 1 / 5
GZIP_LEVEL = 9
"""The level of prometheus_client's own server."""


def cpu_seconds(act: Callable[[], object], times: int) -> float:
    """CPU time of one run, the median of several."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return median(spent)


def main() -> int:
    """Measure and judge."""
    guests = 1 + SERIES // TARGETS // 28
    store = Store(fleet.FAMILIES)
    pipelines = [Pipeline(fleet.target(n), fleet.PLATFORM, "vitals", fleet.FAMILIES) for n in range(TARGETS)]
    seen = [[fleet.observation(n, guests, moment=moment) for n in range(TARGETS)] for moment in range(3)]
    pages: list[Page] = []

    def render(moment: int, *, whole: bool) -> Callable[[], None]:
        def act() -> None:
            pages[:] = [p.page(o, whole=whole) for p, o in zip(pipelines, seen[moment], strict=True)]

        return act

    def swap() -> None:
        for n, page in enumerate(pages):
            assert store.swap(f"vc-{n:03d}", "vitals", page, 0.0)

    first = cpu_seconds(render(0, whole=True), 1)
    swap()
    later = cpu_seconds(render(1, whole=False), 1)
    changed = sum(len(page.chunks) for page in pages)
    swapped = cpu_seconds(swap, 1)
    same = cpu_seconds(render(1, whole=False), 1)
    swap()

    def scrape() -> bytes:
        return b"".join(store.member(Format.OPENMETRICS_1_0, None, b"process_open_fds 9\n").gzip())

    begun = time.process_time()
    body = scrape()
    after_a_swap = time.process_time() - begun
    ours = cpu_seconds(scrape, 200)
    text = b"".join(store.member(Format.TEXT_0_0_4, None).inflate())
    registry = fleet.registry_of(text.decode())
    plain = cpu_seconds(lambda: generate_latest(registry), 3)
    theirs = cpu_seconds(lambda: gzip.compress(generate_openmetrics(registry), GZIP_LEVEL), 3)

    series = store.series
    held = sum(len(part) for part in store.member(Format.TEXT_0_0_4, None).gzip())
    print(f"{series} series of {TARGETS} targets, {len(text) / series:.0f} bytes each as text")
    print(f"bytes per series, compressed        {held / series:10.1f}")
    print(f"a scrape with gzip                  {ours * 1e3:10.2f} ms CPU   {len(body)} bytes")
    print(f"  the first after a swap            {after_a_swap * 1e3:10.2f} ms CPU")
    print(f"  generate_latest and gzip          {theirs * 1e3:10.2f} ms CPU   ratio 1/{theirs / ours:.0f}")
    print(f"render and compress, first time     {first / series * 1e6:10.2f} us per series")
    print(f"  counters moved on                 {later / series * 1e6:10.2f} us per series")
    print(f"  nothing changed                   {same / series * 1e6:10.2f} us per series")
    print(
        f"  generate_latest, no compression   {plain / series * 1e6:10.2f} us per series, ratio 1/{plain / later:.1f}"
    )
    print(f"swap                                {swapped / changed * 1e6:10.2f} us per family of a target")
    met = ours / theirs <= SCRAPE_GOAL and later / plain <= RENDER_GOAL
    print(
        "goals met" if met else f"MISSED: a scrape at most {SCRAPE_GOAL} and rendering at most {RENDER_GOAL} of theirs"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
