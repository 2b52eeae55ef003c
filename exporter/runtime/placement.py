"""Which target sits in which worker, and how it moves without losing a tick: make before break.

A target that hung or crashed its worker sits apart from the others until ten good vitals. The supervisor decides when
something is collected; this decides where. Everything runs on the supervisor's thread.
"""

from __future__ import annotations

import functools
import itertools
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from exporter.catalogue.family import VITALS
from exporter.runtime.crew import Crew, Member
from exporter.runtime.messages import Abandon, CloseTarget, Key, OpenTarget
from exporter.runtime.seat import LaneState, Run, Seat
from exporter.runtime.target_state import TargetState
from exporter.runtime.timers import Timers

log = logging.getLogger("workers")

STARTING_PER_WORKER = 4
START_SLOT_SECONDS = 2.0
LEAST_PATIENCE_SECONDS = 5.0
MOST_ABANDONED = 2
"""Threads of a shared worker that may hang in calls before the worker is replaced."""
GOOD_VITALS_TO_RETURN = 10


class Collecting(Protocol):
    """What the supervisor does for the placement."""

    def begin(self, state: TargetState, seat: Seat) -> None:
        """Run the first collections of a target on a new seat."""

    def moved(self, state: TargetState) -> None:
        """The target sits elsewhere now."""


