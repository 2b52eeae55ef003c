"""Estates that are empty, have no clusters, or show a guest twice while it moves: alerts stay right.

What targets that are down do to alerts is told in test_hold.py and test_gaps.py; odd names are in every story.
"""

import re

import pytest

from dashboards.rules.forms import Level
from dashboards.rules.inhibition import CAUSES, inhibitions
from dashboards.rules.settings import Settings
from dashboards.rules.text import groups
from tests.backends.need import need
from tests.rules.bench import Bench
from tests.rules.story import World, labels_of, samples, scraped, written
from tests.rules.test_alerts import ALERTS, NUMBERED, said

pytestmark = pytest.mark.timeout(600)
CLUSTERLESS = {name: story for name, story in NUMBERED.items() if ALERTS[story.alert].level is not Level.CLUSTER}
OF_GUESTS = {name: story for name, story in NUMBERED.items() if ALERTS[story.alert].level is Level.GUEST}
DOWN = "HypervisorTargetDown"
ANY = 'count(ALERTS{alertstate="firing"}) or vector(0)'


class Alone(World):
    """An estate without clusters."""

    def names(self, instance=""):
        return {**super().names(instance), "compute_cluster": "", "compute_cluster_id": ""}


def moving(story):
    """The story's guest also at another target, for two minutes around the one at which its alert fires."""
    names = {**World().names(), "target": "the other", "host_id": "other", "host": "other"}
    for key, notation in story.series.items():
        values = samples(notation, story.minutes)
        seen = ["_"] * (story.fires - 1) + values[story.fires - 1 : story.fires + 1] + ["stale"]
        yield {"series": written(key, labels_of(key, names)), "values": " ".join(seen)}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    need(["promtool"])
    bench = Bench(tmp_path_factory.mktemp("odd"))
    for name, story in CLUSTERLESS.items():
        fires = said(bench, story, [Alone()])
        moments = {story.fires - 1: [], story.fires: fires, story.resolves: []}
        bench.put(f"{name} clusterless", [story.alert], scraped(story.series, Alone(), story.minutes), moments)
    for name, story in OF_GUESTS.items():
        series = [*scraped(story.series, World(), story.minutes), *moving(story)]
        moments = {story.fires - 1: 0, story.fires: 1, story.fires + 3: 1, story.resolves: 0}
        bench.count(f"{name} moving", story.alert, series, moments)
    return bench.run()


@pytest.mark.backend
@pytest.mark.parametrize("name", CLUSTERLESS)
def test_an_alert_fires_and_resolves_where_there_are_no_clusters(verdicts, name):
    assert not verdicts[f"{name} clusterless"], verdicts[f"{name} clusterless"]


@pytest.mark.backend
@pytest.mark.parametrize("name", OF_GUESTS)
def test_a_guest_that_two_targets_show_while_it_moves_has_one_alert(verdicts, name):
    assert not verdicts[f"{name} moving"], verdicts[f"{name} moving"]


@pytest.mark.backend
def test_an_empty_prometheus_says_that_no_exporter_is_there_and_nothing_else(tmp_path):
    need(["promtool"])
    bench = Bench(tmp_path)
    absent = 'count(ALERTS{alertname="HypervisorExporterAbsent",alertstate="firing"}) or vector(0)'
    moments = [(ANY, 4, 0), (ANY, 5, 1), (absent, 5, 1), (ANY, 120, 1), (absent, 120, 1)]
    bench.ask("empty", [*ALERTS], [{"series": "up", "values": "0x120"}], moments)
    only = scraped({"hypervisor_exporter_build_info": "1x*"}, World(), 120)
    bench.ask("an exporter without targets", [*ALERTS], only, [(ANY, minute, 0) for minute in (5, 60, 119)])
    assert bench.run() == {"empty": "", "an exporter without targets": ""}


def test_no_alert_is_told_to_be_over_because_its_target_is_down():
    """It is silent by then, or goes on with what was known last; and it lasts until the target's own alert is told."""
    (rule,) = (each for each in inhibitions(groups(Settings())) if DOWN in each["source_matchers"][0])
    silent = set(re.search('"(.+)"', rule["target_matchers"][0])[1].split("|"))
    rest = {alert.name for alert in ALERTS.values() if alert.level is not Level.EXPORTER} - {DOWN, *CAUSES}
    assert {name for name in rest if not ALERTS[name].holds} == silent
    assert all(ALERTS[name].keep_firing_seconds >= ALERTS[DOWN].for_seconds for name in silent)
