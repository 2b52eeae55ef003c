"""Callbacks at instants: in their order, once, and not at all when cancelled."""

import gc
import weakref

from exporter.runtime.timers import Timers


def test_what_is_due_is_called_in_order_and_once():
    timers, called = Timers(), []
    for name, instant in (("late", 3.0), ("first", 1.0), ("second", 2.0)):
        timers.at(instant, lambda name=name: called.append(name))

    assert timers.seconds_until_next(0.0, 60.0) == 1.0
    timers.run_due(2.0)
    timers.run_due(2.5)

    assert called == ["first", "second"]
    assert timers.seconds_until_next(2.5, 60.0) == 0.5
    assert timers.seconds_until_next(2.5, 0.2) == 0.2


def test_a_cancelled_timer_wakes_nobody_and_holds_nothing():
    class Something:
        def act(self):
            raise AssertionError

    timers, thing = Timers(), Something()
    gone = weakref.ref(thing)
    timers.at(1.0, thing.act).cancel()
    del thing
    gc.collect()

    assert gone() is None
    assert timers.seconds_until_next(0.0, 60.0) == 60.0
    timers.run_due(2.0)
