"""Panels, rows and dashboards as plain data, in words of an operator; Grafana's words are in `dashboards.lib.model`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WIDTH = 24
"""Grafana's grid."""


class Unit(StrEnum):
    """Grafana's names of the units that the schema uses."""

    NUMBER = "none"
    SHORT = "short"
    SHARE = "percentunit"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    PER_SECOND = "ops"
    PER_MINUTE = "opm"
    PACKETS_PER_SECOND = "pps"
    SECONDS = "s"
    HERTZ = "hertz"
    WATT = "watt"
    TIME = "dateTimeAsIso"
    BOOL = "bool_yes_no"


class Kind(StrEnum):
    """How a panel shows what it found."""

    TIME = "timeseries"
    STAT = "stat"
    TABLE = "table"
    BARS = "bargauge"


@dataclass(frozen=True, slots=True)
class Query:
    """One expression. `instant` asks for now only; tables and stats do. `legend` is Grafana's `{{label}}` form."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A value from which on there is another colour: taken from the alerts' settings, never written anew.

    `below` is the colour of what is less than the first one.
    """

    value: float
    color: str
    below: str = "green"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: label or `Value #A`, its heading and unit; `to` is the dashboard that a click opens.

    `width` is in pixels; columns without one share what is left. Grafana chooses the number of `decimals` by itself.
    """

    source: str
    heading: str
    unit: Unit = Unit.NUMBER
    limits: tuple[Limit, ...] = ()
    to: str = ""
    width: int | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and its answer. `no_data` says why there may be nothing to see.

    `by` are the labels that tell the lines of a table apart; `to` is the dashboard with the details; `sort` is the
    heading of the column that a table is sorted by, the largest first, or the smallest where it begins with `-`;
    `shown` is the label whose value is shown instead of a number.
    """

    title: str
    description: str
    kind: Kind
    queries: tuple[Query, ...]
    unit: Unit = Unit.SHORT
    width: int = 12
    height: int = 8
    limits: tuple[Limit, ...] = ()
    no_data: str = "nothing to see: no target delivers this"
    columns: tuple[Column, ...] = ()
    stacked: bool = False
    highest: float | None = None
    lowest: float | None = 0.0
    to: str = ""
    sort: str = ""
    shown: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading; they fill the grid from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top. `query` is Prometheus' `label_values(...)` or `query_result(...)`.

    `several` may be chosen at once; `everything` offers all of them, and is what is chosen at first.
    """

    name: str
    label: str
    query: str
    regex: str = ""
    several: bool = True
    everything: bool = True
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page; `slug` names its file and, after `hypervisor-`, its uid; `since` is how far back it looks at first."""

    slug: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...]
    since: str = "now-6h"

    @property
    def uid(self) -> str:
        """What links and Grafana know it by."""
        return f"hypervisor-{self.slug}"
