"""Every alert fires, does not fire just below its limit, and resolves: promtool says so, minute by minute."""

import pytest

from dashboards.rules.forms import Alert
from dashboards.rules.settings import Settings
from dashboards.rules.text import groups
from tests.backends.need import need
from tests.rules import cases_exporter, cases_guests, cases_hosts, cases_storage
from tests.rules.bench import Bench, firing
from tests.rules.story import ODD, PLATFORMS, World, scraped

STORIES = (*cases_exporter.STORIES, *cases_hosts.STORIES, *cases_guests.STORIES, *cases_storage.STORIES)
NUMBERED = {f"{story.alert} {number}": story for number, story in enumerate(STORIES)}
ALERTS = {rule.name: rule for group in groups(Settings()) for rule in group.rules if isinstance(rule, Alert)}
CASES = ("alone", "below", "among others")
pytestmark = [pytest.mark.backend, pytest.mark.timeout(600)]


def said(bench, story, worlds, *, value="", instances=("",)):
    """What fires in these worlds: once for each, and once for each exporter where the exporter is what it is about."""
    told = []
    for world in worlds:
        for instance in instances if "instance" in story.labels.split() else ("",):
            names = world.names(instance)
            labels = {**{name: names[name] for name in story.labels.split()}, **story.more}
            told.append((story.alert, firing(bench.alerts[story.alert], labels, value or story.value)))
    return told


def alone(bench, name, story):
    """One exporter, one platform."""
    world = World()
    fires, last = said(bench, story, [world]), said(bench, story, [world], value=story.last)
    moments = {story.fires - 1: [], story.fires: fires, story.resolves - 1: last, story.resolves: []}
    bench.put(f"{name} alone", [story.alert], scraped(story.series, world, story.minutes), moments)


def below(bench, name, story):
    """Just below the limit, with a scrape that fails."""
    series = {**story.series, **story.below}
    moments = {minute: [] for minute in (story.fires - 1, story.fires, story.fires + 1, story.resolves)}
    found = scraped(series, World(), story.minutes, missed=story.fires)
    bench.put(f"{name} below", [story.alert], found, moments)


def among_others(bench, name, story):
    """Two exporters show every platform with odd names, beside estates where all is well; then a scrape fails."""
    every = [World(platform, "a", ODD) for platform in PLATFORMS]
    if story.alert == "HypervisorExporterAbsent":  # is any there, then none is absent
        every = every[:1]
    twice = {"missed": story.fires + 1, "instances": (" one", " two")}
    series = [each for world in every for each in scraped(story.series, world, story.minutes, **twice)]
    if story.labels:
        well = [World(world.platform, "b", ODD) for world in every]
        kept = {**story.series, **story.below}
        series += [each for world in well for each in scraped(kept, world, story.minutes, **twice)]
    fires = said(bench, story, every, instances=twice["instances"])
    moments = {story.fires - 1: [], story.fires: fires, story.fires + 1: fires, story.resolves: []}
    bench.put(f"{name} among others", [story.alert], series, moments)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    need(["promtool"])
    bench = Bench(tmp_path_factory.mktemp("alerts"))
    for name, story in NUMBERED.items():
        alone(bench, name, story)
        below(bench, name, story)
        among_others(bench, name, story)
    return bench.run()


@pytest.mark.parametrize("name", NUMBERED)
@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_and_resolves_when_it_should_and_not_otherwise(verdicts, name, case):
    assert not verdicts[f"{name} {case}"], verdicts[f"{name} {case}"]


def test_every_alert_has_its_story_and_no_story_is_about_none():
    assert {story.alert for story in STORIES} == ALERTS.keys()


def test_a_story_that_is_not_true_is_noticed(tmp_path):
    need(["promtool"])
    bench = Bench(tmp_path)
    story = next(iter(NUMBERED.values()))
    fires = said(bench, story, [World()])
    bench.put("too early", [story.alert], scraped(story.series, World(), 20), {story.fires - 1: fires})
    bench.put("true", [story.alert], scraped(story.series, World(), 20), {story.fires: fires})
    verdicts = bench.run()
    assert "got" in verdicts["too early"]
    assert not verdicts["true"]
