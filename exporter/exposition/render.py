"""A family over its subjects as lines of text, or the news that nothing changed since the last time.

The one place where samples become bytes. A value or label that cannot be shown costs its sample and is counted.
"""

from __future__ import annotations

import logging
from collections import Counter as Tally
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from math import isfinite
from typing import Any

from exporter.catalogue.family import Family, Kind
from exporter.exposition.subjects import DUPLICATE, Subjects
from exporter.exposition.text import LABEL_NAME, Labels, number, refusal

AT_A_TIME = 64
"""Things that all families read before they read the next: a few dozen kilobytes."""
BUG = "bug"
LABEL = "label"

Settle = Callable[[str, Sequence[Hashable], list[Any]], list[Any]]
"""Turns the counters of a family (by name, for these ids) into numbers, or None where there is none this time."""

_NUMBERS = frozenset((int, float))
_BOOL = frozenset((bool,))
_INT = frozenset((int,))
_NOTHING = frozenset((type(None),))
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Rendered:
    """What became of a family. `lines` is None where it is as it was the last time; the rest is told every time."""

    lines: list[str] | None
    series: int
    rejected: Tally[str] = field(default_factory=Tally)
    dropped: Tally[str] = field(default_factory=Tally)
    example: str = ""

    @property
    def text(self) -> bytes | None:
        """All lines, None where nothing changed."""
        return None if self.lines is None else "".join(self.lines).encode()


@dataclass(slots=True)
class Reading:
    """What a family has read from its subjects so far: values, or rows with labels of the family's own."""

    read: list[Any] = field(default_factory=list)
    rejected: Tally[str] = field(default_factory=Tally)


