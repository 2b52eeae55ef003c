"""What watching a vCenter costs: our process, the simulated vCenter, and two other exporters at the same one.

Run by `make bench-vsphere`; prints what it can measure and which goals are missed, and fails only with `--strict`.
docs/benchmarks.md says what is counted. The other exporters are built once, into build/peers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from collectors.vsphere.mapping.counters import COUNTERS
from collectors.vsphere.mapping.paths import GUEST, HOST
from tests.backends.daemon import repository
from tests.backends.processes import BackendError, Scratch
from tests.backends.vcenter import PASSWORD, USER, VCenter
from tests.backends.vcsim_inventory import Size, write
from tests.bench import vsphere_peers as peers
from tests.bench.measuring import Verdict, cpu_seconds
from tests.bench.vsphere_phases import ORDER

GROUPS = ("inventory", "vitals", "storage", "snapshots")
"""In the order in which a target that begins has them done."""
TWELVE = (
    "cpu.run.summation",
    "cpu.ready.summation",
    "cpu.costop.summation",
    "mem.swapinRate.average",
    "mem.swapoutRate.average",
    "virtualDisk.read.average",
    "virtualDisk.write.average",
    "virtualDisk.numberReadAveraged.average",
    "virtualDisk.numberWriteAveraged.average",
    "net.bytesRx.average",
    "net.bytesTx.average",
    "net.droppedRx.summation",
)
PAGE_OBJECTS, QUERY_METRICS = 500, 3_600
"""What a request asks for at least, where there is as much: objects, and metrics of objects. Queries of samples grow to
4,000 metrics within the first cycle, if the endpoint bears them, and end with a whole object."""
METRICS_OF_EACH = {kind: len(counters) for kind, counters in COUNTERS.items()}
CPU_GOAL, WALL_GOAL, MEMORY_GOAL, TELEGRAF_GOAL = 1 / 10, 1 / 5, 1 / 4, 1 / 2
PARSING_GOAL, AGAIN_GOAL = 3.0, 1 / 10
ALL_GROUPS_SECONDS, LOOP_SECONDS = 4.0, 0.09
"""The goal for 10,000 guests, on a machine that runs `machine_seconds` in so much CPU time."""
MB = 1e6

Costs = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ours:
    """What our process told: the costs of every collection, and how much its memory has grown."""

    costs: Costs
    grown: int

    def of(self, group: str, *, first: bool) -> Costs:
        return [each for each in self.costs if each["group"] == group and (each["cycle"] == 0) == first]

    @property
    def requests(self) -> int:
        """Of a cycle after the first."""
        return min(sum(each["requests"].values()) for each in self.of("vitals", first=False))

    def least(self, group: str, what: str = "cpu") -> float:
        """Of the cycles after the first."""
        return min(each[what] for each in self.of(group, first=False))


@contextmanager
def simulated(size: Size) -> Iterator[VCenter]:
    with tempfile.TemporaryDirectory(prefix="inventory-") as folder:
        begun = time.monotonic()
        inventory = Path(folder) / "inventory"
        write(inventory, size)
        written = time.monotonic()
        with VCenter(f"--load={inventory}", "--api-version=8.0.3.0") as vcenter:
            print(
                f"\n{size.guests} guests, {size.all_hosts} hosts: written in {written - begun:.1f} s, "
                f"served after {time.monotonic() - written:.1f} s",
                flush=True,
            )
            yield vcenter


def ours(vcenter: VCenter, **what: Any) -> Ours:
    """Run our side in a process of its own."""
    order = {
        "sdk": vcenter.sdk,
        "control": vcenter._control,
        "user": USER,
        "password": PASSWORD,
        "server": vcenter.child.pid,
        **what,
    }
    command = [sys.executable, "-m", "tests.bench.vsphere_ours", json.dumps(order)]
    done = subprocess.run(command, cwd=repository(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendError(f"our side ended with {done.returncode}: {done.stderr[-2000:]}")
    told = json.loads(done.stdout)
    for place in told["unknown"]:
        print(f"  (not there any more: {place}; its time is counted where it is called from)")
    return Ours(told["costs"], told["grown"])


def machine_seconds() -> float:
    """How slow this machine is now."""
    return min(cpu_seconds(lambda: sum(n * n for n in range(3_000_000))) for _ in range(5))


def show_cost(verdict: Verdict, what: str, cost: dict[str, Any]) -> None:
    asked = sum(cost["requests"].values())
    more = f"wall {cost['wall']:.2f} s, simulator {cost['server']:.2f} s CPU, {cost['series']} series, "
    more += f"{asked} requests, {cost['received'] / MB:.1f} MB"
    verdict.show(what, cost["cpu"] * 1e3, "ms CPU", more)
    if cost["outcome"] != "success" or cost["problems"]:
        print(f"    {cost['outcome']} {cost['problems']}")


def show_phases(cost: dict[str, Any]) -> None:
    print("      ms CPU: " + ", ".join(f"{phase} {cost['phases'][phase] * 1e3:.0f}" for phase in ORDER), flush=True)


def attempted(what: str, act: Callable[[], Sequence[peers.Spent]]) -> Sequence[peers.Spent]:
    try:
        return act()
    except (peers.Missing, BackendError) as error:
        print(f"  {what} is left out: {error}")
        return ()


def show_peer(verdict: Verdict, what: str, spent: Sequence[peers.Spent]) -> None:
    least = min(spent, key=lambda each: each.cpu)
    more = f"wall {least.wall:.1f} s, simulator {least.server:.2f} s CPU, {least.lines} series, "
    more += f"memory grown by {least.grown / MB:.0f} MB"
    verdict.show(what, least.cpu * 1e3, "ms CPU", more)


def requests_for(size: Size, most: int) -> int:
    """The most requests that a cycle may need: the clock, changes, pages of properties, queries of samples.

    `most` is how many metrics are asked of a guest or a host at most. The limit is a sixth above what is needed.
    """
    objects = size.guests + size.all_hosts
    asked = size.guests * min(most, METRICS_OF_EACH[GUEST]) + size.all_hosts * min(most, METRICS_OF_EACH[HOST])
    return 2 + _times(objects + PAGE_OBJECTS, PAGE_OBJECTS) + _times(asked, QUERY_METRICS)


def _times(all_of_it: int, at_once: int) -> int:
    return -(-all_of_it // at_once)


def against_peers(vcenter: VCenter, size: Size, cycles: int, *, alone: bool) -> Verdict:
    """A vitals cycle against a scrape of vmware_exporter, and against telegraf for the same twelve counters.

    Ours with the default families, of guests with two disks and an adapter, and once more with the twelve counters.
    """
    scrapes: Sequence[peers.Spent] = ()
    silent: Sequence[peers.Spent] = ()
    rendered: Sequence[peers.Spent] = ()
    verdict = Verdict("a cycle of vitals, and what others need for theirs")
    if not alone:
        with Scratch("peers") as scratch:
            scrapes = attempted("vmware_exporter", lambda: peers.vmware_exporter(vcenter, scratch, 3))
            silent = attempted("telegraf", lambda: peers.telegraf_cycles(vcenter, scratch, TWELVE, 2, rendered=False))
            if silent:
                rendered = attempted(
                    "telegraf", lambda: peers.telegraf_cycles(vcenter, scratch, TWELVE, 2, rendered=True)
                )
    default = ours(vcenter, cycles=cycles)
    sparse = ours(vcenter, cycles=cycles, samples=3)
    twelve = ours(vcenter, cycles=cycles, counters=TWELVE)
    show_cost(verdict, "ours, every counter, the first cycle", default.of("vitals", first=True)[0])
    show_cost(verdict, "ours, every counter", min(default.of("vitals", first=False), key=lambda each: each["cpu"]))
    show_cost(verdict, "ours, three new samples", min(sparse.of("vitals", first=False), key=lambda each: each["cpu"]))
    show_cost(verdict, "ours, twelve counters", min(twelve.of("vitals", first=False), key=lambda each: each["cpu"]))
    verdict.show("ours, memory grown since before the first cycle", default.grown / MB, "MB")
    if scrapes:
        show_peer(verdict, "vmware_exporter 0.18.4, a scrape", scrapes)
    if silent:
        show_peer(verdict, "telegraf 1.37.2, twelve counters, told to nobody", silent)
    if rendered:
        show_peer(verdict, "telegraf 1.37.2, twelve counters, scraped", rendered)
    for what, mine, each in (("every counter", default, sys.maxsize), ("twelve counters", twelve, len(TWELVE))):
        verdict.at_most(f"requests of a cycle, {what}", mine.requests, requests_for(size, each), "requests")
        if scrapes:
            judge(verdict, what, mine, scrapes)
        if rendered:
            their = min(each.cpu for each in rendered)
            verdict.fraction(f"ours with {what} against telegraf", mine.least("vitals"), their, TELEGRAF_GOAL)
    return verdict


def judge(verdict: Verdict, what: str, mine: Ours, scrapes: Sequence[peers.Spent]) -> None:
    """Our vitals against scrapes of vmware_exporter."""
    their, wall = min(each.cpu for each in scrapes), min(each.wall for each in scrapes)
    limit = min(each.grown for each in scrapes) * MEMORY_GOAL  # it grows with each scrape
    verdict.fraction(f"our vitals against its scrape, {what}, CPU", mine.least("vitals"), their, CPU_GOAL)
    verdict.fraction(f"our vitals against its scrape, {what}, wall", mine.least("vitals", "wall"), wall, WALL_GOAL)
    verdict.at_most(f"our memory grown, {what}", mine.grown / MB, limit / MB, "MB")


def parsing(bodies: Sequence[Path]) -> float | None:
    try:
        return peers.parsing_seconds(bodies)
    except peers.Missing as error:
        print(f"  lxml is left out: {error}")
        return None


def decoding(vcenter: VCenter, cycles: int, *, alone: bool) -> Verdict:
    """Decoding the answers of a vitals cycle against merely parsing them."""
    verdict = Verdict("decoding the answers of a cycle of vitals")
    with tempfile.TemporaryDirectory(prefix="bodies-") as folder:
        measured = ours(vcenter, cycles=cycles, phases=True, bodies=folder)
        bodies = sorted(Path(folder).iterdir())
        texts = [each.read_bytes() for each in bodies]
        mine = min(each["phases"]["decode"] for each in measured.of("vitals", first=False))
        size = sum(map(len, texts))
        verdict.show("decoding", mine * 1e3, "ms CPU", f"{size / MB:.1f} MB in {len(bodies)} answers")
        expat = min(cpu_seconds(lambda: [ET.fromstring(each) for each in texts]) for _ in range(3))
        verdict.show("Python's own parser, merely parsing", expat * 1e3, "ms CPU", f"1/{mine / expat:.1f} of decoding")
        lxml = None if alone else parsing(bodies)
        if lxml is not None:
            verdict.show("lxml, merely parsing", lxml * 1e3, "ms CPU")
            verdict.at_most("decoding against lxml", mine / lxml, PARSING_GOAL, "times")
    return verdict


def all_groups(vcenter: VCenter, guests: int, cycles: int) -> Verdict:
    """Every group, the first time and again, by phases."""
    verdict = Verdict(f"every group of {guests} guests")
    measured = ours(vcenter, groups=GROUPS, cycles=cycles, phases=True)
    follow = {True: 0.0, False: 0.0}
    for group in GROUPS:
        for first in (True, False):
            cost = min(measured.of(group, first=first), key=lambda each: each["cpu"])
            show_cost(verdict, f"{group}, {'the first time' if first else 'again'}", cost)
            show_phases(cost)
            follow[first] += cost["follow"] + (cost["cpu"] if group == "inventory" else 0.0)
    slow = machine_seconds() / LOOP_SECONDS
    limit = ALL_GROUPS_SECONDS * guests / 10_000 * slow
    first_time = sum(measured.of(group, first=True)[0]["cpu"] for group in GROUPS)
    again = sum(measured.least(group) for group in GROUPS)
    print(f"  this machine is {slow:.2f} times as slow now as the one that the goal was set for")
    verdict.show("every group the first time", first_time, "s CPU")
    verdict.at_most("every group again", again, limit, "s CPU")
    verdict.show("inventory and following it, the first time", follow[True], "s CPU")
    verdict.fraction("inventory and following it again, nothing changed", follow[False], follow[True], AGAIN_GOAL)
    verdict.show("memory grown", measured.grown / MB, "MB", f"{measured.grown / guests / 1e3:.0f} kB for a guest")
    return verdict


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="exit 1 where a goal is missed")
    parser.add_argument("--quick", action="store_true", help="few guests and cycles, to try this out")
    parser.add_argument("--alone", action="store_true", help="without the other exporters")
    options = parser.parse_args()
    small, large, cycles = (Size(60, 6), Size(100, 6), 2) if options.quick else (Size(3000, 100), Size(10_000, 300), 6)
    verdicts = []
    with simulated(small) as vcenter:
        verdicts.append(against_peers(vcenter, small, cycles, alone=options.alone))
        verdicts.append(decoding(vcenter, cycles, alone=options.alone))
    with simulated(large) as vcenter:
        verdicts.append(all_groups(vcenter, large.guests, min(cycles, 3)))
    print()
    codes = [each.exit_code() for each in verdicts]
    return max(codes) if options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
