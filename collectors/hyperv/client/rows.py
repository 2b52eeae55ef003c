"""What leaves the client: rows of text, and what may be asked. The seam between talking to a host and understanding it.

Numbers and times stay the text that the host sent: what they mean, and in which unit, is the mapping's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias


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
