"""No dashboard breaks a rule about dashboards, and each of those rules finds what it is there for."""

import copy
from dataclasses import replace

import promql_parser as pq
import pytest

from exporter.platforms import installed
from tests.backends import grafana
from tests.dashboards.lint import CHECKS, findings
from tests.rules.bench import parsed
from tests.rules.promql import Known, labels, names


def known_to_panels():
    """What rules record, and the alerts that fire."""
    families = {family.name: family for family in installed().families}
    known, told = Known(families), frozenset({"alertname", "alertstate", "severity"})
    for rule in parsed():
        known = known.then(rule)
        if "alert" in rule:
            told |= labels(pq.parse(rule["expr"]), known)
    return replace(known, recorded={**known.recorded, "ALERTS": told})


KNOWN = known_to_panels()
DOCUMENTS = grafana.documents()
USED = sorted(
    {
        name
        for slug, document in DOCUMENTS.items()
        for each in grafana.asked(slug, document)
        for name in names(grafana.filled(each.expr))
    }
    & KNOWN.families.keys()
)


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_a_dashboard_breaks_no_rule(slug):
    assert not findings(DOCUMENTS[slug], KNOWN)


def test_no_two_dashboards_have_one_uid():
    assert len({document["uid"] for document in DOCUMENTS.values()}) == len(DOCUMENTS)


def first(document, kind="timeseries"):
    return next(panel for panel in grafana.panels(document) if panel["type"] == kind)


def asking(expr):
    def change(document):
        first(document)["targets"][0]["expr"] = expr

    return change


def on_panel(kind="timeseries", **parts):
    return lambda document: first(document, kind).update(parts)


def on_defaults(**parts):
    return lambda document: first(document)["fieldConfig"]["defaults"].update(parts)


def on_variable(**parts):
    return lambda document: document["templating"]["list"][1].update(parts)


def lie_on_each_other(document):
    first(document)["gridPos"] = dict(first(document, "stat")["gridPos"])


def too_many(document):
    document["panels"] += [first(document)] * 26


def same_reference(document):
    first(document)["targets"] *= 2


def another_column(document):
    first(document, "table")["fieldConfig"]["overrides"][0]["matcher"]["options"] = "compute_room"


def another_colour(document):
    first(document)["fieldConfig"]["defaults"]["thresholds"] = {"steps": [{"color": "red", "value": 0.83}]}


def fixed_source(document):
    first(document)["targets"][0]["datasource"] = {"type": "prometheus", "uid": "mine"}


RATE = "sum by (target) (max by (target, group, outcome) (rate(hypervisor_target_collections_total[5m])))"
BROKEN = [
    ("choosable", lambda document: document["templating"]["list"].pop(0), "data source cannot be chosen"),
    ("choosable", on_variable(refresh=1), "not asked again"),
    (
        "offers_what_there_is",
        on_variable(query={"query": "label_values(hypervisor_host_upp, host)"}),
        "host_upp has no",
    ),
    ("offers_what_there_is", on_variable(query={"query": "label_values(hypervisor_host_up, node)"}), "has no ['node']"),
    ("offers_what_there_is", on_variable(query={"query": "metrics(.*)"}), "asks neither"),
    ("is_ours", lambda document: document.update(editable=True), "can be edited"),
    ("is_ours", lambda document: document.update(uid="AbC9"), "its uid is"),
    ("is_ours", lambda document: document.update(description=""), "no description"),
    ("panels_are_told", too_many, "more than anybody looks at"),
    ("panels_are_told", on_panel(type="graph"), "no panel of every Grafana"),
    ("panels_are_told", on_panel(title=""), "no title"),
    ("panels_are_told", on_panel(description=""), "no description"),
    ("panels_are_told", on_defaults(unit="bananas"), "no unit"),
    ("panels_are_told", on_defaults(noValue=""), "nothing is said"),
    ("panels_ask", on_panel(datasource={"type": "prometheus", "uid": "mine"}), "another data source"),
    ("panels_ask", fixed_source, "another data source"),
    ("panels_ask", on_panel(targets=[]), "it asks nothing"),
    ("panels_ask", same_reference, "two queries of one name"),
    ("fits_the_grid", lie_on_each_other, "lies on"),
    ("fits_the_grid", on_panel(gridPos={"x": 20, "y": 900, "w": 12, "h": 8}), "hangs out"),
    ("asks_well", asking("sum(("), "?"),
    ("asks_well", asking('max by (target) (hypervisor_target_up{target=~"$room"})'), "there is no $room"),
    ("asks_well", asking(RATE), "a rate over 5m"),
    ("asks_well", asking("sum(hypervisor_host_guests)"), "is not reduced"),
    ("asks_well", asking("max by (target) (hypervisor_target_upp)"), "there is no series"),
    ("asks_well", asking("max by (target, group) (hypervisor_target_collections_total)"), "is a counter"),
    ("legends_are_there", lambda document: first(document)["targets"][0].update(legendFormat="{{room}}"), "names room"),
    ("legends_are_there", another_column, "no column compute_room"),
    ("colours_change_where_alerts_fire", another_colour, "changes at 0.83"),
    (
        "links_lead_somewhere",
        lambda document: document["links"].append({"url": "/d/hypervisor-room"}),
        "hypervisor-room",
    ),
]


@pytest.mark.parametrize(("check", "change", "sentence"), BROKEN)
def test_a_check_finds_what_it_is_there_for(check, change, sentence):
    document = copy.deepcopy(DOCUMENTS["fleet"])
    change(document)
    found = [each for each in findings(document, KNOWN) if each.startswith(f"{check}:")]
    assert found
    assert sentence == "?" or any(sentence in each for each in found), found


def test_every_check_is_tried():
    assert {check for check, _, _ in BROKEN} == {check.__name__ for check in CHECKS}


@pytest.mark.parametrize("family", USED)
def test_a_family_that_is_dropped_or_renamed_is_missed(family):
    known = KNOWN.without(family)
    assert any(family in sentence for document in DOCUMENTS.values() for sentence in findings(document, known))
