"""What leaves the client: rows of text, and what may be asked. The seam between talking to a host and understanding it.

Numbers and times stay the text that the host sent: what they mean, and in which unit, is the mapping's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, overload


class Reference(NamedTuple):
    """A reference to another instance: its class and the keys that select it."""

    class_name: str
    selectors: dict[str, str]


class Instance(NamedTuple):
    """An instance within a property, or one that was a string of CIM-XML."""

    class_name: str
    row: Row


Value: TypeAlias = "str | tuple[Value, ...] | Reference | Instance | None"
"""Text as sent ("" for an empty string), None for nil; an array of one element looks like that element: see `many`."""
Row: TypeAlias = "dict[str, Value]"
"""Property to value. A property that is not in the row was not sent: the build lacks it, or it is an array of none."""


class Alike(NamedTuple):
    """Rows with the same properties, as tuples in the order of `names`."""

    names: tuple[str, ...]
    values: Sequence[tuple[str | None, ...]]


class Rows(Sequence[Row]):
    """The rows of a query, part by part. Who reads thousands of them reads `columns`, not dicts."""

    def __init__(self, parts: Iterable[Alike | Sequence[Row]] = ()) -> None:
        self._parts = list(parts)
        self._dicts: list[Row] | None = None

    def extend(self, more: Rows) -> None:
        """Add the rows of another answer."""
        self._parts += more._parts
        self._dicts = None

    def columns(self, names: Sequence[str]) -> list[list[Value]]:
        """Properties of all rows, a list for each name; None also where a row does not have it."""
        found: list[list[Value]] = [[] for _ in names]
        for part in self._parts:
            if isinstance(part, Alike):
                known = dict(zip(part.names, zip(*part.values, strict=True), strict=True)) if part.values else {}
                nothing = (None,) * len(part.values)
                for column, name in zip(found, names, strict=True):
                    column.extend(known.get(name, nothing))
            else:
                for column, name in zip(found, names, strict=True):
                    column.extend(row.get(name) for row in part)
        return found

    def _all(self) -> list[Row]:
        if self._dicts is None:
            self._dicts = [row for part in self._parts for row in _dicts(part)]
        return self._dicts

    def __iter__(self) -> Iterator[Row]:
        return iter(self._all())

    def __len__(self) -> int:
        return sum(len(part.values) if isinstance(part, Alike) else len(part) for part in self._parts)

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Row]: ...

    def __getitem__(self, at: int | slice) -> Row | Sequence[Row]:
        return self._all()[at]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())


def _dicts(part: Alike | Sequence[Row]) -> Iterable[Row]:
    if isinstance(part, Alike):
        return (dict(zip(part.names, row, strict=True)) for row in part.values)
    return part


def columns(rows: Sequence[Row], names: Sequence[str]) -> list[list[Value]]:
    """As `Rows.columns`, of any rows."""
    return (rows if isinstance(rows, Rows) else Rows([rows])).columns(names)


def text(row: Row, name: str) -> str | None:
    """A property as text; None where it is nil, not there, or no text."""
    found = row.get(name)
    return found if isinstance(found, str) else None


def many(row: Row, name: str) -> tuple[str, ...]:
    """An array of strings or numbers, however many elements it has; () where it is nil or not there."""
    found = row.get(name)
    if type(found) is str:
        return (found,)
    return tuple(one for one in every(row, name) if isinstance(one, str))


def every(row: Row, name: str) -> tuple[Value, ...]:
    """As `many`, with elements of any kind but nil."""
    found = row.get(name)
    if isinstance(found, tuple) and not isinstance(found, Reference | Instance):
        return tuple(one for one in found if one is not None)
    return () if found is None else (found,)


class Namespace:
    """The namespaces of WMI that are asked."""

    VIRTUALIZATION = "root/virtualization/v2"
    CIMV2 = "root/cimv2"
    CLUSTER = "root/MSCluster"


@dataclass(frozen=True, slots=True)
class Query:
    """Some columns of a class. Those that the build of a host lacks are left out: see `Connection.missing`."""

    namespace: str
    class_name: str
    columns: tuple[str, ...]
    where: str = ""
    """Condition in WQL, without the word WHERE: `DriveType = 3`. Values of others' making go through `quoted`."""


def quoted(value: str) -> str:
    """A string as a literal of WQL, with its quotes."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
