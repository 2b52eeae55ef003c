"""What watching libvirt costs: our process against prometheus_client, the daemon against Debian's exporter.

Run by `make bench`; prints tables and exits 1 where a goal is missed. With `--quick` in seconds and without a verdict.
Ratios are of CPU time, of the least of several rounds in which both sides take turns: what else the machine does can
only add to that. docs/benchmarks.md says what is counted.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from prometheus_client import generate_latest

from collectors.libvirt.client.sdk import EventLoop
from tests.backends.processes import find_binary
from tests.bench import fleet
from tests.bench.libvirt_estate import Estate
from tests.bench.libvirt_sides import BULK, PEER, SAME_VALUES, Calls, Ours, Peer, groups, text_of
from tests.bench.measuring import SLACK

OURS_GOAL = 1 / 5
SAME_VALUES_GOAL = 1.0
YIELD_GOAL = 1.8
DEADLINE_SHARE = 1 / 2
MOST_SETS = 3
"""What is over in 10 ms suffers from a busy machine more than what takes longer: it may be tried so often."""
GZIP_LEVEL = 9
"""The level of prometheus_client's own server."""
PERIOD_SECONDS = 600
"""Every group's default interval divides it."""


class Report:
    """Lines of figures, and the goals that were missed."""

    def __init__(self, *, judge: bool) -> None:
        self.missed = 0
        self._judge = judge

    def show(self, what: str, value: float, unit: str, more: str = "") -> None:
        print(f"{what:<56}{value:>10.2f} {unit:<14}{more}", flush=True)

    def goal(self, what: str, share: float) -> None:
        """`share` of what the goal allows."""
        self.missed += self._judge and share > SLACK
        verdict = "met" if share <= 1 else "MISSED" if self._judge else "not at this size"
        print(f"goal, {what}: {verdict}\n", flush=True)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of the daemon and of the guests' QEMUs."""

    daemon: float
    qemus: float

    def __str__(self) -> str:
        return f"and {self.qemus * 1e3:.1f} of the QEMUs"


def cost(estate: Estate, act: Callable[[], object]) -> Cost:
    daemon, qemus = estate.daemon.seconds(), estate.qemus.seconds()
    act()
    return Cost(estate.daemon.seconds() - daemon, estate.qemus.seconds() - qemus)


def least(costs: list[Cost]) -> Cost:
    return Cost(min(each.daemon for each in costs), min(each.qemus for each in costs))


@dataclass(frozen=True, slots=True)
class Cycle:
    """CPU seconds of this process in a vitals cycle by what they went into, or those of prometheus_client after it."""

    before: float
    bulk: float
    after: float
    peer: float


def our_process(report: Report, estate: Estate, rounds: int) -> None:
    """A vitals cycle's CPU time in our process beyond the bulk call, against prometheus_client."""
    calls, ours = Calls(), Ours(estate.lab.uri)
    for group in ("inventory", "vitals", "vitals"):
        ours.collect(group)
    page = ours.page("vitals", whole=True)
    registry = fleet.registry_of(text_of(page))
    gc.collect()
    gc.freeze()  # what only the benchmark holds is not to slow down garbage collection on either side

    def cycle() -> Cycle:
        calls.take()
        begun = time.process_time()
        ours.collect("vitals")
        ended, bulk = time.process_time(), calls.take()[BULK]
        gzip.compress(generate_latest(registry), GZIP_LEVEL)
        peer = time.process_time() - ended
        return Cycle(calls.answered_at - begun - bulk, bulk, ended - calls.answered_at, peer)

    print(f"a vitals cycle of {estate.guests} guests, {page.series} series; CPU time of our process")
    paused: list[Cycle] = []
    while not paused or (len(paused) < MOST_SETS * rounds and _share(paused) > 1):
        paused += [cycle() for _ in range(rounds)]
    calls.moving = True
    busy = [cycle() for _ in range(rounds)]
    peer = min(each.peer for each in (*paused, *busy))
    report.show("before the bulk call: host, lists, every guest's monitor", min(c.before for c in paused) * 1e3, "ms")
    report.show("the bulk call itself", min(each.bulk for each in paused) * 1e3, "ms")
    for what, cycles in (("", paused), (", all counters moved on", busy)):
        mine = [each.after for each in cycles]
        report.show(f"from its answer to the page{what}", min(mine) * 1e3, "ms", f"1/{peer / min(mine):.1f}")
        report.show("  median of the rounds", median(mine) * 1e3, "ms")
    report.show("prometheus_client: generate_latest and gzip", peer * 1e3, "ms")
    report.goal(f"from the answer to the page at most {OURS_GOAL} of prometheus_client's", _share(paused))
    ours.close()


