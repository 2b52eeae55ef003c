"""Realtime samples of many objects in one call, as CSV."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client import plain
from collectors.vsphere.client.decode import Ref, seconds
from collectors.vsphere.client.xml import VIM, read
from exporter.errors import Malformed

REALTIME_SECONDS = 20
_ID, _VALUE, _COUNTER, _INSTANCE = (f"{VIM}{name}" for name in ("id", "value", "counterId", "instance"))
_LONGEST = 9
"""Digits of a counter's number."""


class Metric(NamedTuple):
    """A counter's id at this endpoint and an instance: "" for the object as a whole, "*" for each."""

    counter: int
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one object: samples that ended after `since` (Unix seconds), or the last ones."""

    entity: Ref
    metrics: Sequence[Metric]
    since: float | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Ends of the sampled intervals in Unix seconds, ascending; the same object for objects that were sampled alike."""

    timestamps: tuple[float, ...] = ()
    interval_seconds: float = REALTIME_SECONDS
    order: tuple[int, ...] | None = None
    """The order that sorts the values of the answer; None if they are sorted."""
    made: dict[str, Any] = field(default_factory=dict)
    """Room for what a mapping makes of values in this window, so that equal things are made once."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Which metrics an object has values of; the same object for objects that have the same."""

    metrics: tuple[Metric, ...] = ()
    made: dict[tuple[str, int], Any] = field(default_factory=dict)
    """Room for what a mapping finds out about these metrics."""


_NO_WINDOW, _NO_COLUMNS = Window(), Columns()


@dataclass(slots=True)
class Sampled:
    """The samples of one object: for each metric of its columns a text of as many values as there are timestamps.

    `numbers` takes a text apart where its values are needed; equal ones, of what stands still, only once. The texts of
    thousands of objects wait for each other: `held` as one, with blanks between them, they need a tenth of the room.
    """

    entity: Ref
    window: Window = _NO_WINDOW
    columns: Columns = _NO_COLUMNS
    held: Sequence[str] | str = ()

    @property
    def texts(self) -> Sequence[str]:
        """A text for each metric."""
        return self.held.split(" ") if isinstance(self.held, str) else self.held

    @property
    def timestamps(self) -> tuple[float, ...]:
        """Ends of the intervals in Unix seconds, ascending."""
        return self.window.timestamps

    @property
    def interval_seconds(self) -> float:
        """The length of one sample."""
        return self.window.interval_seconds

    @property
    def values(self) -> dict[Metric, tuple[int | None, ...]]:
        """The values by metric."""
        return dict(zip(self.columns.metrics, map(numbers, self.texts), strict=True))


def query(manager: str, wanted: Iterable[Wanted]) -> str:
    """The body of QueryPerf."""
    known: dict[tuple[int, float | None, int | None], str] = {}
    specifications = []
    for each in wanted:
        alike = (id(each.metrics), each.since, each.most)  # by identity: hundreds of objects share one long list
        how = known.get(alike)
        if how is None:
            how = known[alike] = _how(each)
        kind, identity = each.entity
        specifications.append(f'<querySpec><entity type="{kind}">{escape(identity)}</entity>{how}</querySpec>')
    return (
        f'<QueryPerf xmlns="urn:vim25"><_this type="PerformanceManager">{escape(manager)}</_this>'
        f"{''.join(specifications)}</QueryPerf>"
    )


def _how(wanted: Wanted) -> str:
    """What is asked of an object, whichever it is."""
    since = "" if wanted.since is None else f"<startTime>{_stamp(wanted.since)}</startTime>"
    most = "" if wanted.most is None else f"<maxSample>{wanted.most}</maxSample>"
    metrics = "".join(
        f"<metricId><counterId>{each.counter}</counterId><instance>{escape(each.instance)}</instance></metricId>"
        for each in wanted.metrics
    )
    return f"{since}{most}{metrics}<intervalId>{REALTIME_SECONDS}</intervalId><format>csv</format>"


