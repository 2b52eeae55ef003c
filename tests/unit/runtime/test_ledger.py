"""Counters never fall, never count a thing twice, and never invent what nobody saw."""

import math
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.model import Parts, Samples, Wrapping
from exporter.runtime.ledger import Ledger

CPU, GUEST = "hypervisor_guest_cpu_seconds_total", ("guest-1",)


def follow(values, ledger=None):
    """What one counter shows, collection after collection."""
    ledger = ledger or Ledger()
    return [ledger.settle(CPU, [GUEST], [value])[0] for value in values]


def cpus(*, complete=True, epoch="", **values):
    return Parts(values, complete=complete, epoch=epoch)


def sampled(*pairs, interval=20.0, instance="0"):
    """One instance's samples as (end of interval, value per second)."""
    return Samples(tuple(at for at, _ in pairs), {instance: tuple(value for _, value in pairs)}, interval)


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        pytest.param([cpus(a=10, b=5), cpus(a=12, b=6)], [15, 18], id="starts at the vendor's sum and grows"),
        pytest.param([cpus(a=10, b=5), cpus(a=12)], [15, 17], id="an unplugged CPU stays in the sum"),
        pytest.param(
            [cpus(a=10, b=5), cpus(a=12), cpus(a=12, b=9)], [15, 17, 17], id="one that comes back adds nothing"
        ),
        pytest.param(
            [cpus(a=10, b=5), cpus(a=12), cpus(a=12, b=9), cpus(a=12, b=10)],
            [15, 17, 17, 18],
            id="only what comes then",
        ),
        pytest.param(
            [cpus(a=10), cpus(a=11, b=500), cpus(a=11, b=501)], [10, 11, 12], id="a new CPU brings no backlog"
        ),
        pytest.param([cpus(a=10), cpus(a=1), cpus(a=3)], [10, 10, 12], id="a part that fell starts afresh"),
        pytest.param(
            [cpus(a=10, b=5), cpus(a=11, complete=False), cpus(a=14, b=6)], [15, None, 20], id="incomplete is absent"
        ),
        pytest.param([cpus(a=9, complete=False), cpus(a=10)], [None, 10], id="incomplete makes no beginning"),
        pytest.param(
            [cpus(a=10, epoch="1"), cpus(a=700, epoch="2"), cpus(a=701, epoch="2")],
            [10, 10, 11],
            id="a new life that has counted further adds no backlog",
        ),
        pytest.param(
            [cpus(a=10, epoch="1"), cpus(a=2, epoch="2"), cpus(a=3, epoch="2")], [10, 10, 11], id="a boot does not fall"
        ),
        pytest.param([cpus(), cpus(a=4), cpus(), cpus(a=9)], [None, 4, None, 4], id="shut off: unknown, not zero"),
        pytest.param([cpus(a=10), cpus(a=math.nan), cpus(a=12)], [10, None, 12], id="NaN is no value"),
        pytest.param([cpus(a=10), cpus(a=-1), cpus(a=12)], [10, None, 12], id="nor is -1"),
        pytest.param([cpus(a=10), cpus(a="N/A"), cpus(a=12)], [10, None, 12], id="nor is a word"),
        pytest.param([cpus(a=10), None, cpus(a=12)], [10, None, 12], id="unknown leaves the state alone"),
    ],
)
def test_a_sum_of_parts(seen, shown):
    assert follow(seen) == shown


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        pytest.param([sampled((20, 9), (40, 9), (60, 9))], [0], id="starts at 0 without the backlog"),
        pytest.param([sampled((60, 9)), sampled((80, 2), (100, 3))], [0, 2 * 20 + 3 * 20], id="every sample since"),
        pytest.param(
            [sampled((60, 9)), sampled((40, 9), (60, 9), (80, 2)), sampled((80, 2))], [0, 40, 40], id="none twice"
        ),
        pytest.param([sampled((60, 9)), sampled((68, 2), (80, 2))], [0, 2 * 8 + 2 * 12], id="no second twice"),
        pytest.param([sampled((60, 9)), sampled((68, 2))], [0, 2 * 8], id="no second twice in one sample"),
        pytest.param([sampled((60, 9)), sampled((200, 2))], [0, 2 * 20], id="a hole is not filled"),
        pytest.param([sampled((60, 9)), sampled((80, 2), (100, 3), (120, 4))], [0, 180], id="several new ones"),
        pytest.param([sampled((60, 9)), sampled((80, 4), (100, -3))], [0, 80], id="-3 is no progress"),
        pytest.param([sampled((60, 9)), Samples((80.0, 100.0), {"0": (7.0,)}, 20.0)], [0, 0], id="a value too few"),
        pytest.param(
            [sampled((60, 9)), sampled((80, None), (100, 3))], [0, 60], id="a missing sample advances and adds nothing"
        ),
        pytest.param(
            [sampled((60, 9)), sampled((80, -1), (100, math.nan))], [0, 0], id="-1 and NaN are missing samples"
        ),
        pytest.param([sampled(), sampled((60, 9)), sampled((80, 1))], [None, 0, 20], id="no sample makes no beginning"),
        pytest.param(
            [sampled((60, 9)), sampled((50, 9)), sampled((80, 1))], [0, 0, 20], id="an old answer adds nothing"
        ),
        pytest.param(
            [sampled((99_000, 9)), sampled((60, 9)), sampled((80, 2))], [0, 0, 40], id="a clock that was put back"
        ),
        pytest.param(
            [sampled((60, 9)), sampled((80, 1), instance="1"), sampled((100, 2), instance="1")],
            [0, 0, 40],
            id="a new instance begins with its newest sample",
        ),
        pytest.param([sampled((60, 9)), sampled((80, 5), interval=math.nan)], [0, None], id="an interval that is none"),
    ],
)
def test_an_integrated_rate(seen, shown):
    assert follow(seen) == shown


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        pytest.param([7, 10], [0, 3], id="starts at 0"),
        pytest.param([2**32 - 2, 3], [0, 5], id="goes on past the wrap"),
        pytest.param([0, 2**31], [0, 2**31], id="half way round is progress"),
        pytest.param([0, 2**31 + 1, 2**31 + 3], [0, 0, 2], id="further is a counter that began anew"),
        pytest.param([5, 2**32, 6], [0, None, 1], id="more than its bits hold"),
        pytest.param([5, -1, 6], [0, None, 1], id="negative"),
    ],
)
def test_a_counter_that_wraps(seen, shown):
    assert follow([Wrapping({"0": value}) for value in seen]) == shown


