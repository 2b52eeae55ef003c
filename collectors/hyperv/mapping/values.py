"""Properties as the types they should have. What is something else is unknown, and a sentence says so."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as given
from datetime import UTC, datetime, timedelta, timezone
from itertools import repeat
from math import isfinite
from typing import Any, cast

from collectors.hyperv.client.rows import Query, Row, Value, text

Oddities = list[str]
"""What was there and made no sense, a sentence each."""

_SHOWN = 80
_DIGITS = 20
"""Of the largest uint64."""
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WHEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_DMTF = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{1,6})([+-]\d{3})")
NEVER_BEFORE = 631_152_000.0
"""1990: Windows writes 1601 where something has never happened."""


def as_is(value: float) -> float:
    """Base units already."""
    return value


def ticks(value: float) -> float:
    """100 ns to seconds. Divides: a product would not round to the nearest."""
    return value / 1e7


def milliseconds(value: float) -> float:
    """Milliseconds to seconds."""
    return value / 1e3


def kibibytes(value: float) -> float:
    """KiB to bytes."""
    return value * 1024


def mebibytes(value: float) -> float:
    """MiB, which Windows writes MB, to bytes."""
    return value * 1024**2


def pages(value: float) -> float:
    """Pages of 4 KiB to bytes."""
    return value * 4096


def percent(value: float) -> float:
    """Percent to a ratio."""
    return value / 100


def thousandths_of_percent(value: float) -> float:
    """Shares of which 100,000 are the whole, to a ratio."""
    return value / 100_000


def megahertz(value: float) -> float:
    """MHz to hertz."""
    return value * 1e6


_AT_ONCE: Mapping[Callable[[float], float], tuple[Callable[[Any, Any], Any], float]] = {
    ticks: (operator.truediv, 1e7),
    milliseconds: (operator.truediv, 1e3),
    kibibytes: (operator.mul, 1024),
    mebibytes: (operator.mul, 1024**2),
    pages: (operator.mul, 4096),
    percent: (operator.truediv, 100),
}
"""What the functions above do, for whole columns: without a call of Python for each value."""


def _converted(values: Sequence[int], convert: Callable[[float], float]) -> Sequence[float]:
    if convert is as_is:
        return values
    operation, number_ = _AT_ONCE.get(convert, (None, 0))
    return list(map(convert, values)) if operation is None else list(map(operation, values, repeat(number_)))


@dataclass(frozen=True, slots=True)
class Field:
    """A numeric property: how Windows counts it, in which unit, and what makes base units of it."""

    name: str
    kind: str
    """`gauge`, `count` (cumulative), or the type of the performance counter."""
    unit: str
    convert: Callable[[float], float] = as_is
    bits: int = 64

    def __call__(self, row: Row, odd: Oddities) -> float | None:
        """The value in base units; None where it is nil, not there, or no number."""
        sent = row.get(self.name)
        if type(sent) is str and len(sent) <= _DIGITS and sent.isdecimal():  # as nearly always
            return int(sent) if self.convert is as_is else self.convert(int(sent))
        found = self.raw(row, odd)
        return None if found is None else self.convert(found)

    def column(self, sent: Sequence[Value], odd: dict[int, str]) -> Sequence[float | None]:
        """The values of a whole column; a sentence about each that is no number goes to `odd`, by its place.

        Nearly always all are digits: these are then turned into numbers without a step of Python for each.
        """
        digits = _digits_alone(sent)
        if digits is not None:
            return digits if self.convert is as_is else _converted(digits, self.convert)
        known = [each for each in sent if each is not None]
        digits = _digits_alone(known)
        if digits is not None or not known:
            found = iter(_converted(digits or (), self.convert))
            return [None if each is None else next(found) for each in sent]
        values = [self._one(each, place, odd) for place, each in enumerate(sent)]
        return [None if value is None else self.convert(value) for value in values]

    def _one(self, sent: Value, place: int, odd: dict[int, str]) -> int | float | None:
        if sent is None:
            return None
        sentences: Oddities = []
        found = number({self.name: sent}, self.name, sentences)
        if sentences:
            odd[place] = sentences[0]
        return found

    def raw(self, row: Row, odd: Oddities) -> int | float | None:
        """The value as Windows counts it."""
        return number(row, self.name, odd)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A class that is asked for, with the columns that are read: texts by name, numbers by field.

    Each is itself alone: what a host answers is kept by table, and comparing columns takes longer than finding it.
    """

    namespace: str
    class_name: str
    columns: tuple[str | Field, ...]
    where: str = ""
    fields: tuple[Field, ...] = given(init=False)
    """The numbers among the columns."""
    query: Query = given(init=False)
    """What is asked of a host."""

    def __post_init__(self) -> None:
        names = tuple(each.name if isinstance(each, Field) else each for each in self.columns)
        object.__setattr__(self, "fields", tuple(each for each in self.columns if isinstance(each, Field)))
        object.__setattr__(self, "query", Query(self.namespace, self.class_name, names, self.where))


