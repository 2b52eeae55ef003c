"""What a scrape of a living daemon costs, against prometheus_client over the same values in the same run.

The daemon collects, renders and swaps all the while. Server time is the CPU the parent spends on a scrape (over what it
spends without one) plus the time to the first byte over that of a trivial answer, because the machine may be busy with
other things; the client is another process. Lower quartiles, for the same reason. The CPU is that of the threads of the
web server, which do all that a scrape asks for: what the others do with what the workers send differs from second to
second by more than a scrape costs. `--full` adds 500,000 series.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from tests.backends.daemon import repository
from tests.bench.fleet import registry_of
from tests.bench.measuring import Estate, Verdict, cpu_of, cpu_seconds, target

TARGETS = 50
SERIES_PER_GUEST = 40
SERVING = "web"
"""How the names of the threads begin that answer."""
WHOLE = 0.9
"""Of the first answer's bytes, every answer has at least so many: pages of targets that time out expire."""
GZIP_LEVEL = 9
"""The level of prometheus_client's own server."""
INTERVALS = {"vitals": "5s", "storage": "10s", "snapshots": "10s", "inventory": "10s"}
GZIP_IDLE, GZIP_LOADED, PLAIN = 1 / 200, 1 / 100, 1 / 10
ROUNDS, PARALLEL_ROUNDS, PARALLEL, PAUSE = 12, 4, 20, 1.0


@dataclass(frozen=True, slots=True)
class Scrapes:
    """CPU seconds of the parent for a scrape, seconds to its first byte (also of a trivial answer) and to its last."""

    cpu: float
    first: float
    trivial: float
    median: float
    worst: float
    last: float

    @property
    def server(self) -> float:
        """What the server needs before it sends, and for sending."""
        return self.cpu + max(0.0, self.first - self.trivial)


def scrapes(estate: Estate, connections: int, rounds: int, encoding: str, least: float) -> Scrapes | None:
    """Scrape again and again while the daemon works; None where an answer has fewer bytes: a part of it was missing."""
    alone, _ = asked(estate, 0, ROUNDS, encoding)
    spent, answer = asked(estate, connections, rounds, encoding)
    spent -= alone / ROUNDS * rounds
    assert spent > 0, "no thread of the web server was found"
    seen = answer["seen"]
    assert len(seen) == connections * rounds
    if min(size for *_, size in seen) < least:
        return None
    firsts = [first for first, _, _ in seen]
    trivial = quartile([first for first, _, _ in answer["trivial"]])
    lasts = [last for _, last, _ in seen]
    return Scrapes(spent / len(seen), quartile(firsts), trivial, median(firsts), max(firsts), median(lasts))


def asked(estate: Estate, connections: int, rounds: int, encoding: str) -> tuple[float, dict[str, Any]]:
    """CPU seconds of the web server while a client asks, and what that saw; without connections only trivial things."""
    before = cpu_of(estate.child.pid, SERVING)
    command = ["-m", "tests.bench.client", estate.address, str(connections), str(rounds), str(PAUSE), encoding]
    done = subprocess.run([sys.executable, *command], cwd=repository(), capture_output=True, text=True, check=True)
    return cpu_of(estate.child.pid, SERVING) - before, json.loads(done.stdout)


def quartile(values: list[float]) -> float:
    return quantiles(values, n=4)[0]


def measure(series: int) -> int:
    """Idle and loaded, plain and gzip, one scraper and twenty."""
    guests = series // TARGETS // SERIES_PER_GUEST
    targets = [target(n, guests=guests, hosts=2, snapshots=guests, burn=2) for n in range(TARGETS)]
    with Estate(targets, INTERVALS) as estate:
        estate.complete()
        text = estate.get("/metrics").text
        counted = sum(not line.startswith("#") for line in text.splitlines())
        verdict = Verdict(f"scrape: {counted} series of {TARGETS} targets, collected every 5 s")
        sizes = {"plain": len(text.encode()), "gzip": asked(estate, 1, 1, "gzip")[1]["seen"][0][2]}
        registry = registry_of(text)
        plain = cpu_seconds(lambda: generate_latest(registry), 3)
        whole = cpu_seconds(lambda: gzip.compress(generate_openmetrics(registry), GZIP_LEVEL), 3)
        verdict.show("generate_latest, CPU", plain * 1e3, "ms")
        verdict.show("OpenMetrics' generate_latest and gzip, CPU", whole * 1e3, "ms")
        for load in ("idle", "loaded"):
            if load == "loaded":
                estate.fire.touch()
            for encoding, theirs in (("gzip", whole), ("plain", plain)):
                limit = PLAIN if encoding == "plain" else GZIP_IDLE if load == "idle" else GZIP_LOADED
                name, least = f"{load}, {encoding}", WHOLE * sizes[encoding]
                one = scrapes(estate, 1, ROUNDS, encoding, least)
                many = scrapes(estate, PARALLEL, PARALLEL_ROUNDS, encoding, least)
                if one is None or many is None:
                    verdict.unmeasured(name, "the machine is too busy to collect every 5 s, pages expired")
                    continue
                if encoding == "gzip":
                    verdict.fraction(f"{name}: CPU and time to the first byte", one.server, theirs, limit)
                    verdict.show("  CPU", one.cpu * 1e3, "ms")
                else:
                    verdict.fraction(f"{name}: CPU", one.cpu, theirs, limit)
                show_times(verdict, one)
                verdict.fraction(f"{name}, {PARALLEL} at once: CPU of each", many.cpu, theirs, limit)
                show_times(verdict, many)
    return verdict.exit_code()


def show_times(verdict: Verdict, seen: Scrapes) -> None:
    times = f"median {seen.median * 1e3:.1f}, worst {seen.worst * 1e3:.1f}, last byte {seen.last * 1e3:.1f}"
    verdict.show("  first byte, lower quartile", seen.first * 1e3, "ms", f"trivial {seen.trivial * 1e3:.1f}, {times}")


def main() -> int:
    """Measure and judge."""
    sizes = [100_000, 500_000] if "--full" in sys.argv else [100_000]
    return max([measure(series) for series in sizes])


if __name__ == "__main__":
    sys.exit(main())
