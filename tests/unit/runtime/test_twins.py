"""Two copies of one guest while it moves."""

from exporter.model import Guest, GuestState
from exporter.runtime.twins import Twins

ON, OFF = GuestState.RUNNING, GuestState.STOPPED


def copy(host: str, state: GuestState = ON) -> Guest:
    return Guest(id="g", name="g", native_id=f"vm-on-{host}", host_id=host, state=state)


def follow(*cycles: list[Guest]) -> list[str]:
    twins = Twins(lambda guest: (guest.state is not ON, guest.host_id))
    return ["".join(guest.host_id for guest in twins.settle(cycle)[0]) for cycle in cycles]


def test_one_copy_is_followed_wherever_it_is():
    assert follow([copy("a")], [copy("b")], [copy("a")]) == ["a", "b", "a"]


def test_the_source_is_followed_until_it_is_gone():
    both = [copy("b"), copy("c")]
    assert follow([copy("b")], both, both, [copy("c")], [copy("c")]) == ["b", "b", "b", "c", "c"]


def test_the_source_is_left_when_it_is_off_and_not_returned_to_within_ten_cycles():
    begin = [[copy("a"), copy("b")], [copy("a", OFF), copy("b")]]
    flapping = [[copy("a"), copy("b", OFF)]] * 12
    seen = follow(*begin, *flapping)
    assert seen[:2] == ["a", "b"]
    assert seen[2:11] == ["b"] * 9
    assert seen[-1] == "a"


def test_copies_that_were_left_out_are_counted():
    twins = Twins(lambda guest: (guest.host_id,))
    assert twins.settle([copy("a"), copy("b"), Guest(id="h", name="h")])[1] == 1
    assert twins.settle([copy("a"), Guest(id="h", name="h")])[1] == 0