def test_raw_counts_are_summed_over_parts_and_become_base_units():
    seen = [Wrapping({"0": 10, "1": 10}, unit=0.5), Wrapping({"0": 14, "1": 16, "2": 99}, unit=0.5)]

    assert follow([*seen, Wrapping({"0": 14}, unit=0.5)]) == [0, 5, 5]


def test_numbers_pass_through_as_they_are():
    values = [1, 2.5, None, "N/A", -3]

    assert Ledger().settle(CPU, list("abcde"), values) == values


def test_what_cannot_be_told_is_counted_once():
    ledger = Ledger()
    misaligned = Samples((20.0, 40.0), {"0": (1.0,), "1": (1.0, 2.0)}, 20.0)

    follow([cpus(a=1), cpus(complete=False), cpus(a=math.inf)], ledger)
    ledger.settle("other", [GUEST], [misaligned])
    for _ in range(2):
        ledger.settle("other", [GUEST], [Samples((60.0,), {"1": (None,)}, 20.0)])

    assert ledger.take() == ({"incomplete": 1, "not_finite": 1, "misaligned": 1}, 1)
    assert ledger.take() == ({}, 0)


def test_a_misaligned_instance_does_not_spoil_the_others():
    seen = [
        Samples((20.0,), {"0": (1.0,), "1": (1.0,)}, 20.0),
        Samples((40.0,), {"0": (1.0, 9.0), "1": (2.0,)}, 20.0),
    ]

    assert follow(seen) == [0, 40]


def test_a_thing_that_left_is_forgotten_only_by_a_complete_observation():
    ledger = Ledger()
    ids, both = [("a",), ("b",)], [cpus(x=10), cpus(x=20)]
    ledger.settle(CPU, ids, both)

    ledger.settle(CPU, [("a",)], [cpus(x=11)], complete=False)
    assert ledger.settle(CPU, ids, [cpus(x=11), cpus(x=1)]) == [11, 20]

    ledger.settle(CPU, [("a",)], [cpus(x=11)])
    assert ledger.settle(CPU, [*ids], [cpus(x=11), cpus(x=1)]) == [11, 1]