def _digits_alone(sent: Sequence[Value]) -> list[int] | None:
    """A column of whole numbers as `number` reads them; None where something else is among them."""
    try:
        together = "".join(cast("Sequence[str]", sent))  # nil is no text: TypeError
        if together.encode().isdigit() or together.isdecimal():  # the first is quicker, and knows ASCII's alone
            found = list(map(int, cast("Sequence[str]", sent)))  # "" is no number: ValueError
            return found if max(found) < 10**_DIGITS else None
    except (TypeError, ValueError):
        pass
    return None


def number(row: Row, name: str, odd: Oddities, *, least: float = 0) -> int | float | None:
    """A finite number of at least `least`; None where it is nil or not there."""
    sent = row.get(name)
    if type(sent) is str and len(sent) <= _DIGITS and sent.isdecimal() and least <= 0:
        return int(sent)
    found = text(row, name)
    if found is None or not found.strip():
        if sent is not None and found is None:
            odd.append(f"{name} is no single value")
        return None
    value = _finite(found)
    if value is None or value < least:
        odd.append(f"{name} is {_shortened(found)}")
        return None
    return value


def _finite(found: str) -> int | float | None:
    if "_" in found:  # which Python takes for a separator
        return None
    for kind in (int, float):
        try:
            value = kind(found)
            return value if isfinite(value) else None
        except ValueError:
            continue
        except OverflowError:  # a whole number of some hundred digits
            return None
    return None


def whole(row: Row, name: str, odd: Oddities) -> int | None:
    """A whole number of an enumeration; None where it is nil or not there."""
    found = number(row, name, odd)
    return None if found is None else int(found)


def whole_or_first(value: str | None) -> int | None:
    """A number of an array; None where it is none."""
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def flag(row: Row, name: str, odd: Oddities) -> bool | None:
    """A truth value; None where it is nil or not there."""
    found = text(row, name)
    if found is None or found == "":
        return None
    known = {"true": True, "false": False, "1": True, "0": False}.get(found.strip().lower())
    if known is None:
        odd.append(f"{name} is {_shortened(found)}")
    return known


def word(row: Row, name: str) -> str:
    """A text without the blanks around it, "" where it is nil or not there."""
    found = row.get(name)
    return found.strip() if isinstance(found, str) else ""


def guid(found: str | None) -> str:
    """The first GUID in a text, in lower case and without braces; "" where there is none."""
    match = _GUID.search(found or "")
    return match.group().lower() if match else ""


@functools.lru_cache(maxsize=16384)
def own_guid(found: str) -> str:
    """A text that is a GUID and nothing else, in lower case and as it is; "" for any other text."""
    return found.lower() if is_guid(found) else ""


def is_guid(found: str) -> bool:
    """Whether the whole text is a GUID."""
    return _GUID.fullmatch(found.strip().strip("{}")) is not None


def when(row: Row, name: str, odd: Oddities) -> float | None:
    """A time as Unix seconds; None where it is nil, not there, or says that it never was."""
    found = text(row, name)
    if found is None or not found.strip():
        return None
    seconds = instant(found)
    if seconds is None:
        odd.append(f"{name} is {_shortened(found)}")
        return None
    return seconds if seconds >= NEVER_BEFORE else None


def instant(found: str) -> float | None:
    """Unix seconds of a time as WS-Management or CIM-XML writes it; None where it is none."""
    found = found.strip()
    try:
        if match := _WHEN.fullmatch(found):
            *parts, fraction, zone = match.groups()
            at = datetime(*(int(part) for part in parts), tzinfo=_zone(zone))  # type: ignore[arg-type,misc]
            return at.timestamp() + float(f"0.{fraction or 0}")
        if match := _DMTF.fullmatch(found):
            *parts, fraction, minutes = match.groups()
            offset = timezone(timedelta(minutes=int(minutes)))
            return datetime(*map(int, parts), tzinfo=offset).timestamp() + float(f"0.{fraction}")  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):  # a 31st of February, or year 0
        return None
    return None


def _zone(text_: str | None) -> timezone:
    if not text_ or text_.upper() == "Z":
        return UTC
    sign = -1 if text_[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text_[1:3]), minutes=int(text_[-2:])))


def _shortened(found: object) -> str:
    shown = repr(found)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
