"""Panels as pages ask for them: a question, an answer in words, and the expressions."""

from __future__ import annotations

from dashboards.lib.forms import Column, Kind, Limit, Panel, Query, Unit


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
    no_data: str = "nothing to see: no target delivers this",
) -> Panel:
    """One number with its course behind it."""
    return Panel(title, description, Kind.STAT, (Query(expr),), unit, width, 4, warns, no_data=no_data, lowest=None)


def course(
    title: str,
    description: str,
    *queries: tuple[str, str],
    unit: Unit = Unit.SHORT,
    warns: tuple[Limit, ...] = (),
    width: int = 12,
    stacked: bool = False,
    highest: float | None = None,
    no_data: str = "nothing to see: no target delivers this",
) -> Panel:
    """Lines over time; each query is an expression and its legend."""
    found = tuple(Query(expr, legend) for expr, legend in queries)
    return Panel(title, description, Kind.TIME, found, unit, width, 8, warns, no_data, stacked=stacked, highest=highest)


def table(
    title: str,
    description: str,
    *exprs: str,
    columns: tuple[Column, ...],
    width: int = 24,
    height: int = 9,
    no_data: str = "nothing to see: no target delivers this",
) -> Panel:
    """What is so now, a line for each thing."""
    found = tuple(Query(expr, instant=True) for expr in exprs)
    return Panel(
        title, description, Kind.TABLE, found, Unit.SHORT, width, height, no_data=no_data, columns=columns, lowest=None
    )
