"""From our words to Grafana's JSON. The same dashboard gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboards.lib.forms import WIDTH, Column, Dashboard, Kind, Limit, Panel, Query, Variable
from dashboards.lib.tables import REFERENCES, transformations

SCHEMA_VERSION = 39
"""Grafana 10.4's; older ones migrate upwards on load, 13 still reads it."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
STEP = "${min_step}s"
"""The least step of a panel, so that `$__rate_interval` (four of them) is at least five intervals of vitals."""
TAG = "hypervisor-exporter"
_NEUTRAL, _NEUTRAL_BAR = "text", "blue"
"""What has no limit is neither well nor bad."""
_LINKS = {
    "type": "dashboards",
    "title": "Hypervisors",
    "tags": [TAG],
    "keepTime": True,
    "includeVars": True,
    "asDropdown": True,
    "icon": "external link",
    "url": "",
    "targetBlank": False,
    "tooltip": "The other pages, with what is chosen here",
}
"""One button that opens a list: nine of them beside the choices would take three lines of the screen."""


def text(dashboard: Dashboard) -> str:
    """The file's content."""
    return json.dumps(document(dashboard), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def document(dashboard: Dashboard) -> dict[str, Any]:
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
        "time": {"from": dashboard.since, "to": "now"},
        "timezone": "browser",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "annotations": {"list": []},
        "links": [_LINKS],
        "panels": list(_laid_out(dashboard)),
        "templating": {"list": [_source(), *(_variable(variable) for variable in dashboard.variables)]},
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
    everything = variable.several and variable.everything
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
        "includeAll": everything,
        "multi": variable.several,
        **({"allValue": ".*"} if everything else {}),
        "current": {"text": ["All"], "value": ["$__all"]} if everything else {},
        "options": [],
        "skipUrlSync": variable.hidden,
    }


def _laid_out(dashboard: Dashboard) -> Iterable[dict[str, Any]]:
    """Panels in the grid: from left to right, a new line where one does not fit."""
    number, y = 1, 0
    for row in dashboard.rows:
        place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        number, y, x, tallest = number + 1, y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield _panel(panel, dashboard, number, {"h": panel.height, "w": panel.width, "x": x, "y": y})
            number, x, tallest = number + 1, x + panel.width, max(tallest, panel.height)
        y += tallest


def _panel(panel: Panel, dashboard: Dashboard, number: int, place: dict[str, int]) -> dict[str, Any]:
    kept = _kept(dashboard)
    return {
        "id": number,
        "type": str(panel.kind),
        "title": panel.title,
        "description": panel.description,
        "gridPos": place,
        "datasource": SOURCE,
        "interval": STEP,
        "targets": [
            _target(query, reference, panel) for query, reference in zip(panel.queries, REFERENCES, strict=False)
        ],
        "fieldConfig": {
            "defaults": _defaults(panel),
            "overrides": [_override(column, panel, kept) for column in panel.columns],
        },
        "options": _options(panel),
        "transformations": transformations(panel),
        "links": [{"title": "Details", "url": _url(panel.to, kept.values()), "targetBlank": False}] if panel.to else [],
    }


def _target(query: Query, reference: str, panel: Panel) -> dict[str, Any]:
    return {
        "refId": reference,
        "datasource": SOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": query.instant,
        "range": not query.instant,
        "format": "table" if panel.kind is Kind.TABLE or panel.shown else "time_series",
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unit": str(panel.unit),
        "noValue": panel.no_data,
        "thresholds": _thresholds(panel.limits, _NEUTRAL_BAR if panel.kind is Kind.BARS else _NEUTRAL),
        "color": {"mode": "thresholds" if panel.kind in (Kind.STAT, Kind.BARS, Kind.TABLE) else "palette-classic"},
        "mappings": [_nothing(panel.no_data)] if panel.kind is Kind.STAT else [],
    }
    if panel.lowest is not None:
        found["min"] = panel.lowest
    if panel.highest is not None:
        found["max"] = panel.highest
    if panel.kind is Kind.TIME:
        found["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1 if panel.stacked else 2,
            "fillOpacity": 30 if panel.stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.limits else "off"},
        }
    return found


def _nothing(no_data: str) -> dict[str, Any]:
    """No number has no colour: without this it is green, as if all were well."""
    return {"type": "special", "options": {"match": "null", "result": {"text": no_data, "color": _NEUTRAL, "index": 0}}}


def _thresholds(limits: Sequence[Limit], neutral: str = _NEUTRAL) -> dict[str, Any]:
    steps = [{"color": limits[0].below if limits else neutral, "value": None}]
    return {"mode": "absolute", "steps": [*steps, *({"color": limit.color, "value": limit.value} for limit in limits)]}


def _override(column: Column, panel: Panel, kept: Mapping[str, str]) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [
        {"id": "displayName", "value": column.heading},
        {"id": "unit", "value": str(column.unit)},
        {"id": "noValue", "value": "-"},  # of one cell; the panel's own words are for a table that is empty
    ]
    if column.limits:
        properties += [
            {"id": "thresholds", "value": _thresholds(column.limits)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            {"id": "mappings", "value": [_nothing("-")]},
        ]
    if column.decimals is not None:
        properties.append({"id": "decimals", "value": column.decimals})
    if column.width:
        properties.append({"id": "custom.width", "value": column.width})
    if column.to:
        properties.append({"id": "links", "value": [_drill(column, panel, kept)]})
    return {"matcher": {"id": "byName", "options": column.source}, "properties": properties}


def _drill(column: Column, panel: Panel, kept: Mapping[str, str]) -> dict[str, Any]:
    """A click on a name opens the page of that thing; all other choices are kept. Names may hold any character.

    Guests and hosts of several targets may have one name: the target of the line is chosen with it.
    """
    chosen = {column.source: f"var-{column.source}=${{__value.raw:percentencode}}"}
    if column.source in _OF_TARGET and any(other.source == "target" for other in panel.columns):
        chosen["target"] = "var-target=${__data.fields.target:percentencode}"
    others = [choice for name, choice in kept.items() if name not in chosen]
    return {
        "title": f"Open {column.heading.lower()}",
        "url": _url(column.to, [*others, *chosen.values()]),
        "targetBlank": False,
    }


_OF_TARGET = {"host", "guest"}


def _kept(dashboard: Dashboard) -> dict[str, str]:
    """The choices of a dashboard, as a link hands them on."""
    return {each.name: f"${{{each.name}:queryparam}}" for each in dashboard.variables if not each.hidden}


def _url(slug: str, choices: Iterable[str]) -> str:
    return f"/d/hypervisor-{slug}?{'&'.join(('${__url_time_range}', '${datasource:queryparam}', *choices))}"


def _options(panel: Panel) -> dict[str, Any]:
    found = _OPTIONS[panel.kind]
    if panel.kind is Kind.TABLE and panel.sort:
        heading = panel.sort.removeprefix("-")
        return {**found, "sortBy": [{"displayName": heading, "desc": heading == panel.sort}]}
    if panel.kind is Kind.TIME and panel.width < WIDTH // 2:
        return {**found, "legend": {**_LEGEND, "placement": "bottom"}}
    if panel.shown:
        shown = {**_REDUCED, "fields": f"/^{panel.shown}$/", "values": True}
        return {**found, "graphMode": "none", "textMode": "value", "reduceOptions": shown}
    return found


_LEGEND = {
    "displayMode": "table",
    "placement": "right",
    "showLegend": True,
    "calcs": ["lastNotNull", "max"],
    "sortBy": "Last *",
    "sortDesc": True,
}
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
}