def _stamp(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(body: bytes) -> list[Sampled]:
    """What was sampled, out of the envelope of an answer. Raises `Malformed`.

    Samples in another order than ascending are sorted. A series of another length than its timestamps, or of a counter
    without a number, is dropped; an object whose timestamps make no sense has none.

    Nearly every answer is one regular text, taken apart as such in a seventh of the time that reading it as XML takes.
    Objects that are told in other words are read as XML, the whole answer where it cannot even be cut into objects.
    """
    answer = plain.cut(body)
    if answer is None:
        return read_xml(body)
    found = [_plain(each) for each in answer.objects]
    odd = [number for number, each in enumerate(found) if each is None]
    if odd:
        try:
            others = read_xml(answer.document([answer.objects[number] for number in odd]))
        except Malformed:
            others = []
        if len(others) != len(odd):  # it was no text that could be cut there
            return read_xml(body)
        for number, each in zip(odd, others, strict=True):
            found[number] = each
    return [each for each in found if each is not None]


def _plain(text: str) -> Sampled | None:
    """One object out of its text; None where that has to be read as XML."""
    told = plain.told(text)
    if told is None:
        return None
    try:
        window = _window(told.times)
    except ValueError:
        return None
    if window.order is not None or not _fit(told.texts, len(window.timestamps)):
        return None
    return Sampled(Ref(told.kind, told.id), window, _columns_of(told.words), " ".join(told.texts))


def _fit(texts: tuple[str, ...], count: int) -> bool:
    """Whether each of these has as many values."""
    if count == 1:
        return "," not in "".join(texts)
    return {text.count(",") for text in texts} == {count - 1}


def read_xml(body: bytes) -> list[Sampled]:
    """As `parse`, whatever XML it is."""
    return [_entity(each) for each in read(body, "QueryPerf").iter(f"{VIM}returnval")]


def _entity(element: Element) -> Sampled:
    head = element.find(f"{VIM}entity")
    entity = Ref("", "") if head is None else Ref(head.get("type", ""), head.text or "")
    try:
        window = _window(element.findtext(f"{VIM}sampleInfoCSV") or "")
    except ValueError:
        return Sampled(entity)
    series = dict(found for each in element if each.tag == _VALUE and (found := _series(each, window)))
    return Sampled(entity, window, _columns(tuple(series)), tuple(series.values()))


def _series(element: Element, window: Window) -> tuple[Metric, str] | None:
    identity, held = element.find(_ID), element.find(_VALUE)
    if identity is None or held is None or not held.text:
        return None
    counter, instance = identity.findtext(_COUNTER) or "", identity.findtext(_INSTANCE) or ""
    texts = held.text.split(",")
    if not counter.isdecimal() or len(counter) > _LONGEST or len(texts) != len(window.timestamps):
        return None
    text = held.text if window.order is None else ",".join([texts[index] for index in window.order])
    return Metric(int(counter), instance), text


@functools.lru_cache(maxsize=64)
def _window(text: str) -> Window:
    """When was sampled, out of lengths of samples in seconds and their ends, by turns. Raises `ValueError`."""
    fields = text.split(",") if text else []
    stamps = [seconds(each) for each in fields[1::2]]
    interval = float(fields[0]) if fields else float(REALTIME_SECONDS)
    if not 0 < interval < float("inf"):
        raise ValueError(text)
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    if order == list(range(len(stamps))):
        return Window(tuple(stamps), interval)
    return Window(tuple(stamps[index] for index in order), interval, tuple(order))


@functools.lru_cache(maxsize=1024)
def _columns_of(words: tuple[str, ...]) -> Columns:
    return _columns(tuple(Metric(*plain.metric(each)) for each in words))


@functools.lru_cache(maxsize=1024)
def _columns(metrics: tuple[Metric, ...]) -> Columns:
    return Columns(metrics)


def numbers(text: str) -> tuple[int | None, ...]:
    """The values of a series; None for one that the endpoint does not have (-1), and for what is no number."""
    if "," not in text:
        return (_number(text),)
    try:
        found = tuple(map(int, text.split(",")))
    except ValueError:
        return tuple(map(_number, text.split(",")))
    return found if min(found) >= 0 else tuple(None if number < 0 else number for number in found)


def _number(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return None if number < 0 else number
