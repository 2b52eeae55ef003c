"""Where a target lives: a worker, and the two lanes it has there. A target that moves has two seats for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from exporter.runtime.collection import FAST, SLOW, lane_of
from exporter.runtime.crew import Member
from exporter.runtime.messages import Key
from exporter.runtime.timers import Timer


@dataclass(slots=True)
class Run:
    """A collection under way."""

    group: str
    number: int
    begun_at: float
    deadline_at: float
    overdue: Timer | None = None
    """Goes off at the deadline, unless the answer is there before."""


@dataclass(slots=True)
class LaneState:
    """A lane: what runs, what waits, and a call that was given up on but has not returned (parked)."""

    running: Run | None = None
    parked: Run | None = None
    waiting: deque[str] = field(default_factory=deque)

    @property
    def free(self) -> bool:
        """Whether the lane's thread could take a collection now."""
        return self.running is None and self.parked is None

    def has(self, group: str) -> bool:
        """Whether the group is queued or under way."""
        under_way = any(run is not None and run.group == group for run in (self.running, self.parked))
        return under_way or group in self.waiting

    def want(self, group: str) -> None:
        """Queue the group unless it is already queued or under way."""
        if not self.has(group):
            self.waiting.append(group)


@dataclass(eq=False, slots=True)
class Seat:
    """One life of a target in one worker."""

    key: Key
    member: Member
    lanes: dict[str, LaneState] = field(default_factory=lambda: {FAST: LaneState(), SLOW: LaneState()})
    whole: set[str] = field(default_factory=set)
    """Groups of which the worker must send everything next time, because what it sent last was thrown away."""
    attempted: set[str] = field(default_factory=set)
    """Groups whose collection has ended here at least once, in whatever way."""

    def lane(self, group: str) -> LaneState:
        """The lane that runs the group."""
        return self.lanes[lane_of(group)]

    def under_way(self) -> list[Run]:
        """Every run whose answer is still expected."""
        return [lane.running for lane in self.lanes.values() if lane.running is not None]
