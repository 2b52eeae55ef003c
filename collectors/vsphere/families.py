"""Families that only vSphere has."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.vsphere.mapping.host import (
    DISK_LATENCY,
    MEMORY_STATE,
    STORAGE_READ_LATENCY,
    STORAGE_WRITE_LATENCY,
)
from collectors.vsphere.mapping.storage import AUTOMATED, MAINTENANCE
from exporter.catalogue.family import STORAGE, VITALS, Entity, Family, Priority, Row, Section
from exporter.model import Cluster, Host, Parts

_host = Section(Entity.HOST, VITALS, Priority.HOST)
_storage = Section(Entity.STORAGE, STORAGE, Priority.STORAGE)
_pool = Section(Entity.CLUSTER, STORAGE, Priority.CLUSTER)
_POOL_LABELS = ("resource_pool", "resource_pool_id")


def _of_pools(value: str) -> Callable[[Cluster], Iterable[Row]]:
    def each(cluster: Cluster) -> Iterable[Row]:
        found = cluster.extra.get(value)
        if not isinstance(found, Parts):
            return []
        named = ((key.partition(" "), told) for key, told in found.values.items())
        return [((name, ref), told) for (ref, _, name), told in named]

    return each


def _of_pool(name: str, text: str, value: str) -> Family:
    return _pool.gauge(
        f"hypervisor_vsphere_resource_pool_{name}", text, labels=_POOL_LABELS, each=_of_pools(value), cost=4
    )


def _by_storage(prefix: str) -> Callable[[Host], Iterable[Row]]:
    def each(host: Host) -> Iterable[Row]:
        return [((key.removeprefix(prefix),), told) for key, told in host.extra.items() if key.startswith(prefix)]

    return each


_HOSTS = (
    _host.gauge(
        "hypervisor_vsphere_host_memory_state",
        "How short of memory the host is: 0 where it has plenty, more is worse (mem.state.latest).",
        value=lambda host: host.extra.get(MEMORY_STATE),
    ),
    _host.gauge(
        "hypervisor_vsphere_host_disk_max_latency_seconds",
        "Worst latency of the host's disks since the last collection, in whole milliseconds (disk.maxTotalLatency).",
        value=lambda host: host.extra.get(DISK_LATENCY),
    ),
    _host.gauge(
        "hypervisor_vsphere_host_datastore_read_latency_seconds",
        "Mean latency of the host's reads from a datastore since the last collection (datastore.totalReadLatency).",
        labels=("storage_id",),
        each=_by_storage(STORAGE_READ_LATENCY),
        cost=4,
    ),
    _host.gauge(
        "hypervisor_vsphere_host_datastore_write_latency_seconds",
        "Mean latency of the host's writes to a datastore since the last collection (datastore.totalWriteLatency).",
        labels=("storage_id",),
        each=_by_storage(STORAGE_WRITE_LATENCY),
        cost=4,
    ),
)

_STORAGES = (
    _storage.gauge(
        "hypervisor_vsphere_storage_maintenance_mode",
        "1 while the datastore is in maintenance mode or on its way into it (summary.maintenanceMode).",
        value=lambda storage: storage.extra.get(MAINTENANCE),
    ),
    _storage.gauge(
        "hypervisor_vsphere_storage_drs_enabled",
        "1 if Storage DRS is on for the datastore cluster that the datastore belongs to; absent outside of one.",
        value=lambda storage: storage.extra.get(AUTOMATED),
    ),
)

_POOLS = (
    _of_pool(
        "cpu_reservation_hertz",
        "Clock rate reserved for the resource pool (config.cpuAllocation.reservation).",
        "pool_cpu_reservation",
    ),
    _of_pool(
        "cpu_limit_hertz",
        "Most clock rate the resource pool may take; absent without limit (config.cpuAllocation.limit).",
        "pool_cpu_limit",
    ),
    _of_pool("cpu_used_hertz", "Clock rate the resource pool takes (runtime.cpu.overallUsage).", "pool_cpu_used"),
    _of_pool(
        "memory_reservation_bytes",
        "Memory reserved for the resource pool (config.memoryAllocation.reservation).",
        "pool_memory_reservation",
    ),
    _of_pool(
        "memory_limit_bytes",
        "Most memory the resource pool may take; absent without limit (config.memoryAllocation.limit).",
        "pool_memory_limit",
    ),
    _of_pool(
        "memory_used_bytes",
        "Memory of hosts the resource pool takes (runtime.memory.overallUsage).",
        "pool_memory_used",
    ),
)

FAMILIES: tuple[Family, ...] = (*_HOSTS, *_STORAGES, *_POOLS)
