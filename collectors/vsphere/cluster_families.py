"""Families of clusters that only vSphere has: what guests ask of them, and what DRS and HA make of that."""

from __future__ import annotations

from collections.abc import Callable

from collectors.vsphere.mapping import usage
from exporter.catalogue.family import VITALS, Entity, Family, Priority, Section
from exporter.model import Cluster, Counter

_cluster = Section(Entity.CLUSTER, VITALS, Priority.CLUSTER)
_PREFIX = "hypervisor_vsphere_cluster_"


def _told(name: str) -> Callable[[Cluster], Counter | None]:
    return lambda cluster: cluster.extra.get(name)


def _gauge(name: str, text: str, value: str) -> Family:
    return _cluster.gauge(f"{_PREFIX}{name}", text, value=_told(value))


CLUSTER_FAMILIES: tuple[Family, ...] = (
    _gauge(
        "cpu_demand_hertz",
        "Clock rate the guests would take if they could (usageSummary.cpuDemandMhz).",
        usage.CPU_DEMAND,
    ),
    _gauge(
        "cpu_entitled_hertz",
        "Clock rate DRS finds the guests entitled to (usageSummary.cpuEntitledMhz).",
        usage.CPU_ENTITLED,
    ),
    _gauge(
        "cpu_reservation_hertz",
        "Clock rate reserved for guests that run, and for resource pools (usageSummary.cpuReservationMhz).",
        usage.CPU_RESERVATION,
    ),
    _gauge("memory_demand_bytes", "Memory the guests would take (usageSummary.memDemandMB).", usage.MEMORY_DEMAND),
    _gauge(
        "memory_entitled_bytes",
        "Memory DRS finds the guests entitled to (usageSummary.memEntitledMB).",
        usage.MEMORY_ENTITLED,
    ),
    _gauge(
        "memory_reservation_bytes",
        "Memory reserved for guests that run, and for resource pools (usageSummary.memReservationMB).",
        usage.MEMORY_RESERVATION,
    ),
    _gauge(
        "failover_cpu_ratio",
        "Share of the CPU that HA could still use to restart guests; absent unless HA admits guests by such shares "
        "(admissionControlInfo.currentCpuFailoverResourcesPercent).",
        usage.FAILOVER_CPU,
    ),
    _gauge(
        "failover_memory_ratio",
        "Share of the memory that HA could still use to restart guests; absent unless HA admits guests by such shares "
        "(admissionControlInfo.currentMemoryFailoverResourcesPercent).",
        usage.FAILOVER_MEMORY,
    ),
    _gauge(
        "effective_hosts",
        "Hosts that can run guests: connected, and not in maintenance mode (summary.numEffectiveHosts).",
        usage.EFFECTIVE_HOSTS,
    ),
    _gauge(
        "drs_score_ratio",
        "How well DRS finds the guests served, 1 at best; since vSphere 7.0 (summary.drsScore).",
        usage.DRS_SCORE,
    ),
    _cluster.counter(
        f"{_PREFIX}migrations_total",
        "Migrations of running guests within the cluster (summary.numVmotions).",
        value=_told(usage.MIGRATIONS),
    ),
)
