"""Objects of the model by the thousand, from columns: a fifth of what as many calls of their class cost.

A frozen class's `__init__` sets every field around its own guard, by a call for each. Here objects are made by a twin
of the class, with the same fields in the same slots and not frozen, and then become what they were to be.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple, TypeVar, cast

Kind = TypeVar("Kind")


class _Making(NamedTuple):
    """How objects of a class are made."""

    twin: Callable[..., Any]
    defaults: Mapping[str, Callable[[], Any] | None]
    """By field, in the order of the fields; None for a field that has to be given."""


def made(kind: type[Kind], count: int, **columns: Sequence[Any]) -> list[Kind]:
    """`count` objects of a class of the model; a field without a column has its default in all of them.

    Raises TypeError where a column is no field or a field has no value, ValueError where a column has another length.
    """
    twin, defaults = _making(cast("Hashable", kind))
    if unknown := columns.keys() - defaults.keys():
        raise TypeError(f"{kind.__name__} has no {min(unknown)}")
    values: list[Iterable[Any]] = []
    for name, default in defaults.items():
        column = columns.get(name)
        if column is None:
            if default is None:
                raise TypeError(f"{kind.__name__} needs {name}")
            values.append(repeat(default(), count))
        elif len(column) != count:
            raise ValueError(f"{len(column)} times {name} for {count} objects of {kind.__name__}")
        else:
            values.append(column)
    objects: list[Kind] = list(map(twin, *values))
    deque(map(_BECOME, objects, repeat(kind)), maxlen=0)
    return objects


_BECOME: Callable[[Any, type[Any]], None] = object.__dict__["__class__"].__set__


def columns_of(rows: Sequence[tuple[Any, ...]], like: tuple[Any, ...]) -> Sequence[Sequence[Any]]:
    """Rows as columns; where there are no rows, as many empty columns as one `like` this has."""
    return list(zip(*rows, strict=True)) if rows else [()] * len(like)


@functools.cache
def _making(kind: type[Any]) -> _Making:
    fields = dataclasses.fields(kind)
    twin = dataclasses.make_dataclass(kind.__name__, [each.name for each in fields], eq=False, repr=False, slots=True)
    return _Making(twin, {each.name: _default(each) for each in fields})


def _default(each: dataclasses.Field[Any]) -> Callable[[], Any] | None:
    if each.default_factory is not dataclasses.MISSING:
        return each.default_factory
    return None if each.default is dataclasses.MISSING else lambda: each.default
