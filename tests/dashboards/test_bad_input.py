"""Dashboards where something is wrong: nothing is there yet, a target is gone for a day, names are odd, and more.

Every panel is asked of a real Prometheus; what it shows is true, or it shows nothing and says why.
"""

import math
import re
from datetime import UTC, datetime

import pytest

from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends import grafana
from tests.backends.need import need
from tests.backends.past import Past
from tests.backends.prometheus import Prometheus

pytestmark = [pytest.mark.backend, pytest.mark.timeout(300)]
QUERIES = [query for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]
HOUR = 3600.0
NOW = 1_781_090_400.0
"""A Wednesday at 11:20 UTC."""
ODD = ' "q" {b} \\ [c] ${d} 😀'


def target(name, look, **options):
    return {"name": name, "platform": f"simulated.{look}", "address": f"simulated://{name}", "options": options}


def panel(slug, title):
    (found,) = (query for query in QUERIES if (query.dashboard, query.panel) == (slug, title))
    return found


def shown(prometheus, query, at, choices=grafana.EVERYTHING, interval=60.0):
    """What a panel's query gives at an instant, as Grafana would ask."""
    return prometheus.query(grafana.filled(query.expr, choices, interval=interval), at)


def number(past, slug, title, **chosen):
    """What a stat shows; None for nothing."""
    found = shown(past.prometheus, panel(slug, title), past.now, {**grafana.EVERYTHING, **chosen})
    assert len(found) <= 1
    return found[0].value if found else None


@pytest.fixture(scope="module")
def empty():
    need(["prometheus"])
    with Prometheus([]) as prometheus:
        yield prometheus


class TestNothingThereYet:
    @pytest.mark.parametrize("query", QUERIES, ids=str)
    def test_a_panel_is_no_error_and_shows_nothing_rather_than_that_all_is_well(self, empty, query):
        expr = grafana.filled(query.expr)
        assert empty.query(expr) == []
        assert empty.query_range(expr, NOW - HOUR, NOW, 60) == []
        assert query.no_value.startswith("no data because")

    @pytest.mark.parametrize("slug", grafana.documents())
    def test_a_number_that_is_not_there_says_so_without_a_colour(self, slug):
        for one in grafana.panels(grafana.documents()[slug]):
            defaults = one["fieldConfig"]["defaults"]
            if one["type"] == "stat":
                (mapping,) = defaults["mappings"]
                assert mapping["options"]["match"] == "null"
                assert mapping["options"]["result"]["text"] == defaults["noValue"]
                assert mapping["options"]["result"]["color"] == "text"

    @pytest.mark.parametrize("slug", grafana.documents())
    def test_a_choice_is_no_error(self, empty, slug):
        for variable in grafana.documents()[slug]["templating"]["list"][1:]:
            assert grafana.options(empty, variable) == (["38"] if variable["name"] == "min_step" else [])


@pytest.fixture(scope="module")
def alone():
    need(["prometheus", "promtool"])
    targets = [target("kvm", "libvirt", guests=6, seed="alone")]
    with Past(targets, hours=0.5, now=NOW, rules=rules_text(Settings())) as past:
        yield past


class TestNoCluster:
    @pytest.mark.parametrize("query", [one for one in QUERIES if one.dashboard == "cluster"], ids=str)
    def test_every_panel_of_the_page_of_clusters_says_why_it_is_empty(self, alone, query):
        assert shown(alone.prometheus, query, alone.now) == []
        assert query.no_value.startswith("no data because")

    @pytest.mark.parametrize(
        ("slug", "title"),
        [("fleet", "Clusters without N+1"), ("capacity", "Clusters without N+1"), ("capacity", "Left after a failure")],
    )
    def test_a_number_of_clusters_is_not_0(self, alone, slug, title):
        assert number(alone, slug, title) is None

    def test_what_is_not_of_clusters_is_there(self, alone):
        assert number(alone, "fleet", "Hosts") == 1
        assert number(alone, "capacity", "Overcommitted memory") == 0


DOWN = NOW - 25 * HOUR


@pytest.fixture(scope="module")
def gone():
    need(["prometheus", "promtool"])
    gone = {"kind": "unreachable", "from": datetime.fromtimestamp(DOWN, UTC).isoformat()}
    targets = [
        target("there", "vsphere", guests=8, seed="there"),
        target("gone", "vsphere", guests=8, seed="gone", faults=[gone]),
    ]
    rules = rules_text(Settings(rate_window=3000.0))
    intervals = {"vitals": "10m", "storage": "10m", "snapshots": "10m", "inventory": "1h"}
    with Past(
        targets, hours=27, step=600, now=NOW, evaluated=1200, rules=rules, intervals=intervals, ruled_hours=27
    ) as past:
        yield past


