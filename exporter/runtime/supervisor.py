"""The supervisor: one thread that decides what is collected when and where, and takes what comes back.

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
from dataclasses import dataclass

from exporter.catalogue.family import INVENTORY, VITALS
from exporter.config.model import Config, Target
from exporter.logs import Bugs
from exporter.platforms import Installed
from exporter.runtime.clock import Clock
from exporter.runtime.collection import groups_of
from exporter.runtime.crew import Crew, Member
from exporter.runtime.messages import CloseTarget, Collect, Done, Key, OpenTarget, Pulse, Settings
from exporter.runtime.reporting import Reporting
from exporter.runtime.store import Store
from exporter.runtime.target_state import KEEPS_UP, LaneState, Run, TargetState
from exporter.runtime.timers import Timers

log = logging.getLogger("supervisor")

STARTING_PER_WORKER = 4
START_SLOT_SECONDS = 2.0
LONGEST_SLEEP_SECONDS = 1.0
CLOCK_STEP_SECONDS = 2.0
BUG = "a bug in the supervisor; please report it"


@dataclass(frozen=True, slots=True)
class _Call:
    """Something to be done on the supervisor's thread."""

    action: Callable[[], None]


class Supervisor:
    """Runs from `start` to `stop`. `apply` gives it a configuration, the first one included."""

    def __init__(self, found: Installed, store: Store, reporting: Reporting, settings: Settings) -> None:
        self._found, self._store, self._reporting = found, store, reporting
        self._events: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._crew = Crew(settings, lambda member, message: self._post(lambda: self._heard(member, message)))
        self._clock = Clock(lambda target, group: self._post(lambda: self._tick(target, group)))
        self._timers = Timers()
        self._targets: dict[str, TargetState] = {}
        self._waiting_to_start: dict[Member, list[TargetState]] = {}
        self._starting: dict[Member, int] = {}
        self._numbers, self._runs = itertools.count(1), itertools.count(1)
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

        self._post(act)
        return done

    def call(self, action: Callable[[], None]) -> None:
        """Do something on the supervisor's thread, soon."""
        self._post(action)

    def stop(self, seconds: float) -> None:
        """End every worker within so many seconds, by force if need be."""
        until = time.monotonic() + seconds
        self._clock.stop()
        self._post(lambda: self._finish(until))
        self._thread.join()

    def _post(self, action: Callable[[], None]) -> None:
        self._events.put(_Call(action))

    # The loop.

    def _run(self) -> None:
        while not self._stopping:
            now = time.monotonic()
            self.beat_at = now
            try:
                call = self._events.get(timeout=self._timers.seconds_until_next(now, LONGEST_SLEEP_SECONDS))
                call.action()
                while not self._stopping:
                    self._events.get_nowait().action()
            except queue.Empty:
                pass
            except Exception as error:  # noqa: BLE001  the loop must go on for every other target
                self._bugs.report(BUG, error)
            self._after_events()

    def _after_events(self) -> None:
        try:
            self._timers.run_due(time.monotonic())
            self._notice_clock_steps()
            self._reporting.refresh(self._targets, self._crew)
        except Exception as error:  # noqa: BLE001  as above
            self._bugs.report(BUG, error)

    def _notice_clock_steps(self) -> None:
        skew = time.time() - time.monotonic()
        if abs(skew - self._skew) > CLOCK_STEP_SECONDS:
            log.warning("the wall clock moved by %.1f s; all intervals begin anew", skew - self._skew)
            self._skew = skew
            self._clock.resync()

    # Configuration.

    def _reconcile(self, config: Config) -> None:
        wanted = {target.name: target for target in config.targets if target.mode == "scheduled"}
        for name, state in list(self._targets.items()):
            if wanted.get(name) != state.target:
                new = wanted.get(name)
                same_endpoint = new is not None and (new.platform, new.address) == (
                    state.target.platform,
                    state.target.address,
                )
                self._remove(state, keep_pages=same_endpoint)
        self._crew.resize(config.workers, len(wanted))
        for name, target in wanted.items():
            if name not in self._targets:
                self._add(TargetState(Key(name, next(self._numbers)), target, self._groups(target)))
        self._reporting.configured()

    def _groups(self, target: Target) -> tuple[str, ...]:
        return groups_of(target, self._found.platforms[target.platform])

    def _add(self, state: TargetState) -> None:
        self._targets[state.name] = state
        member = self._crew.take_on(state.key)
        member.send(OpenTarget(state.key, state.target))
        for group, figures in state.groups.items():
            self._clock.add(state.name, group, figures.interval_seconds)
        self._reporting.changed(state)
        self._waiting_to_start.setdefault(member, []).append(state)
        self._start_some(member)

    def _remove(self, state: TargetState, *, keep_pages: bool) -> None:
        del self._targets[state.name]
        self._clock.remove(state.name)
        member = self._crew.let_go(state.key)
        if member is not None:
            member.send(CloseTarget(state.key))
        if not keep_pages:
            self._store.drop(state.name)

    # Starting, a few targets per worker at a time.

    def _start_some(self, member: Member) -> None:
        waiting = self._waiting_to_start.get(member, [])
        while waiting and self._starting.get(member, 0) < STARTING_PER_WORKER:
            state = waiting.pop(0)
            if self._targets.get(state.name) is state and not state.began:
                self._starting[member] = self._starting.get(member, 0) + 1
                # Released by time, not by success: hung targets must not keep the healthy ones from starting.
                self._timers.at(time.monotonic() + START_SLOT_SECONDS, functools.partial(self._end_start, member))
                self._begin(state)

    def _end_start(self, member: Member) -> None:
        self._starting[member] = self._starting.get(member, 1) - 1
        self._start_some(member)

    def _begin(self, state: TargetState) -> None:
        """First collections: slow facts, then at once the vitals they describe, then the rest."""
        state.began = True
        for group in state.slow_groups():
            state.lane(group).waiting.append(group)
        if INVENTORY in state.groups:
            wait = state.groups[VITALS].interval_seconds / 2
            self._timers.at(time.monotonic() + wait, lambda: self._first_vitals(state))
        else:
            self._first_vitals(state)
        self._dispatch_all(state)

    def _first_vitals(self, state: TargetState) -> None:
        lane = state.lane(VITALS)
        if self._targets.get(state.name) is state and not state.attempted and not lane.has(VITALS):
            lane.waiting.append(VITALS)
            self._dispatch_all(state)

    # Ticks and collections.

    def _tick(self, name: str, group: str) -> None:
        state = self._targets.get(name)
        if state is None or group not in state.groups or not state.began:
            return
        lane = state.lane(group)
        if lane.has(group):
            state.groups[group].count("skipped")
        elif not self._may_ask(state, group):
            state.groups[group].count("held")
        else:
            lane.waiting.append(group)
            self._dispatch(state, lane)
        self._reporting.changed(state)

    def _may_ask(self, state: TargetState, group: str) -> bool:
        """While a target is in doubt only vitals probe it; the other groups wait until it has answered."""
        if group != VITALS and state.attempted and state.breaker.state != "closed":
            return False
        return state.breaker.allows(time.monotonic(), state.fingerprint())

    def _dispatch_all(self, state: TargetState) -> None:
        for lane in state.lanes.values():
            self._dispatch(state, lane)

    def _dispatch(self, state: TargetState, lane: LaneState) -> None:
        member = self._crew.holder(state.key)
        while member is not None and lane.free and lane.waiting:
            group = lane.waiting.popleft()
            if state.attempted and not self._may_ask(state, group):
                state.groups[group].count("held")
                continue
            now = time.monotonic()
            run = Run(group, next(self._runs), now + state.target.profile.deadline(group))
            lane.running = run
            whole = group in state.whole or not self._store.holds(state.name, group)
            member.send(Collect(state.key, group, run.number, run.deadline_at, whole))
            self._timers.at(run.deadline_at, functools.partial(self._overdue, state, lane, run, now))

    def _overdue(self, state: TargetState, lane: LaneState, run: Run, begun: float) -> None:
        if lane.running is not run or self._targets.get(state.name) is not state:
            return
        lane.running, lane.parked = None, run
        now = time.monotonic()
        state.record_timeout(run.group, now - begun, time.time(), now)
        self._after_attempt(state, run.group, "timed_out")

    # What workers say.

    def _heard(self, member: Member, message: object) -> None:
        match message:
            case Done():
                self._done(message)
            case Pulse():
                self._crew.pulse(member, message)
                self._reporting.self_changed()
            case None:
                self._lost(member)

    def _done(self, done: Done) -> None:
        state = self._targets.get(done.key.name)
        if state is None or state.key != done.key:
            return
        state.add_requests(done)
        lane = state.lane(done.group)
        if lane.parked is not None and lane.parked.number == done.run:
            lane.parked = None
            state.whole.add(done.group)  # its page was thrown away, so the worker's idea of what we hold is wrong
        elif lane.running is not None and lane.running.number == done.run:
            lane.running = None
            state.record(done, time.time(), time.monotonic())
            self._take_page(state, done)
            self._after_attempt(state, done.group, done.outcome)
        self._dispatch(state, lane)
        self._reporting.changed(state)

    def _take_page(self, state: TargetState, done: Done) -> None:
        if done.page is None:
            return
        self._reporting.count(state.name, done.page)
        expires_at = time.monotonic() + state.target.profile.ttl(done.group)
        if self._store.swap(state.name, done.group, done.page, expires_at):
            state.whole.discard(done.group)
            self._timers.at(expires_at, self._expire)
        else:
            state.whole.add(done.group)
            state.lane(done.group).waiting.appendleft(done.group)

    def _expire(self) -> None:
        for name, group in self._store.expire(time.monotonic()):
            state = self._targets.get(name)
            if state is not None:
                log.warning(
                    "the data is too old to be shown any longer", extra={"fields": {"target": name, "group": group}}
                )
                self._reporting.changed(state)

    def _after_attempt(self, state: TargetState, group: str, outcome: str) -> None:
        self._reporting.attempted(state, group, outcome)
        if group == INVENTORY and outcome not in KEEPS_UP:
            self._first_vitals(state)

    # Workers that end.

    def _lost(self, member: Member) -> None:
        orphans = [self._targets[key.name] for key in self._crew.lost(member) if self._owns(key)]
        self._waiting_to_start.pop(member, None)
        self._starting.pop(member, None)
        for state in orphans:
            for lane in state.lanes.values():
                if lane.running is not None:
                    state.groups[lane.running.group].count("bug")
                    state.groups[lane.running.group].last_error = "the worker process died during this collection"
                lane.running = lane.parked = None
                lane.waiting.clear()
            state.whole.update(state.groups)
            state.began = False
            self._reporting.changed(state)
        self._timers.at(time.monotonic() + self._crew.pause_before_restart(), lambda: self._replace(orphans))

    def _owns(self, key: Key) -> bool:
        state = self._targets.get(key.name)
        return state is not None and state.key == key

    def _replace(self, orphans: list[TargetState]) -> None:
        for state in orphans:
            if self._targets.get(state.name) is state:
                member = self._crew.take_on(state.key)
                member.send(OpenTarget(state.key, state.target))
                self._waiting_to_start.setdefault(member, []).append(state)
                self._start_some(member)
        self._reporting.self_changed()

    def _finish(self, until: float) -> None:
        self._stopping = True
        self._crew.finish(until)
