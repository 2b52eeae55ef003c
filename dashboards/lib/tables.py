"""How Grafana makes one table of the answers of several queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashboards.lib.forms import Kind, Panel

REFERENCES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What Grafana knows the queries of a panel by."""
_LAST = "lastNotNull"


def transformations(panel: Panel) -> list[dict[str, Any]]:
    """Tables: all queries in one, and only the columns that are named, in their order."""
    if panel.kind is not Kind.TABLE:
        return []
    wanted = [column.source for column in panel.columns]
    return [
        *(_merged(panel) if len(panel.queries) > 1 else [{"id": "merge", "options": {}}]),
        {"id": "filterFieldsByName", "options": {"include": {"names": wanted}}},
        {"id": "organize", "options": {"indexByName": {name: place for place, name in enumerate(wanted)}}},
    ]


def _merged(panel: Panel) -> Iterable[dict[str, Any]]:
    """One line for each thing. Where no query has an answer there is nothing to group by, and so no empty table:
    of several queries Grafana keeps the columns of numbers, and would show these instead of why there is nothing.
    """
    values = [f"Value #{reference}" for reference, _ in zip(REFERENCES, panel.queries, strict=False)]
    keys = dict.fromkeys([*panel.by, *(column.source for column in panel.columns if column.source not in values)])
    yield {"id": "merge", "options": {}}
    yield {
        "id": "groupBy",
        "options": {
            "fields": {
                **{key: {"aggregations": [], "operation": "groupby"} for key in keys},
                **{value: {"aggregations": [_LAST], "operation": "aggregate"} for value in values},
            }
        },
    }
    renamed = {f"{value} ({_LAST})": value for value in values}
    yield {"id": "organize", "options": {"renameByName": renamed}}