def test_a_thing_that_is_there_is_remembered_while_its_value_is_unknown():
    ledger = Ledger()

    assert follow([cpus(a=10), None, None, cpus(a=1)], ledger) == [10, None, None, 10]


def test_families_and_things_are_kept_apart():
    ledger = Ledger()
    ledger.settle("one", [("a",), ("b",)], [cpus(x=1), cpus(x=2)])

    assert ledger.settle("two", [("a",), ("b",)], [cpus(x=3), cpus(x=4)]) == [3, 4]


seconds = st.floats(0, 1e9) | st.floats() | st.integers(-5, 10**12) | st.none()
names = st.sampled_from(["0", "1", "2"])
some_parts = st.builds(Parts, st.dictionaries(names, seconds, max_size=3), st.booleans(), st.sampled_from(["", "1"]))
some_raw = st.builds(
    Wrapping, st.dictionaries(names, st.integers(-1, 2**9), max_size=3), st.sampled_from([4, 8]), st.floats(0, 9)
)
instants = st.lists(st.floats(0, 500) | st.floats(0, 1e5), max_size=5)
some_samples = st.builds(
    lambda at, series, interval: Samples(tuple(at), series, interval),
    instants,
    st.dictionaries(names, st.lists(seconds, max_size=5).map(tuple), max_size=3),
    st.floats(0, 60),
)


@pytest.mark.parametrize("counters", [some_parts, some_raw, some_samples], ids=["parts", "wrapping", "samples"])
@given(data=st.data())
def test_nothing_ever_falls(counters, data):
    shown = [value for value in follow(data.draw(st.lists(counters, max_size=12))) if value is not None]

    assert all(before <= after for before, after in pairwise(shown))
    assert all(value >= 0 for value in shown)


@given(st.dictionaries(names, st.lists(st.integers(0, 10**6), min_size=5, max_size=5), min_size=1))
def test_a_sum_whose_parts_only_grow_is_the_vendors_own(growth):
    counted = {name: list(accumulate(steps)) for name, steps in growth.items()}
    seen = [Parts({name: values[i] for name, values in counted.items()}) for i in range(5)]

    assert follow(seen) == [sum(parts.values.values()) for parts in seen]


@given(st.lists(st.integers(0, 127), max_size=30), st.integers(0, 255))
def test_unwrapped_growth_is_the_true_growth(steps, first):
    true = list(accumulate(steps, initial=first))

    assert follow([Wrapping({"0": value % 256}, bits=8) for value in true]) == [value - first for value in true]


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.data())
def test_overlapping_answers_count_every_sample_once(rates, data):
    """However the polls cut the series of 20 s samples, each one after the baseline counts for its 20 s."""
    samples = [(20.0 * (i + 1), float(rate)) for i, rate in enumerate(rates)]
    ends = sorted(data.draw(st.sets(st.integers(1, len(samples)), min_size=1)))
    windows = [samples[max(0, data.draw(st.integers(0, before)) - 1) : end] for before, end in pairwise([0, *ends])]

    shown = follow([sampled(*window) for window in windows])

    assert shown == [sum(20 * rate for _, rate in samples[ends[0] : end]) for end in ends]


def test_a_single_collection_leaves_out_what_it_would_have_to_begin_at_zero():
    ledger = Ledger(integrate=False)
    values = [Samples((20.0,), {"0": (1.0,)}, 20.0), Wrapping({"0": 5}), Parts({"0": 7.0}), 3.0]
    assert ledger.settle("f", ["a", "b", "c", "d"], values) == [None, None, 7.0, 3.0]
    assert ledger.omitted == {"f"}


CPU = "hypervisor_guest_cpu_seconds_total"


def looks(ledger, *seen, every=30.0, family=CPU):
    """What a sum shows when it is looked at every so many seconds."""
    return [ledger.settle(family, ["g"], [value], at=number * every)[0] for number, value in enumerate(seen)]


def test_a_boot_between_two_looks_begins_anew_with_the_vendors_own_sum():
    seen = cpus(a=5000, b=5000, epoch="1"), cpus(a=12, b=3, epoch="2"), cpus(a=20, b=5, epoch="2")
    assert looks(Ledger(), *seen) == [10_000, 15, 25]  # 15 s on two CPUs can have passed within 30 s


