"""What is shown of what was seen: one entity per id, sums before filters, snapshots in numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.config.model import Filters, Profile, Selection, Target
from exporter.model import (
    Allocation,
    Cluster,
    Guest,
    GuestCpu,
    GuestMemory,
    GuestState,
    Host,
    HostState,
    Observation,
    Snapshot,
    Storage,
)
from exporter.normalise import chain_depth, normalise

NOW = 1_790_000_000.0
TARGET = Target("t", "p", "p://")
RUNNING, STOPPED, UNKNOWN, PAUSED = GuestState.RUNNING, GuestState.STOPPED, GuestState.UNKNOWN, GuestState.PAUSED


def see(target=TARGET, **seen):
    return normalise(Observation(NOW, **seen), target)


def guest(guest_id, state=RUNNING, *, vcpus=2, configured=4096, assigned=2048, **rest):
    return Guest(
        guest_id,
        rest.pop("name", f"name-{guest_id}"),
        state=state,
        cpu=GuestCpu(vcpus),
        memory=GuestMemory(configured_bytes=configured, assigned_bytes=assigned),
        **rest,
    )


ONE_HOST = (Host("h1", "one"),)


def allocation(*guests, hosts=ONE_HOST, **seen):
    return [host.allocation for host in see(hosts=hosts, guests=guests, **seen).observation.hosts]


# One entity per id.


def test_entities_come_in_the_order_of_their_ids():
    seen = see(
        hosts=(Host("b", "x"), Host("a", "y")),
        guests=(guest("c"), guest("a"), guest("b")),
        storages=(Storage("2", "x"), Storage("1", "y")),
        clusters=(Cluster("z", "x"), Cluster("y", "x")),
    ).observation

    assert [g.id for g in seen.guests] == ["a", "b", "c"]
    assert [h.id for h in seen.hosts] == ["a", "b"]
    assert [s.id for s in seen.storages] == ["1", "2"]
    assert [c.id for c in seen.clusters] == ["y", "z"]


@pytest.mark.parametrize(
    ("copies", "winner"),
    [
        pytest.param([guest("a", UNKNOWN, name="x"), guest("a", STOPPED, name="y")], "y", id="a known state first"),
        pytest.param([guest("a", STOPPED, name="x"), guest("a", RUNNING, name="y")], "y", id="then one that runs"),
        pytest.param(
            [guest("a", native_id="vm-12", name="x"), guest("a", native_id="vm-9", name="y")], "y", id="then vm-9"
        ),
        pytest.param([guest("a", name="x"), guest("a", name="x")], "x", id="any of equals"),
    ],
)
def test_of_two_guests_with_one_id_one_is_shown_whatever_their_order(copies, winner):
    for order in (copies, copies[::-1]):
        seen = see(guests=tuple(order))

        assert [g.name for g in seen.observation.guests] == [winner]
        assert seen.problems == {"duplicate_guest_id": 1}
        assert seen.objects["guests"] == 1


@pytest.mark.parametrize(
    ("kind", "copies", "problem"),
    [
        ("hosts", (Host("a", "x", state=HostState.NOT_RESPONDING), Host("a", "y")), "duplicate_host_id"),
        ("hosts", (Host("a", "x", up=False), Host("a", "y", up=True)), "duplicate_host_id"),
        ("storages", (Storage("a", "x", accessible=False), Storage("a", "y")), "duplicate_storage_id"),
        ("clusters", (Cluster("a", "z"), Cluster("a", "y"), Cluster("b", "q")), "duplicate_cluster_id"),
    ],
)
def test_other_entities_too_are_shown_once(kind, copies, problem):
    seen = see(**{kind: copies})

    assert getattr(seen.observation, kind)[0].name == "y"
    assert seen.problems == {problem: 1}


# Allocation.


def test_a_host_is_allocated_what_its_guests_that_hold_memory_may_get():
    guests = [guest("a"), guest("b", PAUSED, vcpus=1), guest("c", STOPPED), guest("d", UNKNOWN)]

    assert allocation(*guests) == [
        Allocation(
            {"paused": 1, "running": 1, "stopped": 1, "unknown": 1},
            vcpus=3,
            memory_bytes=8192,
            memory_assigned_bytes=4096,
        )
    ]


def test_templates_are_in_no_sum_and_a_platform_may_know_better_than_the_state():
    guests = [guest("a", kind="template"), guest("b", STOPPED, holds_memory=True), guest("c", holds_memory=False)]

    (sums,) = allocation(*guests)

    assert (sums.vcpus, sums.memory_bytes) == (2, 4096)
    assert sums.guests == {"running": 1, "stopped": 1}


def test_guests_are_counted_on_their_own_host_and_strangers_on_none():
    hosts = (Host("h1", "one"), Host("h2", "two"))
    guests = [
        guest("a", host_id="h1"),
        guest("b", host_id="h2"),
        guest("c", host_id="h2"),
        guest("d"),
        guest("e", host_id="h9"),
    ]

    assert [sums.guests["running"] for sums in allocation(*guests, hosts=hosts)] == [1, 2]


def test_the_only_host_has_the_guests_that_name_none():
    (sums,) = allocation(guest("a"), guest("b", host_id="h1"), guest("c", host_id="h9"))

    assert sums.guests["running"] == 2


@pytest.mark.parametrize("unknown", [None, math.nan, "N/A", 10**400], ids=["None", "NaN", "a word", "too large"])
def test_an_unknown_summand_makes_that_sum_absent_and_no_other(unknown):
    (sums,) = allocation(guest("a"), guest("b", configured=unknown))

    assert (sums.vcpus, sums.memory_bytes, sums.memory_assigned_bytes) == (4, None, 4096)


def test_a_host_without_guests_has_promised_nothing():
    assert allocation() == [Allocation({"running": 0, "stopped": 0}, 0, 0, 0)]


def test_guests_without_state_are_no_vitals_and_sum_up_to_nothing():
    assert allocation(guest("a", None)) == [None]


def test_no_guests_at_all_in_a_partial_observation_prove_nothing():
    assert allocation(partial=True) == [None]


def test_what_the_platform_counted_itself_is_kept():
    own = Allocation({"running": 7})

    assert allocation(guest("a"), hosts=(Host("h1", "one", allocation=own),)) == [own]


def test_filters_decide_what_is_shown_never_what_is_summed():
    target = Target("t", "p", "p://", filters=Filters(Selection(include=("web*", "db*"), exclude=("*-old",))))
    guests = tuple(guest(name, name=name) for name in ("web-1", "web-old", "db", "vCLS-1"))

    seen = see(target, hosts=(Host("h1", "one"),), guests=guests)

    assert [g.name for g in seen.observation.guests] == ["db", "web-1"]
    assert seen.observation.hosts[0].allocation.guests["running"] == 4
    assert seen.objects["guests"] == 4


# Snapshots.


def snapshot(name, created=NOW - 100, **rest):
    return Snapshot(rest.pop("id", name), name, created, **rest)


def summary(*snapshots, target=TARGET):
    seen = see(target, guests=(Guest("a", "a", snapshots=tuple(snapshots)),))
    return seen.observation.guests[0].snapshot_summary, seen.problems


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("VEEAM BACKUP TEMPORARY SNAPSHOT", "backup"),
        ("Consolidate Helper- 0", "backup"),
        ("daily-2026-11-20", "schedule"),
        ("weekly backup", "backup"),
        ("before upgrade", "user"),
        ("automatic", "user"),
        ("", "user"),
    ],
)
def test_a_name_tells_the_kind_where_the_platform_does_not(name, kind):
    seen = see(guests=(Guest("a", "a", snapshots=(snapshot(name), snapshot("veeam", kind="user"))),))

    assert [s.kind for s in seen.observation.guests[0].snapshots] == [kind, "user"]


def test_the_configured_patterns_are_the_ones_that_count():
    target = Target("t", "p", "p://", profile=Profile(snapshot_kinds=(("backup", ("^nightly",)),)))

    counted, _ = summary(snapshot("nightly 1"), snapshot("veeam"), target=target)

    assert (counted.count, counted.backups) == (2, 1)


def test_snapshots_are_summed_up():
    counted, problems = summary(
        snapshot("mine", NOW - 50),
        snapshot("veeam", NOW - 7200),
        snapshot("older", NOW - 86_400),
        snapshot("point", NOW - 999_999, kind="replication"),
        snapshot("no time", None),
    )

    assert (counted.count, counted.replications, counted.backups) == (4, 1, 1)
    assert (counted.oldest_timestamp_seconds, counted.oldest_age_seconds) == (NOW - 86_400, 86_400)
    assert counted.oldest_backup_timestamp_seconds == NOW - 7200
    assert problems == {}


def test_no_snapshots_are_zero_and_unread_snapshots_unknown():
    counted, _ = summary()
    seen = see(guests=(Guest("a", "a"),))

    assert (counted.count, counted.chain_depth, counted.oldest_timestamp_seconds) == (0, 0, None)
    assert counted.oldest_age_seconds is None
    assert seen.observation.guests[0].snapshot_summary is None


@pytest.mark.parametrize(
    ("ahead", "age", "problems"),
    [
        pytest.param(-1, 1, {}, id="past"),
        pytest.param(299, 0, {}, id="clocks differ a little"),
        pytest.param(301, 0, {"snapshot_in_future": 1}, id="more than five minutes ahead"),
    ],
)
def test_a_snapshot_of_the_future_has_age_zero(ahead, age, problems):
    counted, found = summary(snapshot("x", NOW + ahead))

    assert (counted.oldest_timestamp_seconds, counted.oldest_age_seconds, found) == (NOW + ahead, age, problems)


@pytest.mark.parametrize("created", [None, math.nan, math.inf, "yesterday"])
def test_a_snapshot_without_a_usable_time_counts_but_is_never_the_oldest(created):
    counted, problems = summary(snapshot("x", created), snapshot("y", NOW - 5))

    assert (counted.count, counted.oldest_age_seconds, problems) == (2, 5, {})


@pytest.mark.parametrize(
    ("parents", "depth"),
    [
        pytest.param({}, 0, id="none"),
        pytest.param({"a": "", "b": ""}, 1, id="two roots"),
        pytest.param({"a": "", "b": "a", "c": "b", "d": "a"}, 3, id="a tree"),
        pytest.param({"b": "gone", "c": "b"}, 2, id="a missing parent makes a root"),
        pytest.param({"a": "a"}, 1, id="its own parent"),
        pytest.param({"a": "c", "b": "a", "c": "b"}, 3, id="a loop"),
        pytest.param({"a": "b", "b": "a", "c": "a"}, 3, id="a tail on a loop"),
        pytest.param({str(n): str(n - 1) for n in range(5000)}, 5000, id="deeper than Python recurses"),
    ],
)
def test_the_chain_is_as_deep_as_its_longest_path(parents, depth):
    assert chain_depth([Snapshot(name, name, parent_id=parent) for name, parent in parents.items()]) == depth


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 12)))
def test_any_web_of_parents_has_a_depth_of_at_most_its_snapshots(parents):
    depth = chain_depth([Snapshot(str(name), "", parent_id=str(parent)) for name, parent in parents.items()])

    assert bool(parents) <= depth <= len(parents)


def test_objects_are_counted_by_kind():
    seen = see(
        hosts=(Host("h", "h"),),
        guests=(Guest("a", "a", snapshots=(snapshot("x"), snapshot("y"))), Guest("b", "b")),
        storages=(Storage("s", "s"),),
    )

    assert seen.objects == {"hosts": 1, "guests": 2, "snapshots": 2, "storages": 1}