def _share(cycles: list[Cycle]) -> float:
    return min(each.after for each in cycles) / (OURS_GOAL * min(each.peer for each in cycles))


def the_daemon(report: Report, estate: Estate, rounds: int) -> None:
    """CPU time of libvirtd for the same values, and series for its CPU time over the default intervals."""
    peer, same, ours = Peer(estate.lab), Ours(estate.lab.uri, families=SAME_VALUES), Ours(estate.lab.uri)
    for group in ("inventory", "vitals"):
        ours.collect(group)
    same.collect("vitals")
    same_series, their_series = same.page("vitals").series, peer.scrape()
    per_guest = same_series / estate.guests
    assert their_series - 2 == same_series, f"{their_series} series, 2 of them of no guest, against {same_series}"
    theirs: list[Cost] = []
    exact: list[Cost] = []
    grouped: dict[str, list[Cost]] = {group: [] for group in groups()}
    for _ in range(rounds):
        theirs.append(cost(estate, peer.scrape))
        exact.append(cost(estate, lambda: same.collect("vitals")))
        for group, costs in grouped.items():
            costs.append(cost(estate, lambda group=group: ours.collect(group)))
    their, mine = least(theirs), least(exact)
    their_yield = their_series / their.daemon
    parts = "two disks and an adapter" if estate.nics else "three disks"
    print(f"{estate.guests} guests with {parts}, {per_guest:.0f} values of each; CPU time of libvirtd")
    report.show("a scrape of Debian's exporter", their.daemon * 1e3, "ms", str(their))
    report.show("our vitals with the same values", mine.daemon * 1e3, "ms", str(mine))
    report.goal("the same values for no more", mine.daemon / (SAME_VALUES_GOAL * their.daemon))

    report.show(f"Debian's exporter: {their_series} series", their.daemon * 1e3, "ms", str(their))
    series = spent = 0.0
    for group, costs in grouped.items():
        each, known = least(costs), ours.page(group).series
        times = PERIOD_SECONDS / ours.profile.interval(group)
        series, spent = series + times * known, spent + times * each.daemon
        what = f"ours, {group} (x {times:.0f} in {PERIOD_SECONDS} s): {known} series"
        report.show(what, each.daemon * 1e3, "ms", str(each))
    ratio = series / spent / their_yield
    report.show("series for a CPU second of libvirtd: ours", series / spent, "series", f"x {ratio:.2f}")
    report.show("  Debian's exporter's", their_yield, "series")
    report.goal(f"at least {YIELD_GOAL} times its series for the same CPU time", YIELD_GOAL / ratio)
    for each in (same, ours):
        each.close()


def the_crowd(report: Report, estate: Estate) -> None:
    """Guests of a driver without bulk statistics, each asked singly, behind the daemon."""
    ours = Ours(estate.crowd_uri)
    print(f"{estate.crowd} guests of the driver `test` behind a daemon")
    slowest = 0.0
    for group in ("inventory", *(each for each in groups() if each != "inventory"), "vitals"):
        begun, mine, daemon = time.monotonic(), time.process_time(), estate.daemon.seconds()
        done = ours.collect(group)
        seconds, mine = time.monotonic() - begun, time.process_time() - mine
        asked = sum(each.count for each in done.requests.values())
        assert done.page is not None
        report.show(
            f"{group}: {done.page.series} series, {asked} calls",
            seconds,
            "s",
            f"CPU: ours {mine:.2f} s, libvirtd {estate.daemon.seconds() - daemon:.2f} s",
        )
        slowest = max(slowest, seconds / ours.profile.deadline(group))
    report.goal(f"at most {DEADLINE_SHARE} of the deadline (slowest: {slowest:.3f})", slowest / DEADLINE_SHARE)
    ours.close()


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description="what watching libvirt costs")
    parser.add_argument("--guests", type=int, default=200, help="running guests, 17 MB of memory each (default: 200)")
    parser.add_argument("--quick", action="store_true", help="few guests and rounds, to try this out: no verdict")
    flags = parser.parse_args()
    guests, crowd, rounds = (10, 100, 3) if flags.quick else (flags.guests, 2000, 11)
    if find_binary(PEER) is None:
        sys.exit(f"{PEER} is not installed: deploy/install-packages bench")
    report, loop = Report(judge=not flags.quick), EventLoop()
    loop.start()
    begun = time.monotonic()
    with Estate(guests, crowd) as estate:
        print(f"{guests} guests started in {time.monotonic() - begun:.0f} s\n", flush=True)
        our_process(report, estate, rounds)
        the_daemon(report, estate, rounds)
        the_crowd(report, estate)
    loop.stop()
    return min(1, report.missed)


if __name__ == "__main__":
    sys.exit(main())