class TestATargetDownForADay:
    """Two hypervisors; one does not answer for a day and an hour, the other does."""

    @pytest.mark.parametrize("query", QUERIES, ids=str)
    def test_a_panel_is_no_error_and_its_numbers_are_sane(self, gone, query):
        for at in (DOWN - HOUR, DOWN + HOUR, gone.now):
            for sample in shown(gone.prometheus, query, at, interval=600.0):
                assert math.isfinite(sample.value)
                assert sample.value >= -0.01 or query.unit == "none" or query.may_lack
                if query.unit == "percentunit" and not re.search("overcommit|allocated|promised", query.expr):
                    assert sample.value <= 1.5

    def test_it_is_told(self, gone):
        assert number(gone, "fleet", "Targets down") == number(gone, "exporter", "Targets down") == 1
        assert number(gone, "exporter", "Data that is out of date") >= 1
        answers = {
            each.labels["target"]: each.value
            for query in QUERIES
            if (query.dashboard, query.panel) == ("fleet", "How is each target?") and "target_up" in query.expr
            for each in shown(gone.prometheus, query, gone.now)
            if "problems" not in query.expr
        }
        assert answers == {"there": 1, "gone": 0}

    def test_nothing_of_it_runs_or_is_up_after_a_day(self, gone):
        for slug, title in (("cluster", "How is each host?"), ("host", "Which guests are here?")):
            for query in (one for one in QUERIES if (one.dashboard, one.panel) == (slug, title)):
                assert {each.labels["target"] for each in shown(gone.prometheus, query, gone.now, interval=600.0)} <= {
                    "there"
                }

    def test_a_curve_ends_where_the_target_went(self, gone):
        query = panel("cluster", "How busy is each host?")
        expr = grafana.filled(re.sub(r"\nand topk.*", "", query.expr), interval=600.0)
        series = gone.prometheus.query_range(expr, DOWN - HOUR, gone.now, 1200)
        ends = {each.labels["target"]: each.points[-1][0] for each in series}
        assert ends["there"] > gone.now - 1200
        assert ends["gone"] < DOWN + 2 * HOUR


@pytest.fixture(scope="module")
def twins():
    need(["prometheus", "promtool"])
    with Past(
        [target(name, "libvirt", guests=6, seed="twins") for name in ("left", "right")],
        hours=0.5,
        now=NOW,
        rules=rules_text(Settings()),
    ) as past:
        yield past


class TestAGuestThatTwoTargetsShow:
    """In a migration, or in a restored backup, two hypervisors show a guest of the same id."""

    def test_there_are_such(self, twins):
        twins = twins.prometheus.query("count by (guest_id) (hypervisor_guest_info) == 2", twins.now)
        assert len(twins) >= 6

    @pytest.mark.parametrize("query", QUERIES, ids=str)
    def test_a_panel_is_no_error(self, twins, query):
        for sample in shown(twins.prometheus, query, twins.now):
            assert math.isfinite(sample.value)

    def test_it_counts_once(self, twins):
        both, one = (number(twins, "fleet", "Guests", target=choice) for choice in (".*", ("left",)))
        assert both == one > 0
        assert number(twins, "fleet", "Guests that run") == number(twins, "fleet", "Guests that run", target=("left",))

    def test_each_target_shows_its_own(self, twins):
        for query in (one for one in QUERIES if one.panel == "Which guests are here?"):
            found = [
                (each.labels["target"], each.labels["guest_id"]) for each in shown(twins.prometheus, query, twins.now)
            ]
            assert len(found) == len(set(found))


@pytest.fixture(scope="module")
def odd():
    need(["prometheus", "promtool"])
    targets = [target("vc", "vsphere", guests=12, seed="names")]
    label = re.compile(rb'([{,](?:target|host|storage|compute_cluster)="[^"]+)"')
    written = ODD.replace("\\", "\\\\").replace('"', '\\"').encode()
    with Past(
        targets,
        hours=0.5,
        now=NOW,
        rules=rules_text(Settings()),
        edited=lambda line: label.sub(lambda found: found[1] + written + b'"', line),
    ) as past:
        yield past


class TestOddNames:
    """Hosts, storages, clusters and targets are called as guests are."""

    NAMES = ("target", "host", "storage", "compute_cluster")

    def choices(self, odd, slug):
        """One of each, the first that is offered."""
        found = dict(grafana.EVERYTHING)
        for variable in grafana.documents()[slug]["templating"]["list"][1:]:
            if variable["name"] in self.NAMES:
                options = grafana.options(odd.prometheus, variable, found, odd.now)
                found[variable["name"]] = (next(each for each in options if '"' in each),)
        return found

    @pytest.mark.parametrize("slug", grafana.documents())
    def test_any_of_them_can_be_chosen(self, odd, slug):
        chosen, told = self.choices(odd, slug), 0
        for query in (one for one in QUERIES if one.dashboard == slug):
            told += bool(shown(odd.prometheus, query, odd.now, chosen))
        assert told >= len([one for one in QUERIES if one.dashboard == slug]) / 4

    def test_names_are_as_odd_as_they_should_be(self, odd):
        chosen = self.choices(odd, "host")
        assert all(ODD in chosen[name][0] for name in ("target", "host", "compute_cluster"))
