"""From an observation to a page: normalise, settle counters, render what changed, compress.

`Pipeline` serves one (target, group) in a worker, `ReportPages` the parent's own families; both use the same renderer.
"""

from __future__ import annotations

import fnmatch
import time
from collections import Counter as Tally
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.catalogue.family import PARENT, Entity, Family
from exporter.config.model import Limits, Target
from exporter.contract import Platform
from exporter.exposition.chunk import LINES_AT_ONCE, Chunk, compress, compress_piecewise
from exporter.exposition.render import FamilyRenderer, Reading, Rendered, read_all
from exporter.exposition.subjects import Subjects, walk
from exporter.exposition.text import Labels
from exporter.model import Observation
from exporter.normalise import Normalised, guest_rank, normalise
from exporter.report import ExporterReport, TargetReport
from exporter.runtime import budget
from exporter.runtime.arrival import Arrival, share_names
from exporter.runtime.carry import Carry
from exporter.runtime.digest import digest
from exporter.runtime.ledger import Ledger, Offsets
from exporter.runtime.page import Page
from exporter.runtime.problems import problems_of
from exporter.runtime.soundness import sound
from exporter.runtime.twins import Twins

HOST_UP = "hypervisor_host_up"
SAMPLES_MISSING = "samples_missing"
CARRIED_OVER = "carried_over"
DUPLICATE_GUEST = "duplicate_guest_id"
MALFORMED = "malformed_object"
BUDGET = "budget"


def families_of(target: Target, platform: Platform, group: str, catalogue: Iterable[Family]) -> tuple[Family, ...]:
    """The catalogue's families that this group feeds: delivered by the platform and let through by the profile."""
    profile = target.profile

    def wanted(family: Family) -> bool:
        chosen = family.default or _matches(family.name, profile.family_include)
        return chosen and not _matches(family.name, profile.family_exclude)

    return tuple(
        family
        for family in catalogue
        if family.group != PARENT
        and platform.group_of(family) == group
        and platform.delivers(family)
        # Whether a host that is its own endpoint is up is the parent's to say: a dead worker could not.
        and not (platform.single_host and family.name == HOST_UP)
        and wanted(family)
    )


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs)


class Pipeline:
    """Turns the observations of one group of one target into pages; remembers what changed pages are told apart by."""

    def __init__(
        self,
        target: Target,
        platform: Platform,
        group: str,
        families: Sequence[Family],
        limits: Limits | None = None,
        *,
        integrate: bool = True,
        offsets: Offsets | None = None,
    ) -> None:
        self._target, self._platform, self._group = target, platform, group
        self._limits = limits or Limits()
        self._labels = Labels(self._limits.label_value_length)
        self._ranks = budget.ranks(families)
        self._twins = Twins(guest_rank)
        self._carry = Carry(target.profile.ttl(group))
        self._arrival = Arrival()
        self._ledger = Ledger(integrate=integrate, offsets=offsets)
        self._complete = True
        self._at = 0.0
        self._serial: int | None = None
        self._subjects = {
            entity: Subjects(entity, target.name, platform.name, self._labels)
            for entity in dict.fromkeys(family.entity for family in families)
        }
        self._renderers = [FamilyRenderer(family, self._labels, self._settle) for family in families]

    def page(self, observation: Observation, *, whole: bool, shed: Collection[str] = ()) -> Page:
        """The page of an observation, without the families that the parent has shed.

        With `whole` every chunk is in it: the parent holds nothing to add to.
        """
        whole = whole or self._serial is None
        # Until this page is made, nothing that was half done may count as known to the parent.
        follows, self._serial = (None if whole else self._serial), None
        if not isinstance(observation, Observation):
            raise TypeError(f"the collector returned a {type(observation).__name__}, not an Observation")
        try:
            normalised, found = self._prepare(observation)
        except Exception:  # noqa: BLE001  one impossible thing must not cost the others; which one is found out now
            observation, malformed = sound(observation, self._target)
            normalised, found = self._prepare(observation)
            found[MALFORMED] = malformed
        seen = normalised.observation
        made = self._render(whole=whole, shed=shed)
        refused, gaps = self._ledger.take()
        made.rejected.update(refused)
        self._serial = time.monotonic_ns()
        sanitised, self._labels.sanitised = self._labels.sanitised, 0
        found[SAMPLES_MISSING] = gaps
        return Page(
            serial=self._serial,
            follows=follows,
            chunks=made.chunks,
            unchanged=tuple(made.unchanged),
            collected_at=seen.collected_at,
            series=made.series,
            rejected=dict(made.rejected),
            dropped=dict(made.dropped),
            sanitised=sanitised,
            objects=normalised.objects,
            problems=problems_of(normalised, found, made.rejected.total(), made.example),
            single_host=tuple((host.name, host.id) for host in seen.hosts) if self._platform.single_host else (),
            clusters=tuple(str(cluster.id) for cluster in seen.clusters),
            endpoint=replace(seen.endpoint, extra={}) if seen.endpoint.extra else seen.endpoint,
            partial=seen.partial,
            wanted=made.wanted,
            digest=digest(seen),
            omitted=tuple(sorted(self._ledger.omitted)),
            offsets=self._ledger.offsets(),
        )

    def _prepare(self, observation: Observation) -> tuple[Normalised, dict[str, int]]:
        """The observation as it is rendered, and what was wrong with it."""
        share_names(observation.guests)
        guests, twins = self._twins.settle(observation.guests)
        if twins:
            observation = replace(observation, guests=guests)
        self._at = time.monotonic()
        observation, carried = self._carry.complete(observation, self._at)
        normalised = normalise(observation, self._target)
        self._complete = observation.remembered or not observation.partial
        arranged = replace(
            normalised.observation, guests=self._arrival.arrange(normalised.observation.guests, observation.guests)
        )
        for entity, subjects in self._subjects.items():
            subjects.update(walk(arranged, entity))
        return normalised, {DUPLICATE_GUEST: twins, CARRIED_OVER: carried}

    def _render(self, *, whole: bool, shed: Collection[str]) -> _Made:
        """Every family that is not shed: by the parent, or here and now because this group alone is too large."""
        made = _Made()
        expected = {
            renderer.family.name: renderer.expected(self._subjects[renderer.family.entity])
            for renderer in self._renderers
        }
        out = {*shed, *budget.shed(expected, self._ranks, self._limits.series_per_target)}
        for name in out & expected.keys():
            made.wanted[name] = expected[name]
            made.dropped[BUDGET] += expected[name]
        shown = [renderer for renderer in self._renderers if renderer.family.name not in out]
        readings = self._read(shown)
        for renderer in self._renderers:
            name = renderer.family.name
            if name in out:
                renderer.forget()
            else:
                subjects = self._subjects[renderer.family.entity]
                made.add(name, renderer.render(subjects, readings.pop(name), whole=whole))
        for subjects in self._subjects.values():
            subjects.release()
        return made

    def _read(self, renderers: Sequence[FamilyRenderer]) -> dict[str, Reading]:
        readings: dict[str, Reading] = {}
        for entity, subjects in self._subjects.items():
            readings |= read_all(subjects, [each for each in renderers if each.family.entity is entity])
        return readings

    def _settle(self, family: str, ids: Any, values: list[Any]) -> list[Any]:
        return self._ledger.settle(family, ids, values, complete=self._complete, at=self._at)


