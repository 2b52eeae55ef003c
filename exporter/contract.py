"""What a platform must provide, and what the core lends it. Public and semantically versioned.

A platform is a `Platform` value behind an entry point of the group `hypervisor_exporter.collectors`. Its modules import
its vendor's SDK only inside functions of its client, so that an installation without that SDK runs everything else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from exporter.catalogue.family import GROUPS, Family
from exporter.config.model import Target
from exporter.errors import TimedOut
from exporter.model import Observation
from exporter.report import Requests

CONTRACT_VERSION = 1
ENTRY_POINTS = "hypervisor_exporter.collectors"


@dataclass(frozen=True, slots=True)
class Native:
    """The platform delivers the family itself; `source` is the vendor's field or call, with its unit."""

    source: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The platform's values are combined or converted beyond their unit; `how` says how."""

    how: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The platform cannot tell; `why` is what the support matrix shows."""

    why: str


Support = Native | Derived | Absent


class Deadline:
    """The instant by which a collection must have returned, on the monotonic clock that all processes share."""

    def __init__(self, at: float) -> None:
        self._at = at

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining_seconds(self) -> float:
        """Seconds left; negative when it has passed."""
        return self._at - time.monotonic()

    def check(self, doing: str) -> None:
        """Raise `TimedOut` naming what was being done, if the deadline has passed."""
        if self.remaining_seconds <= 0:
            raise TimedOut(f"the deadline passed while {doing}")


class Meter:
    """Counts what a session asks of its endpoint, by operation. Used from both lanes of a target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, Requests] = {}

    def add(self, operation: str, *, seconds: float, received_bytes: int = 0, count: int = 1) -> None:
        """Count `count` requests of `operation` that took `seconds` together."""
        with self._lock:
            known = self._operations.get(operation, Requests())
            self._operations[operation] = known + Requests(count, seconds, received_bytes)

    @contextmanager
    def timed(self, operation: str) -> Iterator[None]:
        """Count one request of `operation` around the block, also when it fails."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(operation, seconds=time.perf_counter() - begun)

    def take(self) -> dict[str, Requests]:
        """What was counted since the last call."""
        with self._lock:
            taken, self._operations = self._operations, {}
        return taken


@dataclass(frozen=True, slots=True)
class Context:
    """What the core lends to a session of a target."""

    meter: Meter
    log: logging.Logger
    now: Callable[[], float] = time.time


class Session(Protocol):
    """A platform's dealings with one target. Opening it made no call; the first collection connects.

    Vitals are collected by one thread (the fast lane), all other groups by another, one after the other (the slow
    lane), and both may be inside `collect` at once.
    """

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """Collect a group before the deadline.

        Raises only errors of `exporter.errors`. After such an error the session stays usable: the next call connects
        anew. A part of the estate that fails is an observation with `problems` and `partial`, never an exception.
        """
        ...

    def close(self) -> None:
        """Log out and disconnect, within a second or two; may be called twice, and while a collection hangs."""
        ...


class Unblocking(Protocol):
    """A session whose hung calls can be made to return; optional."""

    def unblock(self, group: str) -> None:
        """Make the group's call return soon, with any error: its deadline has passed.

        Called from another thread, perhaps when the call has just returned by itself.
        """
        ...


@dataclass(frozen=True, slots=True)
class MissingRight:
    """A right that the account should have and has not; parts of one sentence for the operator."""

    right: str
    """In the vendor's word."""
    on: str
    """Where it is missing: `the root of the inventory`, `2 of 12 hosts (esx-3, esx-7)`."""
    costs: str
    """What is absent without it."""
    remedy: str
    """How it is granted."""
    optional: bool = False
    """Whether nobody has to give it: it is told, and no failure."""

    def __str__(self) -> str:
        kind = "optional: " if self.optional else ""
        return f"{kind}the account lacks {self.right} on {self.on}: {self.costs}; {self.remedy}"


class Examining(Protocol):
    """A session that can ask its endpoint which rights the account has; optional. For `check --connect`."""

    def missing_rights(self, deadline: Deadline) -> Sequence[MissingRight]:
        """Every right that something is absent without; empty where the account has them all.

        Called after a collection of every group, by no other thread at the same time. Raises the core's errors;
        `Unsupported` where the endpoint does not tell.
        """
        ...


class Runtime(Protocol):
    """Process-wide state that a platform's SDK needs (libvirt: the event loop), one per worker."""

    def start(self) -> None:
        """Called before the platform's first session of the worker is opened."""
        ...

    def stop(self) -> None:
        """Called when the worker ends; leaves no thread behind."""
        ...


class Options(BaseModel):
    """Base of a platform's `options`: strict, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def label_of(platform: str) -> str:
    """The value of the label `platform` for a platform's name: a stand-in `simulated.vsphere` shows `vsphere`."""
    return platform.rpartition(".")[2]


def _no_mistake(_address: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform's declaration.

    `support` names every shared family that the platform has an opinion on; a family it leaves out is absent.
    `groups_of` moves a family to another group than the catalogue's. `families` are the platform's own, prefixed
    `hypervisor_<name>_`. `check_address` returns the sentence for a static mistake in an address, or None.

    A name with a dot is that of a stand-in: `simulated.vsphere` shows the label `platform="vsphere"`, and its families
    begin with `hypervisor_vsphere_`, as those of the platform that it stands for.
    """

    name: str
    title: str
    support: Mapping[str, Support]
    open: Callable[[Target, Context], Session]
    families: tuple[Family, ...] = ()
    groups: tuple[str, ...] = GROUPS
    opt_in_groups: tuple[str, ...] = ()
    groups_of: Mapping[str, str] = field(default_factory=dict)
    options: type[BaseModel] = Options
    check_address: Callable[[str], str | None] = _no_mistake
    single_host: bool = False
    runtime: Callable[[], Runtime] | None = None
    demo: Callable[[Path], Sequence[Mapping[str, Any]]] | None = None
    """Writes an embedded estate into a folder and returns target documents (as in the configuration) that show it."""
    local: Callable[[], Sequence[Mapping[str, Any]]] | None = None
    """Target documents for what runs on this very machine, without any configuration; empty where nothing does."""
    variant: Callable[[Mapping[str, Any]], str] | None = None
    """The name of the platform that a target with these options really belongs to: this one, or a stand-in of its."""
    real: bool = True
    """False where no hypervisor is behind it: documentation then leaves it out."""
    distribution: str = "hypervisor-exporter"

    @property
    def label(self) -> str:
        """The value of the label `platform`."""
        return label_of(self.name)

    def delivers(self, family: Family) -> bool:
        """Whether the platform exports the family at all."""
        return family in self.families or isinstance(self.support.get(family.name), Native | Derived)

    def group_of(self, family: Family) -> str:
        """The one group that feeds the family on this platform."""
        return self.groups_of.get(family.name, family.group)


def options_of(platform: Platform, target: Target) -> Any:
    """The target's options as the platform's own model."""
    return platform.options.model_validate(dict(target.options))


def known_groups(platforms: Collection[Platform]) -> set[str]:
    """Every group that some platform can collect."""
    return {group for platform in platforms for group in (*platform.groups, *platform.opt_in_groups)}
