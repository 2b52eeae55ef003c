"""Which guest holds a call that does not return, when it is left behind, and how it counts from then on."""

import threading
import time
from contextlib import contextmanager

import pytest

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.groups.budget import LINGER_SECONDS, Budget, Monitors
from collectors.libvirt.groups.rescue import LeftBehind, Rescue
from exporter.errors import Unreachable

GUESTS = [Domain(name, name, number) for number, name in enumerate("abc")]
FREE, LONG_BEFORE = (0, 0, 0), (2, 0, 10**9)


def since(begun):
    return 2, 0, int((time.monotonic() - begun) * 1000)


class World:
    """A call, guests' monitors as seen from aside, and a socket to cut."""

    def __init__(self, known=True, **monitors):
        self.monitors, self.known = monitors, known
        self.cuts, self.looks = 0, 0
        self.returned, self.begun = threading.Event(), time.monotonic()
        self.budget = Budget(sleep=lambda _: None)

    @contextmanager
    def aside(self):
        self.looks += 1
        yield self

    def domains(self):
        return GUESTS

    def control(self, domain):
        answer = self.monitors.get(domain.uuid, FREE)
        if isinstance(answer, Exception):
            raise answer
        return since(self.begun) if answer == "holds" else answer

    def cut(self):
        self.cuts += self.known
        if self.known:
            self.returned.set()
        return self.known

    def call(self, guests=GUESTS, seconds=3.0):
        """What a call raises that returns when it is cut, or by itself after `seconds`."""
        with Rescue(self.aside, self.cut, self.budget, seconds=0.1).watching(guests):
            self.returned.wait(seconds)
            if self.cuts:
                raise Unreachable("the connection broke")


def test_the_guest_that_holds_the_call_is_named_and_counts():
    world = World(a=Gone("off"), b="holds")
    with pytest.raises(LeftBehind, match="guest 'b'"):
        world.call(seconds=20)
    assert (world.cuts, world.budget.left) == (1, {"b"})
    assert time.monotonic() - world.begun < 10


@pytest.mark.parametrize(
    ("monitors", "guests"),
    [
        pytest.param({}, GUESTS, id="nobody: the call is slow"),
        pytest.param({"b": LONG_BEFORE}, GUESTS, id="occupied before the call began: it is passed by"),
        pytest.param({"b": (1, 0, 900)}, GUESTS, id="a background job leaves the monitor free"),
        pytest.param({"b": (3, 3, 900)}, GUESTS, id="a broken monitor holds nothing"),
        pytest.param({"b": "holds"}, GUESTS[:1], id="a guest that the call is not about"),
    ],
)
def test_a_call_that_no_guest_holds_is_left_alone(monitors, guests):
    world = World(**monitors)
    world.call(guests, seconds=1.2)
    assert (world.looks, world.cuts, world.budget.left) == (1, 0, set())


def test_a_call_that_returns_soon_is_not_looked_at():
    world = World(b="holds")
    world.call(seconds=0.1)
    time.sleep(0.8)
    assert (world.looks, world.cuts) == (0, 0)


def test_a_call_whose_socket_is_not_known_goes_on_and_is_not_counted_twice():
    world = World(known=False, b="holds")
    world.call(seconds=1.2)
    assert world.budget.left == set()


def test_a_connection_that_breaks_by_itself_is_no_call_left_behind():
    world = World()
    with pytest.raises(Unreachable) as error, Rescue(world.aside, world.cut, world.budget, 0.1).watching(GUESTS):
        raise Unreachable("the daemon ended")
    assert not isinstance(error.value, LeftBehind)


def test_an_answer_that_arrives_while_the_socket_is_cut_is_given_up_with_the_connection():
    world = World(b="holds")
    with pytest.raises(LeftBehind), Rescue(world.aside, world.cut, world.budget, 0.1).watching(GUESTS):
        world.returned.wait(20)


class Time:
    """A clock that only moves while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def sleep(self, seconds):
        self.now += seconds


def places(budget, monitors, ask_again=None):
    """How many calls are granted at once."""
    granted = []
    for _ in range(3):
        held = budget.place(monitors, ask_again or (lambda _: monitors))
        granted.append((held.__enter__() is not None, held))
    for _, held in granted:
        held.__exit__(None, None, None)
    return sum(given for given, _ in granted)


def test_calls_left_behind_take_the_places_of_those_that_returned():
    budget = Budget(sleep=lambda _: None)
    occupied = dict.fromkeys("ab", (2, 0, 600))
    assert places(budget, Monitors()) == 2
    budget.leave("a")
    assert places(budget, Monitors({"a": (2, 0, 600)})) == 1, "counted once, not as guest and as call"
    budget.leave("b")
    assert places(budget, Monitors(occupied)) == 0
    assert budget.hopeless(Monitors(occupied)) == {"a", "b"}, "nobody waits for them to count as stuck"


def test_a_call_left_behind_still_counts_for_a_moment_when_its_guest_answers():
    """It goes on to the guests behind, and the next of them may be frozen too."""
    clock = Time()
    budget = Budget(sleep=clock.sleep, clock=lambda: clock.now)
    budget.leave("a")
    budget.leave("b")
    asked = []

    def look(guests):
        asked.append(guests)
        return Monitors()

    with budget.place(Monitors(), look) as place:
        assert place is not None
    assert LINGER_SECONDS <= clock.now < LINGER_SECONDS + 0.5
    assert asked[0] == {"a", "b"}
    assert asked[-1] is None, "others may have met guests that nobody had asked before"
    assert budget.left == set()
    assert places(budget, Monitors()) == 2


def test_whoever_waited_sees_what_others_met_meanwhile():
    budget, first = Budget(sleep=lambda _: None), Monitors({"a": (2, 0, 100), "b": (0, 0, 0)})
    held = budget.place(Monitors(), lambda _: Monitors())
    held.__enter__()

    def look(guests):
        budget.leave("a")  # the call under way is left behind, and another session's hangs in b
        if guests is not None:
            held.__exit__(None, None, None)
            return Monitors({"a": (2, 0, 2200)})
        return Monitors({"a": (2, 0, 2300), "b": (2, 0, 2100)})

    with budget.place(first, look) as place:
        assert place is None


def test_a_guest_that_freezes_again_is_counted_again():
    clock = Time()
    budget = Budget(sleep=clock.sleep, clock=lambda: clock.now)
    budget.leave("a")
    free, again = Monitors(), Monitors({"a": (2, 0, 10)})
    for seen in (free, again):
        with budget.place(seen, lambda _: free):
            clock.now += LINGER_SECONDS
    with budget.place(free, lambda _: free):
        assert budget.left == {"a"}, "the time begins anew"
