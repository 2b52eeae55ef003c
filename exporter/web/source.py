"""What the web part asks of the rest of the daemon, and the plain facts it shows; the runtime implements it.

Every method is called often and must answer from memory: nothing here waits for a hypervisor, a probe's future does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from exporter.exposition.negotiation import Format


class UnknownTarget(LookupError):
    """No target of this name is configured."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no target is named {name!r}")
        self.name = name


class Member(Protocol):
    """One exposition, held compressed."""

    @property
    def size(self) -> int:
        """Bytes of the plain text."""

    def gzip(self) -> Sequence[bytes]:
        """Header, deflate fragments and trailer, which together are one gzip member; cheap."""

    def inflate(self) -> Iterator[bytes]:
        """The plain text, piece by piece; costs time, so it is called outside the loop."""


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The newest collection of one group of a target; None where there was none yet."""

    group: str
    outcome: str | None
    age_seconds: float | None
    duration_seconds: float | None
    interval_seconds: float


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A target as the first page shows it; `up` is None before the first attempt."""

    name: str
    platform: str
    address: str
    up: bool | None
    last_error: str | None
    groups: tuple[GroupStatus, ...]


@dataclass(frozen=True, slots=True)
class OldSnapshot:
    """A guest with its oldest snapshot; times are Unix seconds, sizes bytes."""

    target: str
    guest: str
    snapshots: int
    oldest_timestamp_seconds: float
    chain_depth: int
    size_bytes: float | None


@dataclass(frozen=True, slots=True)
class LoadedHost:
    """What a host has promised to its guests, over what it has; ratios are None where a part of them is unknown."""

    target: str
    host: str
    vcpus_per_core: float | None
    memory_ratio: float | None


@dataclass(frozen=True, slots=True)
class FullStorage:
    """How much of a storage is used, 0 to 1, and promised, which may be above 1."""

    target: str
    storage: str
    used_ratio: float
    provisioned_ratio: float | None
    free_bytes: float


@dataclass(frozen=True, slots=True)
class Glance:
    """The first of each, and of how many."""

    snapshots: tuple[OldSnapshot, ...] = ()
    guests_with_snapshots: int = 0
    hosts: tuple[LoadedHost, ...] = ()
    hosts_in_all: int = 0
    storages: tuple[FullStorage, ...] = ()
    storages_in_all: int = 0


@dataclass(frozen=True, slots=True)
class EstateStatus:
    """Every configured target, and the version of the daemon that watches them."""

    version: str
    targets: tuple[TargetStatus, ...]
    glance: Glance = Glance()


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """A target with `mode: probe`: collected only when /probe asks, and absent from /metrics."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


class Estate(Protocol):
    """What is known about everything that is watched. Methods may be called from several threads."""

    def exposition(self, wanted: Format, targets: Sequence[str] | None) -> Member:
        """All families of scheduled targets, or with `targets` only those of these. Raises UnknownTarget."""

    def probed(self, wanted: Format, target: str) -> Member:
        """The families of one target, whatever its mode. Raises UnknownTarget."""

    def probe(self, name: str, timeout_seconds: float) -> Future[None]:
        """Collect a target now. Raises UnknownTarget.

        The future resolves when the target's pages are fresh or the time is over, whichever comes first, and never
        fails; it is not to be cancelled, because several may wait for one collection.
        """

    def probe_targets(self) -> tuple[ProbeTarget, ...]:
        """The targets with `mode: probe`, by name."""

    def ready(self) -> str | None:
        """None when ready, else the reason in a sentence."""

    def healthy(self) -> str | None:
        """None when healthy, else the reason in a sentence."""

    def config_text(self) -> str:
        """The effective configuration as YAML, secrets hidden."""

    def status(self) -> EstateStatus:
        """The facts of the first page."""
