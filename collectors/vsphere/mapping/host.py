"""Hosts: identity, state, hardware, memory."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.counters import Readings
from collectors.vsphere.mapping.places import Places
from exporter.model import (
    Allocation,
    Counter,
    Guest,
    GuestState,
    Host,
    HostCpu,
    HostMemory,
    HostNic,
    HostState,
    Samples,
    Traffic,
)
from exporter.units import kibibytes, mebibytes, megahertz, milliseconds

_NO_UUID = "00000000-0000-0000-0000-000000000000"
_STATES = {"disconnected": HostState.DISCONNECTED, "notResponding": HostState.NOT_RESPONDING}


def host_ids(hosts: Mapping[Ref, Mapping[str, Any]]) -> dict[Ref, str]:
    """Ids of hosts: the hardware's UUID; where that is missing, zero or repeated, the reference."""
    uuids = {ref: str(facts.get("summary.hardware.uuid", "")).lower() for ref, facts in hosts.items()}
    told = Tally(uuid for uuid in uuids.values() if uuid not in {"", _NO_UUID})
    return {ref: uuid if told[uuid] == 1 else ref.id for ref, uuid in uuids.items()}


def host_state(facts: Mapping[str, Any]) -> HostState | None:
    """The state in the model's words; None where the endpoint does not tell."""
    connection = facts.get("runtime.connectionState")
    if connection is None:
        return None
    if facts.get("runtime.powerState") == "standBy" or facts.get("runtime.standbyMode") in {"in", "entering"}:
        return HostState.STANDBY
    if connection in _STATES:
        return HostState.POWERED_OFF if facts.get("runtime.powerState") == "poweredOff" else _STATES[connection]
    return HostState.MAINTENANCE if facts.get("runtime.inMaintenanceMode") else HostState.CONNECTED


@dataclass(frozen=True, slots=True)
class HostView:
    """A host with what is known beside its own properties."""

    ref: Ref
    id: str
    readings: Readings
    storages: Mapping[str, str]
    """Ids of datastores by the name under which hosts count them."""


def host_vitals(view: HostView, facts: Mapping[str, Any], fast: Mapping[str, Any], places: Places) -> Host:
    """A host as vitals know it. Of one that is not connected only what lasts is told: its numbers are old."""
    ref, readings = view.ref, view.readings
    connected = facts.get("runtime.connectionState") == "connected"
    cluster = places.cluster(ref)
    capacity = facts.get("summary.hardware.memorySize")
    used = mebibytes(fast.get("summary.quickStats.overallMemoryUsage")) if connected else None
    threads = facts.get("summary.hardware.numCpuThreads")
    return Host(
        id=view.id,
        name=places.name(ref),
        product=str(facts.get("summary.config.product.name", "")),
        version=_version(facts),
        vendor=str(facts.get("summary.hardware.vendor", "")),
        model=str(facts.get("summary.hardware.model", "")),
        cpu_model=str(facts.get("summary.hardware.cpuModel", "")),
        compute_cluster=cluster.name,
        compute_cluster_id=cluster.id,
        compute_datacenter=places.datacenter(ref),
        up=connected if facts.get("runtime.connectionState") is not None else None,
        state=host_state(facts),
        maintenance_mode=facts.get("runtime.inMaintenanceMode"),
        boot_timestamp_seconds=facts.get("runtime.bootTime") if connected else None,
        cpu=HostCpu(
            sockets=facts.get("summary.hardware.numCpuPkgs"),
            cores=facts.get("summary.hardware.numCpuCores"),
            threads=threads,
            frequency_hertz=megahertz(facts.get("summary.hardware.cpuMhz")),
            capacity_cpus=threads,
            busy_seconds=_busy(readings, threads) if connected else None,
        ),
        memory=HostMemory(
            capacity_bytes=capacity,
            used_bytes=used,
            available_bytes=None if capacity is None or used is None else max(0.0, capacity - used),
            swap_used_bytes=kibibytes(readings.latest("swap_used")) if connected else None,
            ballooned_bytes=kibibytes(readings.latest("ballooned")) if connected else None,
            swap_in_bytes=readings.rate("swap_in") if connected else None,
            swap_out_bytes=readings.rate("swap_out") if connected else None,
        ),
        nics=_nics(readings) if connected else (),
        power_joules=_power(readings) if connected else None,
        extra=_extra(view) if connected else {},
    )


