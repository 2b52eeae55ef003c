"""What the parent and its workers say to each other, pickled over a socket pair that nobody else can reach."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from exporter.config.model import Limits, Target
from exporter.report import Requests
from exporter.runtime.page import Page


@dataclass(frozen=True, slots=True)
class Key:
    """One life of a target: a changed configuration makes a new number, so late answers to the old one are known."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Settings:
    """First message to a worker."""

    name: str
    log_level: str
    log_format: str
    limits: Limits
    pulse_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """Take on a target. Nothing is connected yet."""

    key: Key
    target: Target
    offsets: Mapping[str, Mapping[str, Mapping[Hashable, float]]] = field(default_factory=dict)
    """By group: where the sums of the worker before stood above the vendor's own."""


@dataclass(frozen=True, slots=True)
class CloseTarget:
    """Let go of a target: log out, forget its state."""

    key: Key


@dataclass(frozen=True, slots=True)
class Collect:
    """Collect a group once. `run` is the generation number: an answer to an older run is thrown away."""

    key: Key
    group: str
    run: int
    deadline_at: float
    whole: bool
    shed: frozenset[str] = frozenset()
    """Families that the target may not show now."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """A run is past its deadline: unblock its call if the platform can. Its answer is thrown away in any case."""

    key: Key
    group: str
    run: int


@dataclass(frozen=True, slots=True)
class Finish:
    """Close every session and end within so many seconds."""

    grace_seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """The envelope of a page: how a run ended, what it cost the endpoint, and the page where there is one."""

    key: Key
    group: str
    run: int
    outcome: str
    duration_seconds: float
    sentence: str = ""
    problems: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, Requests] = field(default_factory=dict)
    page: Page | None = None


@dataclass(frozen=True, slots=True)
class Pulse:
    """A worker's own figures, from time to time."""

    cpu_seconds: float
    resident_memory_bytes: float
