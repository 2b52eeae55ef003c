"""Counters made of samples, many things at a time: what is kept side by side is each thing's own."""

import math
import random
import sys

import pytest

from exporter.model import Parts, Samples
from exporter.runtime.ledger import Ledger

FAMILY = "hypervisor_guest_cpu_seconds_total"


def rate(end, value=1.0):
    """One sample of 20 seconds that ends then."""
    return Samples((float(end),), (value,), 20.0)


def settle(ledger, values, *, complete=True):
    return ledger.settle(FAMILY, list(values), list(values.values()), complete=complete)


def test_plain_values_are_those_of_the_instance_without_a_name():
    assert Samples((20.0,), (1.0,), 20.0).series == {"": (1.0,)}
    ledger = Ledger()
    seen = [Samples((20.0,), (1.0,), 20.0), Samples((40.0,), {"": (2.0,)}, 20.0), Samples((60.0,), (3.0,), 20.0)]
    assert [ledger.settle(FAMILY, ["a"], [each])[0] for each in seen] == [0, 40, 100]


def test_what_was_told_does_not_change_afterwards():
    ledger = Ledger()
    told = [settle(ledger, {"a": rate(end)}) for end in (20, 40, 60)]
    assert told == [[0], [20], [40]]


def test_things_that_come_go_and_change_places_keep_their_own_counters():
    ledger = Ledger()
    settle(ledger, {"a": rate(20), "b": rate(20)})
    assert settle(ledger, {"a": rate(40, 1.0), "b": rate(40, 2.0)}) == [20, 40]
    assert settle(ledger, {"c": rate(60), "b": rate(60, 2.0), "a": rate(60)}) == [0, 80, 40]
    assert settle(ledger, {"a": rate(80)}) == [60]
    assert settle(ledger, {"b": rate(100), "a": rate(100)}) == [0, 80]


def test_things_that_a_partial_collection_does_not_see_are_not_forgotten():
    ledger = Ledger()
    settle(ledger, {"a": rate(20), "b": rate(20)})
    settle(ledger, {"a": rate(40), "b": rate(40)})
    assert settle(ledger, {"a": rate(60)}, complete=False) == [40]
    assert settle(ledger, {"b": rate(80), "a": rate(80)}) == [40, 60]


@pytest.mark.parametrize("absent", [None, Samples((), (), 20.0)], ids=["no counter", "nothing new"])
def test_a_thing_without_new_samples_goes_on_where_it_stood(absent):
    ledger = Ledger()
    settle(ledger, {"a": rate(20), "b": rate(20)})
    settle(ledger, {"a": rate(40), "b": rate(40)})
    told = settle(ledger, {"a": absent, "b": rate(60)})
    assert told == [None if absent is None else 20, 40]
    assert settle(ledger, {"a": rate(60), "b": rate(80)}) == [40, 60]


def test_a_family_that_holds_other_counters_for_a_while_goes_on():
    ledger = Ledger()
    settle(ledger, {"a": rate(20), "b": rate(20)})
    settle(ledger, {"a": rate(40), "b": rate(40)})
    assert settle(ledger, {"a": rate(60), "b": Parts({"0": 7.0})}) == [40, 7]
    assert settle(ledger, {"a": rate(80), "b": Parts({"0": 9.0})}) == [60, 9]
    assert settle(ledger, {"a": rate(100), "b": rate(100)}) == [80, 0]


def test_of_a_counter_among_many_only_its_number_is_kept():
    ledger, things = Ledger(), [f"guest-{number}" for number in range(10_000)]
    blocks = sys.getallocatedblocks()
    for end in (20, 40, 60):
        ledger.settle(FAMILY, things, [rate(end)] * len(things))
    assert sys.getallocatedblocks() - blocks < 1.5 * len(things)


@pytest.mark.parametrize(
    "other",
    [lambda _: Samples((), (), 20.0), lambda end: rate(end - 20)],
    ids=["that never had samples", "of hosts whose newest sample is not there yet"],
)
def test_things_that_are_sampled_otherwise_among_many_cost_the_others_nothing(other):
    ledger, things = Ledger(), [f"guest-{number}" for number in range(10_000)]
    blocks = sys.getallocatedblocks()
    for end in (20, 40, 60, 80):
        told = ledger.settle(FAMILY, things, [rate(end), other(end)] * (len(things) // 2))
    assert told[0] == 60
    del told
    assert sys.getallocatedblocks() - blocks < 1.2 * len(things)


@pytest.mark.parametrize("seed", range(20))
def test_side_by_side_counters_are_what_they_are_one_by_one(seed):
    """A native counter in the family has the ledger settle each thing by itself."""
    chance = random.Random(seed)
    together, alone = Ledger(), Ledger()
    now, beside = 10_000.0, Parts({"0": 1.0})
    for _ in range(60):
        now += chance.choice([20, 20, 20, 40, 50, 4000, -20, -3000])
        here = chance.sample(range(8), chance.randint(1, 8))
        values, complete = [some_samples(chance, now) for _ in here], chance.random() < 0.7
        told = together.settle(FAMILY, here, values, complete=complete)
        assert alone.settle(FAMILY, ["other", *here], [beside, *values], complete=complete)[1:] == pytest.approx(told)
        assert together.take() == alone.take()


def some_samples(chance, now):
    """What a thing may tell at that time: mostly good samples, some of them old, and every kind of trouble."""
    count = chance.choice([1, 1, 2, 3, 10])
    ends = tuple(now - chance.choice([0, 0, 20]) - 20 * place for place in reversed(range(count)))
    strange = [None, -1, math.nan, 1e301, 0, 2]
    values = tuple(chance.choice(strange) if chance.random() < 0.1 else chance.random() for _ in ends)
    return chance.choices(
        [
            None,
            Samples((), (), 20.0),
            Samples(ends, {"0": values, "1": values}, 20.0),
            Samples(ends, {"0": values}, 20.0),
            Samples(ends, values, chance.choice([-1.0, 10.0, math.nan])),
            Samples(ends, values[1:], 20.0),
            Samples(ends, values, 20.0),
        ],
        [5, 7, 8, 5, 2, 3, 70],
    )[0]


def test_of_two_things_with_one_id_the_first_goes_on_as_it_was():
    ledger = Ledger()
    for end in (20, 40, 60):
        ledger.settle(FAMILY, ["a", "a"], [rate(end, 2.0), rate(end, 0.0)])
    assert ledger.settle(FAMILY, ["b", "a", "a"], [rate(80), rate(80, 2.0), rate(80, 0.0)])[1] == 120
