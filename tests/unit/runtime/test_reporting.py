"""What the parent says about targets: once a beat what only counts, at once what somebody may act upon."""

import gzip

import pytest

from exporter.catalogue import SHARED
from exporter.config.model import Limits, Target
from exporter.exposition.negotiation import Format
from exporter.runtime.messages import Done, Key
from exporter.runtime.page import Page
from exporter.runtime.reporting import BEAT_SECONDS, Reporting
from exporter.runtime.stores import Stores
from exporter.runtime.target_state import TargetState
from exporter.sharding import Shard

UP, COUNTED = "hypervisor_target_up", "hypervisor_target_collections_total"


class NoCrew:
    restarts = 0

    def reports(self):
        return {}

    def abandoned_calls(self):
        return 0


class World:
    def __init__(self, *names):
        self.stores = Stores.empty(SHARED)
        self.reporting = Reporting(self.stores, SHARED, Limits(), Shard())
        self.targets = {}
        for name in names:
            self.add(name)
        self.reporting.configured()
        self.refresh(0.0)

    def add(self, name, **rest):
        self.targets[name] = TargetState(Target(name, "fake", f"fake://{name}", **rest), ("vitals", "storage"))
        self.reporting.changed(self.targets[name])

    def collected(self, name, outcome="success", group="vitals"):
        state = self.targets[name]
        page = Page(1, {}, 0.0) if outcome == "success" else None
        state.record(Done(Key(name, 1), group, 1, outcome, 0.1, page=page), 1e9, 0.0)
        self.reporting.attempted(state, group, outcome)

    def refresh(self, now, awaited=()):
        self.reporting.refresh(now, self.targets, NoCrew(), awaited)

    def shown(self, family, target, more=""):
        text = gzip.decompress(b"".join(self.stores.scheduled.member(Format.TEXT_0_0_4, None).gzip())).decode()
        found = [line for line in text.splitlines() if line.startswith(f'{family}{{target="{target}"') and more in line]
        return [float(line.rpartition(" ")[2]) for line in found]

    def successes(self, target):
        return self.shown(COUNTED, target, 'group="vitals",outcome="success"')


@pytest.fixture
def world():
    world = World("a", "b")
    for name in "ab":
        world.collected(name)
    world.refresh(0.1)
    return world


def test_many_events_of_a_beat_are_rendered_once_for_each_target(world):
    before = world.reporting.renders
    for turn in range(50):
        world.collected("a")
        world.refresh(0.2 + turn / 100)
    assert (world.reporting.renders, world.successes("a")) == (before, [1.0])

    world.refresh(BEAT_SECONDS)

    assert (world.reporting.renders, world.successes("a"), world.successes("b")) == (before + 1, [51.0], [1.0])


def test_a_beat_without_news_renders_nothing(world):
    world.refresh(BEAT_SECONDS)
    before = world.reporting.renders
    pages = world.stores.scheduled.member(Format.TEXT_0_0_4, None)

    for beat in range(2, 9):
        world.refresh(beat * BEAT_SECONDS)

    assert world.reporting.renders == before
    assert world.stores.scheduled.member(Format.TEXT_0_0_4, None).gzip() == pages.gzip()


@pytest.mark.parametrize(
    ("outcome", "up", "breaker"), [("unreachable", 0.0, "open"), ("auth_failed", 0.0, "auth_locked")]
)
def test_a_target_that_goes_down_or_is_locked_out_does_not_wait(world, outcome, up, breaker):
    world.collected("a", outcome)
    world.refresh(0.2)

    assert world.shown(UP, "a") == [up]
    assert world.shown("hypervisor_target_breaker_state", "a", f'state="{breaker}"') == [1.0]
    assert world.reporting.snapshot.targets["a"].up is False


def test_the_first_attempt_and_the_return_do_not_wait():
    world = World("a")
    assert world.shown(UP, "a") == []

    world.collected("a", "unreachable")
    world.refresh(0.1)
    assert (world.shown(UP, "a"), world.reporting.snapshot.targets["a"].attempted) == ([0.0], True)

    world.collected("a")
    world.refresh(0.2)
    assert world.shown(UP, "a") == [1.0]


def test_a_group_that_ends_otherwise_than_the_last_time_does_not_wait(world):
    for outcome in ("success", "forbidden", "success"):
        world.collected("a", outcome, group="storage")
        world.refresh(0.2)
        assert world.shown(COUNTED, "a", f'group="storage",outcome="{outcome}"')[0] >= 1

    world.collected("a", "success", group="storage")
    world.refresh(0.3)
    assert world.shown(COUNTED, "a", 'group="storage",outcome="success"') == [2.0]  # the same again waits


def test_whoever_waits_for_a_target_sees_it_as_it_is_and_the_others_wait_on(world):
    world.collected("a")
    world.collected("b")
    world.refresh(0.2)

    world.refresh(0.3, awaited={"a"})

    assert (world.successes("a"), world.successes("b")) == ([2.0], [1.0])


def test_targets_come_and_go_at_once_and_stay_in_the_order_of_their_names(world):
    world.add("0")
    del world.targets["b"]
    world.refresh(0.2)

    assert list(world.reporting.snapshot.targets) == ["0", "a"]
    assert world.shown("hypervisor_target_interval_seconds", "0")


def test_a_successor_on_another_platform_does_not_wait_and_is_labelled_as_such(world):
    world.stores.scheduled.drop("a")
    world.targets["a"] = TargetState(Target("a", "other", "other://a"), ("vitals",))
    world.reporting.changed(world.targets["a"])
    world.refresh(0.2)

    assert world.shown("hypervisor_target_info", "a", 'platform="other"') == [1.0]


def test_what_waits_is_shown_at_the_beat_at_the_latest(world):
    assert world.reporting.seconds_until_beat(0.25) == pytest.approx(BEAT_SECONDS - 0.25)
    world.refresh(BEAT_SECONDS)
    assert world.reporting.seconds_until_beat(BEAT_SECONDS + 0.25) == BEAT_SECONDS  # nothing waits
    world.collected("a")
    assert world.reporting.seconds_until_beat(BEAT_SECONDS + 0.25) == pytest.approx(0.75 * BEAT_SECONDS)


@pytest.mark.parametrize("order", [("vitals", "storage"), ("storage", "vitals")], ids=["vitals first", "storage first"])
def test_refused_credentials_are_logged_once_as_the_targets_whichever_group_hears_of_it_first(order, caplog):
    world = World("a")
    with caplog.at_level("WARNING"):
        for group in order:
            world.collected("a", "auth_failed", group)
    assert [record.message.split(":")[0] for record in caplog.records] == ["the target is down"]
    assert caplog.records[0].fields == {"target": "a", "group": order[0], "outcome": "auth_failed"}


def test_credentials_that_are_refused_by_a_target_that_is_down_already_are_logged_once_until_it_is_up(caplog):
    world = World("a")
    with caplog.at_level("WARNING"):
        for outcome in ("timed_out", "auth_failed", "auth_failed", "success", "auth_failed"):
            world.collected("a", outcome)
    assert [record.fields["outcome"] for record in caplog.records] == ["timed_out", "auth_failed", "auth_failed"]
