"""What a platform hands to the contract suite: a world to be collected from, and the faults that it can provoke.

The factory behind the entry point returns a context manager, so that a world may start and stop whatever it needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from exporter.config.model import Target

ENTRY_POINTS = "hypervisor_exporter.testing"

Fault = Callable[[], AbstractContextManager[object]]
"""Entered, it breaks the world; left, the world is whole again."""


class Unavailable(Exception):
    """Raised by a factory where its world cannot be had on this machine; the sentence says what is missing."""


@dataclass(frozen=True, kw_only=True)
class World:
    """A platform's estate for the suite. Only `target` and `unreachable` are needed; every fault adds a check.

    The suite turns on every family and every group of the target, collects everything at least twice, and opens several
    sessions one after the other. The estate must not change by itself while it does.
    """

    target: Target
    """Reachable and healthy; with at least one guest that runs and, if the platform knows such, one that does not."""
    unreachable: Target
    """The same platform where nobody answers, for example a free port or a missing file."""
    refused: Target | None = None
    """Reachable, with credentials that the endpoint refuses. Omit it where the platform knows no credentials."""
    secret: str = ""
    """The password that `target.auth` leads to: searched for in every error, log line, `repr` and page."""
    sdk: tuple[str, ...] = ()
    """Top-level modules of the vendor's library: not imported before a session is used for the first time."""
    undelivered: Mapping[str, str] = field(default_factory=dict)
    """Families that the platform declares but this world cannot show, each with the reason."""
    hang: Fault | None = None
    """The endpoint takes requests and answers none."""
    vanish: Fault | None = None
    """The endpoint is gone; afterwards it is back at the same address."""
    break_part: Fault | None = None
    """A part of the estate cannot be read while the rest can."""
    broken_group: str = "vitals"
    """The group in which `break_part` shows."""
    deadline_seconds: float = 20.0
    """How long one collection may take here."""
    pause_seconds: float = 1.0
    """Between two collections; at least as long as the platform's counters need to move."""
    resolution_seconds: float = 1.0
    """How far a counter may be ahead of or behind the clock: the length of a sample where there are samples."""


Factory = Callable[[], AbstractContextManager[World]]


def factory_of(platform: str, chosen: str | None = None) -> Factory | None:
    """The factory of a platform's world: the chosen `MODULE:FACTORY`, else the registered one; None without any."""
    if chosen is not None:
        module, _, name = chosen.partition(":")
        found: Factory = getattr(importlib.import_module(module), name)
        return found
    points = list(entry_points(group=ENTRY_POINTS, name=platform))
    return points[0].load() if points else None