def test_what_a_boot_shows_is_what_a_new_ledger_shows_so_a_restart_of_ours_brings_no_backlog():
    old = Ledger()
    looks(old, cpus(a=5000, epoch="1"), cpus(a=12, epoch="2"))
    assert old.offsets() == {}
    assert looks(Ledger(), cpus(a=20, epoch="2")) == [20]


def test_a_life_that_has_counted_longer_than_can_have_passed_is_bridged():
    assert looks(Ledger(), cpus(a=5000, epoch="1"), cpus(a=700, epoch="2"), cpus(a=710, epoch="2")) == [
        5000,
        5000,
        5010,
    ]


def test_only_seconds_can_be_judged_by_the_time_that_has_passed():
    seen = cpus(a=5000, epoch="1"), cpus(a=2, epoch="2")
    assert looks(Ledger(), *seen, family="hypervisor_guest_disk_reads_total") == [5000, 5000]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param([cpus(a=1000, b=1000), cpus(a=1010)], cpus(a=1015), 2015, id="a CPU was unplugged"),
        pytest.param([cpus(a=1000), cpus(a=1010, b=500)], cpus(a=1011, b=501), 1012, id="a CPU came with a history"),
        pytest.param([cpus(a=1000), cpus(a=900)], cpus(a=901), 1001, id="a CPU fell"),
        pytest.param([cpus(a=1000), cpus(a=1010)], cpus(a=1015), 1015, id="nothing happened"),
    ],
)
def test_the_next_workers_ledger_goes_on_where_this_one_stood(before, after, shown):
    old = Ledger()
    looks(old, *before)
    assert looks(Ledger(offsets=old.offsets()), after) == [shown]


def test_a_clock_put_back_by_minutes_makes_a_new_beginning():
    ledger = Ledger()

    def answer(end):
        stamps = tuple(float(at) for at in range(end - 59, end + 1))
        return Samples(stamps, {"0": (1.0,) * 60}, 1.0)

    ends = [10_000, 10_010, 9_410, 9_420, 9_430]
    assert [ledger.settle(CPU, ["g"], [answer(end)])[0] for end in ends] == [0, 10, 10, 20, 30]


def polled(polls):
    """Answers one after another: how many samples each begins behind the last one's end, what it holds, of whom."""
    seen, end = [], 3
    for skipped, values, interval, instance in polls:
        begun = max(1, end + skipped)
        samples = ((20.0 * number, value) for number, value in enumerate(values, begun))
        seen.append(sampled(*samples, interval=interval, instance=instance))
        end = begun + len(values)
    return seen


rates = st.integers(0, 50) | st.sampled_from([None, -1, 0.5, True, math.nan, 1e9, 10**400])
polls = st.tuples(
    st.integers(-2, 2), st.lists(rates, max_size=3), st.sampled_from([20.0, 20.0, 30.0]), st.sampled_from(["", "", "1"])
)


@given(st.lists(polls, min_size=4, max_size=12).map(polled) | st.lists(some_samples, max_size=12))
def test_a_family_of_samples_alone_is_settled_as_one_with_numbers_beside_them(seen):
    alone, mixed = Ledger(), Ledger()

    for each in seen:
        (expected, _) = mixed.settle(CPU, ["g", "h"], [each, 1.0])
        assert alone.settle(CPU, ["g"], [each]) == [expected and pytest.approx(expected, rel=1e-9)]
    assert alone.take() == mixed.take()


def test_things_sampled_alike_once_are_counted_apart_afterwards():
    ledger, nothing = Ledger(), sampled()

    for one in sampled((60, 9)), sampled((80, 1)):  # the very same samples, as a mapping shares them
        ledger.settle(CPU, ["a", "b"], [one, one])
    assert ledger.settle(CPU, ["a", "b"], [sampled((100, 2)), nothing]) == [20 + 40, 20]
    assert ledger.settle(CPU, ["a", "b"], [sampled((120, 1)), sampled((100, 3), (120, 1))]) == [80, 100]
    assert ledger.settle(CPU, ["a", "b"], [sampled((120, 1), instance="1"), nothing]) == [80, 100]
    assert ledger.settle(CPU, ["a", "b"], [sampled((140, 1)), sampled((140, 1))]) == [100, 120]
