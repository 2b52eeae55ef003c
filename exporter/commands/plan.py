"""The command `plan`: series, calls and memory that a configuration will cost, before it is deployed.

With `--assume` from numbers of things, without asking anybody; else from two collections of every target, of which the
second shows what a cycle costs once a session is open.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter import logs
from exporter.catalogue import PARENT, VITALS, Entity, Family
from exporter.commands import FAILED, WELL, WRONG, configuration
from exporter.commands.once import Result, collect_all
from exporter.config.model import Config, Target
from exporter.contract import Platform
from exporter.model import Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, GuestState
from exporter.platforms import Installed, installed
from exporter.runtime.budget import allowances
from exporter.runtime.collection import groups_of
from exporter.runtime.pipeline import families_of

ASSUMED = {"hosts": 1, "guests": 100, "disks": 2, "nics": 1, "filesystems": 0, "snapshots": 1, "storages": 2}
"""What is assumed of a target where `--assume` says nothing; disks, nics, file systems and snapshots per guest."""

# Fitted to the PSS of daemons with 1 to 300 targets, 600 to 400,000 series and two workers (docs/benchmarks.md). A
# worker's first figure includes a small vendor library, its second what it remembers to render only what changed.
PARENT_BYTES, PARENT_BYTES_PER_SERIES, PARENT_BYTES_PER_TARGET = 44.6e6, 42, 133e3
WORKER_BYTES, WORKER_BYTES_PER_SERIES, WORKER_BYTES_PER_TARGET = 35.2e6, 286, 115e3

_STOPPED: Mapping[Entity, Any] = {
    Entity.GUEST: Guest(
        "",
        "",
        state=GuestState.STOPPED,
        migrating=False,
        persistent=True,
        cpu=GuestCpu(vcpus=1),
        memory=GuestMemory(configured_bytes=1),
    ),
    Entity.DISK: GuestDisk(""),
    Entity.NIC: GuestNic(""),
}
"""What vitals tell of a guest that does not run: a family that finds nothing here costs nothing for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one target will cost. `calls_per_hour` is None where nobody was asked."""

    target: Target
    series: int
    calls_per_hour: float | None
    complaint: str = ""


def plan(options: argparse.Namespace) -> int:
    """Print a line per target and what the daemon needs in all."""
    logs.setup(options.log_level, options.log_format)
    config = configuration.read(options.config_file)
    found = installed()
    if options.assume is None:
        plans = [_measured(result) for result in collect_all(config.targets, config, found, rounds=2)]
    else:
        try:
            counts = assumed(options.assume)
        except ValueError as error:
            print(error, file=sys.stderr)
            return WRONG
        plans = [
            Plan(target, expected_series(target, found.platforms[target.platform], found, counts), None)
            for target in config.targets
        ]
    print(table(plans, config))
    for planned in plans:
        if planned.complaint:
            print(f"{planned.target.name}: {planned.complaint}", file=sys.stderr)
    return FAILED if any(planned.complaint for planned in plans) else WELL


def assumed(text: str) -> dict[str, int]:
    """Numbers of things from `guests=1000,hosts=20`; raises ValueError with a sentence."""
    counts = dict(ASSUMED)
    known = (*ASSUMED, "running")
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if name not in known or not number.isdecimal():
            raise ValueError(f"--assume: {part!r} is none of {', '.join(f'{key}=NUMBER' for key in known)}")
        counts[name] = int(number)
    counts["running"] = min(counts.get("running", counts["guests"]), counts["guests"])
    return counts


def expected_series(target: Target, platform: Platform, found: Installed, counts: Mapping[str, int]) -> int:
    """Series of a target with so many things, if every family is delivered for them; `running` of the guests run."""
    guests = counts["guests"]
    entities = {
        Entity.TARGET: 1,
        Entity.HOST: counts["hosts"],
        Entity.HOST_NIC: 0,
        Entity.CLUSTER: 0,
        Entity.GUEST: guests,
        Entity.DISK: guests * counts["disks"],
        Entity.NIC: guests * counts["nics"],
        Entity.FILESYSTEM: guests * counts["filesystems"],
        Entity.SNAPSHOT: guests * counts["snapshots"],
        Entity.STORAGE: counts["storages"],
        Entity.EXPORTER: 0,
    }
    families: list[Family] = [family for family in found.families if family.group == PARENT]
    for group in groups_of(target, platform):
        families += families_of(target, platform, group, found.families)
    running = counts["running"] / guests if guests else 1.0
    parts = (family.cost * (running if _only_of_running(family) else 1.0) for family in families)
    return round(sum(entities[family.entity] * cost for family, cost in zip(families, parts, strict=True)))


def _only_of_running(family: Family) -> bool:
    stopped, read = _STOPPED.get(family.entity), family.value or family.each
    if family.group != VITALS or stopped is None or read is None:
        return False
    found = read(stopped)
    return found is None or found in ((), [])


def _measured(result: Result) -> Plan:
    profile = result.target.profile
    series = sum(done.page.series for done in result.done if done.page is not None)
    calls = sum(
        3600 / profile.interval(done.group) * sum(cost.count for cost in done.requests.values()) for done in result.done
    )
    failed = [f"{done.group}: {done.outcome}: {done.sentence}" for done in result.done if done.page is None]
    return Plan(result.target, series, calls, "; ".join(failed))


def memory_bytes(series: int, targets: int, workers: int) -> tuple[float, float]:
    """Memory of the daemon and of all its workers, as a sum of PSS."""
    parent = PARENT_BYTES + PARENT_BYTES_PER_SERIES * series + PARENT_BYTES_PER_TARGET * targets
    inside = workers * WORKER_BYTES + WORKER_BYTES_PER_SERIES * series + WORKER_BYTES_PER_TARGET * targets
    return parent, inside


def table(plans: Sequence[Plan], config: Config) -> str:
    """One line per target, and the sums."""
    width = max([len(planned.target.name) for planned in plans] + [len("target")])
    lines = [f"{'target':<{width}}  {'series':>9}  {'calls/h':>8}"]
    for planned in plans:
        calls = "-" if planned.calls_per_hour is None else f"{planned.calls_per_hour:.0f}"
        lines.append(f"{planned.target.name:<{width}}  {planned.series:>9}  {calls:>8}")
    limits = config.limits
    wanted = {planned.target.name: min(planned.series, limits.series_per_target) for planned in plans}
    total = sum(planned.series for planned in plans)
    shown = sum(allowances(wanted, limits.series_total).values())
    workers = config.workers or max(1, min(len(os.sched_getaffinity(0)), len(plans)))
    parent, inside = memory_bytes(shown, len(plans), workers)
    sizes = f"{parent / 1e6:.0f} MB daemon, {inside / 1e6:.0f} MB workers"
    lines += [
        "",
        f"{total} series in all; with {workers} workers about {(parent + inside) / 1e6:.0f} MB of memory ({sizes})",
    ]
    if shown < total:
        lines.append(f"{total - shown} of them are over the limits and would be left out, the least important first")
    return "\n".join(lines)
