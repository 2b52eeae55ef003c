"""From instances of performance counters to guests: some carry a GUID, most only a name, which may be another's too."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, TypeAlias, TypeVar, cast

from collectors.hyperv.client.rows import Row, Value, columns
from collectors.hyperv.mapping.values import Oddities, Table, word

_TOTAL = "_total"
_VP = ":Hv VP "
_ADAPTER = re.compile(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})-{1,2}\{?"
                      r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?(?:_\d+)?$")  # fmt: skip
_FOREIGN = str.maketrans({"(": "[", ")": "]", "#": "_", "/": "_", "\\": "_"})
"""What the performance library writes for characters that have a meaning in a counter's path."""

Numbers: TypeAlias = tuple[Any, ...]
"""Of one instance: a number or None for every field of its table, what texts were asked for, and last a sentence about
what of it made no sense, "" nearly always."""
OfOne = TypeVar("OfOne")


def instances(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Name and row of every instance, the total left out."""
    for row in rows:
        name = word(row, "Name")
        if is_instance(name):
            yield name, row


def is_instance(name: str) -> bool:
    """Whether this names something, and not the total of all."""
    return bool(name) and name.lower() != _TOTAL


def counted(rows: Sequence[Row], table: Table, strange: Oddities, *texts: str) -> list[tuple[str, Numbers]]:
    """Name and numbers of every instance, the total left out, as `instances`; every sentence goes to `strange` too."""
    fields = table.fields
    names, *sent = columns(rows, ("Name", *(field.name for field in fields), *texts))
    odd: dict[int, str] = {}
    numbers = [field.column(column, odd) for field, column in zip(fields, sent, strict=False)]
    strange += odd.values()
    sentences = map(odd.get, range(len(names)), repeat("")) if odd else repeat("")
    clean = stripped(names)
    found = zip(clean, zip(*numbers, *sent[len(fields) :], sentences, strict=False), strict=False)
    # Looked for in all at once, as there is at most one.
    if "" in clean or _TOTAL in "\n".join(clean).lower():
        return [each for each in found if is_instance(each[0])]
    return list(found)


def stripped(column: Sequence[Value]) -> list[str]:
    """As `word`, of a whole column."""
    try:
        return list(map(str.strip, cast("Sequence[str]", column)))
    except TypeError:  # nil among them
        return [each.strip() if isinstance(each, str) else "" for each in column]


@functools.lru_cache(maxsize=16384)
def counter_name(name: str) -> str:
    """A name as the performance library writes it."""
    return name.translate(_FOREIGN)


@functools.lru_cache(maxsize=16384)
def virtual_processor(instance: str) -> tuple[str, str] | None:
    """Name of the guest and number of its processor, read from the right: names of guests may hold colons."""
    name, sign, number = instance.rpartition(_VP)
    return (name, number) if sign else None


@functools.lru_cache(maxsize=16384)
def adapter(instance: str) -> tuple[str, str] | None:
    """GUIDs of the guest and of its adapter; None for an adapter of the host itself."""
    match = _ADAPTER.search(instance)
    return (match.group(1).lower(), match.group(2).lower()) if match else None


@functools.lru_cache(maxsize=16384)
def disk_path(path: str) -> str:
    """A path as an instance of a virtual storage device: separators are dashes, and case does not matter."""
    return path.strip().replace("\\", "-").replace("/", "-").lower().lstrip("-").removeprefix("?-")


class Names:
    """Names of the guests that have a partition on one host, and which of them are borne by more than one."""

    def __init__(self, guests: Iterable[tuple[str, str]]) -> None:
        """`guests` are ids and names of those that hold memory: nothing else has counters."""
        owners: dict[str, list[str]] = defaultdict(list)
        for identity, name in guests:
            owners[name].append(identity)
            form = counter_name(name)
            if form != name:
                owners[form].append(identity)
        self._owners = owners
        self._alone = {name: found[0] for name, found in owners.items() if len(found) == 1}
        self.ambiguous = {identity for found in owners.values() if len(found) > 1 for identity in found}

    def guest(self, name: str) -> str | None:
        """Id of the guest with that name; None where there is none, or more than one."""
        return self._alone.get(name)

    def knows(self, name: str) -> bool:
        """Whether some guest bears the name."""
        return name in self._owners

    def join(self, named: Iterable[tuple[str, OfOne]]) -> tuple[dict[str, OfOne], list[str]]:
        """What has a guest's name by guest, and instances that belong to none."""
        joined: dict[str, OfOne] = {}
        left: list[str] = []
        for name, each in named:
            owner = self._alone.get(name)
            if owner is not None:
                joined[owner] = each
            elif not self.knows(name):
                left.append(name)
        return joined, left

    def processors(self, named: Iterable[tuple[str, OfOne]]) -> tuple[dict[str, dict[str, OfOne]], list[str]]:
        """Virtual processors by guest and number, and names that belong to none."""
        joined: dict[str, dict[str, OfOne]] = defaultdict(dict)
        left: dict[str, None] = {}
        for instance, each in named:
            parsed = virtual_processor(instance)
            if parsed is None:
                left[instance] = None
                continue
            owner = self._alone.get(parsed[0])
            if owner is not None:
                joined[owner][parsed[1]] = each
            elif not self.knows(parsed[0]):
                left[parsed[0]] = None
        return dict(joined), list(left)
