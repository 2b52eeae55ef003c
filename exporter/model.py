"""The normalised world that every platform is translated into, in base units: seconds, bytes, hertz, counts.

Pure data: no I/O, no metric names. A field that the platform does not know is None and its series is absent. Mappings
of `collectors` build these; the catalogue reads them. All of it is public and versioned with `exporter.contract`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Parts:
    """A native counter that is the sum of parts (virtual CPU N, instance N), each counted by the vendor, in base units.

    `complete` is False when a part that exists did not answer: the sum is then absent for this cycle. `epoch` names the
    life of the vendor's counters (a boot, a host); when it changes the parts start afresh and the sum does not fall.
    """

    values: Mapping[str, float]
    complete: bool = True
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """A rate in base units per second, as every sample since the last collection; the core integrates it.

    `timestamps` are the ends of the sampled intervals in Unix seconds, ascending; `series` holds per instance as many
    values, None where the endpoint has none (-1, null). `interval_seconds` is the length of one sample.
    """

    timestamps: tuple[float, ...]
    series: Mapping[str, tuple[float | None, ...]]
    interval_seconds: float


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A raw counter that wraps at `bits`, per part, before conversion; `unit` is one count in base units."""

    values: Mapping[str, int]
    bits: int = 32
    unit: float = 1.0


Counter = float | int | Parts | Samples | Wrapping
"""A counter's value: a number is one monotone vendor value and passes through as it is."""


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


class HostState(StrEnum):
    """States of a host as its management endpoint sees it."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    NOT_RESPONDING = "not_responding"
    MAINTENANCE = "maintenance"
    STANDBY = "standby"
    POWERED_OFF = "powered_off"


@dataclass(frozen=True, slots=True)
class HostCpu:
    """Processors of a host. `busy_seconds` sums over all logical processors, idle and waiting for I/O left out."""

    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None
    frequency_hertz: float | None = None
    capacity_cpus: float | None = None
    busy_seconds: Counter | None = None


@dataclass(frozen=True, slots=True)
class HostMemory:
    """Memory of a host in bytes; swap rates are counters of bytes."""

    capacity_bytes: float | None = None
    used_bytes: float | None = None
    available_bytes: float | None = None
    swap_used_bytes: float | None = None
    ballooned_bytes: float | None = None
    swap_in_bytes: Counter | None = None
    swap_out_bytes: Counter | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters of a network interface from the point of view of its owner."""

    receive_bytes: Counter | None = None
    transmit_bytes: Counter | None = None
    receive_packets: Counter | None = None
    transmit_packets: Counter | None = None
    receive_errors: Counter | None = None
    transmit_errors: Counter | None = None
    receive_drops: Counter | None = None
    transmit_drops: Counter | None = None


@dataclass(frozen=True, slots=True)
class HostNic:
    """A physical adapter of a host."""

    nic: str
    traffic: Traffic = Traffic()


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a host's guests were promised: sums before filters, without templates. Counted by the core if not given."""

    guests: Mapping[str, int] = field(default_factory=dict)
    vcpus: float | None = None
    memory_bytes: float | None = None
    memory_assigned_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """One hypervisor host. `id` and `name` identify it within the target; everything else is optional."""

    id: str
    name: str
    product: str = ""
    version: str = ""
    vendor: str = ""
    model: str = ""
    cpu_model: str = ""
    compute_cluster: str = ""
    compute_cluster_id: str = ""
    compute_datacenter: str = ""
    up: bool | None = None
    state: HostState | None = None
    maintenance_mode: bool | None = None
    boot_timestamp_seconds: float | None = None
    cpu: HostCpu = HostCpu()
    memory: HostMemory = HostMemory()
    nics: tuple[HostNic, ...] = ()
    allocation: Allocation | None = None
    power_joules: Counter | None = None
    numa_memory_free_bytes: Mapping[str, float] = field(default_factory=dict)
    hugepages_free: Mapping[str, float] = field(default_factory=dict)
    migrations: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Counter | None] = field(default_factory=dict)


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
    traffic: Traffic = Traffic()


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
    extra: Mapping[str, Counter | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Storage:
    """A pool, datastore or volume, in bytes. `key` is equal on every target that sees the same storage."""

    id: str
    name: str
    backing: str = ""
    shared: bool | None = None
    key: str = ""
    storage_cluster: str = ""
    accessible: bool | None = None
    hosts: int | None = None
    hosts_accessible: int | None = None
    capacity_bytes: float | None = None
    free_bytes: float | None = None
    provisioned_bytes: float | None = None
    snapshots_size_bytes: float | None = None
    data_timestamp_seconds: float | None = None
    extra: Mapping[str, Counter | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A compute cluster."""

    id: str
    name: str
    ha: str = ""
    drs: str = ""
    hosts: int | None = None
    hosts_up: int | None = None
    cpu_capacity_cpus: float | None = None
    memory_capacity_bytes: float | None = None
    cpu_effective_hertz: float | None = None
    memory_effective_bytes: float | None = None
    ha_enabled: bool | None = None
    admission_control_enabled: bool | None = None
    failover_hosts: int | None = None
    quorate: bool | None = None
    extra: Mapping[str, Counter | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What a collection learned about the endpoint itself; None and "" leave what was known."""

    product: str = ""
    version: str = ""
    api_version: str = ""
    clock_offset_seconds: float | None = None
    tls_verified: bool | None = None
    tls_not_after_timestamp_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Objects that could not be read in full: a word of the vocabulary, how many, and a sentence with an example."""

    name: str
    count: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcome of one collection of one group: what was seen, and what could not be read.

    `collected_at` is Unix seconds of the endpoint's clock where it is known, else ours; ages are measured against it.
    """

    collected_at: float
    hosts: tuple[Host, ...] = ()
    guests: tuple[Guest, ...] = ()
    storages: tuple[Storage, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    endpoint: EndpointFacts = EndpointFacts()
    problems: tuple[Problem, ...] = ()
    partial: bool = False
