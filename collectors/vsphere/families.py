"""Families that only vSphere has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from collectors.vsphere.cluster_families import CLUSTER_FAMILIES
from collectors.vsphere.mapping import alarms, attributes, certificates, health, licenses, pools, tools
from collectors.vsphere.mapping.host import (
    DISK_LATENCY,
    MEMORY_STATE,
    STORAGE_READ_LATENCY,
    STORAGE_WRITE_LATENCY,
)
from collectors.vsphere.mapping.storage import AUTOMATED, MAINTENANCE
from collectors.vsphere.privileges import MISSING_RIGHTS
from exporter.catalogue.family import INVENTORY, STORAGE, VITALS, Entity, Family, Priority, Row, Section
from exporter.model import Counter, Host, Parts

_host = Section(Entity.HOST, VITALS, Priority.HOST)
_storage = Section(Entity.STORAGE, STORAGE, Priority.STORAGE)
_hardware = Section(Entity.HOST, INVENTORY, Priority.HOST)
_endpoint = Section(Entity.TARGET, INVENTORY, Priority.TARGET)


class _Thing(Protocol):
    @property
    def extra(self) -> Mapping[str, Counter | None]: ...


Split = Callable[[str], tuple[str, ...]]


def _parted(value: str, split: Split) -> Callable[[_Thing], Iterable[Row]]:
    """Rows of what a thing has under a name, whose keys `split` takes apart into the values of labels."""

    def each(thing: _Thing) -> Iterable[Row]:
        found = thing.extra.get(value)
        return [(split(key), told) for key, told in found.values.items()] if isinstance(found, Parts) else []

    return each


def _words(key: str) -> tuple[str, ...]:
    return tuple(key.split(" "))


def _name_and_id(key: str) -> tuple[str, ...]:
    ref, _, name = key.partition(" ")
    return name, ref


def _fields(key: str) -> tuple[str, ...]:
    return tuple(key.split(licenses.SEPARATOR))


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


_POOL_VALUES = (
    (
        "cpu_reservation_hertz",
        "Clock rate reserved for the resource pool (config.cpuAllocation.reservation).",
        pools.CPU_RESERVATION,
    ),
    (
        "cpu_limit_hertz",
        "Most clock rate the resource pool may take; absent without limit (config.cpuAllocation.limit).",
        pools.CPU_LIMIT,
    ),
    ("cpu_used_hertz", "Clock rate the resource pool takes (runtime.cpu.overallUsage).", pools.CPU_USED),
    (
        "memory_reservation_bytes",
        "Memory reserved for the resource pool (config.memoryAllocation.reservation).",
        pools.MEMORY_RESERVATION,
    ),
    (
        "memory_limit_bytes",
        "Most memory the resource pool may take; absent without limit (config.memoryAllocation.limit).",
        pools.MEMORY_LIMIT,
    ),
    (
        "memory_used_bytes",
        "Memory of hosts the resource pool takes (runtime.memory.overallUsage).",
        pools.MEMORY_USED,
    ),
)


def _pools(entity: Entity, priority: Priority, prefix: str, where: str, cost: float) -> tuple[Family, ...]:
    section = Section(entity, STORAGE, priority)
    return tuple(
        section.gauge(
            f"hypervisor_vsphere_{prefix}resource_pool_{name}",
            text.replace("the resource pool", f"the resource pool{where}", 1),
            labels=("resource_pool", "resource_pool_id"),
            each=_parted(value, _name_and_id),
            cost=cost,
        )
        for name, text, value in _POOL_VALUES
    )


_POOLS = (
    *_pools(Entity.CLUSTER, Priority.CLUSTER, "", "", 4),
    *_pools(Entity.HOST, Priority.HOST, "host_", " of a host outside of clusters", 0.1),
)

_STATES = "green, yellow, red or unknown"


def _alarms(of: Entity, priority: Priority, *, name: str, text: str, cost: float = 4) -> Family:
    return Section(of, STORAGE, priority).gauge(
        f"hypervisor_vsphere_{name}alarms",
        f"{text}, by severity (yellow, red) and whether somebody has acknowledged them (0, 1) (triggeredAlarmState).",
        labels=("severity", "acknowledged"),
        each=_parted(alarms.ALARMS if name else alarms.IN_ALL, _words),
        cost=cost,
    )


_ALARMS = (
    _alarms(Entity.TARGET, Priority.TARGET, name="", text="Triggered alarms of everything in the inventory"),
    _alarms(Entity.CLUSTER, Priority.CLUSTER, name="cluster_", text="Triggered alarms of the cluster itself"),
    _alarms(Entity.HOST, Priority.HOST, name="host_", text="Triggered alarms of the host itself"),
    _alarms(Entity.STORAGE, Priority.STORAGE, name="storage_", text="Triggered alarms of the datastore itself"),
    _alarms(Entity.GUEST, Priority.GUEST, name="guest_", text="Triggered alarms of the guest, if any", cost=0),
)

_HARDWARE = (
    _hardware.gauge(
        "hypervisor_vsphere_host_sensors",
        f"Sensors of the host's hardware in a state: {_STATES} (healthSystemRuntime numericSensorInfo).",
        labels=("state",),
        each=_parted(health.SENSORS, _words),
        cost=4,
    ),
    _hardware.gauge(
        "hypervisor_vsphere_host_hardware_elements",
        f"Processors, memory, storage and DPUs of the host in a state: {_STATES} (healthSystemRuntime "
        "hardwareStatusInfo).",
        labels=("part", "state"),
        each=_parted(health.ELEMENTS, _words),
        cost=12,
    ),
    _hardware.gauge(
        "hypervisor_vsphere_host_certificate_not_after_timestamp_seconds",
        "When the host's own certificate expires, Unix time (config.certificate).",
        value=lambda host: host.extra.get(certificates.NOT_AFTER),
    ),
)

_LICENSE_LABELS = ("license", "license_id")
_ENDPOINT = (
    _endpoint.info_rows(
        "hypervisor_vsphere_license_info",
        "A licence, by its name and the last letters of its key: edition, and what is counted.",
        labels=(*_LICENSE_LABELS, "edition", "cost_unit"),
        each=_parted(licenses.INFO, _fields),
        cost=4,
    ),
    _endpoint.gauge(
        "hypervisor_vsphere_license_capacity",
        "How much the licence allows, in its own unit; absent where it is not counted (licenses total).",
        labels=_LICENSE_LABELS,
        each=_parted(licenses.CAPACITY, _fields),
        cost=4,
    ),
    _endpoint.gauge(
        "hypervisor_vsphere_license_used",
        "How much of the licence is taken, in its own unit (licenses used).",
        labels=_LICENSE_LABELS,
        each=_parted(licenses.USED, _fields),
        cost=4,
    ),
    _endpoint.gauge(
        "hypervisor_vsphere_license_expiration_timestamp_seconds",
        "When the licence ends, Unix time; absent where it does not (licenses properties expirationDate).",
        labels=_LICENSE_LABELS,
        each=_parted(licenses.EXPIRATION, _fields),
        cost=4,
    ),
    _endpoint.gauge(
        "hypervisor_vsphere_missing_rights",
        "Objects of which something cannot be read, by the right that the account lacks.",
        labels=("right",),
        each=_parted(MISSING_RIGHTS, _words),
        cost=2,
    ),
)


def _attributes(entity: Entity, priority: Priority, prefix: str, text: str) -> Family:
    return Section(entity, INVENTORY, priority).info_rows(
        f"hypervisor_vsphere_{prefix}custom_attribute_info",
        f"A custom attribute of the {text}; those that the option custom_attributes names.",
        labels=("attribute", "value"),
        each=_parted(attributes.ATTRIBUTES, _fields),
        cost=0,
    )


_ATTRIBUTES = (
    _attributes(Entity.GUEST, Priority.GUEST, "", "guest"),
    _attributes(Entity.HOST, Priority.HOST, "host_", "host"),
)

_TOOLS = Section(Entity.GUEST, INVENTORY, Priority.GUEST).info_rows(
    "hypervisor_vsphere_guest_tools_info",
    "VMware Tools of the guest: version, empty where vCenter knows none, and vCenter's word on it (guest.toolsVersion, "
    "toolsVersionStatus2).",
    labels=("version", "version_status"),
    each=_parted(tools.TOOLS, _fields),
)

FAMILIES: tuple[Family, ...] = (
    _TOOLS,
    *_HOSTS,
    *CLUSTER_FAMILIES,
    *_STORAGES,
    *_POOLS,
    *_ALARMS,
    *_HARDWARE,
    *_ENDPOINT,
    *_ATTRIBUTES,
)
