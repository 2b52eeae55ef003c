"""What the parent itself says about targets and the daemon: rendered once a beat, shown by the store, logged.

Figures that only count or date a collection wait for the beat, so that many targets cost one round a second and not one
per event. What somebody may act upon does not wait: a target that is new, gone, up, down, locked out or just probed,
and a group that ends otherwise than the last time.

Written by the supervisor's thread. Other threads read `snapshot`, which is replaced as a whole and never changed.
"""

from __future__ import annotations

import logging
import platform as python_platform
import re
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from exporter import __version__
from exporter.catalogue import Family
from exporter.catalogue.family import VITALS
from exporter.config.model import Limits, Target
from exporter.exposition.chunk import Chunk
from exporter.report import ExporterReport
from exporter.runtime.crew import Crew
from exporter.runtime.page import Page
from exporter.runtime.pipeline import HostUp, ReportPages
from exporter.runtime.stores import Stores
from exporter.runtime.target_state import DOWN, GroupState, TargetState, shown_address
from exporter.sharding import Shard

BEAT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of a target for the status page."""

    group: str
    outcome: str | None
    last_success_at: float | None
    duration_seconds: float | None
    interval_seconds: float


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target for the status page."""

    name: str
    platform: str
    address: str
    up: bool | None
    scheduled: bool
    attempted: bool
    last_error: str
    groups: tuple[GroupRow, ...]
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every target, at one moment."""

    targets: Mapping[str, TargetRow] = field(default_factory=dict)
    configured: bool = False


class _Condition(NamedTuple):
    """What alerts and readiness rest on: whether a target is up and asked at all, and how each group last ended."""

    target: Target
    up: bool | None
    attempted: bool
    outcomes: tuple[str | None, ...]
    breaker: str
    hosts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, state: TargetState) -> _Condition:
        outcomes = tuple([group.last_outcome for group in state.groups.values()])
        return cls(state.target, state.up, state.attempted, outcomes, state.breaker.state, state.host_labels)


class Reporting:
    """Keeps the parent's own pages current and tells the log what changed."""

    def __init__(self, stores: Stores, families: tuple[Family, ...], limits: Limits, shard: Shard) -> None:
        self._stores, self._shard = stores, shard
        self.renders = 0
        """How often a target's own families were rendered."""
        self._pages = ReportPages(families, limits.label_value_length)
        self._dirty: set[str] = set()
        self._touched: set[str] = set()
        """Those of the dirty ones of which nobody has asked yet whether they may wait."""
        self._self_dirty = True
        self._next_beat = 0.0
        self._conditions: dict[str, _Condition] = {}
        """What was last shown of every target that may not wait for the beat."""
        self._rejected: Counter[str] = Counter()
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._sanitised = 0
        self._refused: set[str] = set()
        """Targets of which is logged that they refuse the credentials, until they are up again."""
        self._reload_successful = True
        self._reloaded_at: float | None = None
        self.snapshot = Snapshot()

    def configured(self) -> None:
        """A configuration is in force."""
        self._reload_successful, self._reloaded_at, self._self_dirty = True, time.time(), True

    def reload_refused(self) -> None:
        """A new configuration was refused; the old one stays."""
        self._reload_successful, self._self_dirty = False, True

    def changed(self, state: TargetState) -> None:
        """Something about the target changed."""
        self._touched.add(state.name)

    def self_changed(self) -> None:
        """Something about the daemon changed."""
        self._self_dirty = True

    def count(self, target: str, page: Page) -> None:
        """Add up what a page had to leave out."""
        self._rejected.update(page.rejected)
        self._sanitised += page.sanitised
        for reason, series in page.dropped.items():
            self._dropped[target, reason] += series
        self._self_dirty = True

    def attempted(self, state: TargetState, group: str, outcome: str) -> None:
        """A collection was attempted: note it, and log it where the target's or the group's condition changed."""
        self.changed(state)
        figures = state.groups[group]
        fields = {"target": state.name, "group": group, "outcome": outcome}
        # Refused credentials are the target's trouble, whichever of its groups hears of it first.
        if group == VITALS or outcome == "auth_failed":
            self._log_target(state, outcome, fields)
        elif outcome not in ("success", "partial") and figures.failures == 1:
            _log(state).warning("a group cannot be collected: %s", figures.last_error, extra={"fields": fields})
        elif outcome in ("success", "partial") and figures.failures_before:
            _log(state).info(
                "the group is collected again after %d failures", figures.failures_before, extra={"fields": fields}
            )

    def _log_target(self, state: TargetState, outcome: str, fields: dict[str, str]) -> None:
        # That it is down was told before it was known that its credentials are to blame: somebody has to do something.
        refused = outcome == "auth_failed" and state.name not in self._refused
        if refused:
            self._refused.add(state.name)
        if outcome not in DOWN:
            self._refused.discard(state.name)
        if refused or (outcome in DOWN and state.failures_since_up == 1):
            _log(state).warning("the target is down: %s", state.last_error, extra={"fields": fields})
        elif outcome not in DOWN and state.failures_since_up:
            _log(state).info(
                "the target is up again after %d failures", state.failures_since_up, extra={"fields": fields}
            )
            state.failures_since_up = 0
        elif outcome in ("forbidden", "malformed", "bug") and state.groups[VITALS].failures == 1:
            _log(state).warning("vitals are incomplete: %s", state.last_error, extra={"fields": fields})

    def seconds_until_beat(self, now: float) -> float:
        """How long what is known but not shown yet may wait; `now` is monotonic."""
        waiting = self._dirty or self._touched or self._self_dirty
        return max(0.0, self._next_beat - now) if waiting else BEAT_SECONDS

    def refresh(
        self, now: float, targets: Mapping[str, TargetState], crew: Crew, awaited: Collection[str] = ()
    ) -> None:
        """Show what changed: all of it at the beat, before that only what must not wait. Called after every event.

        `now` is monotonic; `awaited` are targets that somebody looks at as soon as this returns.
        """
        beat = now >= self._next_beat
        if beat:
            self._next_beat = now + BEAT_SECONDS
        gone = self.snapshot.targets.keys() - targets.keys()
        touched, self._touched = self._touched, set()
        self._dirty |= touched
        due = self._dirty if beat else {name for name in touched if self._urgent(targets.get(name))}
        due = (due | self._dirty.intersection(awaited)) & targets.keys()
        if due or gone or (self._reloaded_at is not None) != self.snapshot.configured:
            self._show(due, gone, targets)
        if beat:
            self._dirty.clear()
            if self._self_dirty:
                self._self_dirty = False
                self._stores.scheduled.put_report(None, self._pages.exporter(self._self_report(crew)))

    def _urgent(self, state: TargetState | None) -> bool:
        return state is not None and self._conditions.get(state.name) != _Condition.of(state)

    def _show(self, due: set[str], gone: set[str], targets: Mapping[str, TargetState]) -> None:
        rows = dict(self.snapshot.targets)
        for name in gone:
            self._pages.forget(name)
            del rows[name], self._conditions[name]
        in_order = due <= rows.keys()
        for name in due:
            state = targets[name]
            before = self._conditions.get(name)
            if before is not None and before.target.platform != state.target.platform:
                self._pages.forget(name)
            self.renders += 1
            self._stores.of(state.target).put_report(name, self._target_chunks(state))
            self._conditions[name] = _Condition.of(state)
            rows[name] = _row(state)
        self._dirty -= due
        self.snapshot = Snapshot(rows if in_order else dict(sorted(rows.items())), self._reloaded_at is not None)
        self._self_dirty = True

    def _target_chunks(self, state: TargetState) -> dict[str, Chunk]:
        hosts = HostUp(state.host_labels, state.up) if state.host_labels and state.up is not None else None
        return self._pages.target(state.name, state.target.platform, state.report(), hosts)

    def _self_report(self, crew: Crew) -> ExporterReport:
        return ExporterReport(
            version=__version__,
            python=python_platform.python_version(),
            reload_successful=self._reload_successful,
            reload_success_timestamp_seconds=self._reloaded_at,
            workers=crew.reports(),
            worker_restarts=crew.restarts,
            abandoned_calls=crew.abandoned_calls(),
            series=self._stores.series,
            series_dropped=dict(self._dropped),
            labels_sanitised=self._sanitised,
            samples_rejected=dict(self._rejected),
            shard_index=self._shard.index,
            shards=self._shard.count,
        )


def _log(state: TargetState) -> logging.Logger:
    return logging.getLogger(f"target.{re.sub(r'[^A-Za-z0-9_-]', '_', state.name)}")


def _row(state: TargetState) -> TargetRow:
    return TargetRow(
        name=state.name,
        platform=state.target.platform,
        address=shown_address(state.target.address),
        up=state.up,
        scheduled=state.scheduled,
        attempted=state.attempted,
        last_error=state.last_error
        or next((group.last_error for group in state.groups.values() if group.last_error), ""),
        groups=tuple(_group_row(name, group) for name, group in state.groups.items()),
        digests=tuple(state.digests.values()),
    )


def _group_row(name: str, group: GroupState) -> GroupRow:
    return GroupRow(name, group.last_outcome, group.last_success_at, group.duration_seconds, group.interval_seconds)
