"""Sessions behave: opening asks nothing, closing is quick, errors are the core's, nothing is left behind or told."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from exporter.catalogue.family import VITALS, Family
from exporter.contract import Platform
from exporter.errors import AuthenticationFailed, TimedOut, Unreachable
from exporter.platforms import installed
from exporter.testing.errors import flaws
from exporter.testing.verdict import refuse
from exporter.testing.visit import GRACE_SECONDS, Record, Visit, runtime_of
from exporter.testing.world import World

_LIFE_SECONDS = 180
_SHORTEST_SECRET = 6
_MOST_OPERATIONS = 200
_IO = ("socket.", "subprocess.", "os.posix_spawn", "os.fork", "os.exec", "os.listdir", "os.scandir", "open")
_CODE = (".py", ".pyc", ".so", "__pycache__")


@pytest.fixture(scope="session")
def life(platform: Platform, world: World, chosen_world: str | None) -> dict[str, list[str]]:
    """What `exporter.testing.life` says."""
    command = [sys.executable, "-m", "exporter.testing.life", platform.name, *([chosen_world] if chosen_world else [])]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_LIFE_SECONDS + world.deadline_seconds
    )
    if done.returncode:
        pytest.fail(f"the platform's life in a fresh interpreter failed:\n{done.stderr}", pytrace=False)
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_its_library_is_imported_only_when_it_is_needed(life: dict[str, list[str]]) -> None:
    """An installation without the vendor's library runs everything else, and starts no slower with it."""
    refuse(
        [
            *(
                f"importing the platform imports {name}: import it inside functions of the client"
                for name in life["on_import"]
            ),
            *(
                f"opening a session imports {name}: import it when the first collection connects"
                for name in life["on_open"]
            ),
        ]
    )


def test_no_thread_is_left_behind(life: dict[str, list[str]]) -> None:
    """After `close()` and the runtime's `stop()` no thread of the platform runs."""
    refuse(f"the thread {name!r} still runs after close() and runtime.stop()" for name in life["threads"])


def test_opening_makes_no_call_and_no_io(platform: Platform, world: World) -> None:
    """A session opens even if nobody answers; the first collection connects."""
    with runtime_of(platform), _watched() as events:
        visits = []
        for target in (world.target, world.unreachable):
            events.append("")
            visits.append(Visit(platform, target, ()))
            events.append("")
        noticed = [event for event in events if event]
    asked = [operation for visit in visits for operation in visit.meter.take()]
    for visit in visits:
        visit.close().returned(GRACE_SECONDS)
    refuse(
        [
            *(
                f"opening a session did {event}: connect, read and look up in collect()"
                for event in dict.fromkeys(noticed)
            ),
            *(f"opening a session counted a request of {operation}: it must make none" for operation in asked),
        ]
    )


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Input and output of this process from Python, imports left out."""
    events: list[str] = []
    watching = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event.startswith(_IO) and not any(sign in str(arguments) for sign in _CODE):
            events.append(f"{event}{str(arguments)[:100]}")

    sys.addaudithook(hear)  # for ever: there is no way to take it off, hence the flag
    try:
        yield events
    finally:
        watching = False


def test_closing_is_quick_and_may_be_repeated(platform: Platform, world: World, seen: Record) -> None:
    """A session is closed twice, also one that was never used, within two seconds."""
    with runtime_of(platform):
        unused = Visit(platform, world.target, ()).close()
        unused.returned(GRACE_SECONDS)
    calls = {"an unused session": unused, "a session": seen.closing[0], "a closed session": seen.closing[1]}
    sentences = []
    for which, call in calls.items():
        if not call.returned(0):
            sentences.append(f"closing {which} takes longer than {GRACE_SECONDS:g} s")
        elif call.error is not None:
            sentences.append(f"closing {which} raised {type(call.error).__name__}: {call.error}")
    refuse(sentences)


def test_an_unreachable_endpoint_is_told_in_a_sentence(platform: Platform, world: World) -> None:
    """`Unreachable` or `TimedOut`, in time, from both lanes and again at the next attempt."""
    refuse(_unreachable(platform, world, installed().families))


def _unreachable(platform: Platform, world: World, families: Sequence[Family]) -> Iterator[str]:
    slow = [group for group in platform.groups if group != VITALS][:1]
    with runtime_of(platform):
        visit = Visit(platform, world.unreachable, families)
        for group in (VITALS, VITALS, *slow):
            collected = visit.collect(group, world.deadline_seconds)
            yield from flaws(collected.error, f"collecting {group} where nobody answers", world.secret)
            if collected.error is None and (group == VITALS or collected.samples):
                yield f"collecting {group} from {world.unreachable.address!r} (World.unreachable) succeeds"
            elif collected.error is not None and not isinstance(collected.error, Unreachable | TimedOut):
                yield f"where nobody answers {group} is {type(collected.error).__name__}; Unreachable is wanted"
        if not visit.close().returned(GRACE_SECONDS):
            yield f"after an error close() takes longer than {GRACE_SECONDS:g} s"


def test_refused_credentials_are_told_as_such(platform: Platform, world: World) -> None:
    """`AuthenticationFailed`, or the core would go on knocking until the account is locked."""
    if world.refused is None:
        pytest.skip("the world offers no target that refuses its credentials (World.refused)")
    with runtime_of(platform):
        visit = Visit(platform, world.refused, installed().families)
        collected = visit.collect(VITALS, world.deadline_seconds)
        visit.close().returned(GRACE_SECONDS)
    sentences = list(flaws(collected.error, "a refused login", world.secret))
    if not isinstance(collected.error, AuthenticationFailed):
        sentences.append(f"a refused login gives {collected.error!r}; AuthenticationFailed is wanted")
    refuse(sentences)


def test_no_secret_is_told(world: World, seen: Record) -> None:
    """The password is in no log line, error, `repr` or observation."""
    if len(world.secret) < _SHORTEST_SECRET:
        pytest.skip("the world has no secret of six characters or more (World.secret)")
    forms = {world.secret, repr(world.secret)[1:-1], urllib.parse.quote(world.secret, safe="")}
    refuse(f"the secret is in {where}" for where, text in seen.texts.items() if any(form in text for form in forms))


def test_requests_are_counted(seen: Record) -> None:
    """What a collection costs its endpoint is in the meter, by a bounded number of operations."""
    sentences = [
        f"{collected.group} brought an observation and counted no request: use Context.meter"
        for collected in (seen.first[VITALS], seen.second[VITALS], seen.reopened[VITALS])
        if collected.error is None and not sum(cost.count for cost in collected.requests.values())
    ]
    operations = {operation for collected in seen.collected() for operation in collected.requests}
    if len(operations) > _MOST_OPERATIONS:
        sentences.append(f"{len(operations)} different operations: each is a series; name the call, not its arguments")
    sentences += [f"{operation!r} is no name of an operation" for operation in operations if not _is_name(operation)]
    refuse(sentences)


def _is_name(operation: object) -> bool:
    return isinstance(operation, str) and 0 < len(operation) <= 100 and operation.isprintable()
