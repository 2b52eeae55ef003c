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


NOW = 1_781_090_400.0
"""A Wednesday at 11:20 UTC: in fleets of this seed hosts are short of memory then, and backups have left overlays."""
FAULTS = {
    "vsphere": [{"kind": "break_part", "group": "inventory"}],
    "proxmox": [{"kind": "malformed", "group": "storage", "every": "30m", "lasts": "6m"}],
}
"""Three guests may not be read; and now and then a collection fails."""


def target(look):
    options = {"guests": 40, "seed": "d2", "faults": FAULTS.get(look, [])}
    return {"name": look, "platform": f"simulated.{look}", "address": f"simulated://{look}", "options": options}


@pytest.fixture(scope="module")
def past():
    need(["prometheus", "promtool"])
    with Past([target(look) for look in LOOKS], now=NOW, rules=rules_text(Settings()), ruled_hours=1) as past:
        yield past


QUERIES = [query for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]


QUIET = {
    "exporter: How many series does it show?": "the exporter's own families are those of a daemon, not of the past",
    "exporter: How much CPU do its workers use?": "as above",
    "exporter: How much memory do its workers use?": "as above",
    "exporter: Do calls hang, do workers restart, are series left out?": "as above",
    "exporter: When do certificates end, and are clocks right?": "simulated targets have no certificate, but clocks",
    "fleet: Which alerts fire?": "alerts are of the present, not of the past",
}
"""Panels that say nothing of these fleets, and why that is right."""
FAILED = {"exporter: What could not be collected?", "exporter: Which collections do not succeed?"}
"""Panels that have something to say only of targets with a fault of their kind."""
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


def tells(look, name):
    """Whether a platform has a family: a shared one that it delivers, or an own one that its look has."""
    if name in SIMULATED[look].support:
        return SIMULATED[look].delivers(name)
    own = name.startswith(tuple(f"hypervisor_{other}_" for other in LOOKS))
    return not own or any(family.name == name for family in SIMULATED[look].families)


@pytest.mark.parametrize("look", LOOKS)
def test_one_platform_alone_leaves_nothing_empty_but_what_it_cannot_know(past, look):
    recorded = {rule["record"]: names(rule["expr"]) for rule in parsed() if "record" in rule}
    chosen = {**grafana.EVERYTHING, "platform": look}
    told = {str(query) for query in QUERIES if past.prometheus.query(grafana.filled(query.expr, chosen), past.now)}
    alone = not past.prometheus.query(f'hypervisor_host_info{{platform="{look}", compute_cluster_id!=""}}', past.now)
    for query in QUERIES:
        excused = (look, str(query)) in ON_REQUEST or (alone and "compute_cluster_id" in query.expr)
        if str(query) in told | set(QUIET) | FAILED or excused:
            continue
        read = set().union(*(raw(name, recorded) for name in names(grafana.filled(query.expr))))
        assert not all(tells(look, name) for name in read), query
        assert "no data because" in query.no_value


@pytest.mark.parametrize("panel", QUIET)
def test_no_panel_is_excused_that_has_something_to_say(past, panel):
    queries = [query for query in QUERIES if str(query) == panel]
    assert not all(past.prometheus.query(grafana.filled(query.expr), past.now) for query in queries)


def test_what_a_vcenter_says_is_on_the_pages(past):
    """Held against what the fleet is made of; `collectors/simulated/looks/vcenter.py` says what is worn."""

    def rows(title, reference=0):
        query = [query for query in QUERIES if query.panel == title][reference]
        found = past.prometheus.query(grafana.filled(query.expr), past.now)
        return {(sample.labels.get("severity") or sample.labels.get("right"), sample.value) for sample in found}

    hosts = past.prometheus.query('hypervisor_host_cpu_sockets{target="vsphere"}', past.now)
    lost = past.prometheus.query('count(hypervisor_host_up{target="vsphere"} == 0) or vector(0)', past.now)[0].value
    short = past.prometheus.query("count(hypervisor_vsphere_host_memory_state > 0)", past.now)[0].value
    assert rows("Which alarms does the endpoint itself raise?") == {("red", 1 + lost), ("yellow", short)}
    assert rows("Which alarms does the endpoint itself raise?", 1) == {("yellow", 1)}
    assert rows("Which rights does an account lack?") == {("System.Read", 3)}
    assert (None, sum(host.value for host in hosts)) in rows("Do licences last?")
    assert sorted(value for _, value in rows("What do its alarms and sensors say?", 2)) == [0, 1]


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
