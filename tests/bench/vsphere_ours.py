"""Our side of the benchmark of vSphere, in a process of its own: collects as a worker does and tells what that cost.

Called by `tests.bench.vsphere`: python -m tests.bench.vsphere_ours '{"sdk": ..., ...}' prints one line of JSON.
"""

from __future__ import annotations

import cProfile
import gc
import json
import pickle
import pstats
import sys
import time
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil

from collectors.vsphere.client.lane import Lane
from collectors.vsphere.client.versions import support
from collectors.vsphere.families import FAMILIES
from collectors.vsphere.options import VsphereOptions
from collectors.vsphere.session import open_session
from exporter.catalogue import SHARED
from exporter.config.model import Auth, Limits, Profile, Target, Tls
from exporter.contract import Native, Platform
from exporter.platforms import Installed, installed
from exporter.runtime.collection import CollectedTarget
from exporter.runtime.memory import Garbage, use_one_arena
from exporter.runtime.messages import Collect, Key
from exporter.runtime.worker import GARBAGE_AFTER
from exporter.secrets import SecretSource
from tests.bench.vsphere_phases import Phases, process_seconds

TICK_SECONDS = 20


@dataclass(slots=True)
class Order:
    """What to do: these groups in this order, `cycles` times, every cycle with so many samples that are new."""

    sdk: str
    control: str
    user: str
    password: str
    server: int
    """Process id of the simulator."""
    groups: Sequence[str] = ("vitals",)
    cycles: int = 3
    samples: int = 1
    counters: Sequence[str] = ()
    """The endpoint's only counters; empty for all there are."""
    phases: bool = False
    bodies: str = ""
    """A folder for the answers that were decoded in the last cycle."""
    profile: str = ""
    """A file for what cProfile says of the last cycle."""


@dataclass(slots=True)
class Cost:
    """One collection of one group."""

    group: str
    cycle: int
    outcome: str
    cpu: float
    wall: float
    server: float
    series: int
    requests: dict[str, int]
    received: int
    problems: dict[str, Any]
    phases: dict[str, float] = field(default_factory=dict)
    follow: float = 0.0
    decoded: float = 0.0


def everything() -> Installed:
    """What is installed, with vSphere also where it is not registered: then every shared family is let through."""
    found = installed()
    if "vsphere" in found.platforms:
        return found
    support = {family.name: Native("measured") for family in SHARED}
    ours = Platform("vsphere", "vSphere", support, open_session, families=FAMILIES, options=VsphereOptions)
    return Installed({**found.platforms, "vsphere": ours}, found.broken, (*found.families, *FAMILIES))


class Side:
    """One target as a worker holds it, and the simulator's clock of samples, which goes on by a tick for each cycle."""

    def __init__(self, order: Order) -> None:
        self._garbage = Garbage()
        self._order, self._kept = order, []
        self._phases = Phases(self._kept.append if order.bodies else None) if order.phases else None
        if order.counters:
            _only(order.counters)
        account = Auth("bench", order.user, SecretSource("literal", order.password))
        tls, self._profile = Tls(insecure_skip_verify=True), Profile()
        target = Target("vc-1", "vsphere", order.sdk, auth=account, tls=tls, profile=self._profile)
        self._target = CollectedTarget(Key("vc-1", 1), target, everything(), Limits(series_per_target=10_000_000))
        self._runs, self._now = count(1), int(time.time())

    @property
    def unknown(self) -> list[str]:
        return self._phases.unknown if self._phases else []

    def cycle(self, number: int) -> Iterable[Cost]:
        self._now += TICK_SECONDS * self._order.samples
        body = json.dumps({"now": self._now}).encode()
        with urllib.request.urlopen(f"{self._order.control}/statistics", body, timeout=60) as answer:
            answer.read()
        self._kept.clear()
        for group in self._order.groups:
            yield self._collect(group, number)

    def _collect(self, group: str, number: int) -> Cost:
        """A collection as a worker's lane has it: with the page's way into the pipe, and what is cleared afterwards."""
        server, wall, cpu = process_seconds(self._order.server), time.monotonic(), time.process_time()
        deadline = time.monotonic() + 600
        done = self._target.collect(Collect(self._target.key, group, next(self._runs), deadline, whole=number == 0))
        spent = Cost(
            group=group,
            cycle=number,
            outcome=f"{done.outcome} {done.sentence}".strip(),
            cpu=time.process_time() - cpu,
            wall=time.monotonic() - wall,
            server=process_seconds(self._order.server) - server,
            series=done.page.series if done.page else 0,
            requests={name: each.count for name, each in done.requests.items()},
            received=sum(each.received_bytes for each in done.requests.values()),
            problems={**done.problems, **(done.page.problems if done.page else {})},
        )
        pickle.dumps(done, pickle.HIGHEST_PROTOCOL)
        failed = done.page is None
        del done
        self._garbage.clear(failed=failed)
        spent.cpu = time.process_time() - cpu
        if self._phases is not None:
            spent.follow, spent.decoded = self._phases.follow, self._phases.bytes_decoded
            spent.phases = self._phases.take()
        return spent

    def keep_bodies(self) -> None:
        for number, body in enumerate(self._kept):
            (Path(self._order.bodies) / f"{number:05d}.xml").write_bytes(body)

    def close(self) -> None:
        self._target.close()


def _only(names: Sequence[str]) -> None:
    """Let endpoints have these counters and no others."""
    wanted, whole = frozenset(names), Lane.counters

    def counters(lane: Lane) -> dict[str, int]:
        return {name: identity for name, identity in whole(lane).items() if name in wanted}

    Lane.counters = counters  # type: ignore[method-assign]


def resident(kind: str = "VmRSS") -> int:
    """Bytes of memory of this process, or with `VmHWM` the most it had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) * 1024


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    use_one_arena()  # this and the next as a worker does when it starts
    gc.set_threshold(GARBAGE_AFTER, 10, 10)
    side = Side(order)
    support()  # as the others have their library loaded, and nothing asked yet, when their memory is looked at first
    before, costs = resident(), []
    for number in range(order.cycles):
        last = number == order.cycles - 1
        watch = cProfile.Profile(time.process_time) if last and order.profile else None
        if watch is not None:
            watch.enable()
        costs += [asdict(each) for each in side.cycle(number)]
        if watch is not None:
            watch.disable()
            with Path(order.profile).open("w") as file:
                for by in ("tottime", "cumulative"):
                    pstats.Stats(watch, stream=file).sort_stats(by).print_stats(45)
    if order.bodies:
        side.keep_bodies()
    grown = resident("VmHWM") - before
    pss = psutil.Process().memory_full_info().pss
    side.close()
    print(json.dumps({"costs": costs, "grown": grown, "pss": pss, "unknown": side.unknown}))


if __name__ == "__main__":
    main()