class FamilyRenderer:
    """Renders one family of one target, and remembers what it rendered last."""

    def __init__(self, family: Family, labels: Labels, settle: Settle | None = None) -> None:
        self.family = family
        self._labels = labels
        self._settle = settle if family.kind is Kind.COUNTER else None
        self._value = family.value or _rows_of(family)
        self._missing: Any = None if family.value else ()
        self._own = frozenset(family.all_labels)
        self._texts: Sequence[str] | None = None
        self._values: list[Any] = []
        self._rows: list[Any] = []
        self._own_texts: dict[Hashable, str | None] = {}
        # Rows of counters keep their labels while values move; of an info or a state it is the labels that change.
        self._repeats = family.kind is Kind.COUNTER and family.each is not None
        self._wide_of: Sequence[str] | None = None
        self._shape: list[list[Any]] = []
        self._wide: list[str] = []
        self._last = Rendered(None, 0)
        self._logged = False

    def expected(self, subjects: Subjects) -> int:
        """How many series the family will have, judged by the last time, else by its cost; reads nothing."""
        count = len(subjects.texts)
        if self._texts:
            return round(self._last.series / len(self._texts) * count)
        return round(count * max(1.0, self.family.cost))

    def forget(self) -> None:
        """The family was not shown: the next time it is rendered anew, and no counter is continued across the gap."""
        self._texts = None

    def read(self, things: Sequence[Any], reading: Reading) -> None:
        """Read these things, the next ones of the subjects. Raises nothing."""
        value = self._value
        try:
            reading.read += [value(thing) for thing in things]
        except Exception:  # noqa: BLE001 - which one it was is found out below, one by one
            reading.read += [self._read_one(thing, reading.rejected) for thing in things]

    def _read_one(self, thing: Any, rejected: Tally[str]) -> Any:
        try:
            return self._value(thing)
        except Exception:  # noqa: BLE001 - a mistake in a platform's mapping costs this sample, whatever it is
            rejected[BUG] += 1
            self._log_bug()
            return self._missing

    def render(self, subjects: Subjects, reading: Reading | None = None, *, whole: bool) -> Rendered:
        """The family's lines for these subjects, of all of which it has read; with `whole` also where nothing changed.

        Without a reading it reads now. Raises nothing.
        """
        if reading is None:
            reading = Reading()
            self.read(subjects.things, reading)
        try:
            return self._render(subjects, reading, whole=whole)
        except Exception:  # noqa: BLE001 - rows that are no rows cost this family, never the page
            self._log_bug()
            self._texts = None
            return Rendered([], 0, Tally({BUG: 1}))

    def _render(self, subjects: Subjects, reading: Reading, *, whole: bool) -> Rendered:
        now = Rendered(None, 0, reading.rejected)
        texts: Sequence[str] = subjects.texts
        rows: list[Any] = []
        values = reading.read
        if self.family.value is None:
            rows, values = values, [value for many in values for _, value in many]
        if self._settle is not None:
            values = self._settle(self.family.name, _counted(subjects, rows), values)
        if not whole and texts is self._texts and values == self._values and rows == self._rows:
            return Rendered(None, self._last.series, self._last.rejected, self._last.dropped, self._last.example)
        self._texts, self._values, self._rows = texts, values, rows
        if rows:
            texts, values = self._expand(texts, rows, values, now)
        lines = self._lines(texts, values, now)
        self._refuse(subjects, now)
        now.lines, now.series = lines, len(lines)
        self._last = Rendered(None, now.series, now.rejected, now.dropped, now.example)
        return now

    def _log_bug(self) -> None:
        if not self._logged:
            self._logged = True
            _log.exception("%s cannot be read; its samples are left out", self.family.name)

    def _expand(
        self, texts: Sequence[str], rows: list[Any], values: list[Any], now: Rendered
    ) -> tuple[list[str], list[Any]]:
        """One text per row instead of one per subject; rows with impossible or repeated labels are left out."""
        shape = [[own for own, _ in many] for many in rows] if self._repeats else None
        if shape is not None and texts is self._wide_of and shape == self._shape:
            return self._wide, values
        wide: list[str] = []
        known: dict[Hashable, str | None] = {}
        kept: list[Any] = []
        settled = iter(values)
        for text, many in zip(texts, rows, strict=True):
            seen: set[str] = set()
            for own, _ in many:
                value = next(settled)
                key = _key(own)
                words = known[key] if key in known else self._own_texts.get(key) or self._own_text(own)
                known[key] = words
                if words is None:
                    now.rejected[LABEL] += 1
                elif words in seen:
                    now.dropped[DUPLICATE] += 1
                else:
                    seen.add(words)
                    wide.append(f"{text},{words}" if text and words else text or words)
                    kept.append(value)
        self._own_texts = known
        if shape is not None and len(kept) == len(values):
            self._wide_of, self._shape, self._wide = texts, shape, wide
        return wide, kept

    def _own_text(self, own: Any) -> str | None:
        pair = self._labels.pair
        declared = self.family.labels
        if isinstance(own, Mapping):
            extra = sorted(name for name in own if name not in declared)
            if any(name in self._own or not LABEL_NAME.fullmatch(name) for name in extra):
                return None
            pairs = [pair(name, own[name]) for name in (*declared, *extra) if name in own]
        elif len(own) == len(declared):
            pairs = list(map(pair, declared, own))
        else:
            return None
        return ",".join(pairs)

    def _lines(self, texts: Sequence[str], values: list[Any], now: Rendered) -> list[str]:
        kinds = set(map(type, values))
        if kinds <= _NOTHING:
            return []
        if type(None) in kinds:
            texts = list(compress(texts, [value is not None for value in values]))
            values = [value for value in values if value is not None]
            kinds.discard(type(None))
        name = self.family.name
        if texts and texts[0] and (words := self._words(values, kinds)) is not None:
            return [f"{name}{{{text}}} {word}\n" for text, word in zip(texts, words, strict=True)]
        lines = []
        for text, value in zip(texts, values, strict=True):
            reason = refusal(value, counter=self.family.kind is Kind.COUNTER)
            if reason is None:
                lines.append(f"{name}{{{text}}} {number(value)}\n" if text else f"{name} {number(value)}\n")
            else:
                now.rejected[reason] += 1
                now.example = now.example or f"{name}{{{text}}}: {_shown(value)} is {reason.replace('_', ' ')}"
        return lines

    def _words(self, values: list[Any], kinds: set[type]) -> list[str] | None:
        """Nine families in ten: nothing to refuse, and Python's own text of a number is the shortest. Else None."""
        if kinds == _BOOL:
            return ["1" if value else "0" for value in values]
        try:
            if not (kinds <= _NUMBERS and all(map(isfinite, values))):
                return None
        except OverflowError:
            return None
        if self.family.kind is Kind.COUNTER and min(values, default=0) < 0:
            return None
        if kinds == _INT:
            return list(map(repr, values))
        return [word.removesuffix(".0") for word in map(repr, values)]

    def _refuse(self, subjects: Subjects, now: Rendered) -> None:
        for reason, thing in subjects.refused:
            told = self._read_one(thing, now.rejected)
            count = len(told) if self.family.value is None else int(told is not None)
            if count:
                now.dropped[reason] += count


def read_all(subjects: Subjects, renderers: Iterable[FamilyRenderer]) -> dict[str, Reading]:
    """What these families read from all the subjects, by name of the family.

    A few things at a time by all families, not all things by one family after the other: a thing that is looked at is
    still in the processor's cache when the next family looks at it.
    """
    readings = [(renderer, Reading()) for renderer in renderers]
    for begin in range(0, len(subjects.things), AT_A_TIME):
        things = subjects.things[begin : begin + AT_A_TIME]
        for renderer, reading in readings:
            renderer.read(things, reading)
    return {renderer.family.name: reading for renderer, reading in readings}


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:80])
    return str(value) if isinstance(value, float) else f"a {type(value).__name__}"


def _rows_of(family: Family) -> Callable[[Any], list[Any]]:
    each = family.each

    def rows(thing: Any) -> list[Any]:
        found = each(thing) if each is not None else ()
        return [(own, value) for own, value in found] if found else []

    return rows


def _counted(subjects: Subjects, rows: list[Any]) -> Sequence[Hashable]:
    """What identifies each counter: the thing, and the family's own labels where it has some."""
    if not rows:
        return subjects.ids
    return [(entity, _key(own)) for entity, many in zip(subjects.ids, rows, strict=True) for own, _ in many]


def _key(own: Any) -> Hashable:
    if type(own) is tuple:
        return own
    return tuple(own.items()) if isinstance(own, Mapping) else tuple(own)
