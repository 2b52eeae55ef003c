"""Deadlines, hung and vanished endpoints, broken parts: what a world's faults show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from exporter.catalogue.family import INVENTORY, STORAGE, VITALS
from exporter.contract import Platform
from exporter.errors import TimedOut, Unreachable, Unsupported
from exporter.model import Observation
from exporter.platforms import installed
from exporter.testing.errors import flaws
from exporter.testing.verdict import refuse
from exporter.testing.visit import GRACE_SECONDS, Visit, runtime_of
from exporter.testing.world import World

SHORT_SECONDS = 2.0
"""The deadline of a call that is going to hang."""
ATTEMPTS = 3
"""After trouble the next collection, or one of so many, succeeds."""


@contextmanager
def _visiting(platform: Platform, world: World) -> Iterator[Visit]:
    """A session that has collected its vitals once."""
    with runtime_of(platform):
        visit = Visit(platform, world.target, installed().families)
        healthy = visit.collect(VITALS, world.deadline_seconds)
        if healthy.error is not None:
            pytest.fail(f"the healthy world gives {healthy.error!r}", pytrace=False)
        try:
            yield visit
        finally:
            visit.close().returned(GRACE_SECONDS)


def _recovers(visit: Visit, world: World, after: str) -> Iterator[str]:
    errors = []
    for _ in range(ATTEMPTS):
        error = visit.collect(VITALS, world.deadline_seconds).error
        if error is None:
            return
        errors.append(error)
    yield f"after {after} the session does not recover: {errors[-1]!r}; connect anew at the next collection"


def test_a_deadline_that_has_passed_is_respected(platform: Platform, world: World) -> None:
    """A call without any time left comes back at once, with `TimedOut` or what it can tell without asking."""
    with _visiting(platform, world) as visit:
        call = visit.begin(VITALS, 0.0)
        if not call.returned(GRACE_SECONDS):
            call.returned(world.deadline_seconds)
            refuse(
                [f"with no time left collect() still took {call.seconds:.1f} s: call deadline.check() between calls"]
            )
        sentences = list(flaws(call.error, "collecting with no time left", world.secret))
        refuse([*sentences, *_recovers(visit, world, "a deadline that had passed")])


def test_both_lanes_may_collect_at_once(platform: Platform, world: World) -> None:
    """Vitals and a slow group run in two threads of one session."""
    slow = next((group for group in (INVENTORY, STORAGE) if group in platform.groups), None)
    if slow is None:
        pytest.skip("the platform has vitals only")
    with _visiting(platform, world) as visit:
        calls = [visit.begin(group, world.deadline_seconds) for group in (VITALS, slow)]
        late = [not call.returned(world.deadline_seconds + GRACE_SECONDS) for call in calls]
    sentences = [
        f"{group} did not return while the other lane was busy"
        for group, it in zip((VITALS, slow), late, strict=True)
        if it
    ]
    errors = [call.error for call in calls if call.error is not None and not isinstance(call.error, Unsupported)]
    refuse([*sentences, *(f"two collections at once: {type(error).__name__}: {error}" for error in errors)])


def test_a_hung_endpoint_does_not_keep_its_session(platform: Platform, world: World) -> None:
    """A call that gets no answer ends with `TimedOut` or `Unreachable`, or hangs without hindering `close()`.

    The core leaves a hung call to itself; what it returns after its deadline must not pass for an answer.
    """
    if world.hang is None:
        pytest.skip("the world offers no endpoint that hangs (World.hang)")
    with _visiting(platform, world) as visit:
        with world.hang():
            call = visit.begin(VITALS, SHORT_SECONDS)
            in_time = call.returned(SHORT_SECONDS + GRACE_SECONDS)
            closing = visit.close()
            closed = closing.returned(GRACE_SECONDS)
        sentences = [] if closed else [f"close() takes longer than {GRACE_SECONDS:g} s while a call hangs"]
        if not call.returned(world.deadline_seconds):
            sentences.append("the call did not even end when its endpoint answered again")
        sentences += flaws(call.error, "a hung call", world.secret)
        if call.error is None and in_time:
            sentences.append("collect() answers while the endpoint is hung: old data must not pass for fresh")
        elif isinstance(call.value, Observation):
            late = call.seconds - SHORT_SECONDS
            sentences.append(f"collect() returned {late:.1f} s late as if nothing had happened: check the deadline")
        refuse(sentences)


def test_a_session_survives_a_hung_endpoint(platform: Platform, world: World) -> None:
    """Once the endpoint answers again, so does the same session."""
    if world.hang is None:
        pytest.skip("the world offers no endpoint that hangs (World.hang)")
    with _visiting(platform, world) as visit:
        with world.hang():
            call = visit.begin(VITALS, SHORT_SECONDS)
            call.returned(SHORT_SECONDS + GRACE_SECONDS)
        call.returned(world.deadline_seconds)
        refuse(_recovers(visit, world, "a hung endpoint"))


def test_a_session_survives_a_vanished_endpoint(platform: Platform, world: World) -> None:
    """Nobody there: `Unreachable` or `TimedOut` in time; back again: collected again."""
    if world.vanish is None:
        pytest.skip("the world offers no endpoint that vanishes (World.vanish)")
    with _visiting(platform, world) as visit:
        with world.vanish():
            gone = visit.collect(VITALS, world.deadline_seconds)
        sentences = list(flaws(gone.error, "collecting from an endpoint that has vanished", world.secret))
        if not isinstance(gone.error, Unreachable | TimedOut):
            sentences.append(f"an endpoint that has vanished gives {gone.error!r}; Unreachable is wanted")
        refuse([*sentences, *_recovers(visit, world, "an endpoint that had vanished")])


def test_a_broken_part_does_not_hide_the_rest(platform: Platform, world: World) -> None:
    """The rest is observed; `problems` name what is missing, and the observation says that it is `partial`."""
    if world.break_part is None:
        pytest.skip("the world offers no part that breaks (World.break_part)")
    with _visiting(platform, world) as visit:
        visit.collect(world.broken_group, world.deadline_seconds)
        with world.break_part():
            collected = visit.collect(world.broken_group, world.deadline_seconds)
    seen = collected.observation
    if collected.error is not None or not isinstance(seen, Observation):
        refuse([f"one broken part costs the whole group {world.broken_group}: {collected.error!r}"])
    elif not seen.problems:
        refuse(["a part could not be read and no Observation.problems say so"])
    elif not seen.partial:
        names = ", ".join(problem.name for problem in seen.problems)
        refuse([f"with the problems {names} the observation is partial, and does not say so"])
    elif not collected.samples:
        refuse(["one broken part costs every series of the group"])
