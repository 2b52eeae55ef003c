"""Integrals against sums of small steps, and counters that never fall."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.simulated.curves import (
    DAY,
    ORIGIN,
    PHASES,
    TEXTURE,
    WEEK,
    Moment,
    Rhythm,
    Train,
    basis,
    in_batch,
    level,
    to_the_millisecond,
)

rhythms = st.builds(
    Rhythm, st.integers(0, PHASES - 1), st.integers(0, PHASES - 1), st.integers(0, PHASES - 1), st.integers(0, 7)
)
instants = st.floats(ORIGIN, ORIGIN + 3 * 365 * DAY)


def shares(rhythm, instant):
    """What the integrals are integrals of."""
    waves = zip((DAY, WEEK, TEXTURE), (rhythm.day, rhythm.week, rhythm.texture), strict=True)
    return (1.0, *(level(period, phase, instant) for period, phase in waves), float(in_batch(rhythm.batch, instant)))


@settings(max_examples=25, deadline=None)
@given(rhythms, instants)
def test_integrals_are_sums_of_small_steps(rhythm, start):
    step, count = 10.0, 2000
    summed = [0.0] * 5
    for number in range(count):
        for place, share in enumerate(shares(rhythm, start + (number + 0.5) * step)):
            summed[place] += share * step
    then, now = basis(rhythm, start), basis(rhythm, start + count * step)
    # A batch that begins or ends within a step is seen by half a step at most.
    assert [b - a for a, b in zip(then, now, strict=True)] == pytest.approx(summed, abs=15)


@given(rhythms, instants, st.floats(0.002, 40 * DAY))
def test_loads_grow_between_any_two_instants(rhythm, start, length):
    """Every load has a small constant share, so that the trough of a wave is no standstill."""
    then = Moment(start).basis(rhythm)
    now = Moment(start + length).basis(rhythm)
    grown = [b - a for a, b in zip(then, now, strict=True)]
    assert all(0.02 * grown[0] + one > 0 for one in grown)


@given(instants)
def test_a_table_of_a_moment_is_what_each_function_gives(instant):
    rhythm = Rhythm(3, 14, 15, 6)
    assert Moment(instant).basis(rhythm) == basis(rhythm, to_the_millisecond(instant))


trains = st.builds(
    lambda first, period, share: Train(first, period, period * share),
    st.floats(ORIGIN - 10 * DAY, ORIGIN),
    st.floats(600, 3 * DAY),
    st.floats(0.01, 1),
)


@settings(max_examples=50, deadline=None)
@given(rhythms, trains, instants, st.floats(1, 30 * DAY))
def test_a_train_counts_what_lies_in_its_spans(rhythm, train, start, length):
    expected = [0.0] * 4
    number = math.floor((start - train.first) / train.period)
    while (begins := train.first + number * train.period) < start + length:
        low, high = max(start, begins), min(start + length, begins + train.length)
        if high > low:
            for place in range(4):
                expected[place] += basis(rhythm, high)[place] - basis(rhythm, low)[place]
        number += 1
    then, now = train.basis(rhythm, start), train.basis(rhythm, start + length)
    assert [b - a for a, b in zip(then[:4], now[:4], strict=True)] == pytest.approx(expected, abs=1e-3)


def test_a_span_that_meets_a_wave_at_the_same_place_each_time():
    rhythm = Rhythm(0, 0, 0, 0)
    train = Train(ORIGIN + 3600, DAY, 7200)
    one = [train.basis(rhythm, ORIGIN + day * DAY)[1] for day in (1, 2, 11)]
    assert one[2] - one[0] == pytest.approx(10 * (one[1] - one[0]))