def _busy(readings: Readings, threads: int | None) -> Samples | None:
    """Of `cpu.utilization`, not `cpu.usage`: that one counts in terms of cores and their frequency."""
    return None if threads is None else readings.scaled("utilization", threads / 10_000)


def _power(readings: Readings) -> Samples | None:
    """Of the energy; of the power only where that is not counted, here or on this very host."""
    counted = readings.has("energy") or not readings.has("power")
    energy = readings.rate("energy") if counted else None
    return readings.rate("power") if energy is None else energy


class Promise(NamedTuple):
    """What a guest takes of its host, of a guest as it was last seen; bytes."""

    host_id: str
    state: GuestState | None
    holds_memory: bool
    vcpus: float | None
    memory_bytes: float | None
    assigned_bytes: float | None

    @classmethod
    def of(cls, guest: Guest) -> Promise | None:
        """A guest's; a template has none."""
        if guest.kind == "template":
            return None
        memory = guest.memory
        return cls(
            guest.host_id,
            guest.state,
            _holds_memory(guest),
            guest.cpu.vcpus,
            memory.configured_bytes,
            memory.assigned_bytes,
        )


def allocation(promises: Collection[Promise]) -> Allocation:
    """What a host's guests were promised; as the core counts it, for guests that it does not get to see."""
    states = Tally({str(GuestState.RUNNING): 0, str(GuestState.STOPPED): 0})
    states.update(str(each.state) for each in promises if each.state is not None)
    holding = [each for each in promises if each.holds_memory]
    return Allocation(
        guests=dict(sorted(states.items())),
        vcpus=_sum([each.vcpus for each in holding]),
        memory_bytes=_sum([each.memory_bytes for each in holding]),
        memory_assigned_bytes=_sum([each.assigned_bytes for each in holding]),
    )


def _holds_memory(guest: Guest) -> bool:
    known = guest.holds_memory
    return known if known is not None else guest.state is not None and guest.state.holds_memory


def _sum(values: Sequence[float | None]) -> float | None:
    """The sum; unknown where a summand is."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


MEMORY_STATE, DISK_LATENCY = "memory_state", "disk_max_latency_seconds"
STORAGE_READ_LATENCY, STORAGE_WRITE_LATENCY = "storage_read_latency_seconds:", "storage_write_latency_seconds:"
"""Followed by the id of the datastore."""


def _extra(view: HostView) -> dict[str, Counter | None]:
    """What only vSphere tells of a host: the state of its memory, and latencies of its disks and datastores."""
    readings = view.readings
    found: dict[str, Counter | None] = {
        MEMORY_STATE: readings.latest("memory_state"),
        DISK_LATENCY: milliseconds(readings.largest("disk_latency")),
    }
    for prefix, word in (
        (STORAGE_READ_LATENCY, "storage_read_latency"),
        (STORAGE_WRITE_LATENCY, "storage_write_latency"),
    ):
        for instance in readings.instances(word):
            storage = view.storages.get(instance)
            if storage is not None:
                found[prefix + storage] = milliseconds(readings.mean(word, instance))
    return found


def _nics(readings: Readings) -> tuple[HostNic, ...]:
    rate = readings.rate
    return tuple(
        HostNic(
            nic=nic,
            traffic=Traffic(
                receive_bytes=rate("received", nic),
                transmit_bytes=rate("transmitted", nic),
                receive_errors=rate("received_errors", nic),
                transmit_errors=rate("transmitted_errors", nic),
                receive_drops=rate("received_drops", nic),
                transmit_drops=rate("transmitted_drops", nic),
            ),
        )
        for nic in readings.instances("received")
    )


def _version(facts: Mapping[str, Any]) -> str:
    version, build = facts.get("summary.config.product.version", ""), facts.get("summary.config.product.build", "")
    return f"{version} build {build}" if version and build else str(version)
