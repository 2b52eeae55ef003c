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

OURS_GOAL = 1 / 5
SAME_VALUES_GOAL = 1.0
YIELD_GOAL = 1.8
DEADLINE_SHARE = 1 / 2
GZIP_LEVEL = 9
"""The level of prometheus_client's own server."""
PERIOD_SECONDS = 600
"""Every group's default interval divides it."""


class Report:
    """Lines of figures, and the goals that were missed."""

    def __init__(self) -> None:
        self.missed = 0

    def show(self, what: str, value: float, unit: str, more: str = "") -> None:
        print(f"{what:<56}{value:>10.2f} {unit:<14}{more}", flush=True)

    def goal(self, what: str, met: bool) -> None:
        self.missed += not met
        print(f"goal, {what}: {'met' if met else 'MISSED'}\n", flush=True)


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


def our_process(report: Report, estate: Estate, rounds: int) -> None:
    """A vitals cycle's CPU time in our process beyond libvirt-python's calls, against prometheus_client."""
    calls, ours = Calls(), Ours(estate.lab.uri)
    for group in ("inventory", "vitals", "vitals"):
        ours.collect(group)
    page = ours.page("vitals", whole=True)
    registry = fleet.registry_of(text_of(page))
    gc.collect()
    gc.freeze()  # what only the benchmark holds is not to slow down garbage collection on either side

    def cycle() -> tuple[float, float, float]:
        calls.take()
        begun = time.process_time()
        ours.collect("vitals")
        ended, within = time.process_time(), calls.take()
        return ended - calls.answered_at, within[BULK], calls.answered_at - begun - within[BULK]

    def render() -> float:
        begun = time.process_time()
        gzip.compress(generate_latest(registry), GZIP_LEVEL)
        return time.process_time() - begun

    both = [(*cycle(), render()) for _ in range(rounds)]
    mine, bulk, before, theirs = (min(each) for each in zip(*both, strict=True))
    usual, *_, their_usual = (median(each) for each in zip(*both, strict=True))
    print(
        f"a vitals cycle of {estate.guests} guests, {page.series} series, all counters moving; CPU time of our process"
    )
    report.show("before the bulk call: host, lists, every guest's monitor", before * 1e3, "ms")
    report.show("the bulk call itself", bulk * 1e3, "ms")
    report.show("from its answer to the finished page", mine * 1e3, "ms", f"1/{theirs / mine:.1f}")
    report.show("  median of the rounds", usual * 1e3, "ms", f"1/{their_usual / usual:.1f}")
    report.show("prometheus_client: generate_latest and gzip", theirs * 1e3, "ms")
    report.show("  median of the rounds", their_usual * 1e3, "ms")
    report.goal(f"from answer to page at most {OURS_GOAL} of prometheus_client's", mine / theirs <= OURS_GOAL)
    ours.close()


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
    adapters = "an adapter" if estate.nics else "no adapter that can be counted"
    print(f"{estate.guests} guests with two disks and {adapters}: {per_guest:.0f} values of each; CPU time of libvirtd")
    report.show("a scrape of Debian's exporter", their.daemon * 1e3, "ms", str(their))
    report.show("our vitals with the same values", mine.daemon * 1e3, "ms", str(mine))
    report.goal("the same values for no more", mine.daemon <= SAME_VALUES_GOAL * their.daemon)

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
    report.goal(f"at least {YIELD_GOAL} times its series for the same CPU time", ratio >= YIELD_GOAL)
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
    report.goal(f"at most {DEADLINE_SHARE} of the deadline (slowest: {slowest:.3f})", slowest <= DEADLINE_SHARE)
    ours.close()


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few guests and rounds, to try this out: no verdict")
    quick = parser.parse_args().quick
    guests, crowd, rounds = (10, 100, 3) if quick else (200, 2000, 11)
    if find_binary(PEER) is None:
        sys.exit(f"{PEER} is not installed: deploy/install-packages bench")
    report, loop = Report(), EventLoop()
    loop.start()
    begun = time.monotonic()
    with Estate(guests, crowd) as estate:
        print(f"{guests} guests started in {time.monotonic() - begun:.0f} s\n", flush=True)
        our_process(report, estate, rounds)
        the_daemon(report, estate, rounds)
        the_crowd(report, estate)
    loop.stop()
    return 0 if quick else min(1, report.missed)


if __name__ == "__main__":
    sys.exit(main())
