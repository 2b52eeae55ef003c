"""When a worker looks for cycles: what is garbage goes, what lives is not looked at again and again."""

import gc
import weakref

import pytest

from exporter.runtime import memory
from exporter.runtime.memory import LEAST_GROWTH, LOOK_AFTER, Garbage


class Knot:
    """Refers to itself, so that only a search finds that nobody else does."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def garbage():
    """As in a worker: Python does not look for cycles by itself."""
    gc.collect()
    gc.disable()
    yield Garbage()
    gc.unfreeze()
    gc.enable()
    gc.collect()


def test_a_cycle_is_gone_after_so_many_collections(garbage):
    knot = weakref.ref(Knot())
    for _ in range(LOOK_AFTER):
        assert knot() is not None
        garbage.clear()
    assert knot() is None


def test_what_lives_is_set_aside_and_not_looked_at_again(garbage):
    lives = [[] for _ in range(1000)]
    for _ in range(LOOK_AFTER):
        garbage.clear()
    assert gc.get_freeze_count() > len(lives)
    assert len(gc.get_objects()) < len(lives)


def test_a_cycle_that_was_set_aside_is_found_when_everything_is_searched(garbage, monkeypatch):
    kept = [Knot()]
    knot = weakref.ref(kept[0])
    for _ in range(LOOK_AFTER):
        garbage.clear()
    kept.clear()
    for _ in range(LOOK_AFTER):
        garbage.clear()
    assert knot() is not None, "it is among what is not looked at"

    later = memory.time.monotonic() + memory.LOOK_EVERY_SECONDS
    monkeypatch.setattr(memory.time, "monotonic", lambda: later)
    garbage.clear()
    assert knot() is None


def test_everything_is_searched_when_much_was_added_and_not_before(garbage):
    held = []
    while garbage.searches == 0:
        held.append([[] for _ in range(LEAST_GROWTH // 20)])
        garbage.clear()
        assert len(held) <= 21
    assert len(held) >= 10  # what else the process makes counts as well

    searches = garbage.searches
    for _ in range(50):
        held[0] = [[] for _ in range(LEAST_GROWTH // 20)]
        garbage.clear()
    assert garbage.searches - searches <= 50 // 10


def test_knots_made_by_every_collection_do_not_add_up(garbage):
    known = []
    for _ in range(50 * LOOK_AFTER):
        known.append(weakref.ref(Knot()))
        garbage.clear()
    assert sum(knot() is not None for knot in known) <= LOOK_AFTER
