"""What no dashboard may do: the rules of Grafana's dashboard-linter, which cannot be had everywhere, and some more.

Each check answers with sentences. Of dashboard-linter's, four are left out that ask for variables of job and instance:
a target is chosen here, whoever shows it.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import promql_parser as pq

from dashboards.lib.forms import WIDTH, Unit
from dashboards.rules.settings import Settings
from tests.backends import grafana
from tests.rules import lint
from tests.rules.promql import Known, labels, selectors

Document = Mapping[str, Any]
Check = Callable[[Document, Known], Iterator[str]]

TYPES = {"timeseries", "stat", "table", "bargauge", "heatmap", "text"}
"""Panels that Grafana 10 to 13 draw; those of Angular are gone."""
MOST = 25
LIMITS = {0.0, 1.0} | {value for value in dataclasses.astuple(Settings()) if isinstance(value, float)}
"""Where colours change: where alerts fire, or at the first one of something."""
OF_RULES = (
    lint.reads_what_there_is,
    lint.survives_two_exporters,
    lint.joins_by_ids,
    lint.names_labels_that_are_there,
    lint.counts_what_grows,
)
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def variables(document: Document) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in document["templating"]["list"]}


def choosable(document: Document, _: Known) -> Iterator[str]:
    """template-datasource, -on-time-change-reload and -label-promql."""
    found = variables(document)
    source = found.pop("datasource", {})
    if source.get("type") != "datasource" or source.get("query") != "prometheus":
        yield "the data source cannot be chosen"
    for name, each in found.items():
        if each["type"] == "query" and each.get("refresh") != 2:
            yield f"${name} is not asked again when the time changes"


def offers_what_there_is(document: Document, known: Known) -> Iterator[str]:
    """Choices are labels of series that are there."""
    for name, each in variables(document).items():
        if each["type"] != "query":
            continue
        text = each["query"]["query"]
        asked = re.fullmatch(r"label_values\((.*),\s*(\w+)\)", text, re.DOTALL)
        inner = re.fullmatch(r"query_result\((.*)\)", text, re.DOTALL)
        if not asked and not inner:
            yield f"${name} asks neither for values of a label nor for a result"
            continue
        expr = grafana.filled((asked or inner)[1])
        try:
            tree = pq.parse(expr)
        except ValueError as error:
            yield f"${name}: {error}"
            continue
        for series, _ in selectors(tree):
            there = known.labels(series.name)
            wanted = {matcher.name for matcher in series.matchers.matchers} | ({asked[2]} if asked else set())
            if there is None or not wanted <= there:
                yield f"${name}: {series.name} has no {sorted(wanted - (there or set()))}"


def is_ours(document: Document, _: Known) -> Iterator[str]:
    """uneditable-dashboard, and what Grafana knows it by."""
    if document.get("editable") is not False:
        yield "it can be edited, and is overwritten"
    if not re.fullmatch(r"hypervisor-[a-z]+", document["uid"]):
        yield f"its uid is {document['uid']}"
    for name in ("title", "description"):
        if not document.get(name):
            yield f"it has no {name}"


def panels_are_told(document: Document, _: Known) -> Iterator[str]:
    """panel-title-description and -units: what, in what unit, and why there may be nothing."""
    found = list(grafana.panels(document))
    if len(found) > MOST:
        yield f"{len(found)} panels are more than anybody looks at"
    for panel in found:
        name, defaults = panel.get("title") or "?", panel.get("fieldConfig", {}).get("defaults", {})
        if panel["type"] not in TYPES:
            yield f"{name}: {panel['type']} is no panel of every Grafana"
        yield from (f"{name}: no {what}" for what in ("title", "description") if not panel.get(what))
        if panel["type"] != "text" and defaults.get("unit") not in set(Unit):
            yield f"{name}: no unit"
        if panel["type"] != "text" and not defaults.get("noValue"):
            yield f"{name}: nothing is said where there is nothing"


def panels_ask(document: Document, _: Known) -> Iterator[str]:
    """panel-datasource and -no-targets: every panel asks, and asks the chosen source."""
    for panel in grafana.panels(document):
        targets = panel.get("targets", ())
        if panel["type"] == "text":
            continue
        if any((each.get("datasource") or {}).get("uid") != "${datasource}" for each in (panel, *targets)):
            yield f"{panel['title']}: another data source"
        if not targets:
            yield f"{panel['title']}: it asks nothing"
        if len({each["refId"] for each in targets}) != len(targets):
            yield f"{panel['title']}: two queries of one name"


def fits_the_grid(document: Document, _: Known) -> Iterator[str]:
    """No panel lies on another, none hangs out."""
    taken: dict[tuple[int, int], str] = {}
    for panel in document["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > WIDTH:
            yield f"{panel['title']}: hangs out of the grid"
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    yield f"{panel['title']}: lies on {other}"
                    return


def asks_well(document: Document, known: Known) -> Iterator[str]:
    """target-promql, -rate-interval, -counter-agg, and the rules about rules."""
    declared = {*variables(document), "__rate_interval", "__interval", "__range"}
    for each in grafana.asked("", document):
        for found in _VARIABLE.finditer(each.expr):
            if (found[1] or found[2]) not in declared:
                yield f"{each.panel}: there is no ${found[1] or found[2]}"
        for window in re.findall(r"(?:rate|irate|increase)\([^()\[]*\[([^\]]+)\]", each.expr):
            if window not in {"$__rate_interval", "1h", "1d"}:
                yield f"{each.panel}: a rate over {window}"
        try:
            expr = grafana.filled(each.expr)
            pq.parse(expr)
        except (ValueError, KeyError) as error:
            yield f"{each.panel}: {error}"
            continue
        for check in OF_RULES:
            yield from (f"{each.panel}: {finding}" for finding in check({"expr": expr}, known))


def legends_are_there(document: Document, known: Known) -> Iterator[str]:
    """Every label of a legend and every column of a table is one that a query keeps."""
    for panel in grafana.panels(document):
        kept = {}
        for target in panel.get("targets", ()):
            try:
                kept[target["refId"]] = labels(pq.parse(grafana.filled(target["expr"])), known)
            except (ValueError, KeyError):
                continue  # the check of expressions says so
            for label in _LABEL.findall(target.get("legendFormat", "")):
                if label not in kept[target["refId"]]:
                    yield f"{panel['title']}: its legend names {label}"
        if panel["type"] == "table":
            values = {"Value"} if len(kept) == 1 else {f"Value #{name}" for name in kept}
            for override in panel["fieldConfig"]["overrides"]:
                column = override["matcher"]["options"]
                if column not in values.union(*kept.values(), {"Time"}):
                    yield f"{panel['title']}: there is no column {column}"


def colours_change_where_alerts_fire(document: Document, _: Known) -> Iterator[str]:
    """Thresholds are those of the settings."""
    for panel in grafana.panels(document):
        for steps in _steps(panel.get("fieldConfig", {})):
            for step in steps:
                if step.get("value") is not None and float(step["value"]) not in LIMITS:
                    yield f"{panel['title']}: a colour changes at {step['value']:g}, where no alert fires"


def _steps(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if "steps" in value:
            yield value["steps"]
        for inner in value.values():
            yield from _steps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _steps(inner)


def links_lead_somewhere(document: Document, _: Known) -> Iterator[str]:
    """Every link within Grafana is to a dashboard that is there."""
    there = {other["uid"] for other in grafana.documents().values()}
    for uid in re.findall(r'"/d/([\w-]+)', str(document).replace("'", '"')):
        if uid not in there:
            yield f"a link to {uid}"


CHECKS: tuple[Check, ...] = (
    choosable,
    offers_what_there_is,
    is_ours,
    panels_are_told,
    panels_ask,
    fits_the_grid,
    asks_well,
    legends_are_there,
    colours_change_where_alerts_fire,
    links_lead_somewhere,
)


def findings(document: Document, known: Known) -> list[str]:
    """Every sentence on a dashboard."""
    return [f"{check.__name__}: {sentence}" for check in CHECKS for sentence in check(document, known)]
