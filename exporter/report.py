"""What the parent process knows about targets and itself, as data for the families that it renders on events.

The counterpart of `exporter.model` for `hypervisor_target_*` and `hypervisor_exporter_*`; `exporter.runtime` builds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OUTCOMES = (
    "success",
    "partial",
    "timed_out",
    "unreachable",
    "auth_failed",
    "forbidden",
    "malformed",
    "bug",
    "skipped",
    "held",
)
"""How a tick of a group can end; every one is exported from the start, at 0."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What one operation has cost an endpoint so far."""

    count: int = 0
    seconds: float = 0.0
    received_bytes: int = 0

    def __add__(self, other: Requests) -> Requests:
        return Requests(
            self.count + other.count, self.seconds + other.seconds, self.received_bytes + other.received_bytes
        )


@dataclass(frozen=True, slots=True)
class GroupReport:
    """One group of a target: how its collections ended, when and how long the last one took."""

    interval_seconds: float
    outcomes: Mapping[str, int]
    last_success_timestamp_seconds: float | None = None
    duration_seconds: float | None = None
    problems: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target as the parent sees it."""

    address: str
    labels: tuple[tuple[str, str], ...] = ()
    up: bool | None = None
    product: str = ""
    version: str = ""
    api_version: str = ""
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    objects: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, Requests] = field(default_factory=dict)
    clock_offset_seconds: float | None = None
    tls_verified: bool | None = None
    tls_not_after_timestamp_seconds: float | None = None
    breaker_state: str = "closed"


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """One worker process: CPU it has used, memory it holds, targets that live in it."""

    cpu_seconds: float | None = None
    resident_memory_bytes: float | None = None
    targets: int = 0


@dataclass(frozen=True, slots=True)
class ExporterReport:
    """The daemon itself."""

    version: str
    python: str
    reload_successful: bool = True
    reload_success_timestamp_seconds: float | None = None
    workers: Mapping[str, WorkerReport] = field(default_factory=dict)
    worker_restarts: int = 0
    abandoned_calls: int = 0
    series: int = 0
    series_dropped: Mapping[tuple[str, str], int] = field(default_factory=dict)
    labels_sanitised: int = 0
    samples_rejected: Mapping[str, int] = field(default_factory=dict)
    shard_index: int = 0
    shards: int = 1
