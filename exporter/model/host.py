"""Hosts and their hardware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exporter.model.counters import NOTHING, Counter


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

    guests: Mapping[str, int] = field(default_factory=lambda: NOTHING)
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
    numa_memory_free_bytes: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    hugepages_free: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    migrations: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    extra: Mapping[str, Counter | None] = field(default_factory=lambda: NOTHING)
