"""A session with a simulated target: asks the world what it shows now, counts that as requests, suffers its faults."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from collectors.simulated.clock import Clock
from collectors.simulated.faults import Call, Faults, hang, suffer
from collectors.simulated.looks import LOOKS, Look
from collectors.simulated.options import SimulatedOptions
from collectors.simulated.world import World, world_of
from exporter.catalogue.family import INVENTORY
from exporter.config.model import Target
from exporter.contract import Context, Deadline
from exporter.errors import Unsupported
from exporter.model import Observation, Problem

_PARTS_BROKEN = 3
_RECEIVED_BYTES_PER_THING = 700
_SECONDS_PER_REQUEST, _SECONDS_PER_THING = 0.004, 0.0001


class SimulatedSession:
    """Both lanes may collect at once: a world is only read."""

    def __init__(self, target: Target, context: Context, look: Look) -> None:
        self._options = SimulatedOptions.model_validate({**target.options, "like": look.name})
        self._context, self._look = context, look
        self._clock = Clock.of(self._options)
        self._faults = Faults(self._options.faults, self._options.faults_file)
        self._closed = threading.Event()
        self._calls: dict[str, Call] = {}

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """What the group shows now; see `exporter.contract.Session`."""
        if group not in self._look.operations:
            raise Unsupported(f"{self._look.title}: there is no group {group!r}")
        deadline.check(f"asking for {group}")
        call = self._calls[group] = Call(group, deadline, self._closed)
        try:
            broken = self._suffer(call)
            real = self._context.now()
            seen = self._world().observe(group, self._clock.at(real))
        except BaseException:
            self._count(group, 1)
            raise
        self._count(group, len(seen.guests))
        told = self._told(seen, real)
        return _broken(told, group, self._look) if broken else told

    def unblock(self, group: str) -> None:
        """Have the group's call return if it hangs; see `exporter.contract.Unblocking`."""
        call = self._calls.get(group)
        if call is not None:
            call.woken.set()

    def close(self) -> None:
        """Have every call return that hangs."""
        self._closed.set()
        for call in tuple(self._calls.values()):
            call.woken.set()

    def _now(self) -> float:
        return self._clock.at(self._context.now())

    def _world(self) -> World:
        return world_of(self._options)

    def _suffer(self, call: Call) -> bool:
        """Let faults strike; whether part of the answer is broken."""
        for fault in self._faults.striking(call.group, self._now()):
            if fault.kind == "hang":
                hang(call, self._faults, self._now, self._look)
            else:
                suffer(fault, call, self._look)
        return any(fault.kind == "break_part" for fault in self._faults.striking(call.group, self._now()))

    def _count(self, group: str, things: int) -> None:
        """Requests as the real thing would have been asked, with the time that a quick endpoint would have taken."""
        operation, at_once = self._look.operations[group]
        requests = max(1, -(-things // at_once))
        self._context.meter.add(
            operation,
            seconds=requests * _SECONDS_PER_REQUEST + things * _SECONDS_PER_THING,
            received_bytes=things * _RECEIVED_BYTES_PER_THING,
            count=requests,
        )

    def _told(self, seen: Observation, real: float) -> Observation:
        """With the offset of a clock that the look tells; a clock that runs apart is one that is wrong."""
        if not self._look.delivers("hypervisor_target_clock_offset_seconds"):
            return seen
        offset = round(self._clock.at(real) - real, 3)
        return replace(seen, endpoint=replace(seen.endpoint, clock_offset_seconds=offset))


def _broken(seen: Observation, group: str, look: Look) -> Observation:
    """Without the things that could not be read; a platform that counts them tells so with the inventory."""
    lost = seen.guests[:_PARTS_BROKEN]
    problem = Problem("object_inaccessible", len(lost) or 1, f"{lost[0].name}: cannot be read now" if lost else "")
    endpoint = seen.endpoint
    if group == INVENTORY and look.unreadable is not None:
        endpoint = replace(endpoint, extra={**endpoint.extra, **look.unreadable(len(lost))})
    rest, problems = seen.guests[len(lost) :], (*seen.problems, problem)
    return replace(seen, guests=rest, endpoint=endpoint, problems=problems, partial=True)


def opener(like: str | None) -> Callable[[Target, Context], SimulatedSession]:
    """Opens sessions of a look; makes no call and no I/O."""

    def opened(target: Target, context: Context) -> SimulatedSession:
        return SimulatedSession(target, context, LOOKS[like])

    return opened
