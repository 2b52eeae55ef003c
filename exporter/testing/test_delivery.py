"""Declared support is what is delivered: no more, no less, and from the group that was declared."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.catalogue.family import PARENT
from exporter.contract import Absent, Platform
from exporter.model import Observation
from exporter.testing.reading import FACTS, shown, tells
from exporter.testing.verdict import refuse
from exporter.testing.visit import Collected, Record
from exporter.testing.world import World


def test_its_healthy_world_is_collected_without_an_error(seen: Record) -> None:
    """Every group of the reachable target brings a whole observation, in every round."""
    refuse(dict.fromkeys(sentence for collected in seen.collected() for sentence in _troubles(collected)))


def _troubles(collected: Collected) -> Iterator[str]:
    observation = collected.observation
    if collected.error is not None:
        yield f"collecting {collected.group} failed with {type(collected.error).__name__}: {collected.error}"
    elif isinstance(observation, Observation) and observation.partial:
        problems = ", ".join(f"{it.name} ({it.example})" for it in observation.problems) or "no problem is named"
        yield f"{collected.group} of the healthy world is partial: {problems}"


def test_no_value_is_refused_on_the_way_to_the_page(seen: Record) -> None:
    """Numbers are numbers and finite, counters are not negative, series are not repeated."""
    refuse(sentence for collected in seen.collected() for sentence in _refusals(collected.page, collected.group))


def _refusals(page: object, group: str) -> Iterator[str]:
    for what in ("rejected", "dropped"):
        for reason, count in getattr(page, what, {}).items():
            example = getattr(page, "problems", {}).get("value_rejected", (0, ""))[1]
            yield f"{group}: {count} samples were {what}, {reason.replace('_', ' ')}{': ' + example if example else ''}"


def test_every_declared_family_is_delivered(platform: Platform, world: World, seen: Record) -> None:
    """Native and derived families are seen in this world, unless the world says why not."""
    found = {name for collected in seen.collected() for name in shown(collected)}
    declared = {
        family.name
        for family in seen.families
        if platform.delivers(family) and (family.group != PARENT or family.name in FACTS)
    }
    refuse(
        f"{name} is declared {_word(platform, name)} but was not delivered: map it, declare it Absent, or give "
        "the reason in World.undelivered"
        for name in sorted(declared - found - set(world.undelivered))
    )


def test_what_the_world_excuses_is_really_missing(world: World, seen: Record) -> None:
    """A reason that is no longer needed hides a family from the check above."""
    found = {name for collected in seen.collected() for name in shown(collected)}
    refuse(
        f"World.undelivered excuses {name} ({world.undelivered[name]}), but it was delivered: take it out"
        for name in sorted(found & set(world.undelivered))
    )


def test_nothing_is_delivered_that_is_not_declared(platform: Platform, seen: Record) -> None:
    """What a mapping fills in is in the support matrix as native or derived."""
    refuse(sorted({sentence for it in seen.collected() for sentence in _undeclared(platform, seen, it.observation)}))


def _undeclared(platform: Platform, seen: Record, observation: Observation | None) -> Iterator[str]:
    if not isinstance(observation, Observation):
        return
    for family in seen.families:
        if platform.delivers(family) or not tells(family, observation):
            continue
        support = platform.support.get(family.name)
        if isinstance(support, Absent):
            yield f"{family.name} is declared Absent ({support.why}) but is collected: declare it Native or Derived"
        elif support is None and family.name not in FACTS:
            yield f"{family.name} is collected but not declared, so nobody sees it: add it to the support matrix"


def test_every_family_comes_from_its_group(platform: Platform, seen: Record) -> None:
    """A family that another group fills in would never reach the page."""
    refuse(sorted(set(_misplaced(platform, seen))))


def _misplaced(platform: Platform, seen: Record) -> Iterator[str]:
    for family in seen.families:
        if family.group == PARENT or not platform.delivers(family):
            continue
        groups = {
            it.group
            for it in seen.collected()
            if isinstance(it.observation, Observation) and tells(family, it.observation)
        }
        wanted = platform.group_of(family)
        if groups and wanted not in groups:
            yield (
                f"{family.name} belongs to the group {wanted} but is filled in by {', '.join(sorted(groups))} only: "
                "collect it there, or move it with groups_of"
            )


def _word(platform: Platform, name: str) -> str:
    support = platform.support.get(name)
    return type(support).__name__ if support is not None else "among its own families"
