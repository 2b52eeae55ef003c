"""Panels as pages ask for them: a question, an answer in words, and the expressions."""

from __future__ import annotations

from dashboards.lib.forms import Column, Kind, Limit, Panel, Query, Unit

NOTHING = "nothing here now"
"""Where an empty answer is a good one, or the choice above leaves nothing over."""


_UNTOLD, _BRIEFLY = "no data because nothing that is chosen tells ", "no data because not told"


def untold(what: str) -> str:
    """Where a platform cannot know, or nothing runs that could tell."""
    return f"{_UNTOLD}{what}"


def limits(warning: float | None = None, critical: float | None = None) -> tuple[Limit, ...]:
    """Colours from the values at which alerts fire."""
    pairs = ((warning, "orange"), (critical, "red"))
    return tuple(Limit(value, color) for value, color in pairs if value is not None)


def number(
    title: str,
    description: str,
    expr: str,
    *,
    unit: Unit = Unit.SHORT,
    warns: tuple[Limit, ...] = (),
    width: int = 4,
    no_data: str = NOTHING,
    to: str = "",
) -> Panel:
    """One number with its course behind it; why there may be none is said beside it: Grafana shrinks long sentences."""
    found = (Query(expr),)
    if no_data.startswith(_UNTOLD):
        what, no_data = no_data.removeprefix(_UNTOLD), _BRIEFLY
        description = f"{description} No data where nothing that is chosen tells {what}."
    return Panel(title, description, Kind.STAT, found, unit, width, 4, warns, no_data, lowest=None, to=to)


def word(title: str, description: str, expr: str, legend: str, *, width: int = 4, no_data: str = NOTHING) -> Panel:
    """What is so now, in a word: the legend of each series."""
    found = (Query(expr, legend, instant=True),)
    return Panel(title, description, Kind.STAT, found, Unit.SHORT, width, 4, no_data=no_data, lowest=None, named=True)


def course(
    title: str,
    description: str,
    *queries: tuple[str, str],
    unit: Unit = Unit.SHORT,
    warns: tuple[Limit, ...] = (),
    width: int = 12,
    stacked: bool = False,
    highest: float | None = None,
    lowest: float | None = 0.0,
    no_data: str = NOTHING,
) -> Panel:
    """Lines over time; each query is an expression and its legend."""
    return Panel(
        title,
        description,
        Kind.TIME,
        tuple(Query(expr, legend) for expr, legend in queries),
        unit,
        width,
        8,
        warns,
        no_data,
        stacked=stacked,
        highest=highest,
        lowest=lowest,
    )


def bars(
    title: str,
    description: str,
    expr: str,
    legend: str,
    *,
    unit: Unit = Unit.SHORT,
    warns: tuple[Limit, ...] = (),
    width: int = 12,
    height: int = 8,
    highest: float | None = None,
    no_data: str = NOTHING,
) -> Panel:
    """What is so now, as bars: the largest of many."""
    found = (Query(expr, legend, instant=True),)
    return Panel(title, description, Kind.BARS, found, unit, width, height, warns, no_data, highest=highest)


def table(
    title: str,
    description: str,
    *exprs: str,
    by: str,
    columns: tuple[Column, ...],
    width: int = 24,
    height: int = 9,
    no_data: str = NOTHING,
    sort: str = "",
) -> Panel:
    """What is so now, a line for each thing; with several expressions their values are `Value #A`, `Value #B`.

    `by` are the labels that all expressions are reduced to: Grafana makes one line of what agrees in all labels that
    every answer has, the name of the metric included. An expression that begins with one of its own is left alone.
    """
    found = tuple(
        Query(expr if expr.startswith("max by (") else f"max by ({by}) ({expr})", instant=True) for expr in exprs
    )
    return Panel(
        title,
        description,
        Kind.TABLE,
        found,
        Unit.SHORT,
        width,
        height,
        no_data=no_data,
        columns=columns,
        lowest=None,
        sort=sort,
    )
