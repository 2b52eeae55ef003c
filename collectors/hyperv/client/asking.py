"""Questions over one wire: enumerations that are read to their end or released, and methods."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from xml.etree import ElementTree as ET

from collectors.hyperv.client import envelopes
from collectors.hyperv.client.columns import Columns
from collectors.hyperv.client.envelopes import MOST_ROWS, Door, Envelope
from collectors.hyperv.client.errors import ContextLost, FilterRefused, NotThere
from collectors.hyperv.client.faults import Asked, error_of, fault_of
from collectors.hyperv.client.flat import flat
from collectors.hyperv.client.parsing import Page, answer, page, row_of
from collectors.hyperv.client.rows import Query, Row, Rows
from collectors.hyperv.client.wire import Counts, Wire
from exporter.errors import CollectorError, Malformed

MOST_OF_ONE_QUERY = 500_000
"""Rows. A host with 1,000 guests has some ten thousand of a class."""
_MOST_EMPTY = 8
"""Answers in a row without any row, before it is taken for a loop."""
_RELEASE_SECONDS = 1.0
_SPARE_SECONDS = 1.0
"""By how much a host has to be earlier than our own deadline, so that it can say so."""
_MOST_LEFT = 8

Open = deque[tuple[Query, str]]
"""Enumerations that were begun and not read to their end."""


def open_enumerations() -> Open:
    """None yet; the oldest are forgotten first."""
    return deque(maxlen=_MOST_LEFT)


def identify(wire: Wire) -> Row:
    """What a host says it is to everybody."""
    content = answer(wire.send_openly(envelopes.identify()), "Identify").content
    if content is None or not str(content.tag).endswith("}IdentifyResponse"):
        raise Malformed(f"{wire.settings.address} does not say what it is: is it WinRM's port?", "Identify")
    return row_of(content)


class Asking:
    """Questions to a host over one wire. Raises the core's errors, `Lost` where another wire may do better."""

    def __init__(self, wire: Wire, columns: Columns, counts: Counts, left: Open) -> None:
        self._wire, self._columns, self._counts, self._left = wire, columns, counts, left

    def rows(self, query: Query) -> Rows:
        """Every row, with the columns that the host has."""
        self._release_left()
        try:
            return self._all(query)
        except FilterRefused as error:
            what = f"{query.namespace}/{query.class_name}"
            absence = NotThere(f"{self._wire.settings.address} has no {what}: its role is not installed there", what)
            self._columns.probe(query, self._sample, error, absence)
        return self._all(query)

    def method(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, envelopes.Argument]) -> Row:
        """What a method returns."""
        envelope = envelopes.invoke(self._door(), namespace, class_name, method, arguments)
        return row_of(self._asked(envelope, namespace, f"{class_name}.{method}"))

    def _all(self, query: Query) -> Rows:
        found = self._begin(query, self._columns.of(query))
        rows, context, empty = found.rows, found.context, 0
        while not found.ended:
            try:
                found = self._more(query, context)
            except ContextLost:
                raise
            except BaseException:
                self._leave(query, context)
                raise
            rows.extend(found.rows)
            context = found.context or context
            empty = 0 if found.rows else empty + 1
            if empty > _MOST_EMPTY or len(rows) > MOST_OF_ONE_QUERY:
                self._leave(query, context)
                raise Malformed(f"{self._wire.settings.address} has no end of {query.class_name}", query.class_name)
        return rows

    def _sample(self, query: Query, columns: Sequence[str]) -> frozenset[str]:
        """Names of columns in the first row, if there is one."""
        found = self._begin(query, columns, most=1)
        if not found.ended:
            self._leave(query, found.context)
        return frozenset(found.rows[0]) if found.rows else frozenset()

    def _begin(self, query: Query, columns: Sequence[str], most: int = MOST_ROWS) -> Page:
        self._counts.enumerations += 1
        envelope = envelopes.enumerate_(self._door(), query, columns, most)
        return self._page(envelope, query)

    def _more(self, query: Query, context: str) -> Page:
        self._counts.pulls += 1
        envelope = envelopes.pull(self._door(), query.namespace, context)
        return self._page(envelope, query)

    def _page(self, envelope: Envelope, query: Query) -> Page:
        received = self._wire.send(envelope)
        found = flat(received)
        if found is None:
            return page(self._content(received, envelope, query.namespace, query.class_name), query.class_name)
        self._be_answered(found.relates_to, envelope, query.class_name)
        return found.page

    def _leave(self, query: Query, context: str) -> None:
        self._left.append((query, context))
        if self._wire.idle:
            self._release_left()

    def _release_left(self) -> None:
        """Give back what was not read to its end, also over an earlier wire; a courtesy that may fail."""
        while self._left and self._wire.usable:
            query, context = self._left.popleft()
            with self._wire.within(_RELEASE_SECONDS), suppress(CollectorError):
                envelope = envelopes.release(self._door(), query.namespace, context)
                self._asked(envelope, query.namespace, query.class_name)

    def _asked(self, envelope: Envelope, namespace: str, what: str) -> ET.Element:
        """The content of the answer, if it is not a fault."""
        return self._content(self._wire.send(envelope), envelope, namespace, what)

    def _content(self, received: bytes, envelope: Envelope, namespace: str, what: str) -> ET.Element:
        try:
            found = answer(received, envelope.operation)
        except Malformed:
            self._wire.usable = False  # what else is under way there is not known
            raise
        self._be_answered(found.relates_to, envelope, what)
        fault = fault_of(found.content) if found.content is not None else None
        if fault is not None:
            raise error_of(fault, Asked(str(self._wire.settings.address), envelope.operation, namespace, what))
        if found.content is None and envelope.operation != "Release":
            raise Malformed(f"{self._wire.settings.address} answers {envelope.operation} with nothing", what)
        return found.content if found.content is not None else ET.Element("nothing")

    def _be_answered(self, relates_to: str, envelope: Envelope, what: str) -> None:
        """Raises `Malformed` where an answer is one to something else."""
        if envelope.message_id and relates_to.casefold() != envelope.message_id.casefold():
            self._wire.usable = False
            raise Malformed(
                f"{self._wire.settings.address} answers something else than this {envelope.operation}", what
            )

    def _door(self) -> Door:
        remaining = self._wire.remaining_seconds
        return Door(str(self._wire.settings.address), remaining - min(_SPARE_SECONDS, remaining / 10))
