"""What a scrape costs against prometheus_client over the same values, and what it costs to get there.

Run by `make bench`; prints a table and exits 1 where a scrape costs too much.
"""

from __future__ import annotations

import gzip
import random
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import count
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exporter.catalogue import SHARED
from exporter.exposition.chunk import Chunk, compress
from exporter.exposition.negotiation import Format
from exporter.runtime.page import Page
from exporter.runtime.pipeline import Pipeline
from exporter.runtime.store import Store
from tests.bench import fleet

SERIES = 100_000
TARGETS = 50
SCRAPE_GOAL = 1 / 100
GZIP_LEVEL = 9
"""The level of prometheus_client's own server."""
MANY_TARGETS, MANY_FAMILIES = 300, 60


def cpu_seconds(act: Callable[[], object], times: int = 1) -> float:
    """CPU time of one run, the median of several."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return median(spent)


class Estate:
    """Workers' pipelines and the parent's store, without the processes between them."""

    def __init__(self) -> None:
        guests = 1 + SERIES // TARGETS // 28
        self._seen = [[fleet.observation(n, guests, moment=moment) for n in range(TARGETS)] for moment in range(3)]
        self._pipelines = [Pipeline(fleet.target(n), fleet.PLATFORM, "vitals", fleet.FAMILIES) for n in range(TARGETS)]
        self.store = Store(fleet.FAMILIES)
        self.pages: list[Page] = []

    def render(self, moment: int, *, whole: bool = False) -> None:
        pairs = zip(self._pipelines, self._seen[moment], strict=True)
        self.pages = [pipeline.page(seen, whole=whole) for pipeline, seen in pairs]

    def swap(self) -> None:
        for n, page in enumerate(self.pages):
            assert self.store.swap(f"vc-{n:03d}", "vitals", page, 0.0)

    def compress_again(self, texts: Sequence[bytes]) -> None:
        for text in texts:
            compress(text, 0)

    def texts(self) -> list[bytes]:
        return [zlib.decompressobj(-15).decompress(chunk.body) for page in self.pages for chunk in page.chunks.values()]


def swap_seconds() -> tuple[float, float]:
    """CPU seconds of exchanging all families of one target among many, and of the first scrape after that."""
    families = SHARED[:MANY_FAMILIES]
    store = Store(families)
    serials = count()

    def page() -> Page:
        # As long as 50 lines and their compressed form; the bytes themselves do not matter here.
        chunks = {family.name: Chunk(bytes(2_000), 9_000, random.getrandbits(32), 50) for family in families}
        return Page(next(serials), chunks, 0.0)

    for n in range(MANY_TARGETS):
        store.swap(f"t{n}", "vitals", page(), 0.0)
    pages = [page() for _ in range(30)]
    swaps = cpu_seconds(lambda: [store.swap(f"t{n * 9}", "vitals", page, 0.0) for n, page in enumerate(pages)])
    return swaps / len(pages), cpu_seconds(lambda: b"".join(store.member(Format.TEXT_0_0_4, None).gzip()))


def main() -> int:
    """Measure and judge."""
    estate = Estate()
    first = cpu_seconds(lambda: estate.render(0))
    estate.swap()
    moved = cpu_seconds(lambda: estate.render(1))
    estate.swap()
    same = cpu_seconds(lambda: estate.render(1))
    whole = cpu_seconds(lambda: estate.render(2, whole=True))
    estate.swap()
    texts = estate.texts()
    compressing = cpu_seconds(lambda: estate.compress_again(texts), 3)

    def scrape() -> bytes:
        return b"".join(estate.store.member(Format.OPENMETRICS_1_0, None, b"process_open_fds 9\n").gzip())

    scrape()
    ours = cpu_seconds(lambda: [scrape() for _ in range(50)], 5) / 50
    plain = b"".join(estate.store.member(Format.TEXT_0_0_4, None).inflate())
    registry = fleet.registry_of(plain.decode())
    rendering = cpu_seconds(lambda: generate_latest(registry), 3)
    theirs = cpu_seconds(lambda: gzip.compress(generate_openmetrics(registry), GZIP_LEVEL), 3)
    swap, after_swap = swap_seconds()

    series = estate.store.series
    held = sum(len(part) for part in estate.store.member(Format.TEXT_0_0_4, None).gzip())
    rendered = whole - compressing

    def show(what: str, value: float, unit: str, more: str = "") -> None:
        print(f"{what:<56}{value:>10.2f} {unit:<14}{more}")

    print(f"{series} series of {TARGETS} targets; CPU time, prometheus_client {version('prometheus_client')}")
    show("a series as text", len(plain) / series, "bytes")
    show("  compressed", held / series, "bytes")
    show("a scrape with gzip", ours * 1e3, "ms")
    show("  prometheus_client's", theirs * 1e3, "ms", f"1/{theirs / ours:.0f}")
    show("rendering everything to text, from observations", rendered / series * 1e6, "us a series")
    show("  generate_latest", rendering / series * 1e6, "us a series", f"1/{rendering / rendered:.1f}")
    show("rendering and compressing: first time", first / series * 1e6, "us a series")
    show("  known names, all values anew", whole / series * 1e6, "us a series")
    show("  half of the families changed", moved / series * 1e6, "us a series")
    show("  nothing changed", same / series * 1e6, "us a series")
    show(f"swap of {MANY_FAMILIES} families, one of {MANY_TARGETS} targets", swap * 1e3, "ms")
    show("  first scrape after it, 18,000 chunks", after_swap * 1e3, "ms")
    met = ours / theirs <= SCRAPE_GOAL
    print(f"goal, a scrape at most {SCRAPE_GOAL} of theirs: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
