"""Classes, their properties by build, and values that move with the clock."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tests.backends.winrm.clock import Clock

BUILDS = (2016, 2019, 2022, 2025)
VIRTUALIZATION, CIMV2, CLUSTER = "root/virtualization/v2", "root/cimv2", "root/MSCluster"


@dataclass(frozen=True)
class Property:
    """One property of a class: its name, its type as in schema.txt and whether it is an array."""

    name: str
    type: str
    array: bool = False

    def wrapped(self, value: int) -> int:
        """The value as the width of an unsigned type leaves it."""
        return value % (1 << int(self.type[1:])) if re.fullmatch(r"u\d+", self.type) else value


@dataclass(frozen=True)
class CimClass:
    """A class as one build has it; properties by name in lower case, in the order that answers have."""

    namespace: str
    name: str
    properties: dict[str, Property]


@dataclass(frozen=True)
class Counter:
    """A value that grows with the estate's clock: `start` plus `per_second` each second, wrapped to its type."""

    start: int = 0
    per_second: float = 0.0


@dataclass(frozen=True)
class Ago:
    """A date some seconds before the estate was made, by its hosts' own clock: its age grows as the clock moves."""

    seconds: float


@dataclass(frozen=True)
class Reference:
    """A reference to another instance."""

    namespace: str
    class_name: str
    selectors: dict[str, str]


@dataclass(frozen=True)
class Embedded:
    """An instance within a property."""

    namespace: str
    class_name: str
    row: dict[str, Any]


def value_at(value: Any, kind: Property, clock: Clock) -> Any:
    """The value at the clock's time, without Counter, Ago and callables."""
    if callable(value):
        value = value()
    if isinstance(value, Counter):
        value = value.start + int(value.per_second * clock.elapsed)
    if isinstance(value, Ago):
        value = clock.start + timedelta(seconds=clock.skew_seconds - value.seconds)
    if isinstance(value, int) and not isinstance(value, bool):
        return kind.wrapped(value)
    return value


def guessed(name: str, values: list[Any]) -> Property:
    """A property that the schema lacks, by the values that rows have."""
    for value in values:
        if isinstance(value, list | tuple):
            return Property(name, "s", array=True)
        if isinstance(value, datetime | Ago):
            return Property(name, "d")
        if isinstance(value, Reference | Embedded):
            return Property(name, "ref" if isinstance(value, Reference) else "obj")
    return Property(name, "s")


@cache
def schema(build: int) -> dict[str, CimClass]:
    """Every class that a build has, by its name in lower case."""
    classes: dict[str, CimClass] = {}
    text = Path(__file__).with_name("schema.txt").read_text()
    for block in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        head, _, words = block.partition("]")
        namespace, name = head.split()
        properties = {}
        for word in words.split():
            given, _, builds = word.partition("@")
            if not _in_build(builds, build):
                continue
            called, _, kind = given.partition(":")
            properties[called.lower()] = Property(called, kind.removesuffix("[]"), kind.endswith("[]"))
        classes[name.lower()] = CimClass(namespace, name, properties)
    return classes


def _in_build(builds: str, build: int) -> bool:
    if builds.startswith("-"):
        return build <= int(builds[1:])
    return not builds or build >= int(builds)
