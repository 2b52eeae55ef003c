"""From instances of performance counters to guests: some carry a GUID, most only a name, which may be another's too."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping.values import word

TOTAL = "_Total"
_VP = ":Hv VP "
_ADAPTER = re.compile(r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})-{1,2}\{?"
                      r"([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?(?:_\d+)?$")  # fmt: skip
_FOREIGN = str.maketrans({"(": "[", ")": "]", "#": "_", "/": "_", "\\": "_"})
"""What the performance library writes for characters that have a meaning in a counter's path."""


def instances(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Name and row of every instance, the total left out."""
    for row in rows:
        name = word(row, "Name")
        if name and name.lower() != TOTAL.lower():
            yield name, row


def counter_name(name: str) -> str:
    """A name as the performance library writes it."""
    return name.translate(_FOREIGN)


def virtual_processor(instance: str) -> tuple[str, str] | None:
    """Name of the guest and number of its processor, read from the right: names of guests may hold colons."""
    name, sign, number = instance.rpartition(_VP)
    return (name, number) if sign else None


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
            for form in {name, counter_name(name)}:
                owners[form].append(identity)
        self._owners = owners
        self.ambiguous = {identity for found in owners.values() if len(found) > 1 for identity in found}

    def guest(self, name: str) -> str | None:
        """Id of the guest with that name; None where there is none, or more than one."""
        found = self._owners.get(name, ())
        return found[0] if len(found) == 1 else None

    def knows(self, name: str) -> bool:
        """Whether some guest bears the name."""
        return name in self._owners

    def join(self, rows: Sequence[Row]) -> tuple[dict[str, Row], list[str]]:
        """Rows by guest, and instances that belong to none."""
        joined: dict[str, Row] = {}
        left: list[str] = []
        for name, row in instances(rows):
            owner = self.guest(name)
            if owner is not None:
                joined[owner] = row
            elif not self.knows(name):
                left.append(name)
        return joined, left

    def processors(self, rows: Sequence[Row]) -> tuple[dict[str, dict[str, Row]], list[str]]:
        """Rows of virtual processors by guest and number, and names that belong to none."""
        joined: dict[str, dict[str, Row]] = defaultdict(dict)
        left: dict[str, None] = {}
        for instance, row in instances(rows):
            parsed = virtual_processor(instance)
            if parsed is None:
                left[instance] = None
                continue
            owner = self.guest(parsed[0])
            if owner is not None:
                joined[owner][parsed[1]] = row
            elif not self.knows(parsed[0]):
                left[parsed[0]] = None
        return dict(joined), list(left)
