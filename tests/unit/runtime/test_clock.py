"""When groups tick."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.runtime.clock import Clock, next_phase


@given(st.floats(1e9, 2e9), st.floats(1, 86_400), st.text(), st.text())
def test_the_first_tick_lies_between_a_half_and_one_and_a_half_intervals_away(now, interval, target, group):
    wait = next_phase(now, interval, target, group) - now
    assert interval * 0.499 <= wait <= interval * 1.501


def test_a_target_keeps_its_place_in_the_interval_over_restarts():
    first = next_phase(1_700_000_000.0, 30.0, "a", "vitals")
    later = next_phase(1_700_000_777.0, 30.0, "a", "vitals")
    assert (later - first) % 30.0 == pytest.approx(0.0, abs=1e-4)


def test_many_targets_spread_over_the_interval():
    phases = [next_phase(0.0, 100.0, f"target-{number}", "vitals") % 100.0 for number in range(1000)]
    per_tenth = [sum(1 for phase in phases if tenth * 10 <= phase < tenth * 10 + 10) for tenth in range(10)]
    assert min(per_tenth) > 60  # 100 on average


def test_it_ticks_until_the_target_is_removed():
    ticks = []
    enough = threading.Event()

    def tick(target, group):
        ticks.append((target, group))
        if len(ticks) == 4:
            enough.set()

    clock = Clock(tick)
    clock.start()
    clock.add("a", "vitals", 0.05)
    assert enough.wait(10)
    clock.remove("a")
    clock.stop()
    assert set(ticks) == {("a", "vitals")}


def test_a_slow_receiver_gets_one_tick_for_many_that_were_due():
    entered, release = threading.Event(), threading.Event()
    count = 0

    def tick(_target, _group):
        nonlocal count
        count += 1
        entered.set()
        release.wait(10)

    clock = Clock(tick)
    clock.start()
    clock.add("a", "vitals", 0.02)
    assert entered.wait(10)
    # While the receiver sleeps, ticks become due many times over.
    threading.Event().wait(0.3)
    before = count
    release.set()
    clock.stop()
    assert count - before <= 2


def test_steps_of_the_wall_clock_starve_no_group():
    ticks = []
    clock = Clock(lambda target, group: ticks.append((target, group)))
    clock.start()
    clock.add("a", "vitals", 0.4)
    begun = time.monotonic()
    while len(ticks) < 3 and time.monotonic() - begun < 30:
        threading.Event().wait(0.1)
        clock.resync()
    clock.stop()
    # No step starves the group, and none makes it run more often than its interval.
    assert 3 <= len(ticks) <= (time.monotonic() - begun) / 0.4 + 1
