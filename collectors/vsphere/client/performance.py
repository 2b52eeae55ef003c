"""Realtime samples of many objects in one call, as CSV."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client.decode import Ref, seconds
from collectors.vsphere.client.xml import VIM, read

REALTIME_SECONDS = 20
_ID, _VALUE, _COUNTER, _INSTANCE = (f"{VIM}{name}" for name in ("id", "value", "counterId", "instance"))


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


@dataclass(slots=True)
class Sampled:
    """The samples of one object: ends of the intervals in Unix seconds, ascending, and as many values by metric.

    A value that the endpoint does not have (-1) is None.
    """

    entity: Ref
    timestamps: tuple[float, ...] = ()
    interval_seconds: float = REALTIME_SECONDS
    values: dict[Metric, tuple[int | None, ...]] = field(default_factory=dict)


def query(manager: str, wanted: Iterable[Wanted]) -> str:
    """The body of QueryPerf."""
    return (
        f'<QueryPerf xmlns="urn:vim25"><_this type="PerformanceManager">{escape(manager)}</_this>'
        f"{''.join(map(_specification, wanted))}</QueryPerf>"
    )


def _specification(wanted: Wanted) -> str:
    since = "" if wanted.since is None else f"<startTime>{_stamp(wanted.since)}</startTime>"
    most = "" if wanted.most is None else f"<maxSample>{wanted.most}</maxSample>"
    return (
        f'<querySpec><entity type="{wanted.entity.kind}">{escape(wanted.entity.id)}</entity>{since}{most}'
        f"{_metrics(tuple(wanted.metrics))}<intervalId>{REALTIME_SECONDS}</intervalId><format>csv</format></querySpec>"
    )


@functools.lru_cache(maxsize=256)
def _metrics(metrics: tuple[Metric, ...]) -> str:
    return "".join(
        f"<metricId><counterId>{each.counter}</counterId><instance>{escape(each.instance)}</instance></metricId>"
        for each in metrics
    )


@functools.lru_cache(maxsize=256)
def _stamp(at: float) -> str:
    return dt.datetime.fromtimestamp(at, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(body: bytes) -> list[Sampled]:
    """What was sampled, out of the envelope of an answer. Raises `Malformed`.

    Samples in another order than ascending are sorted. A series of another length than its timestamps, or of a counter
    without a number, is dropped; an object whose timestamps make no sense has none.
    """
    root = read(body, "QueryPerf")
    return [_entity(each) for each in root.iter(f"{VIM}returnval")]


def _entity(element: Element) -> Sampled:
    head = element.find(f"{VIM}entity")
    found = Sampled(Ref("", "") if head is None else Ref(head.get("type", ""), head.text or ""))
    try:
        found.timestamps, found.interval_seconds, order = _times(element.findtext(f"{VIM}sampleInfoCSV") or "")
    except ValueError:
        return found
    for each in element:
        if each.tag == _VALUE:
            _series(each, found, order)
    return found


def _series(element: Element, found: Sampled, order: tuple[int, ...] | None) -> None:
    identity, held = element.find(_ID), element.find(_VALUE)
    if identity is None or held is None:
        return
    counter, instance = identity.findtext(_COUNTER) or "", identity.findtext(_INSTANCE) or ""
    numbers = _numbers(held.text) if held.text else []
    if counter.isdecimal() and len(numbers) == len(found.timestamps):
        metric = Metric(int(counter), instance)
        found.values[metric] = tuple(numbers if order is None else (numbers[index] for index in order))


@functools.lru_cache(maxsize=4096)
def _times(text: str) -> tuple[tuple[float, ...], float, tuple[int, ...] | None]:
    """Ends of the samples, ascending; the length of one; the order that sorts the values, None if they are sorted."""
    fields = text.split(",") if text else []
    stamps = [seconds(each) for each in fields[1::2]]
    interval = float(fields[0]) if fields else float(REALTIME_SECONDS)
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    if order == list(range(len(stamps))):
        return tuple(stamps), interval, None
    return tuple(stamps[index] for index in order), interval, tuple(order)


def _numbers(text: str) -> Sequence[int | None]:
    """The values of a series; None for -1, and for what is no number."""
    try:
        numbers = list(map(int, text.split(",")))
    except ValueError:
        return [_number(each) for each in text.split(",")]
    return numbers if min(numbers) >= 0 else [None if number < 0 else number for number in numbers]


def _number(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return None if number < 0 else number
