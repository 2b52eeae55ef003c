"""Objects of the model by the thousand, from columns: a third of what as many calls of their class cost.

A frozen class's `__init__` looks every field up by name and sets it around its own guard. Here each field is set in all
objects at once by its slot's descriptor, without a step of Python for each.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from itertools import repeat
from typing import Any, NamedTuple, TypeVar, cast

Kind = TypeVar("Kind")


class _Slot(NamedTuple):
    name: str
    put: Callable[[Any, Any], None]
    default: Callable[[], Any] | None
    """None for a field that has to be given."""


def made(kind: type[Kind], count: int, **columns: Sequence[Any]) -> list[Kind]:
    """`count` objects of a class of the model; a field without a column has its default in all of them.

    Raises TypeError where a column is no field or a field has no value, ValueError where a column has another length.
    """
    slots = _slots(cast("Hashable", kind))
    if unknown := columns.keys() - {slot.name for slot in slots}:
        raise TypeError(f"{kind.__name__} has no {min(unknown)}")
    objects: list[Kind] = list(map(object.__new__, repeat(kind, count)))
    for name, put, default in slots:
        values = columns.get(name)
        if values is None:
            if default is None:
                raise TypeError(f"{kind.__name__} needs {name}")
            deque(map(put, objects, repeat(default())), maxlen=0)
        elif len(values) != count:
            raise ValueError(f"{len(values)} times {name} for {count} objects of {kind.__name__}")
        else:
            deque(map(put, objects, values), maxlen=0)
    return objects


def columns_of(rows: Sequence[tuple[Any, ...]], like: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    """Rows as columns; where there are no rows, as many empty columns as one `like` this has."""
    return list(zip(*rows, strict=True)) if rows else [()] * len(like)


@functools.cache
def _slots(kind: type[Any]) -> tuple[_Slot, ...]:
    return tuple(
        _Slot(each.name, getattr(kind, each.name).__set__, _default(each)) for each in dataclasses.fields(kind)
    )


def _default(each: dataclasses.Field[Any]) -> Callable[[], Any] | None:
    if each.default_factory is not dataclasses.MISSING:
        return each.default_factory
    return None if each.default is dataclasses.MISSING else lambda: each.default
