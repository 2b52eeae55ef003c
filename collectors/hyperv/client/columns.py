"""Which columns of a class the build of a host has: naming one that it lacks costs the whole query.

A query is asked as it is wished. Only where the host refuses it is the class looked at: one row shows what is there,
but not arrays of none, so what it does not show is asked for by halves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from collectors.hyperv.client.errors import FilterRefused, NotThere
from collectors.hyperv.client.rows import Query
from exporter.errors import Malformed

KNOWN_SECONDS = 12 * 3600.0
"""How long a column counts as missing: a host may be upgraded."""

Sample = Callable[[Query, Sequence[str]], frozenset[str]]
"""Asks for some columns (none: all) of at most one row, and tells which came. Raises `FilterRefused`."""


class Columns:
    """What is known of the classes of one host; shared by its lanes."""

    def __init__(self) -> None:
        self._lacking: dict[tuple[str, str], tuple[frozenset[str], float]] = {}

    def lacking(self, query: Query) -> frozenset[str]:
        """Columns of a query's class that were found missing."""
        found, since = self._lacking.get(_key(query), (frozenset(), 0.0))
        return found if time.monotonic() - since < KNOWN_SECONDS else frozenset()

    def of(self, query: Query) -> list[str]:
        """Columns of a query that are not known to be missing."""
        lacking = self.lacking(query)
        return [column for column in query.columns if column not in lacking]

    def probe(self, query: Query, sample: Sample, refusal: FilterRefused, absence: NotThere) -> None:
        """Find out what the host lacks that has refused a query. Raises `absence` where that is the class."""
        whole = Query(query.namespace, query.class_name, query.columns)
        shown = _shown(whole, sample, absence)
        doubtful = [column for column in query.columns if column not in shown]
        lacking = frozenset(_refused(doubtful, lambda some: _is_known(whole, some, sample)))
        if lacking == frozenset(query.columns):
            raise absence
        if not lacking - self.lacking(query):
            raise Malformed(str(refusal), refusal.where) from refusal  # its condition, then
        self._lacking[_key(query)] = (lacking | self.lacking(query), time.monotonic())


def _shown(query: Query, sample: Sample, absence: NotThere) -> frozenset[str]:
    try:
        return sample(query, ())
    except FilterRefused as error:
        raise absence from error
    except Malformed:  # a whole row may be larger than an answer may be
        return frozenset()


def _is_known(query: Query, columns: Sequence[str], sample: Sample) -> bool:
    try:
        sample(query, columns)
    except FilterRefused:
        return False
    return True


def _refused(columns: Sequence[str], known: Callable[[Sequence[str]], bool]) -> list[str]:
    if not columns or known(columns):
        return []
    if len(columns) == 1:
        return list(columns)
    half = len(columns) // 2
    return [*_refused(columns[:half], known), *_refused(columns[half:], known)]


def _key(query: Query) -> tuple[str, str]:
    return query.namespace.casefold(), query.class_name.casefold()
