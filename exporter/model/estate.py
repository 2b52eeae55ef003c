"""Storage, clusters, and the observation that holds everything that one collection has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.model.counters import NOTHING, Counter
from exporter.model.guest import Guest
from exporter.model.host import Host


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
    extra: Mapping[str, Counter | None] = field(default_factory=lambda: NOTHING)


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
    extra: Mapping[str, Counter | None] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What a collection learned about the endpoint itself; None and "" leave what was known."""

    product: str = ""
    version: str = ""
    api_version: str = ""
    clock_offset_seconds: float | None = None
    tls_verified: bool | None = None
    tls_not_after_timestamp_seconds: float | None = None
    extra: Mapping[str, Counter | None] = field(default_factory=dict)
    """What the platform's own families of the whole target read; only of this collection."""


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
    remembered: bool = False
    """Whether the collector itself goes on telling what it could not read: then nothing is carried over for it, the
    observation is not kept, and what is not in it is gone, its counters too."""
