"""When a worker looks for cycles: what is garbage goes, what lives is not looked at again and again."""

import gc
import weakref

import pytest

from exporter.runtime import memory
from exporter.runtime.memory import LEAST_ADDED, Garbage


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


def search_everything(garbage, monkeypatch):
    """As when ten minutes are over."""
    later = memory.time.monotonic() + 2 * memory.SEARCH_EVERY_SECONDS * (1 + garbage.searches)
    with monkeypatch.context() as patch:
        patch.setattr(memory.time, "monotonic", lambda: later)
        garbage.clear(failed=False)


def test_a_cycle_that_an_error_has_left_is_gone_at_once(garbage):
    knot = weakref.ref(Knot())
    garbage.clear(failed=False)
    assert knot() is not None
    garbage.clear(failed=True)
    assert knot() is None


def test_every_cycle_is_gone_after_ten_minutes_and_what_lives_is_set_aside(garbage, monkeypatch):
    knot, lives = weakref.ref(Knot()), [[] for _ in range(1000)]
    search_everything(garbage, monkeypatch)
    assert knot() is None
    assert len(gc.get_objects()) < len(lives) < gc.get_freeze_count()


def test_a_cycle_among_what_was_set_aside_is_found_by_the_next_search(garbage, monkeypatch):
    kept = [Knot()]
    knot = weakref.ref(kept[0])
    search_everything(garbage, monkeypatch)
    kept.clear()
    garbage.clear(failed=True)
    assert knot() is not None, "it is among what is not looked at"
    search_everything(garbage, monkeypatch)
    assert knot() is None


def test_everything_is_searched_when_much_was_added_and_not_when_much_was_replaced(garbage, monkeypatch):
    search_everything(garbage, monkeypatch)
    known, held = gc.get_freeze_count(), []
    while garbage.searches == 1:
        held.append([[] for _ in range(LEAST_ADDED // 10)])
        garbage.clear(failed=len(held) % 2 == 0)
        assert len(held) * LEAST_ADDED // 10 <= max(LEAST_ADDED, known) + LEAST_ADDED
    assert len(held) * LEAST_ADDED // 10 > min(LEAST_ADDED, known // 2) / 2

    for _ in range(50):
        held[0] = [[] for _ in range(LEAST_ADDED // 10)]
        garbage.clear(failed=False)
    assert garbage.searches == 2


def test_knots_made_by_every_collection_do_not_add_up(garbage):
    known = []
    for _ in range(40):
        knots = [Knot() for _ in range(LEAST_ADDED // 10)]
        known.append([weakref.ref(knot) for knot in knots[::1000]])
        del knots
        garbage.clear(failed=False)
    alive = sum(knot() is not None for some in known for knot in some)
    assert alive < sum(map(len, known)) / 2
