"""What a worker spends on a page, and the parent on a swap, against prometheus_client over the same values.

In one process, CPU time. `--full` renders 450,000 series.
"""

from __future__ import annotations

import gc
import gzip
import random
import sys
import zlib
from dataclasses import dataclass, field
from itertools import count
from unittest.mock import patch

from prometheus_client import generate_latest

from exporter.catalogue import SHARED, VITALS
from exporter.exposition.chunk import Chunk, compress
from exporter.exposition.negotiation import Format
from exporter.exposition.render import FamilyRenderer
from exporter.runtime import pipeline
from exporter.runtime.page import Page
from exporter.runtime.pipeline import Pipeline, families_of
from exporter.runtime.store import Store
from exporter.runtime.worker import GARBAGE_AFTER
from tests.bench import fleet
from tests.bench.measuring import Verdict, cpu_seconds

GUESTS = 1000
SERIES_PER_GUEST = 28
MANY_TARGETS, MANY_FAMILIES = 300, 60


@dataclass
class Workers:
    """The pipelines of some targets and the store behind them, without the processes between."""

    targets: int
    store: Store = field(default_factory=lambda: Store(fleet.FAMILIES))
    pages: list[Page] = field(default_factory=list)

    def __post_init__(self) -> None:
        families = families_of(fleet.target(0), fleet.PLATFORM, VITALS, fleet.FAMILIES)
        self._pipelines = [Pipeline(fleet.target(n), fleet.PLATFORM, VITALS, families) for n in range(self.targets)]

    def page_seconds(self, moment: int, *, whole: bool = False) -> float:
        """CPU seconds of making and swapping in every target's page; making the world is left out."""
        spent = 0.0
        self.pages = []
        for n, pipe in enumerate(self._pipelines):
            seen = fleet.observation(n, GUESTS, moment=moment)
            spent += cpu_seconds(lambda pipe=pipe, seen=seen: self.pages.append(pipe.page(seen, whole=whole)))
            assert self.store.swap(f"vc-{n:03d}", VITALS, self.pages[-1], 1e18)
        return spent


def only_text(text: bytes, series: int) -> Chunk:
    """Instead of compressing: what rendering alone costs."""
    return Chunk(b"", len(text), 0, series)


def unchanged_work(workers: Workers, moment: int) -> tuple[int, int]:
    """Families rendered and chunks compressed by a collection that sees what the one before saw."""
    with (
        patch.object(pipeline, "compress", side_effect=compress) as compressed,
        patch.object(FamilyRenderer, "_lines", autospec=True, side_effect=FamilyRenderer._lines) as rendered,
    ):
        workers.page_seconds(moment)
    return rendered.call_count, compressed.call_count


def swap_seconds() -> tuple[float, float]:
    """CPU seconds of exchanging all families of one target among many, and of the first scrape after all did."""
    families = SHARED[:MANY_FAMILIES]
    store = Store(families)
    serials = count()

    def page() -> Page:
        # As long as ten lines and their compressed form; the bytes themselves do not matter here.
        chunks = {
            family.name: Chunk(bytes(530), 1_800 + random.randrange(99), random.getrandbits(32), 10)
            for family in families
        }
        return Page(next(serials), chunks, 0.0)

    def swap(pages: list[Page]) -> None:
        for n, page in enumerate(pages):
            store.swap(f"t{n}", VITALS, page, 1e18)

    for _ in range(2):
        pages = [page() for _ in range(MANY_TARGETS)]
        swaps = cpu_seconds(lambda pages=pages: swap(pages))
        scrape = cpu_seconds(lambda: store.member(Format.TEXT_0_0_4, None).gzip())
    return swaps / MANY_TARGETS, scrape


def main() -> int:
    """Measure and judge."""
    gc.set_threshold(GARBAGE_AFTER, 10, 10)  # as in a worker
    series = 450_000 if "--full" in sys.argv else 100_000
    workers = Workers(round(series / SERIES_PER_GUEST / GUESTS))
    first = workers.page_seconds(0)
    moved = workers.page_seconds(1)
    unchanged = unchanged_work(workers, 1)
    same = workers.page_seconds(1)
    whole = min(workers.page_seconds(moment, whole=True) for moment in (2, 3))
    text = b"".join(workers.store.member(Format.TEXT_0_0_4, None).inflate())
    with patch.object(pipeline, "compress", only_text):
        again = Workers(workers.targets)
        again.page_seconds(3)
        rendering = min(again.page_seconds(moment, whole=True) for moment in (4, 5))
    del again
    gc.set_threshold(700, 10, 10)  # as in any other program
    registry = fleet.registry_of(text.decode())
    theirs = cpu_seconds(lambda: generate_latest(registry), 3)
    compressed = cpu_seconds(lambda: gzip.compress(generate_latest(registry), 9))
    swap, scrape = swap_seconds()

    series = workers.store.series
    held = sum(len(chunk.body) for page in workers.pages for chunk in page.chunks.values())
    verdict = Verdict(f"render: {series} series of {workers.targets} targets with {GUESTS} guests; CPU time")
    verdict.fraction("rendering to text, from observations", rendering, theirs, 1 / 7)
    verdict.fraction("rendering and compressing, all values anew", whole, compressed, 1 / 5)
    for what, seconds in (
        ("rendering alone", rendering),
        ("first page", first),
        ("known names, all values anew", whole),
        ("as it is: half of the families changed", moved),
        ("nothing changed", same),
    ):
        verdict.show(f"  {what}", seconds / series * 1e6, "us a series")
    verdict.at_most("families rendered where nothing changed", unchanged[0], 0, "")
    verdict.at_most("chunks compressed where nothing changed", unchanged[1], 0, "")
    verdict.show("a series as text", len(text) / series, "bytes")
    verdict.show("  compressed", held / series, "bytes")
    assert zlib.crc32(text) == workers.store.member(Format.TEXT_0_0_4, None)._crc
    verdict.show(f"swap of {MANY_FAMILIES} families, one of {MANY_TARGETS} targets", swap * 1e3, "ms")
    verdict.show("  putting together after all of them were swapped", scrape * 1e3, "ms")
    return verdict.exit_code()


if __name__ == "__main__":
    sys.exit(main())
