"""From our words to Grafana's JSON. The same dashboard gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from dashboards.lib.forms import WIDTH, Column, Dashboard, Kind, Limit, Panel, Query, Row, Variable

SCHEMA_VERSION = 39
"""Grafana 10.4's; older ones migrate upwards on load, 13 still reads it."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
STEP = "${min_step}s"
"""The least step of a panel, so that `$__rate_interval` (four of them) is at least five intervals of vitals."""
TAG = "hypervisor-exporter"
_REFERENCES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE_COLOR = "green"


def text(dashboard: Dashboard, others: Sequence[Dashboard]) -> str:
    """The file's content; `others` are linked at the top."""
    return json.dumps(document(dashboard, others), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def document(dashboard: Dashboard, others: Sequence[Dashboard]) -> dict[str, Any]:
    """The dashboard as Grafana's classic model."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "annotations": {"list": []},
        "links": [_link(other) for other in others if other.uid != dashboard.uid],
        "panels": list(_laid_out(dashboard.rows)),
        "templating": {"list": [_source(), *(_variable(variable) for variable in dashboard.variables)]},
    }


def _link(other: Dashboard) -> dict[str, Any]:
    return {
        "type": "link",
        "title": other.title,
        "url": f"/d/{other.uid}",
        "keepTime": True,
        "includeVars": True,
        "asDropdown": False,
        "icon": "external link",
        "tags": [],
        "targetBlank": False,
        "tooltip": other.description,
    }


def _source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "regex": "",
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "skipUrlSync": False,
        "current": {},
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": SOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": "StandardVariableQuery"},
        "regex": variable.regex,
        "refresh": 2,
        "sort": 1,
        "hide": 2 if variable.hidden else 0,
        "includeAll": variable.several,
        "multi": variable.several,
        **({"allValue": ".*"} if variable.several else {}),
        "current": {"text": ["All"], "value": ["$__all"]} if variable.several else {},
        "options": [],
        "skipUrlSync": False,
    }


def _laid_out(rows: Iterable[Row]) -> Iterable[dict[str, Any]]:
    """Panels in the grid: from left to right, a new line where one does not fit."""
    number, y = 1, 0
    for row in rows:
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        number, y, x, tallest = number + 1, y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
            number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": str(panel.kind),
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
        "datasource": SOURCE,
        "interval": STEP,
        "targets": [
            _target(query, reference, panel.kind) for query, reference in zip(panel.queries, _REFERENCES, strict=False)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": [_override(column) for column in panel.columns]},
        "options": _OPTIONS[panel.kind],
        "transformations": _transformations(panel),
    }


def _target(query: Query, reference: str, kind: Kind) -> dict[str, Any]:
    return {
        "refId": reference,
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": query.instant,
        "range": not query.instant,
        "format": "table" if kind is Kind.TABLE else "heatmap" if kind is Kind.HEATMAP else "time_series",
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unit": str(panel.unit),
        "noValue": panel.no_data,
        "thresholds": _thresholds(panel.limits),
        "color": {"mode": "thresholds" if panel.kind in (Kind.STAT, Kind.BARS, Kind.TABLE) else "palette-classic"},
        "mappings": [
            {"type": "value", "options": {value: {"text": shown, "index": index}}}
            for index, (value, shown) in enumerate(panel.mapping.items())
        ],
    }
    if panel.lowest is not None:
        found["min"] = panel.lowest
    if panel.highest is not None:
        found["max"] = panel.highest
    if panel.kind is Kind.TIME:
        found["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 10,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.limits else "off"},
        }
    return found


def _thresholds(limits: Sequence[Limit]) -> dict[str, Any]:
    steps = [{"color": _BASE_COLOR, "value": None}]
    return {"mode": "absolute", "steps": [*steps, *({"color": limit.color, "value": limit.value} for limit in limits)]}


def _override(column: Column) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [
        {"id": "displayName", "value": column.heading},
        {"id": "unit", "value": str(column.unit)},
    ]
    if column.limits:
        properties += [
            {"id": "thresholds", "value": _thresholds(column.limits)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if column.to:
        properties.append({"id": "links", "value": [_drill(column)]})
    return {"matcher": {"id": "byName", "options": column.source}, "properties": properties}


def _drill(column: Column) -> dict[str, Any]:
    """A click on a name opens the page of that thing; all other choices are kept."""
    variable = {"host_id": "host", "guest_id": "guest"}.get(column.source, column.source)
    return {
        "title": f"Open {column.heading.lower()}",
        "url": f"/d/hypervisor-{column.to}?${{__url_time_range}}&${{__all_variables}}&var-{variable}=${{__value.raw}}",
        "targetBlank": False,
    }


def _transformations(panel: Panel) -> list[dict[str, Any]]:
    """Tables: all queries in one, and only the columns that are named, in their order."""
    if panel.kind is not Kind.TABLE:
        return []
    wanted = [column.source for column in panel.columns]
    return [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": wanted}}},
        {"id": "organize", "options": {"indexByName": {name: place for place, name in enumerate(wanted)}}},
    ]


_LEGEND = {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["lastNotNull", "max"]}
_REDUCED = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[Kind, dict[str, Any]] = {
    Kind.TIME: {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    Kind.STAT: {
        "reduceOptions": _REDUCED,
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    },
    Kind.TABLE: {"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
    Kind.BARS: {
        "reduceOptions": _REDUCED,
        "displayMode": "gradient",
        "orientation": "horizontal",
        "showUnfilled": True,
        "minVizHeight": 10,
        "minVizWidth": 0,
        "valueMode": "color",
    },
    Kind.HEATMAP: {"calculate": True, "tooltip": {"mode": "single"}, "yAxis": {"axisPlacement": "left"}},
    Kind.TEXT: {"mode": "markdown", "content": ""},
}
