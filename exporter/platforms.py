"""Finds the installed platforms, ours and third parties', through entry points. No platform is named here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points

from exporter.catalogue import SHARED, Family
from exporter.contract import ENTRY_POINTS, Platform, label_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broken:
    """An installed platform that cannot be loaded, with the sentence that says why."""

    name: str
    distribution: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed: platforms by name, those that cannot be loaded, and the effective catalogue."""

    platforms: Mapping[str, Platform]
    broken: tuple[Broken, ...]
    families: tuple[Family, ...]

    @property
    def labels(self) -> frozenset[str]:
        """Every label of the effective catalogue."""
        return frozenset(label for family in self.families for label in family.all_labels)


@cache
def installed() -> Installed:
    """Every platform behind an entry point. One that fails to load, or repeats a name, is reported and left out."""
    platforms: dict[str, Platform] = {}
    broken: list[Broken] = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value)):
        distribution = point.dist.name if point.dist else "?"
        try:
            platform = point.load()
        except Exception as error:  # noqa: BLE001  a broken third party must not stop the others
            broken.append(Broken(point.name, distribution, f"cannot be loaded: {type(error).__name__}: {error}"))
            continue
        sentence = _flaw(point.name, platform, platforms)
        if sentence:
            broken.append(Broken(point.name, distribution, sentence))
        else:
            platforms[point.name] = replace(platform, distribution=distribution)
    families: dict[str, Family] = {family.name: family for family in SHARED}
    for name in sorted(platforms, key=_stand_ins_last):
        # A stand-in may use the families of the platform that it stands for. Others of the same name would be read
        # with that one's eyes: they are left out.
        kept = tuple(one for one in platforms[name].families if families.setdefault(one.name, one) is one)
        platforms[name] = replace(platforms[name], families=kept)
    return Installed(platforms, tuple(broken), tuple(families.values()))


def _stand_ins_last(name: str) -> tuple[bool, str]:
    return "." in name, name


def _flaw(name: str, platform: object, taken: Mapping[str, Platform]) -> str:
    if not isinstance(platform, Platform):
        return f"the entry point does not lead to an exporter.contract.Platform but to a {type(platform).__name__}"
    if platform.name != name:
        return f"the entry point is called {name!r} but the platform {platform.name!r}"
    if name in taken:
        return f"a platform of this name is already installed by {taken[name].distribution}"
    shared = {family.name for family in SHARED}
    strays = sorted(set(platform.support) - shared - {family.name for family in platform.families})
    if strays:
        return f"its support matrix names families that do not exist: {', '.join(strays)}"
    prefix = f"hypervisor_{label_of(name)}_"
    unprefixed = sorted(family.name for family in platform.families if not family.name.startswith(prefix))
    if unprefixed:
        return f"its own families must begin with {prefix}: {', '.join(unprefixed)}"
    return ""