class Placement:
    """Seats every target; `targets` is the supervisor's own mapping of those that are configured."""

    def __init__(self, crew: Crew, timers: Timers, targets: Mapping[str, TargetState], collecting: Collecting) -> None:
        self._crew, self._timers, self._targets, self._collecting = crew, timers, targets, collecting
        self._numbers = itertools.count(1)
        self._waiting: dict[Member, list[tuple[TargetState, Seat]]] = {}
        self._starting: dict[Member, set[Seat]] = {}

    # Seats.

    def seat(self, state: TargetState) -> Seat:
        """Give a target that has none a seat: in a shared worker, or apart from the others."""
        state.seat = self._take(state, self._crew.quarantine() if state.apart else self._crew.shared())
        return state.seat

    def start(self, state: TargetState) -> None:
        """Seat a target and run its first collections when it is its turn: a few targets per worker at a time."""
        self._queue(state, self.seat(state))

    def leave(self, state: TargetState) -> None:
        """The target is gone: free its seats."""
        for seat in state.seats():
            self._free(seat)
        state.seat = state.next_seat = None

    def _take(self, state: TargetState, member: Member) -> Seat:
        key = Key(state.name, next(self._numbers))
        member.keys.add(key)
        member.send(OpenTarget(key, state.target, dict(state.offsets)))
        return Seat(key, member)

    def _free(self, seat: Seat) -> None:
        seat.member.send(CloseTarget(seat.key))
        self._crew.let_go(seat.member, seat.key)

    # First collections, a few at a time.

    def _queue(self, state: TargetState, seat: Seat) -> None:
        self._waiting.setdefault(seat.member, []).append((state, seat))
        self._start_some(seat.member)

    def _start_some(self, member: Member) -> None:
        waiting, starting = self._waiting.get(member, []), self._starting.setdefault(member, set())
        while waiting and len(starting) < STARTING_PER_WORKER:
            state, seat = waiting.pop(0)
            if self._sits(state, seat):
                starting.add(seat)
                # Released by time at the latest: hung targets must not keep the healthy ones from starting.
                self._timers.at(time.monotonic() + START_SLOT_SECONDS, functools.partial(self.started, seat))
                self._collecting.begin(state, seat)

    def started(self, seat: Seat) -> None:
        """The first vitals of a seat have ended, or its time is over: the next target may start."""
        starting = self._starting.get(seat.member)
        if starting is not None and seat in starting:
            starting.discard(seat)
            self._start_some(seat.member)

    def _sits(self, state: TargetState, seat: Seat) -> bool:
        return self._targets.get(state.name) is state and seat in state.seats()

    # Calls that hang.

    def overdue(self, state: TargetState, seat: Seat, lane: LaneState, run: Run) -> None:
        """A run is past its deadline: have the worker unblock its call, and wait a little whether that helps."""
        lane.running, lane.parked = None, run
        seat.member.abandoned.add((seat.key, run.number))
        seat.member.send(Abandon(seat.key, run.group, run.number))
        patience = max(LEAST_PATIENCE_SECONDS, state.target.profile.interval(VITALS))
        check = functools.partial(self._still_hangs, state, seat, lane, run)
        self._timers.at(time.monotonic() + patience, check)

    def returned(self, key: Key, run: int) -> None:
        """A call that was given up on has returned after all, in whichever worker it was."""
        for member in self._crew.members:
            member.abandoned.discard((key, run))

    def _still_hangs(self, state: TargetState, seat: Seat, lane: LaneState, run: Run) -> None:
        if lane.parked is not run or not self._sits(state, seat):
            return
        fields = {"target": state.name, "group": run.group, "worker": seat.member.name}
        if not state.apart:
            log.warning("a call hangs for good; the target goes on in a worker of its own", extra={"fields": fields})
        if seat is state.next_seat:
            state.next_seat = None
            self._free(seat)
        else:
            self._set_apart(state)
        if seat.member.quarantine:
            self._crew.end(seat.member)
            self._unseat(seat.member)
        elif len(seat.member.abandoned) >= MOST_ABANDONED:
            self.retire(seat.member)

    def _set_apart(self, state: TargetState) -> None:
        """Take the seat away; the next tick that may ask the target seats it in quarantine."""
        state.apart, state.good_vitals = True, 0
        self.leave(state)
        self._collecting.moved(state)

    def _unseat(self, member: Member) -> None:
        for state in self._of(member):
            self._set_apart(state)

    # Moving, make before break.

    def retire(self, member: Member) -> None:
        """Replace a worker: every target gets a seat elsewhere and leaves with its first vitals there."""
        if member.retiring:
            return
        member.retiring = True
        log.warning("a worker is replaced: too many calls hang in it", extra={"fields": {"worker": member.name}})
        states = self._of(member)
        for state in states:
            self._move(state)
        longest = max((state.target.profile.deadline(VITALS) for state in states), default=0.0)
        starts = START_SLOT_SECONDS * (1 + len(states) / STARTING_PER_WORKER)
        self._timers.at(time.monotonic() + 2 * longest + starts, functools.partial(self._force, member))
        self._crew.let_go(member, Key("", 0))

    def settle(self, state: TargetState) -> None:
        """Vitals have been delivered: a target that sat apart returns to the others once it has proven itself."""
        if state.apart and state.good_vitals >= GOOD_VITALS_TO_RETURN and state.next_seat is None:
            state.apart = False
            log.info("the target returns to a shared worker", extra={"fields": {"target": state.name}})
            self._move(state)

    def arrive(self, state: TargetState) -> None:
        """The first vitals came from the next seat: leave the old one."""
        old, state.seat, state.next_seat = state.seat, state.next_seat, None
        if old is not None:
            self._free(old)
        self._collecting.moved(state)

    def stay(self, state: TargetState) -> None:
        """The next seat did not deliver: the target stays where it is."""
        seat, state.next_seat = state.next_seat, None
        if seat is not None:
            self._free(seat)

    def _move(self, state: TargetState) -> None:
        if state.next_seat is None:
            state.next_seat = self._take(state, self._crew.shared())
            self._queue(state, state.next_seat)

    def _force(self, member: Member) -> None:
        """The time for moving is over: whoever still sits there starts afresh elsewhere."""
        for state in self._of(member):
            if state.seat is not None and state.seat.member is member:
                self._free(state.seat)
                state.seat = state.next_seat
                state.next_seat = None
                if state.seat is None:
                    self.start(state)
        self._crew.end(member)

    def _of(self, member: Member) -> list[TargetState]:
        return [state for state in self._targets.values() if state.seat is not None and state.seat.member is member]

    # Workers that die.

    def lost(self, member: Member) -> list[tuple[TargetState, list[Run]]]:
        """A worker's process is gone. Returns its targets with the runs that were under way; they have no seat now."""
        unexpected = self._crew.lost(member)
        self._waiting.pop(member, None)
        self._starting.pop(member, None)
        for state in self._targets.values():
            if state.next_seat is not None and state.next_seat.member is member:
                state.next_seat = None
        orphans = []
        for state in self._of(member):
            seat, state.seat = state.seat, None
            runs = seat.under_way() if seat is not None and unexpected else []
            orphans.append((state, runs))
        suspects = [state for state, runs in orphans if runs]
        for state in suspects:
            # Whether one of these calls brought the process down is not known; apart, the next time tells.
            state.apart, state.good_vitals = True, 0
        self._replace([state for state, runs in orphans if not runs and not state.apart])
        return orphans

    def _replace(self, states: Iterable[TargetState]) -> None:
        def again(states: list[TargetState]) -> None:
            for state in states:
                if self._targets.get(state.name) is state and not state.seats():
                    self.start(state)

        resume: Callable[[], None] = functools.partial(again, list(states))
        self._timers.at(time.monotonic() + self._crew.pause_before_restart(), resume)
