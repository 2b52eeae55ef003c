"""Families about compute clusters."""

from __future__ import annotations

from exporter.catalogue.family import VITALS, Entity, Family, Priority, Section

_cluster = Section(Entity.CLUSTER, VITALS, Priority.CLUSTER)

FAMILIES: tuple[Family, ...] = (
    _cluster.info(
        "hypervisor_cluster_info",
        "How the cluster is set up.",
        labels=("ha", "drs"),
        describe=lambda c: (c.ha, c.drs),
    ),
    _cluster.gauge("hypervisor_cluster_hosts", "Hosts that belong to the cluster.", value=lambda c: c.hosts),
    _cluster.gauge("hypervisor_cluster_hosts_up", "Hosts of the cluster that are up.", value=lambda c: c.hosts_up),
    _cluster.gauge(
        "hypervisor_cluster_cpu_capacity_cpus",
        "Logical processors of the cluster.",
        value=lambda c: c.cpu_capacity_cpus,
    ),
    _cluster.gauge(
        "hypervisor_cluster_memory_capacity_bytes",
        "Physical memory of the cluster.",
        value=lambda c: c.memory_capacity_bytes,
    ),
    _cluster.gauge(
        "hypervisor_cluster_cpu_effective_hertz",
        "Processor capacity left for guests.",
        value=lambda c: c.cpu_effective_hertz,
    ),
    _cluster.gauge(
        "hypervisor_cluster_memory_effective_bytes",
        "Memory left for guests.",
        value=lambda c: c.memory_effective_bytes,
    ),
    _cluster.gauge(
        "hypervisor_cluster_ha_enabled", "1 if guests are restarted elsewhere.", value=lambda c: c.ha_enabled
    ),
    _cluster.gauge(
        "hypervisor_cluster_admission_control_enabled",
        "1 if capacity for failover is kept free.",
        value=lambda c: c.admission_control_enabled,
    ),
    _cluster.gauge(
        "hypervisor_cluster_failover_hosts", "Hosts whose loss the cluster bears.", value=lambda c: c.failover_hosts
    ),
    _cluster.gauge("hypervisor_cluster_quorate", "1 if the cluster has its quorum.", value=lambda c: c.quorate),
)
