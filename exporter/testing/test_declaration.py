"""The declaration by itself: it loads, brings a world, and its families, groups, options and addresses are in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from exporter.catalogue.family import PARENT, Family, Kind
from exporter.contract import Absent, Derived, Native, Platform
from exporter.platforms import installed
from exporter.testing.verdict import refuse
from exporter.testing.world import ENTRY_POINTS, Unavailable, World

_RESERVED = ("_count", "_sum", "_bucket", "_created")
_NO_WORLD = """\
the platform {name} brings no world, so nothing of it was tried. Add to its distribution the entry point
    [project.entry-points."{group}"]
    {name} = "your_package.testing:world"
where world() is a context manager that yields an exporter.testing.World (docs/contract.md shows one), or choose a world
with --world {name}=MODULE:FACTORY"""
_HOSTILE = ("", " ", "://", "a b", "\x00", "\udcff", "http://[", "x" * 10_000)


def test_it_can_be_loaded(platform_name: str) -> None:
    """Its entry point leads to a `Platform` without flaws."""
    refuse(f"{it.name} ({it.distribution}): {it.sentence}" for it in installed().broken if it.name == platform_name)


def test_it_brings_a_world(platform: Platform, entered: World | Exception | None) -> None:
    """Without a world nothing of it could be tried."""
    if entered is None:
        refuse([_NO_WORLD.format(name=platform.name, group=ENTRY_POINTS)])
    if isinstance(entered, Unavailable):
        pytest.skip(f"its world cannot be had here: {entered}")
    if isinstance(entered, Exception):
        raise entered
    if not isinstance(entered, World):
        refuse([f"the world's factory yields a {type(entered).__name__}; an exporter.testing.World is wanted"])


def test_every_family_belongs_to_one_of_its_groups(platform: Platform) -> None:
    """Each family has exactly one group, and the platform collects it."""
    refuse(_group_mistakes(platform))


def _group_mistakes(platform: Platform) -> Iterator[str]:
    groups = (*platform.groups, *platform.opt_in_groups)
    yield from (
        f"the group {group!r} is declared twice" for group in sorted({g for g in groups if groups.count(g) > 1})
    )
    catalogue = {family.name: family for family in installed().families}
    for name, group in platform.groups_of.items():
        if name not in catalogue:
            yield f"groups_of moves {name}, which is no family"
        if group not in groups:
            yield f"groups_of moves {name} to the group {group!r}, which is in neither groups nor opt_in_groups"
    for family in catalogue.values():
        if family.group != PARENT and platform.delivers(family) and platform.group_of(family) not in groups:
            yield (
                f"{family.name} is declared, but its group {platform.group_of(family)!r} is not "
                "collected: add the group, move the family with groups_of, or declare it Absent"
            )


def test_its_own_families_follow_the_rules(platform: Platform) -> None:
    """Names, units and help texts of its own families are those of the shared schema."""
    refuse(sentence for family in platform.families for sentence in _family_mistakes(family))


def _family_mistakes(family: Family) -> Iterator[str]:
    if (family.kind is Kind.COUNTER) != family.name.endswith("_total"):
        yield f"{family.name}: counters, and only they, end in _total"
    if (family.kind is Kind.INFO) != family.name.endswith("_info"):
        yield f"{family.name}: infos, and only they, end in _info"
    if family.name.endswith(_RESERVED):
        yield f"{family.name}: names that end in {', '.join(_RESERVED)} are reserved by the formats"
    if not family.help.strip():
        yield f"{family.name} has no help text"
    if (family.value is None) == (family.each is None):
        yield f"{family.name}: exactly one of value and each must be set"


def test_every_support_says_its_source_or_reason(platform: Platform) -> None:
    """The support matrix is documentation: empty words help nobody."""
    for name, support in platform.support.items():
        words = {Native: "source", Derived: "how", Absent: "why"}[type(support)]
        if not getattr(support, words).strip():
            refuse([f"{name} is {type(support).__name__} with an empty {words!r}"])


def test_its_options_are_strict(platform: Platform, world: World) -> None:
    """A misspelt option is refused, never ignored."""
    given = dict(world.target.options)
    try:
        platform.options.model_validate(given)
    except ValidationError as error:
        refuse([f"the world's own options {given} are refused: {error}"])
    remedy = "derive the options from exporter.contract.Options"
    with contextlib.suppress(ValidationError):
        platform.options.model_validate({**given, "no_such_option": 1})
        refuse([f"the option no_such_option is accepted, so a misspelt one would be ignored: {remedy}"])
    if platform.options.model_config.get("strict") is not True:
        refuse([f"the options convert types by themselves ('no' would become True or False): {remedy}"])


def test_addresses_are_judged_without_a_stumble(platform: Platform, world: World) -> None:
    """The world's addresses are good, and nonsense gives a sentence or None, never an exception."""
    sentences = [
        f"check_address refuses the world's address {target.address!r}: {mistake}"
        for target in (world.target, world.unreachable)
        if (mistake := platform.check_address(target.address))
    ]
    for address in _HOSTILE:
        try:
            answer = platform.check_address(address)
        except Exception as error:  # noqa: BLE001  that is what is looked for
            sentences.append(f"check_address({address[:20]!r}) raises {type(error).__name__}: {error}")
        else:
            if answer is not None and not (isinstance(answer, str) and answer.strip()):
                sentences.append(f"check_address({address[:20]!r}) returns {answer!r}: a sentence or None is wanted")
    refuse(sentences)
