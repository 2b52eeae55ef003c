"""The supervisor: one thread that decides what is collected when, and takes what comes back.

It owns every target's state; everybody else talks to it through its queue. It never calls a hypervisor and never waits
for one: collections run in worker processes, and a deadline that passes is only a timer here.
"""

from __future__ import annotations

import functools
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from exporter.catalogue.family import INVENTORY, VITALS
from exporter.config.model import Config, Target
from exporter.logs import Bugs
from exporter.platforms import Installed
from exporter.runtime import overlaps
from exporter.runtime.budget import SeriesBudget, ranks
from exporter.runtime.clock import Clock
from exporter.runtime.collection import groups_of
from exporter.runtime.crew import Crew, Member
from exporter.runtime.messages import Collect, Done, Pulse, Settings
from exporter.runtime.placement import Placement
from exporter.runtime.probes import Probes
from exporter.runtime.reporting import Reporting
from exporter.runtime.seat import LaneState, Run, Seat
from exporter.runtime.stores import Stores
from exporter.runtime.target_state import DOWN, TargetState
from exporter.runtime.timers import Timers
from exporter.threads import show_name

log = logging.getLogger("supervisor")

LONGEST_SLEEP_SECONDS = 1.0
CLOCK_STEP_SECONDS = 2.0
BUG = "a bug in the supervisor; please report it"


