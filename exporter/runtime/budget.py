"""How many series a target may show, and which families go first when there are more. Pure.

Whole families are shed, the least important first: parts before guests before hosts, and of equals the one that the
catalogue names last, as it begins with what a thing is and whether it runs. So the same flood always loses the same
families.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from exporter.catalogue.family import Family
from exporter.config.model import Limits


def ranks(families: Iterable[Family]) -> dict[str, int]:
    """The place of every family in the order of importance, from the families in the order of the catalogue."""
    ordered = sorted(families, key=lambda family: family.priority)
    return {family.name: rank for rank, family in enumerate(ordered)}


def shed(wanted: Mapping[str, int], ranks: Mapping[str, int], limit: int) -> frozenset[str]:
    """The families to leave out so that the rest of the series is within the limit; empty where all fit."""
    total = sum(wanted.values())
    out = set()
    for name in sorted(wanted, key=lambda name: ranks[name], reverse=True):
        if total <= limit:
            break
        if wanted[name]:
            out.add(name)
            total -= wanted[name]
    return frozenset(out)


def allowances(wanted: Mapping[str, int], total: int) -> dict[str, int]:
    """What each target may show when all together may show `total`: the largest are cut to one level, ties included.

    Targets below the level keep all of theirs. Where everything fits, nobody is cut.
    """
    left, room = sorted(wanted.items(), key=lambda item: (item[1], item[0])), total
    allowed: dict[str, int] = {}
    while left:
        level = room // len(left)
        name, series = left[0]
        if series > level:
            return allowed | {name: level for name, _ in left}
        allowed[name] = series
        room -= series
        left.pop(0)
    return allowed


class SeriesBudget:
    """What every target wants to show, and what it has to leave out so that the limits hold. One thread uses it.

    A change looks at its own target alone, unless all targets together are over the limit.
    """

    def __init__(self, ranks: Mapping[str, int], limits: Limits) -> None:
        self._ranks = ranks
        self._wanted: dict[str, dict[str, Mapping[str, int]]] = {}
        self._capped: dict[str, int] = {}
        """Series that every target wants, as far as the limit of one target lets it."""
        self._total = 0
        self._shed: dict[str, frozenset[str]] = {}
        self._changed: set[str] = set()
        self._limits = limits

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        if limits != self._limits:
            self._limits = limits
            for target in self._wanted:
                self._sum_up(target)
            self._settle_all()

    def note(self, target: str, group: str, wanted: Mapping[str, int]) -> None:
        """A page told what its group would show."""
        groups = self._wanted.setdefault(target, {})
        if groups.get(group) != wanted:
            groups[group] = wanted
            before = self._total
            self._sum_up(target)
            if max(before, self._total) > self._limits.series_total:
                self._settle_all()
            else:
                self._settle(target, self._capped[target])

    def forget(self, target: str) -> None:
        """The target is gone."""
        if self._wanted.pop(target, None) is not None:
            before = self._total
            self._total -= self._capped.pop(target)
            self._shed.pop(target, None)
            self._changed.discard(target)
            if before > self._limits.series_total:
                self._settle_all()

    def shed(self, target: str) -> frozenset[str]:
        """Families that the target may not show now."""
        return self._shed.get(target, frozenset())

    def take_changed(self) -> set[str]:
        """Targets that may show other families than when this was asked the last time."""
        changed, self._changed = self._changed, set()
        return changed

    def _sum_up(self, target: str) -> None:
        series = sum(sum(wanted.values()) for wanted in self._wanted[target].values())
        capped = min(self._limits.series_per_target, series)
        self._total += capped - self._capped.get(target, 0)
        self._capped[target] = capped

    def _settle_all(self) -> None:
        for target, allowed in allowances(self._capped, self._limits.series_total).items():
            self._settle(target, allowed)

    def _settle(self, target: str, allowed: int) -> None:
        everything = {name: series for wanted in self._wanted[target].values() for name, series in wanted.items()}
        out = shed(everything, self._ranks, allowed) if sum(everything.values()) > allowed else frozenset()
        if out != self.shed(target):
            self._changed.add(target)
        if out:
            self._shed[target] = out
        else:
            self._shed.pop(target, None)
