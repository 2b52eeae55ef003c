"""Every panel of every dashboard is asked of a real Prometheus that holds two hours of simulated fleets."""

from html import escape

import pytest

from collectors.simulated.looks import LOOKS as SIMULATED
from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends import grafana
from tests.backends.need import need
from tests.backends.past import Past
from tests.preview.asking import View
from tests.preview.sheet import pages
from tests.preview.units import written
from tests.rules.bench import parsed
from tests.rules.promql import names

LOOKS = ("vsphere", "hyperv", "libvirt", "proxmox")
pytestmark = [pytest.mark.backend, pytest.mark.timeout(300)]


def target(look):
    address = f"simulated://{look}"
    return {"name": look, "platform": f"simulated.{look}", "address": address, "options": {"guests": 40, "seed": "d"}}


@pytest.fixture(scope="module")
def past():
    need(["prometheus", "promtool"])
    with Past([target(look) for look in LOOKS], rules=rules_text(Settings()), ruled_hours=1) as past:
        yield past


QUERIES = [query for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]


QUIET = {
    "exporter: How many series does it show?": "the exporter's own families are those of a daemon, not of the past",
    "exporter: How much CPU do its workers use?": "as above",
    "exporter: How much memory do its workers use?": "as above",
    "exporter: Do calls hang, do workers restart, are series left out?": "as above",
    "exporter: What could not be collected?": "nothing went wrong",
    "exporter: Which alarms does the endpoint itself raise?": "families of the real vSphere alone",
    "exporter: Which rights does an account lack?": "as above",
    "exporter: Do licences last?": "as above",
    "host: What do its alarms and sensors say?": "as above",
    "exporter: When do certificates end, and are clocks right?": "simulated targets have no certificate",
    "exporter: Which collections do not succeed?": "all do",
    "fleet: Which alerts fire?": "alerts are of the present, not of the past",
    "contention: From whom does the host take memory?": "no host is short of memory",
    "snapshots: Which guests run on leftovers of snapshots?": "there are none",
}
"""Panels that say nothing of these fleets, and why that is right."""
ON_REQUEST = {("libvirt", "guest: How full are its file systems?"): "guests' agents are asked where that is configured"}


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_panel_shows_values_of_its_unit_and_every_label_of_its_legend(past, query):
    expr = grafana.filled(query.expr)
    if query.instant:
        found = [(sample.labels, [sample.value]) for sample in past.prometheus.query(expr, time=past.now)]
    else:
        series = past.prometheus.query_range(expr, past.now - 1800, past.now, 60)
        found = [(each.labels, [value for _, value in each.points]) for each in series]
    assert found or str(query) in QUIET, f"nothing for {expr}"
    for seen, values in found:
        assert not query.lacks(seen)
        assert all(query.sane(value) for value in values), values


def raw(name, recorded):
    """The families that a series is made of."""
    return set().union(*(raw(one, recorded) for one in recorded[name] - {name})) if name in recorded else {name}


@pytest.mark.parametrize("look", LOOKS)
def test_one_platform_alone_leaves_nothing_empty_but_what_it_cannot_know(past, look):
    recorded = {rule["record"]: names(rule["expr"]) for rule in parsed() if "record" in rule}
    chosen = {**grafana.EVERYTHING, "platform": look}
    told = {str(query) for query in QUERIES if past.prometheus.query(grafana.filled(query.expr, chosen), past.now)}
    alone = not past.prometheus.query(f'hypervisor_host_info{{platform="{look}", compute_cluster_id!=""}}', past.now)
    for query in QUERIES:
        excused = (look, str(query)) in ON_REQUEST or (alone and "compute_cluster_id" in query.expr)
        if str(query) in told or str(query) in QUIET or excused:
            continue
        read = set().union(*(raw(name, recorded) for name in names(grafana.filled(query.expr))))
        assert any(not SIMULATED[look].delivers(name) for name in read if name in SIMULATED[look].support), query
        assert "no data because" in query.no_value


@pytest.mark.parametrize("slug", grafana.documents())
def test_a_page_can_be_drawn(past, slug):
    document = grafana.documents()[slug]
    drawn, _ = pages(document, View(past.prometheus, past.now, 1800, 60, grafana.EVERYTHING, 30))
    for panel in grafana.panels(document):
        assert all(f"<h3>{escape(panel['title'])}</h3>" in page for page in drawn.values())


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.125, "percentunit", "12.5%"),
        (0.5, "percentunit", "50%"),
        (1536, "bytes", "1.50 KiB"),
        (3 * 2**40, "bytes", "3 TiB"),
        (0, "s", "0 s"),
        (0.0016, "s", "1.60 ms"),
        (90, "s", "1.50 mins"),
        (30 * 86400, "s", "4.29 weeks"),
        (1_234_567, "short", "1.23 Mil"),
        (2_500_000, "Bps", "2.50 MB/s"),
        (1, "bool_yes_no", "Yes"),
    ],
)
def test_previews_write_numbers_as_grafana_does(value, unit, shown):
    assert written(value, unit) == shown