class Supervisor:
    """Runs from `start` to `stop`. `apply` gives it a configuration, the first one included."""

    def __init__(self, found: Installed, stores: Stores, reporting: Reporting, settings: Settings) -> None:
        self._found, self._stores, self._reporting = found, stores, reporting
        self._events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timers = Timers()
        self._targets: dict[str, TargetState] = {}
        self._crew = Crew(settings, lambda member, message: self.call(lambda: self._heard(member, message)))
        self._placement = Placement(self._crew, self._timers, self._targets, self)
        self._clock = Clock(lambda target, group: self.call(lambda: self._tick(target, group)))
        self._probes = Probes()
        self._budget = SeriesBudget(ranks(found.families), settings.limits)
        self._runs = itertools.count(1)
        self._skew = time.time() - time.monotonic()
        self._stopping = False
        self._bugs = Bugs(log)
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self.beat_at = time.monotonic()

    # What other threads call.

    def start(self) -> None:
        """Begin to work; collects nothing until a configuration is applied."""
        self._clock.start()
        self._thread.start()

    def apply(self, config: Config) -> Future[None]:
        """Make the targets those of the configuration; unchanged ones keep their session and data."""
        done: Future[None] = Future()

        def act() -> None:
            try:
                self._reconcile(config)
                done.set_result(None)
            except BaseException as error:  # noqa: BLE001  handed to whoever waits
                done.set_exception(error)

        self.call(act)
        return done

    def probe(self, name: str, timeout_seconds: float) -> Future[None]:
        """Collect a target's vitals now, and its other groups where they are older than their interval.

        The future is done when all of that has ended, or when the time is over; it never fails. Probes at the same
        time, and a tick that is under way, share one collection.
        """
        answer: Future[None] = Future()
        until = time.monotonic() + timeout_seconds
        self.call(lambda: self._probe(name, until, answer))
        return answer

    def call(self, action: Callable[[], None]) -> None:
        """Do something on the supervisor's thread, soon."""
        self._events.put(action)

    def stop(self, seconds: float) -> None:
        """End every worker within so many seconds, by force if need be."""
        until = time.monotonic() + seconds
        self._clock.stop()
        self.call(lambda: self._finish(until))
        self._thread.join()

    # The loop.

    def _run(self) -> None:
        show_name()
        while not self._stopping:
            now = time.monotonic()
            self.beat_at = now
            try:
                sleep = min(LONGEST_SLEEP_SECONDS, self._reporting.seconds_until_beat(now))
                sleep = max(0.0, min(sleep, self._stores.next_expiry() - now))
                self._events.get(timeout=self._timers.seconds_until_next(now, sleep))()
                while not self._stopping:
                    self._events.get_nowait()()
            except queue.Empty:
                pass
            except Exception as error:  # noqa: BLE001  the loop must go on for every other target
                self._bugs.report(BUG, error)
            self._after_events()

    def _after_events(self) -> None:
        try:
            now = time.monotonic()
            self._timers.run_due(now)
            self._expire(now)
            self._notice_clock_steps()
            self._reporting.refresh(now, self._targets, self._crew, self._probes.about_to_answer())
            self._probes.answer()
        except Exception as error:  # noqa: BLE001  as above
            self._bugs.report(BUG, error)

    def _notice_clock_steps(self) -> None:
        skew = time.time() - time.monotonic()
        if abs(skew - self._skew) > CLOCK_STEP_SECONDS:
            log.warning("the wall clock moved by %.1f s; all intervals begin anew", skew - self._skew)
            self._skew = skew
            self._clock.resync()

    def _finish(self, until: float) -> None:
        self._stopping = True
        self._crew.finish(until)

    # Configuration.

    def _reconcile(self, config: Config) -> None:
        wanted = {target.name: target for target in config.targets}
        for name, state in list(self._targets.items()):
            if wanted.get(name) != state.target:
                self._remove(state, wanted.get(name))
        self._crew.resize(config.workers, len(wanted))
        self._budget.limits = config.limits
        self._shed()
        for name, target in wanted.items():
            if name not in self._targets:
                self._add(TargetState(target, groups_of(target, self._found.platforms[target.platform])))
        self._settle_overlaps()
        self._reporting.configured()

    def _add(self, state: TargetState) -> None:
        self._targets[state.name] = state
        self._reporting.changed(state)
        if state.scheduled:
            for group, figures in state.groups.items():
                self._clock.add(state.name, group, figures.interval_seconds)
            self._placement.start(state)

    def _remove(self, state: TargetState, successor: Target | None) -> None:
        del self._targets[state.name]
        self._clock.remove(state.name)
        self._placement.leave(state)
        self._probes.end_all(state.name)
        self._budget.forget(state.name)
        old = state.target
        kept = ("platform", "address", "mode")
        if successor is None or any(getattr(successor, key) != getattr(old, key) for key in kept):
            self._stores.of(old).drop(state.name)

    # What the placement asks for.

    def begin(self, state: TargetState, seat: Seat) -> None:
        """First collections on a seat: slow facts, then at once the vitals they describe, then the rest."""
        state.began = True
        for group in state.slow_groups():
            seat.lane(group).want(group)
        if INVENTORY in state.groups:
            wait = state.groups[VITALS].interval_seconds / 2
            self._timers.at(time.monotonic() + wait, lambda: self._first_vitals(state, seat))
        else:
            self._first_vitals(state, seat)
        self._dispatch_all(state, seat)

    def moved(self, state: TargetState) -> None:
        """The target sits elsewhere, or nowhere until its next tick."""
        self._reporting.changed(state)

    def _first_vitals(self, state: TargetState, seat: Seat) -> None:
        if self._sits(state, seat) and VITALS not in seat.attempted:
            seat.lane(VITALS).want(VITALS)
            self._dispatch_all(state, seat)

    def _sits(self, state: TargetState, seat: Seat) -> bool:
        return self._targets.get(state.name) is state and seat in state.seats()

    # Ticks and collections.

    def _tick(self, name: str, group: str) -> None:
        state = self._targets.get(name)
        if state is None or group not in state.groups or not state.began:
            return
        if state.seat is not None and state.seat.lane(group).has(group):
            state.groups[group].count("skipped")
        elif not state.may_ask(group, time.monotonic()) or (state.seat is None and group != VITALS):
            state.groups[group].count("held")
        else:
            seat = state.seat or self._placement.seat(state)
            seat.lane(group).want(group)
            self._dispatch_all(state, seat)
        self._reporting.changed(state)

    def _dispatch_all(self, state: TargetState, seat: Seat) -> None:
        for lane in seat.lanes.values():
            self._dispatch(state, seat, lane)

    def _dispatch(self, state: TargetState, seat: Seat, lane: LaneState) -> None:
        while lane.free and lane.waiting:
            group = lane.waiting.popleft()
            now = time.monotonic()
            if state.attempted and not state.may_ask(group, now):
                state.groups[group].count("held")
                continue
            run = Run(group, next(self._runs), now, now + state.target.profile.deadline(group))
            lane.running = run
            whole = group in seat.whole or not self._stores.of(state.target).holds(state.name, group)
            shed = self._budget.shed(state.name)
            seat.member.send(Collect(seat.key, group, run.number, run.deadline_at, whole, shed))
            overdue = functools.partial(self._overdue, state, seat, lane, run)
            run.overdue = self._timers.at(run.deadline_at, overdue)

    def _overdue(self, state: TargetState, seat: Seat, lane: LaneState, run: Run) -> None:
        if lane.running is not run or not self._sits(state, seat):
            return
        self._placement.overdue(state, seat, lane, run)
        if seat is state.seat:
            now = time.monotonic()
            state.record_timeout(run.group, now - run.begun_at, time.time(), now)
            self._after_attempt(state, seat, run.group, "timed_out")

    def _probe(self, name: str, until: float, answer: Future[None]) -> None:
        state = self._targets.get(name)
        now = time.monotonic()
        if state is None or not state.may_ask(VITALS, now):
            answer.set_result(None)
            return
        seat = state.seat or self._placement.seat(state)
        state.began = True
        wanted = {VITALS, *state.stale_groups(time.time())}
        probe = self._probes.add(name, wanted, answer)
        self._timers.at(until, lambda: self._probes.end(probe))
        for group in state.slow_groups():
            if group in wanted:
                seat.lane(group).want(group)
        if INVENTORY in wanted and INVENTORY not in seat.attempted:
            # Vitals are described by slow facts: give those half of the time.
            self._timers.at(now + (until - now) / 2, lambda: self._first_vitals(state, seat))
        else:
            seat.lane(VITALS).want(VITALS)
        self._dispatch_all(state, seat)

    # What workers say.

    def _heard(self, member: Member, message: object) -> None:
        match message:
            case Done():
                self._done(message)
            case Pulse():
                member.pulse = message
                self._reporting.self_changed()
            case None:
                self._lost(member)

    def _done(self, done: Done) -> None:
        self._placement.returned(done.key, done.run)
        state = self._targets.get(done.key.name)
        seat = next((seat for seat in state.seats() if seat.key == done.key), None) if state is not None else None
        if state is None or seat is None:
            return
        state.add_requests(done)
        lane = seat.lane(done.group)
        if lane.parked is not None and lane.parked.number == done.run:
            lane.parked = None
            seat.whole.add(done.group)  # its page was thrown away, so the worker's idea of what we hold is wrong
        elif lane.running is not None and lane.running.number == done.run:
            if lane.running.overdue is not None:
                lane.running.overdue.cancel()
            lane.running = None
            self._in_time(state, seat, done)
        self._dispatch(state, seat, lane)
        self._reporting.changed(state)

    def _in_time(self, state: TargetState, seat: Seat, done: Done) -> None:
        if seat is state.next_seat and done.group == VITALS:
            if done.outcome in DOWN:
                self._placement.stay(state)
                return
            self._placement.arrive(state)
        was_closed = state.breaker.state == "closed"
        if done.group == VITALS:
            self._placement.started(seat)
        first_vitals = VITALS not in seat.attempted
        seat.attempted.add(done.group)
        clusters = state.clusters
        state.record(done, time.time(), time.monotonic())
        if state.clusters != clusters:
            self._settle_overlaps()
        self._take_page(state, seat, done)
        self._after_attempt(state, seat, done.group, done.outcome)
        if done.group == VITALS and done.outcome not in DOWN:
            if first_vitals or not was_closed:
                self._catch_up(state, seat)
            self._placement.settle(state)

    def _settle_overlaps(self) -> None:
        for state in overlaps.settle(self._targets.values()):
            self._reporting.changed(state)
            if state.overlapping:
                fields = {"target": state.name}
                log.warning(
                    "another target watches the same cluster: all of it is there twice", extra={"fields": fields}
                )

    def _catch_up(self, state: TargetState, seat: Seat) -> None:
        """The target answers again: collect at once what was held, or was never attempted on this seat."""
        late = state.stale_groups(time.time())
        for group in state.slow_groups():
            if group in late or group not in seat.attempted:
                seat.lane(group).want(group)
        self._dispatch_all(state, seat)

    def _take_page(self, state: TargetState, seat: Seat, done: Done) -> None:
        if done.page is None:
            return
        self._reporting.count(state.name, done.page)
        self._budget.note(state.name, done.group, done.page.wanted)
        self._shed()
        expires_at = time.monotonic() + state.target.profile.ttl(done.group)
        if self._stores.of(state.target).swap(state.name, done.group, done.page, expires_at):
            seat.whole.discard(done.group)
        else:
            seat.whole.add(done.group)
            seat.lane(done.group).want(done.group)

    def _shed(self) -> None:
        """Let go at once of what is too much now: the workers leave it out when they collect the group again."""
        for name in self._budget.take_changed():
            state = self._targets.get(name)
            if state is not None:
                self._stores.of(state.target).hide(name, self._budget.shed(name))

    def _expire(self, now: float) -> None:
        for name, group in self._stores.expire(now):
            state = self._targets.get(name)
            if state is not None:
                fields = {"target": name, "group": group}
                log.warning("the data is too old to be shown any longer", extra={"fields": fields})
                state.digests.pop(group, None)
                self._reporting.changed(state)

    def _after_attempt(self, state: TargetState, seat: Seat, group: str, outcome: str) -> None:
        self._reporting.attempted(state, group, outcome)
        self._probes.finished(state.name, group)
        if group == INVENTORY:
            self._first_vitals(state, seat)

    def _lost(self, member: Member) -> None:
        for state, runs in self._placement.lost(member):
            for run in runs:
                figures = state.groups[run.group]
                figures.count("bug")
                figures.last_error = "the worker process died during this collection"
                state.breaker.record("unreachable", time.monotonic(), state.fingerprint())
            self._reporting.changed(state)
        self._reporting.self_changed()
