"""Guests are gone through in the order in which they were made, and name themselves by the same texts every time."""

from exporter.model import Guest
from exporter.runtime.arrival import Arrival, share_names


def guests(*names):
    return tuple(Guest(name, name) for name in names)


def arranged(arrival, *came):
    """What `normalise` hands over, sorted by id, in its new order."""
    return [guest.id for guest in arrival.arrange(guests(*sorted(came)), guests(*came))]


def test_guests_stay_in_the_order_in_which_they_came():
    assert arranged(Arrival(), "c", "a", "b") == ["c", "a", "b"]


def test_guests_that_were_filtered_out_leave_no_gap():
    assert [guest.id for guest in Arrival().arrange(guests("a", "c"), guests("c", "b", "a"))] == ["c", "a"]


def test_the_same_guests_in_another_order_stay_where_they_were():
    arrival = Arrival()
    arranged(arrival, "c", "a", "b")
    assert arranged(arrival, "a", "b", "c") == ["c", "a", "b"]


def test_another_guest_brings_the_order_in_which_all_come_now():
    arrival = Arrival()
    arranged(arrival, "c", "a", "b")
    assert arranged(arrival, "a", "d", "b", "c") == ["a", "d", "b", "c"]
    assert arranged(arrival, "d", "b") == ["d", "b"]


def test_two_answers_share_the_texts_of_names():
    first, second = (Guest(f"guest-{number}", f"web-{number}") for number in (1, 1))
    assert first.id is not second.id
    share_names([first, second])
    assert (first.id, first.name) == ("guest-1", "web-1")
    assert first.id is second.id
    assert first.name is second.name


def test_a_name_that_is_no_text_is_left_alone():
    odd = Guest(7, None)
    share_names([odd])
    assert (odd.id, odd.name) == (7, None)
