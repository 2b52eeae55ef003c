"""Guests and their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.model.counters import NOTHING, Counter
from exporter.model.host import Traffic


class GuestState(StrEnum):
    """States of a guest, the same words on every platform (docs/metrics.md has the vendors' codes)."""

    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    STOPPED = "stopped"
    CRASHED = "crashed"
    STARTING = "starting"
    SHUTTING_DOWN = "shutting_down"
    MIGRATING = "migrating"
    UNKNOWN = "unknown"

    @property
    def running(self) -> bool | None:
        """Whether the guest runs; None where that is unknown or belongs to another copy of it."""
        if self in (GuestState.MIGRATING, GuestState.UNKNOWN):
            return None
        return self in (GuestState.RUNNING, GuestState.STARTING, GuestState.SHUTTING_DOWN)

    @property
    def holds_memory(self) -> bool:
        """Whether a guest in this state counts in its host's allocation."""
        return self in (GuestState.RUNNING, GuestState.PAUSED, GuestState.STARTING, GuestState.SHUTTING_DOWN)


@dataclass(frozen=True, slots=True)
class GuestCpu:
    """Virtual processors. Times are sums over them: running, ready but waiting, held back for co-scheduling."""

    vcpus: float | None = None
    seconds: Counter | None = None
    ready_seconds: Counter | None = None
    costop_seconds: Counter | None = None
    limit_cpus: float | None = None
    reservation_cpus: float | None = None


@dataclass(frozen=True, slots=True)
class GuestMemory:
    """Memory of a guest in bytes.

    `configured` is the most it may get without an administrator, `assigned` what it has now, `host_used` what it costs
    the host, `used` and `available` what the guest itself reports while that is fresh.
    """

    configured_bytes: float | None = None
    assigned_bytes: float | None = None
    host_used_bytes: float | None = None
    used_bytes: float | None = None
    available_bytes: float | None = None
    active_bytes: float | None = None
    ballooned_bytes: float | None = None
    swapped_bytes: float | None = None
    demand_bytes: float | None = None
    pressure_ratio: float | None = None
    limit_bytes: float | None = None
    reservation_bytes: float | None = None
    swap_in_bytes: Counter | None = None
    swap_out_bytes: Counter | None = None
    os_swap_in_bytes: Counter | None = None
    os_swap_out_bytes: Counter | None = None


@dataclass(frozen=True, slots=True)
class GuestDisk:
    """A virtual disk: `disk` is its name within the guest. Times sum over parallel requests."""

    disk: str
    read_bytes: Counter | None = None
    written_bytes: Counter | None = None
    reads: Counter | None = None
    writes: Counter | None = None
    read_seconds: Counter | None = None
    write_seconds: Counter | None = None
    flushes: Counter | None = None
    flush_seconds: Counter | None = None
    errors: Counter | None = None
    error: str | None = None
    capacity_bytes: float | None = None
    allocated_bytes: float | None = None
    physical_bytes: float | None = None
    chain_depth: int | None = None
    storage: str = ""
    storage_id: str = ""
    path: str | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class GuestNic:
    """A virtual network adapter, counted from the guest's point of view."""

    nic: str
    mac: str | None = None
    network: str = ""
    traffic: Traffic = Traffic()  # noqa: RUF009  it is frozen


@dataclass(frozen=True, slots=True)
class GuestFilesystem:
    """A file system inside the guest, in bytes."""

    mountpoint: str
    size_bytes: float | None = None
    free_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot or checkpoint. `kind` is None where the platform does not say; name patterns decide then."""

    id: str
    name: str
    created_timestamp_seconds: float | None = None
    parent_id: str = ""
    kind: str | None = None
    memory: bool | None = None
    quiesced: bool | None = None
    current: bool | None = None
    state: str = ""
    size_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """A guest's snapshots in numbers, counted by the core from `Guest.snapshots`."""

    count: int
    oldest_timestamp_seconds: float | None = None
    oldest_age_seconds: float | None = None
    chain_depth: int = 0
    backups: int = 0
    oldest_backup_timestamp_seconds: float | None = None
    replications: int = 0


@dataclass(frozen=True, slots=True)
class Guest:
    """One virtual machine or container. `id` is stable through migration and rename, `name` is for people.

    `snapshots` is None until they were read; an empty tuple says that there are none. `holds_memory` overrides the
    state's rule where a platform knows better.
    """

    id: str
    name: str
    native_id: str = ""
    bios_uuid: str = ""
    host: str = ""
    host_id: str = ""
    compute_cluster: str = ""
    compute_cluster_id: str = ""
    compute_datacenter: str = ""
    folder: str = ""
    resource_pool: str = ""
    os: str = ""
    kind: str = "guest"
    role: str = "primary"
    saved: bool | None = None
    tags: str = ""
    described: bool = True
    state: GuestState | None = None
    state_reason: str | None = None
    holds_memory: bool | None = None
    migrating: bool | None = None
    persistent: bool | None = None
    autostart: bool | None = None
    boot_timestamp_seconds: float | None = None
    agent_up: bool | None = None
    io_error: bool | None = None
    stats_complete: bool | None = None
    cpu: GuestCpu = GuestCpu()
    memory: GuestMemory = GuestMemory()
    disks: tuple[GuestDisk, ...] = ()
    nics: tuple[GuestNic, ...] = ()
    filesystems: tuple[GuestFilesystem, ...] = ()
    snapshots: tuple[Snapshot, ...] | None = None
    snapshot_summary: SnapshotSummary | None = None
    snapshots_size_bytes: float | None = None
    consolidation_needed: bool | None = None
    orphaned_overlays: int | None = None
    last_backup_timestamp_seconds: float | None = None
    last_checkpoint_timestamp_seconds: float | None = None
    last_replication_timestamp_seconds: float | None = None
    replication_state: str | None = None
    storage_data_timestamp_seconds: float | None = None
    extra: Mapping[str, Counter | None] = field(default_factory=lambda: NOTHING)
