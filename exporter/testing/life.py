"""A platform's whole life in a fresh interpreter: what importing it brings in, and which threads it leaves behind.

`python -m exporter.testing.life NAME [MODULE:FACTORY]` prints one line of JSON; the suite starts it, people need not.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import entry_points

from exporter.catalogue import SHARED
from exporter.contract import ENTRY_POINTS, Platform
from exporter.testing.visit import GRACE_SECONDS, Visit, runtime_of, with_everything
from exporter.testing.world import World, factory_of


def live(name: str, chosen: str | None) -> dict[str, list[str]]:
    """Import the platform, open, collect everything, close, stop; what was noticed on the way."""
    # Only this platform: what others import is not its fault.
    platform: Platform = next(iter(entry_points(group=ENTRY_POINTS, name=name))).load()
    imported = set(sys.modules)
    factory = factory_of(name, chosen)
    if factory is None:
        return {}
    with factory() as world:
        known = set(sys.modules)
        opened = _opened(platform, world)
        threads = _threads_left(platform, world)
    return {
        "on_import": [module for module in world.sdk if module in imported],
        "on_open": [module for module in world.sdk if module in opened - known],
        "threads": threads,
    }


def _opened(platform: Platform, world: World) -> set[str]:
    """What is loaded once a session was opened and closed; a platform with a runtime may load its library for that."""
    if platform.runtime is None:
        Visit(platform, world.target, ()).close().returned(GRACE_SECONDS)
    return set(sys.modules)


def _threads_left(platform: Platform, world: World) -> list[str]:
    before = set(threading.enumerate())
    with runtime_of(platform):
        visit = Visit(platform, with_everything(world.target, platform), (*SHARED, *platform.families))
        visit.round(world.deadline_seconds)
        visit.close().returned(GRACE_SECONDS)
    until = time.monotonic() + GRACE_SECONDS
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.02)
    return sorted(thread.name for thread in left)


def main(arguments: Sequence[str]) -> None:
    """Print what was noticed, and end whatever threads there are."""
    name, chosen = arguments[0], arguments[1] if len(arguments) > 1 else None
    sys.stdout.write(json.dumps(live(name, chosen)) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
