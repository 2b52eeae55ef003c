"""Which families and which targets are cut when there are too many series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.catalogue import SHARED, Entity
from exporter.config.model import Limits
from exporter.runtime.budget import SeriesBudget, allowances, ranks, shed

RANKS = ranks(SHARED)
UP, STATE = "hypervisor_host_up", "hypervisor_guest_state"
READ, WRITTEN = "hypervisor_guest_disk_read_bytes_total", "hypervisor_guest_disk_written_bytes_total"
WANTED = {UP: 10, STATE: 100, READ: 500, WRITTEN: 500}


@pytest.mark.parametrize(
    ("limit", "left_out"),
    [
        pytest.param(1110, set(), id="everything fits"),
        pytest.param(1109, {WRITTEN}, id="one too many: the part that the catalogue names last"),
        pytest.param(609, {READ, WRITTEN}, id="610 are left without it, still one too many"),
        pytest.param(110, {READ, WRITTEN}, id="hosts and guests fit"),
        pytest.param(109, {READ, WRITTEN, STATE}, id="guests go before hosts"),
        pytest.param(0, {READ, WRITTEN, STATE, UP}, id="nothing is allowed"),
    ],
)
def test_the_least_important_families_go_first_and_whole(limit, left_out):
    assert shed(WANTED, RANKS, limit) == left_out


@pytest.mark.parametrize(
    ("wanted", "total", "allowed"),
    [
        pytest.param({"a": 10, "b": 20}, 30, {"a": 10, "b": 20}, id="everything fits"),
        pytest.param({"a": 10, "flood": 1000}, 110, {"a": 10, "flood": 100}, id="only the flood is cut"),
        pytest.param({"a": 10, "b": 500, "c": 600}, 110, {"a": 10, "b": 50, "c": 50}, id="two floods share the rest"),
        pytest.param({}, 5, {}, id="no targets"),
    ],
)
def test_the_largest_targets_are_cut_to_one_level(wanted, total, allowed):
    assert allowances(wanted, total) == allowed


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 10_000)), st.integers(0, 50_000))
def test_together_they_never_exceed_the_total_and_nobody_gets_more_than_wanted(wanted, total):
    allowed = allowances(wanted, total)
    assert sum(allowed.values()) <= max(total, 0)
    assert all(allowed[name] <= series for name, series in wanted.items())
    if sum(wanted.values()) <= total:
        assert allowed == wanted


def budget(per_target: int, total: int) -> SeriesBudget:
    return SeriesBudget(RANKS, Limits(series_per_target=per_target, series_total=total))


def test_a_target_over_its_limit_sheds_over_all_its_groups():
    series = budget(650, 10_000)
    series.note("a", "vitals", {STATE: 100, READ: 500})
    assert series.shed("a") == frozenset()
    series.note("a", "storage", {"hypervisor_guest_disk_capacity_bytes": 100})
    assert series.shed("a") == {"hypervisor_guest_disk_capacity_bytes"}


def test_over_the_total_only_the_largest_target_sheds_and_gets_everything_back():
    series = budget(10_000, 1000)
    series.note("small", "vitals", {STATE: 100, READ: 200})
    series.note("flood", "vitals", {STATE: 300, READ: 5000})
    assert (series.shed("small"), series.shed("flood")) == (frozenset(), {READ})
    series.note("flood", "vitals", {STATE: 300, READ: 100})
    assert series.shed("flood") == frozenset()
    series.note("flood", "vitals", {STATE: 300, READ: 5000})
    series.forget("small")
    assert series.shed("flood") == {READ}


def test_targets_that_may_show_something_else_are_told_once():
    series = budget(650, 10_000)
    series.note("a", "vitals", {STATE: 100, READ: 500})
    series.note("b", "vitals", {STATE: 100})
    assert series.take_changed() == set()
    series.note("a", "storage", {"hypervisor_guest_disk_capacity_bytes": 100})
    assert (series.take_changed(), series.take_changed()) == ({"a"}, set())
    series.note("a", "storage", {})
    assert series.take_changed() == {"a"}


def test_what_a_guest_is_and_whether_it_runs_is_shed_last_of_its_families():
    wanted = {family.name: 100 for family in SHARED if family.entity is Entity.GUEST}
    left = set(wanted) - shed(wanted, RANKS, 300)
    assert left == {"hypervisor_guest_info", "hypervisor_guest_running", "hypervisor_guest_state"}


def test_while_everything_fits_a_change_costs_no_look_at_any_family():
    looked = []

    class Ranks(dict):
        def __getitem__(self, name):
            looked.append(name)
            return super().__getitem__(name)

    series = SeriesBudget(Ranks(RANKS), Limits(series_per_target=1110, series_total=1_000_000))
    for n in range(300):
        series.note(f"t{n}", "vitals", WANTED)
        series.note(f"t{n}", "storage", {"hypervisor_guest_disk_capacity_bytes": 0})
    assert not looked

    series.note("t0", "vitals", WANTED | {UP: 11})
    assert len(looked) == 5  # its own families, to put them in order
    assert {n: series.shed(n) for n in ("t0", "t1")} == {"t0": {WRITTEN}, "t1": frozenset()}


def test_other_limits_are_in_force_at_once_for_what_is_known():
    series = budget(10_000, 1_000_000)
    series.note("a", "vitals", WANTED)
    series.note("b", "vitals", {UP: 10})
    for limits, left_out in (
        (Limits(series_per_target=610, series_total=1_000_000), {WRITTEN}),
        (Limits(series_per_target=10_000, series_total=120), {READ, WRITTEN}),
        (Limits(series_per_target=10_000, series_total=1_000_000), frozenset()),
    ):
        series.limits = limits
        assert series.shed("a") == left_out
        assert series.shed("b") == frozenset()


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.integers(0, 900)), max_size=30),
    st.integers(0, 2000),
)
def test_any_history_ends_where_the_last_state_alone_would(history, total):
    """Against a budget that is told only the last state; 0 forgets the target."""
    series, last = budget(1000, total), {}
    for target, families, each in history:
        if not families:
            series.forget(target)
            last.pop(target, None)
            continue
        last[target] = dict.fromkeys(list(WANTED)[:families], each)
        series.note(target, "vitals", last[target])
    fresh = budget(1000, total)
    for target, wanted in last.items():
        fresh.note(target, "vitals", wanted)
    assert {target: series.shed(target) for target in "abcd"} == {target: fresh.shed(target) for target in "abcd"}
