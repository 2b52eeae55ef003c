"""Guests in the order in which the collector made them, which is the order in which they lie in memory.

Everything after `normalise`, which sorts them by id, goes through all of them many times; in the order of random ids
every step is a miss of the processor's caches, and a guest among 30,000 costs half as much again as one among 1,000.
Also the place where the names of guests become one text for all groups and collections.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern

from exporter.model import Guest


class Arrival:
    """The order of one (target, group). It stays while the guests are the same ones, in whatever order they come."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._order: list[int] = []

    def arrange(self, guests: Sequence[Guest], came: Sequence[Guest]) -> tuple[Guest, ...]:
        """The `guests`, sorted by id, in the order in which they `came`."""
        ids = [guest.id for guest in guests]
        if ids != self._ids:
            place = {guest.id: number for number, guest in enumerate(came)}
            places = [place[identity] for identity in ids]
            self._ids, self._order = ids, sorted(range(len(ids)), key=places.__getitem__)
        return tuple([guests[number] for number in self._order])


def share_names(guests: Sequence[Guest]) -> None:
    """Have guests refer to one text for each id and name, where every answer of an endpoint brings new ones.

    The texts are equal, so nobody can tell; those of the answer before are let go of, with all that refer to them.
    """
    put = object.__setattr__  # what is frozen stays as it is for everybody who looks
    for guest in guests:
        if type(guest.id) is str and type(guest.name) is str:
            put(guest, "id", intern(guest.id))
            put(guest, "name", intern(guest.name))
