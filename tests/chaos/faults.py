"""Random fault scripts: a seed says which estate a target shows, what goes wrong in it, and when.

The same seed makes the same case for ever; nothing here looks at the clock. Seeds come in tens. Two of three tens are
gentle: their faults may not cost a healthy target anything. The third kind also crashes, stops and blocks whole worker
processes, which targets share: that costs healthy targets a few ticks, never their series or their sums.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.scripted.build import World, fault, scripted

TOGETHER = 10
"""Seeds that share a daemon."""
LAST_SECONDS = 10.0
"""All faults are over by then."""
LONGEST_SECONDS = 4.0
"""A target that fails for longer than this would be in back-off for too long afterwards."""
GROUPS = (None, None, "vitals", "vitals", "storage", "snapshots", "inventory")
ERRORS = ("Unreachable", "SecretUnreadable", "SdkMissing", "TimedOut", "Forbidden", "Malformed", "Unsupported")
BUGS = ("ZeroDivisionError", "KeyError", "RecursionError", "MemoryError", "SystemExit")
LIES = (
    *("nan", "infinite", "negative", "falling", "enormous", "text", "object", "no_name", "no_id", "empty_name"),
    *("surrogate", "control", "long_label", "no_disk", "bad_state"),
)

Options = Mapping[str, Any]
Make = Callable[[random.Random], Options]


def seconds(low: float, high: float) -> Callable[[random.Random], float]:
    return lambda rng: round(rng.uniform(low, high), 2)


GENTLE: Mapping[str, Make] = {
    "hang": lambda rng: {"unblockable": rng.random() < 0.5},
    "slow": lambda rng: {"seconds": seconds(0.3, 2.5)(rng), "stubborn": rng.random() < 0.5},
    "spin": lambda rng: {"seconds": seconds(0.05, 0.2)(rng)},
    "fail": lambda rng: {"error": rng.choice(ERRORS)},
    "refuse": lambda _: {},
    "bug": lambda rng: {"raises": rng.choice(BUGS)},
    "grow": lambda rng: {"bytes": rng.randint(1, 8) << 20},
    "flood": lambda rng: {"guests": rng.randint(20, 200)} if rng.random() < 0.5 else {"series": rng.randint(50, 1500)},
    "lie": lambda rng: {"what": rng.choice(LIES), "guests": rng.randint(1, 3)},
    "repeat": lambda _: {},
    "half": lambda _: {},
    "vanish": lambda rng: {"guests": rng.randint(1, 3)},
    "lose_right": lambda rng: {"partial": rng.random() < 0.5},
    "migrate": lambda rng: {"arrived": rng.random() < 0.5},
    "garbage": lambda rng: {"what": rng.choice(("none", "text", "list"))},
}
VIOLENT: Mapping[str, Make] = {
    "die": lambda rng: {"signal": rng.choice(("SIGSEGV", "SIGABRT", "SIGKILL", "SIGSTOP"))},
    "leave": lambda rng: {"status": rng.randint(0, 3)},
    "seize": lambda rng: {"seconds": seconds(0.3, 7)(rng)},
}
OF_COUNTER: Mapping[str, Mapping[str, Make]] = {
    "parts": {
        "lose_vcpu": lambda rng: {"how": rng.choice(("unknown", "gone"))},
        "reboot": lambda _: {},
    },
    "samples": {"gaps": lambda _: {}},
}
VITALS_ONLY = frozenset({"migrate", "lose_vcpu", "reboot", "gaps", "lie", "flood"})
"""What changes the observation of running guests; other groups have no such guests."""
CALLS = frozenset({"hang", "slow", "fail", "bug", "die", "leave", "seize", "spin"})
"""What may also happen while a session connects or closes."""


@dataclass(frozen=True)
class Case:
    """A target that a seed stands for."""

    seed: int
    estate: Mapping[str, Any]
    faults: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """The target's name."""
        return f"seed-{self.seed}"

    def world(self, folder: Path) -> World:
        """Its world, in which nothing goes wrong yet."""
        return scripted(folder, name=self.name, **self.estate)

    def __str__(self) -> str:
        return f"{self.name}: {json.dumps(self.estate)}\n" + "\n".join(
            f"    {json.dumps(each)}" for each in self.faults
        )


def violent(seed: int) -> bool:
    """Whether the seed's faults may bring down or block a whole worker."""
    return seed // TOGETHER % 3 == 2


def case(seed: int) -> Case:
    """What a seed stands for."""
    rng = random.Random(f"faults/{seed}")
    counter = rng.choice(("native", "parts", "samples", "wrapping"))
    estate = {
        "seed": seed,
        "hosts": 2,
        "guests": rng.randint(3, 8),
        "vcpus": rng.randint(2, 4),
        "disks": rng.randint(0, 2),
        "nics": rng.randint(0, 2),
        "snapshots": rng.randint(0, 3),
        "cpu_counter": counter,
        "disk_counter": rng.choice(("native", "parts", "samples", "wrapping")),
        "network_counter": rng.choice(("native", "wrapping")),
        "sample_seconds": rng.choice((0.5, 1.0, 2.0)),
    }
    kinds = {**GENTLE, **OF_COUNTER.get(counter, {})}
    return Case(seed, estate, tuple(_fault(rng, kinds, worse=violent(seed)) for _ in range(rng.randint(1, 3))))


def _fault(rng: random.Random, kinds: Mapping[str, Make], *, worse: bool) -> dict[str, Any]:
    if worse and rng.random() < 0.4:
        kinds = VIOLENT
    kind = rng.choice(sorted(kinds))
    options = dict(kinds[kind](rng))
    begin = round(rng.uniform(0.5, LAST_SECONDS - 1), 2)
    when = {"at": begin, "until": round(min(LAST_SECONDS, begin + rng.uniform(0.5, LONGEST_SECONDS)), 2)}
    group = "vitals" if kind in VITALS_ONLY else rng.choice(GROUPS)
    where = {} if group is None else {"group": group}
    if kind in CALLS and rng.random() < 0.2:
        where = {"phase": rng.choice(("connect", "close"))}
    if kind == "refuse":
        kind, options = "fail", {"error": "AuthenticationFailed"}
    return fault(kind, **when, **where, **options)


def chosen(text: str) -> list[int]:
    """The seeds that `CHAOS_SEEDS` names: `200` for the first 200, `40-59` or `17-17` for a range."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else list(range(int(first)))


def batches(seeds: Iterable[int]) -> list[list[int]]:
    """Seeds by the daemon they share; a seed alone meets the same promises as among its ten."""
    return [list(some) for _, some in groupby(sorted(set(seeds)), key=lambda seed: seed // TOGETHER)]
