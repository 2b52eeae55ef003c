"""Realtime samples of many objects in portions that the endpoint can bear, each object from where it was last read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Fault, Refused
from collectors.vsphere.client.performance import Metric, Sampled, Wanted
from collectors.vsphere.findings import INACCESSIBLE, MISSING_RIGHT, SAMPLES_MISSING
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.counters import metrics_of
from exporter.contract import Deadline
from exporter.errors import Forbidden, TimedOut

KEPT_SECONDS = 3600
"""How long an endpoint keeps realtime samples."""
QUICK_SECONDS, SLOW_SECONDS = 1.0, 4.0
"""A query that takes no longer may grow, one that takes longer must shrink."""
GROWTH = 200
LEAST, MOST = 20, 4_000
"""Metrics of one query: from one object to some two hundred. Larger ones are not quicker."""
CEILING_SECONDS = 3600
MOST_FAILURES = 30
"""Queries that may fail in one collection; more are a burden to an endpoint that is in trouble."""
REST_SECONDS, SHORT_REST_SECONDS = 600, 60
"""How long an object that cannot be asked is left alone, at most and at least: for as long again as it has been in
trouble, so that a short trouble costs little and a lasting one few queries. A missing right does not come by itself."""
LEAST_IN_TROUBLE = 200
_TOO_MUCH = "RestrictedByAdministrator"


@dataclass(slots=True)
class Reading:
    """What was read: samples by object, objects that are gone, and those that were not come to."""

    samples: dict[Ref, Sampled] = field(default_factory=dict)
    asked: set[Ref] = field(default_factory=set)
    gone: set[Ref] = field(default_factory=set)
    left: list[Ref] = field(default_factory=list)


def read_samples(around: Surroundings, objects: Sequence[Ref], until: Deadline) -> Reading:
    """What was sampled of these objects since they were last asked; of one seen first, the newest sample.

    If the last collection did not come to all, those are first that wait longest. Nothing counts as read before
    `commit`.
    """
    _learn(around)
    asked_at = around.memory.asked_at
    order = sorted(objects, key=lambda ref: asked_at.get(ref, 0.0)) if around.memory.unsampled else list(objects)
    queries = _Queries(around, until)
    queries.run(order)
    return queries.reading


def commit(around: Surroundings, reading: Reading) -> None:
    """The samples have become part of an observation: the next collection goes on behind them."""
    memory, now = around.memory, time.monotonic()
    for ref, sampled in reading.samples.items():
        if sampled.timestamps:
            memory.sampled[ref] = max(sampled.timestamps[-1], memory.sampled.get(ref, 0.0))
            memory.resting.discard(ref)
    for ref in reading.asked:
        memory.asked_at[ref] = now
    memory.unsampled = bool(reading.left)


def forget_made(around: Surroundings, reading: Reading) -> None:
    """Let go of what was made of samples, whatever became of it: their windows are known for a while yet."""
    for samples in (reading.samples, around.memory.recent):
        for sampled in samples.values():
            sampled.window.made.clear()


def count_gaps(around: Surroundings, reading: Reading) -> None:
    """Note the samples that the endpoint no longer had when they were asked for."""
    memory = around.memory
    for ref, sampled in reading.samples.items():
        since = memory.sampled.get(ref)
        if since is None or ref in memory.resting or not sampled.timestamps:
            continue
        due = round((sampled.timestamps[-1] - since) / sampled.interval_seconds)
        missed = due - sum(at > since for at in sampled.timestamps)
        if missed > 0:
            around.findings.count(
                SAMPLES_MISSING, missed, f"{ref.kind} {ref.id}: {missed} samples are not there any more"
            )


def _learn(around: Surroundings) -> None:
    memory, generation = around.memory, around.lane.generation
    if not memory.counters or memory.counters_of != generation:
        memory.counters, memory.counters_of = around.lane.counters(), generation


class _Queries:
    """Queries of one collection, larger or smaller as the endpoint bears them."""

    def __init__(self, around: Surroundings, until: Deadline) -> None:
        self.reading = Reading()
        self._around, self._until = around, until
        self._memory = around.memory
        self._suspects: list[Sequence[Ref]] = []
        """Parts of queries that were refused: one of their objects is the trouble."""
        self._rest: list[Ref] = []
        self._metrics: dict[str, tuple[Metric, ...]] = {}
        self._learned_anew = False
        self._failures = 0
        self._took = 0.0

    def run(self, objects: Sequence[Ref]) -> None:
        """Ask for all of these, as long as there is time and the endpoint answers."""
        portion = self._memory.portion
        if self._around.now - portion.refused_at > CEILING_SECONDS:
            portion.ceiling = MOST
        rest = self._rest = [ref for ref in objects if not self._resting(ref)]
        while rest or self._suspects:
            if not self._may_ask():
                break
            some = self._next()
            try:
                self._ask(some)
            except (Busy, TimedOut):
                # It may have other work: that says nothing about what it can bear at other times.
                self._memory.portion.metrics = max(LEAST_IN_TROUBLE, self._size(some) // 2)
                self._suspects.append(some)
                break
        self.reading.left = [ref for some in self._suspects for ref in some] + rest

    def _next(self) -> Sequence[Ref]:
        if self._suspects:
            return self._suspects.pop()
        some = self._portion(self._rest)
        del self._rest[: len(some)]
        return some

    def _may_ask(self) -> bool:
        return self._until.remaining_seconds > 2 * self._took and self._failures <= MOST_FAILURES

    def _resting(self, ref: Ref) -> bool:
        until, problem, why = self._memory.sick.get(ref, (0.0, "", ""))
        if until <= self._around.now:
            return False
        self._around.findings.note(problem, ref, why)
        return True

    def _portion(self, rest: Sequence[Ref]) -> Sequence[Ref]:
        """As many from the beginning as have no more metrics together than may be asked; one at least."""
        count, total = 0, 0
        for ref in rest:
            total += len(self._of_kind(ref.kind))
            if count and total > self._memory.portion.metrics:
                break
            count += 1
        return rest[:count]

    def _of_kind(self, kind: str) -> tuple[Metric, ...]:
        if kind not in self._metrics:
            self._metrics[kind] = metrics_of(kind, self._memory.counters)
        return self._metrics[kind]

    def _size(self, some: Sequence[Ref]) -> int:
        return sum(len(self._of_kind(ref.kind)) for ref in some)

    def _wanted(self, ref: Ref) -> Wanted:
        since = self._memory.sampled.get(ref)
        if since is None:
            return Wanted(ref, self._of_kind(ref.kind), most=1)
        return Wanted(ref, self._of_kind(ref.kind), since=max(since, self._around.now - KEPT_SECONDS))

    def _ask(self, some: Sequence[Ref]) -> None:
        begun = time.monotonic()
        try:
            found = self._around.lane.samples([self._wanted(ref) for ref in some])
        except (Refused, Forbidden) as error:
            self._failures += 1
            self._refused(some, error)
            return
        self._took = time.monotonic() - begun
        self.reading.asked.update(some)
        if self._memory.sick:
            for ref in some:
                self._memory.sick.pop(ref, None)
        self.reading.samples |= {sampled.entity: sampled for sampled in found}
        self._adapt(self._size(some))

    def _adapt(self, asked: int) -> None:
        portion = self._memory.portion
        if self._took > SLOW_SECONDS:
            portion.metrics = max(LEAST_IN_TROUBLE, asked // 2)
        elif self._took < QUICK_SECONDS and asked > portion.metrics // 2:
            room = max(1, (portion.ceiling - portion.metrics) // 2)
            portion.metrics = min(portion.metrics + min(GROWTH, room), portion.ceiling)

    def _shrink(self, refused: int) -> None:
        portion = self._memory.portion
        portion.ceiling = max(LEAST, refused - 1)
        portion.metrics = max(LEAST, refused // 2)
        portion.refused_at = self._around.now

    def _refused(self, some: Sequence[Ref], error: Refused | Forbidden) -> None:
        fault = error.fault if isinstance(error, Refused) else Fault("NoPermission", "", {})
        if fault.name == "ManagedObjectNotFound" and self._gone(some, fault.details.get("obj", "")):
            return
        if fault.name == "InvalidArgument" and not self._learned_anew:
            self._learned_anew = True
            self._memory.counters = self._around.lane.counters()
            self._metrics.clear()
            self._suspects.append(some)
        elif len(some) == 1:
            self._leave_alone(some, error)
            if self.reading.asked:  # others of its size were borne: it was not the size
                self._memory.portion.ceiling = MOST
        elif self._failures > MOST_FAILURES and not self.reading.asked:
            self._leave_alone([*some, *(ref for group in self._suspects for ref in group), *self._rest], error)
            self._suspects.clear()
            self._rest.clear()
        else:
            if fault.name == _TOO_MUCH:
                self._shrink(self._size(some))
            middle = len(some) // 2
            self._suspects += (some[middle:], some[:middle])

    def _leave_alone(self, some: Sequence[Ref], error: Refused | Forbidden) -> None:
        """These cannot be asked, at least for a while: one of its own, or all where nobody could be asked."""
        problem = MISSING_RIGHT if isinstance(error, Forbidden) else INACCESSIBLE
        self._around.findings.unread |= problem == INACCESSIBLE  # now; while they rest, nobody tries to read them
        for ref in some:
            why = f"{ref.kind} {ref.id}: its samples cannot be read: {error}"
            self._memory.sick[ref] = (self._around.now + self._rest_seconds(ref, problem), problem, why)
            self._around.findings.note(problem, ref, why)

    def _rest_seconds(self, ref: Ref, problem: str) -> float:
        answered = self._memory.asked_at.get(ref)
        if problem == MISSING_RIGHT:
            return REST_SECONDS
        if ref not in self._memory.sick:
            return SHORT_REST_SECONDS
        return (
            REST_SECONDS
            if answered is None
            else min(max(SHORT_REST_SECONDS, time.monotonic() - answered), REST_SECONDS)
        )

    def _gone(self, some: Sequence[Ref], identity: str) -> bool:
        """Whether one of these has just been deleted; the others are asked again."""
        gone = {ref for ref in some if ref.id == identity or len(some) == 1}
        if not gone:
            return False
        self.reading.gone |= gone
        self._failures -= 1  # nobody is in trouble
        others = [ref for ref in some if ref not in gone]
        if others:
            self._suspects.append(others)
        return True