@dataclass(slots=True)
class _Made:
    """The families of a page while it is being made."""

    chunks: dict[str, Chunk] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)
    rejected: Tally[str] = field(default_factory=Tally)
    dropped: Tally[str] = field(default_factory=Tally)
    series: int = 0
    example: str = ""

    def add(self, family: str, rendered: Rendered) -> None:
        self.series += rendered.series
        self.wanted[family] = rendered.series
        self.rejected.update(rendered.rejected)
        self.dropped.update(rendered.dropped)
        self.example = self.example or rendered.example
        if rendered.lines:
            self.chunks[family] = _chunk(rendered)
        elif rendered.series:
            self.unchanged.append(family)


def _chunk(rendered: Rendered) -> Chunk:
    lines = rendered.lines or []
    if len(lines) > LINES_AT_ONCE:
        return compress_piecewise(lines, rendered.series)
    return compress("".join(lines).encode(), rendered.series)


@dataclass(frozen=True, slots=True)
class HostUp:
    """Name and id of the hosts of a single-host target, and whether its endpoint is up."""

    hosts: tuple[tuple[str, str], ...]
    up: bool


class _ReportPage:
    """The families of one report, rendered when they change."""

    def __init__(self, families: Iterable[Family], target: str, platform: str, labels: Labels) -> None:
        self._renderers = [FamilyRenderer(family, labels) for family in families]
        self._subjects = {
            entity: Subjects(entity, target, platform, labels)
            for entity in dict.fromkeys(renderer.family.entity for renderer in self._renderers)
        }
        self._chunks: dict[str, Chunk] = {}

    def chunks(self, found: Mapping[Entity, Sequence[tuple[tuple[object, ...], Any]]]) -> dict[str, Chunk]:
        """The chunks of everything found; a family that did not change keeps the same chunk object."""
        for entity, subjects in self._subjects.items():
            subjects.update(found.get(entity, ()))
        for renderer in self._renderers:
            family = renderer.family
            rendered: Rendered = renderer.render(self._subjects[family.entity], whole=False)
            if text := rendered.text:
                self._chunks[family.name] = compress(text, rendered.series)
            elif not rendered.series:
                self._chunks.pop(family.name, None)
        return dict(self._chunks)


class ReportPages:
    """The parent's own families: about targets, about the exporter, and whether single hosts are up."""

    def __init__(self, families: Iterable[Family], label_value_length: int = 256) -> None:
        self._labels = Labels(label_value_length)
        families = tuple(families)
        self._about_targets = tuple(f for f in families if f.group == PARENT and f.entity is Entity.TARGET)
        # Read from `HostUp`, not from a host: the parent has seen none.
        self._about_targets += tuple(_host_up(family) for family in families if family.name == HOST_UP)
        self._exporter = _ReportPage(
            (f for f in families if f.group == PARENT and f.entity is Entity.EXPORTER), "", "", self._labels
        )
        self._targets: dict[str, _ReportPage] = {}

    def target(self, name: str, platform: str, report: TargetReport, host_up: HostUp | None = None) -> dict[str, Chunk]:
        """Every chunk about a target; what did not change since the last time is the same object."""
        page = self._targets.get(name)
        if page is None:
            page = self._targets[name] = _ReportPage(self._about_targets, name, platform, self._labels)
        hosts = [(labels, host_up.up) for labels in host_up.hosts] if host_up is not None else []
        return page.chunks({Entity.TARGET: [((), report)], Entity.HOST: hosts})

    def exporter(self, report: ExporterReport) -> dict[str, Chunk]:
        """Every chunk about the exporter itself."""
        return self._exporter.chunks({Entity.EXPORTER: [((), report)]})

    def forget(self, name: str) -> None:
        """The target is gone."""
        self._targets.pop(name, None)


def _host_up(family: Family) -> Family:
    return Family(family.name, family.kind, family.help, family.entity, PARENT, family.priority, value=bool)
