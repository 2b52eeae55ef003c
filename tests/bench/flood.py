"""A target that floods: it loses whole families, always the same; its hosts and guests stay, the others notice nothing.

Ten targets of 500 guests, and one of 12,500 guests and half a million series that may show 100,000. `--full` starts it
twice: a restart loses the same families.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter

from tests.bench.measuring import SUCCESS, Estate, Verdict, cpu_of, target

TARGETS, GUESTS, HOSTS = 10, 500, 15
FLOOD = f"t-{TARGETS:03d}"
FLOOD_GUESTS, FLOOD_HOSTS = 12_500, 300
LIMIT = 100_000
INTERVAL = 15.0
WATCHED_SECONDS = 30.0
LATE = 1.5
"""How old vitals may be, in intervals; without a flood they are one interval old and the time of a collection."""
NAME = re.compile(r"^([a-z_]+)\{", re.MULTILINE)
AGE = re.compile(re.escape(SUCCESS) + r'.*target="(t-\d+)".*group="vitals".*\} ([0-9.e+]+)$', re.MULTILINE)


def shown(estate: Estate) -> Counter[str]:
    """Series of the flooding target, by family."""
    return Counter(NAME.findall(estate.get(f"/metrics?target={FLOOD}").text))


def ages(estate: Estate) -> dict[str, float]:
    """Seconds since the last good vitals, by target."""
    text = estate.get("/metrics").text
    now = time.time()
    return {name: now - float(at) for name, at in AGE.findall(text)}


def watch(estate: Estate) -> tuple[float, float]:
    """The greatest age of vitals among the targets that do not flood, and the parent's CPU meanwhile, of a core."""
    until, oldest = time.monotonic() + WATCHED_SECONDS, 0.0
    begun, before = time.monotonic(), cpu_of(estate.child.pid)
    while time.monotonic() < until:
        found = ages(estate)
        oldest = max([oldest, *(age for name, age in found.items() if name != FLOOD)])
        time.sleep(1)
    return oldest, (cpu_of(estate.child.pid) - before) / (time.monotonic() - begun)


def start(*, flooded: bool) -> Estate:
    targets = [target(n, guests=GUESTS, hosts=HOSTS, snapshots=GUESTS) for n in range(TARGETS)]
    if flooded:
        targets.append(target(TARGETS, guests=FLOOD_GUESTS, hosts=FLOOD_HOSTS, snapshots=FLOOD_GUESTS))
    slow = dict.fromkeys(("storage", "snapshots", "inventory"), "5m")
    return Estate(targets, {"vitals": f"{INTERVAL:g}s", **slow}, limits={"series_per_target": LIMIT}, workers=2)


def main() -> int:
    """Measure and judge."""
    verdict = Verdict(f"flood: a target of {FLOOD_GUESTS} guests may show {LIMIT} series; {TARGETS} others")
    with start(flooded=False) as estate:
        estate.complete()
        oldest, cpu = watch(estate)
        verdict.show("without it: oldest vitals", oldest, "s", f"every {INTERVAL:g} s; parent {cpu:.1%} of a core")
    kept = []
    for _ in range(2 if "--full" in sys.argv else 1):
        with start(flooded=True) as estate:
            estate.complete()
            kept.append(frozenset(shown(estate)))
            oldest, cpu = watch(estate)
            verdict.at_most("with it: oldest vitals of the others", oldest / INTERVAL, LATE, "intervals")
            verdict.show("  parent", cpu * 100, "%")
            verdict.show("  memory, sum of PSS", sum(estate.pss_bytes()) / 1e6, "MB")
            seen = shown(estate)
            kept.append(frozenset(seen))
            verdict.at_most("  series of the target", sum(seen.values()), LIMIT, f"in {len(seen)} families")
            for family, wanted in (("hypervisor_host_info", FLOOD_HOSTS), ("hypervisor_guest_info", FLOOD_GUESTS)):
                verdict.at_most(f"  {family}: missing", wanted - seen[family], 0, f"of {wanted}")
    verdict.at_most("sets of families that were kept, less one", len(set(kept)) - 1, 0, f"at {len(kept)} looks")
    return verdict.exit_code()


if __name__ == "__main__":
    sys.exit(main())
