"""Two targets that watch one cluster are told so, and told no more once one of them is gone."""

from exporter.config.model import Target
from exporter.runtime import overlaps
from exporter.runtime.messages import Done, Key
from exporter.runtime.page import Page
from exporter.runtime.target_state import TargetState


def watching(name, *clusters, platform="hyperv"):
    state = TargetState(Target(name, platform, f"https://{name}"), ("vitals", "storage"))
    page = Page(1, {}, 0.0, clusters=clusters)
    state.record(Done(Key(name, 1), "vitals", 1, "success", 0.1, page=page), 0.0, 0.0)
    return state


def problem(state):
    report = state.report().groups
    assert "overlapping_target" not in report["storage"].problems
    return report["vitals"].problems.get("overlapping_target")


def test_two_targets_of_one_cluster_are_told():
    one, two, other = watching("one", "hvc-1"), watching("two", "hvc-1", "hvc-2"), watching("other", "hvc-3")
    assert overlaps.settle([one, two, other]) == [one, two]
    assert [problem(each) for each in (one, two, other)] == [1, 1, None]
    assert overlaps.settle([one, two, other]) == [], "nothing has changed"
    assert overlaps.settle([two, other]) == [two]
    assert problem(two) is None


def test_what_other_platforms_call_the_same_is_something_else():
    states = [watching("one", "prod"), watching("two", "prod", platform="vsphere")]
    assert overlaps.settle(states) == []


def test_only_vitals_say_which_clusters_there_are():
    one, two = watching("one", "hvc-1"), watching("two")
    page = Page(1, {}, 0.0, clusters=("hvc-1",))
    two.record(Done(Key("two", 1), "storage", 1, "success", 0.1, page=page), 0.0, 0.0)
    assert overlaps.settle([one, two]) == []
