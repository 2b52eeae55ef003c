"""Panels as pages ask for them: a question, an answer in words, and the expressions."""

from __future__ import annotations

from dashboards.lib.forms import Column, Kind, Limit, Panel, Query, Unit

_BECAUSE = "no data because "
_UNTOLD, _BRIEFLY = f"{_BECAUSE}nothing that is chosen tells ", f"{_BECAUSE}not told"


def untold(what: str) -> str:
    """Where a platform cannot know, or nothing runs that could tell."""
    return f"{_UNTOLD}{what}"


def because(reason: str) -> str:
    """Where an empty answer is a good one; the reason must be true also where nothing is known at all."""
    return f"{_BECAUSE}{reason}"


NOTHING = untold("this")


def enough(least: float, below: str = "orange") -> tuple[Limit, ...]:
    """Colours where it is too little that an alert is about."""
    return (Limit(least, "green", below),)


def how_many(expr: str, are: str) -> str:
    """How many of the series are so, as in `> 0.9`; none is 0, but where nobody tells there is no number at all."""
    return f"sum(({expr}) {are.replace(' ', ' bool ', 1)})"


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
    description, no_data = _brief(description, no_data)
    return Panel(title, description, Kind.STAT, found, unit, width, 4, warns, no_data, lowest=None, to=to)


def _brief(description: str, no_data: str) -> tuple[str, str]:
    if not no_data.startswith(_UNTOLD):
        return description, no_data
    what = no_data.removeprefix(_UNTOLD)
    return f"{description} No data where nothing that is chosen tells {what}.", _BRIEFLY


def word(title: str, description: str, expr: str, label: str, *, width: int = 4, no_data: str = NOTHING) -> Panel:
    """What is so now, in a word: the value of a label of each series."""
    found = (Query(expr, f"{{{{{label}}}}}", instant=True),)
    description, no_data = _brief(description, no_data)
    return Panel(title, description, Kind.STAT, found, Unit.SHORT, width, 4, no_data=no_data, lowest=None, shown=label)


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
    # Grafana gives names the width of the first of the longest by letters; a space, as there may be wider ones.
    found = (Query(expr, f"{legend}\u2003", instant=True),)
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
        by=tuple(by.split(", ")),
    )
