"""What a partial observation could not read is kept for a while."""

import sys
from dataclasses import replace

from exporter.model import Guest, Observation
from exporter.runtime.carry import Carry


def seen(*names: str, partial: bool = False) -> Observation:
    return Observation(0.0, guests=tuple(Guest(id=name, name=name) for name in names), partial=partial)


def names(observation: Observation) -> list[str]:
    return [guest.id for guest in observation.guests]


def test_what_a_partial_observation_lacks_is_added_and_counted():
    carry = Carry(ttl_seconds=10)
    carry.complete(seen("a", "b", "c"), now=0)
    observation, carried = carry.complete(seen("b", partial=True), now=5)
    assert (names(observation), carried) == (["b", "a", "c"], 2)


def test_a_complete_observation_is_taken_as_it_is_and_forgets():
    carry = Carry(ttl_seconds=10)
    carry.complete(seen("a", "b"), now=0)
    observation, carried = carry.complete(seen("b"), now=1)
    assert (names(observation), carried) == (["b"], 0)
    assert names(carry.complete(seen(partial=True), now=2)[0]) == ["b"]


def test_nothing_is_carried_past_its_time_to_live_however_often_it_was_carried():
    carry = Carry(ttl_seconds=10)
    carry.complete(seen("a", "b"), now=0)
    assert carry.complete(seen("b", partial=True), now=4)[1] == 1
    assert carry.complete(seen("b", partial=True), now=9)[1] == 1
    observation, carried = carry.complete(seen("b", partial=True), now=10)
    assert (names(observation), carried) == (["b"], 0)


def test_the_age_of_a_thing_counts_from_the_last_complete_observation():
    carry = Carry(ttl_seconds=10)
    carry.complete(seen("a", "b"), now=0)
    carry.complete(seen("a", partial=True), now=1)
    carry.complete(seen("a", "b"), now=8)
    assert carry.complete(seen(partial=True), now=17)[1] == 2
    assert carry.complete(seen(partial=True), now=18)[1] == 0


def test_nothing_is_kept_or_added_for_a_collector_that_remembers_by_itself():
    carry = Carry(ttl_seconds=10)
    whole = replace(seen("a", "b"), remembered=True)
    references = sys.getrefcount(whole)
    assert carry.complete(whole, now=0)[1] == 0
    assert sys.getrefcount(whole) == references
    part = replace(seen("b", partial=True), remembered=True)
    assert carry.complete(part, now=1) == (part, 0)
