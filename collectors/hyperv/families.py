"""Families that only Hyper-V has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from collectors.hyperv.mapping.cluster import GROUPS
from collectors.hyperv.mapping.guest import OPERATION, REMOTE_PAGES, WAIT_DISPATCHES, WAIT_RAW
from collectors.hyperv.mapping.host import ROOT_CPU, SWITCH_IN, SWITCH_OUT
from collectors.hyperv.mapping.storage import IN_MAINTENANCE, NO_DIRECT_IO
from exporter.catalogue.family import STORAGE, VITALS, Entity, Family, Priority, Row, Section

_host = Section(Entity.HOST, VITALS, Priority.HOST)
_switch = Section(Entity.HOST, STORAGE, Priority.DETAIL)
_guest = Section(Entity.GUEST, VITALS, Priority.DETAIL)
_volume = Section(Entity.STORAGE, STORAGE, Priority.STORAGE)
_cluster = Section(Entity.CLUSTER, VITALS, Priority.CLUSTER)
_WAYS = ("read", "write")


def _prefixed(prefix: str) -> Callable[[Any], Iterable[Row]]:
    def each(thing: Any) -> Iterable[Row]:
        return [((key.removeprefix(prefix),), told) for key, told in thing.extra.items() if key.startswith(prefix)]

    return each


FAMILIES: tuple[Family, ...] = (
    _host.counter(
        "hypervisor_hyperv_host_root_cpu_seconds_total",
        "CPU time of the root partition (PercentTotalRunTime of HyperVHypervisorRootVirtualProcessor).",
        value=lambda host: host.extra.get(ROOT_CPU),
    ),
    _switch.counter(
        "hypervisor_hyperv_switch_receive_bytes_total",
        "Bytes that a virtual switch has received.",
        labels=("switch",),
        each=_prefixed(SWITCH_IN),
        cost=2,
    ),
    _switch.counter(
        "hypervisor_hyperv_switch_transmit_bytes_total",
        "Bytes that a virtual switch has sent.",
        labels=("switch",),
        each=_prefixed(SWITCH_OUT),
        cost=2,
    ),
    _guest.gauge(
        "hypervisor_hyperv_guest_remote_pages",
        "Memory pages of the guest on another NUMA node than its processors.",
        value=lambda guest: guest.extra.get(REMOTE_PAGES),
    ),
    _guest.counter(
        "hypervisor_hyperv_guest_cpu_wait_raw_total",
        "CPUWaitTimePerDispatch as Windows counts it, over all virtual processors; its unit is not documented.",
        value=lambda guest: guest.extra.get(WAIT_RAW),
    ),
    _guest.counter(
        "hypervisor_hyperv_guest_cpu_wait_dispatches_total",
        "Dispatches of virtual processors that the waiting belongs to (CPUWaitTimePerDispatch_Base).",
        value=lambda guest: guest.extra.get(WAIT_DISPATCHES),
    ),
    _guest.gauge(
        "hypervisor_hyperv_guest_operation",
        "What Hyper-V does with the guest now: merging_disks, migrating, exporting; value 1.",
        labels=("operation",),
        each=_prefixed(OPERATION),
        cost=0.05,
    ),
    _volume.counter(
        "hypervisor_hyperv_csv_redirected_bytes_total",
        "Bytes that took the way over another node because the volume was not reached directly.",
        labels=("direction",),
        each=lambda storage: [((way,), storage.extra[way]) for way in _WAYS if way in storage.extra],
        cost=2,
    ),
    _volume.gauge(
        "hypervisor_hyperv_csv_no_direct_io",
        "1 while no direct I/O reaches the cluster shared volume: all of it is redirected (FaultState, bit 1).",
        value=lambda storage: storage.extra.get(NO_DIRECT_IO),
    ),
    _volume.gauge(
        "hypervisor_hyperv_csv_maintenance",
        "1 while the cluster shared volume is in maintenance (FaultState, bit 4).",
        value=lambda storage: storage.extra.get(IN_MAINTENANCE),
    ),
    _cluster.gauge(
        "hypervisor_hyperv_cluster_groups",
        "Groups of the failover cluster by state.",
        labels=("state",),
        each=_prefixed(GROUPS),
        cost=5,
    ),
)
