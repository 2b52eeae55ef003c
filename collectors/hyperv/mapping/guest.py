"""Vitals of the guests of one host: state, processors, memory, disks, adapters."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.found import Found
from collectors.hyperv.mapping.joins import disk_path
from collectors.hyperv.mapping.settings import DiskFile, GuestSettings, NicSettings, tag_of
from collectors.hyperv.mapping.states import beats
from collectors.hyperv.mapping.values import Field, Oddities, number, word
from exporter.model import (
    Counter,
    Guest,
    GuestCpu,
    GuestDisk,
    GuestMemory,
    GuestNic,
    GuestState,
    Parts,
    Traffic,
    Wrapping,
)

REMOTE_PAGES, OPERATION, WAIT_RAW, WAIT_DISPATCHES = "remote_pages", "operation:", "wait_raw", "wait_dispatches"


@dataclass(frozen=True, slots=True)
class HostView:
    """Where the guests are."""

    id: str
    name: str
    cluster: str = ""
    cluster_id: str = ""
    memory_bytes: float | None = None
    """The host's own, which bounds what a guest with dynamic memory may get."""


# One guest.


@dataclass(frozen=True, slots=True)
class Told:
    """What is decided outside of the mapping: by what was known before, by the clock, by the options."""

    boot_timestamp_seconds: float | None = None
    wait_plausible: bool = True
    wait_unit: float = 1e-7
    """Seconds that one count of CPUWaitTimePerDispatch stands for."""
    notes: bool = False
    guest_os: bool = False
    counters_read: bool = True


def guest_vitals(found: Found, host: HostView, told: Told, odd: Oddities) -> Guest:
    """One guest as the model has it."""
    settings, state = found.settings, found.condition.state
    return Guest(
        id=found.id,
        name=found.name,
        native_id=found.id.upper(),
        bios_uuid=settings.bios_uuid,
        host=host.name,
        host_id=host.id,
        compute_cluster=host.cluster,
        compute_cluster_id=host.cluster_id,
        os=word(found.summary, "GuestOperatingSystem") if told.guest_os else "",
        role=found.condition.role,
        saved=state is GuestState.SUSPENDED,
        tags=tag_of(settings.notes) if told.notes else "",
        state=state,
        migrating=found.condition.migrating,
        boot_timestamp_seconds=told.boot_timestamp_seconds,
        agent_up=beats(found.summary, odd) if found.has_partition else None,
        io_error=found.condition.io_error,
        stats_complete=told.counters_read,
        cpu=_cpu(found, host, told, odd),
        memory=_memory(found, host, odd),
        disks=_disks(found, host, odd),
        nics=_nics(found, host, odd),
        extra=_extra(found, host, odd),
    )


def vcpus(found: Found, odd: Oddities) -> float | None:
    """Virtual processors: what it runs with, else what it is set to."""
    count = tables.PROCESSORS(found.summary, odd) or found.settings.vcpus
    return count or None


def _cpu(found: Found, host: HostView, told: Told, odd: Oddities) -> GuestCpu:
    count = vcpus(found, odd)
    limit, reservation = found.settings.cpu_limit, found.settings.cpu_reservation
    return GuestCpu(
        vcpus=count,
        seconds=_processor_parts(found, host, tables.VP_RUN, odd),
        ready_seconds=_waited(found, host, told, odd) if told.wait_plausible else None,
        limit_cpus=None if limit is None or count is None or limit >= 1 else count * limit,
        reservation_cpus=None if reservation is None or count is None else count * reservation,
    )


def _waited(found: Found, host: HostView, told: Told, odd: Oddities) -> Parts | None:
    raw = _processor_parts(found, host, tables.VP_WAIT, odd)
    # Divides by a whole number: seconds are then the nearest to what was counted.
    per_second = round(1 / told.wait_unit)
    values = None if raw is None else {part: value / per_second for part, value in raw.values.items()}
    return None if raw is None or values is None else Parts(values, complete=raw.complete)


def _processor_parts(found: Found, host: HostView, counter: Field, odd: Oddities) -> Parts | None:
    """A counter of every virtual processor. Parts are named after the host: another's begin anew, and are no fall."""
    if not found.processors or not found.has_partition:
        return None
    values = {number: counter(row, odd) for number, row in found.processors.items()}
    if all(value is None for value in values.values()):
        return None
    count = vcpus(found, odd)
    complete = None not in values.values() and (count is None or len(values) >= count)
    known = {f"{host.id}:{number}": value for number, value in values.items() if value is not None}
    return Parts(known, complete=complete)


def wait_counted(found: Found, odd: Oddities) -> float | None:
    """CPUWaitTimePerDispatch over all virtual processors, as counted; None where it is not."""
    values = [tables.VP_WAIT(row, odd) for row in found.processors.values()]
    return None if not values or None in values else sum(value for value in values if value is not None)


def configured_memory(settings: GuestSettings, host: HostView) -> float | None:
    """The most the guest may get without an administrator, in bytes."""
    if settings.dynamic_memory is None:
        return None
    if not settings.dynamic_memory:
        return settings.startup_bytes or None
    bounds = [each for each in (settings.maximum_bytes, host.memory_bytes) if each]
    return min(bounds, default=None) if settings.maximum_bytes else None


def _memory(found: Found, host: HostView, odd: Oddities) -> GuestMemory:
    settings = found.settings
    configured = configured_memory(settings, host)
    if not found.has_partition:
        return GuestMemory(configured_bytes=configured, **_bounds(settings))
    physical = tables.PHYSICAL(found.balanced, odd) or None
    visible, available = tables.VISIBLE(found.balanced, odd), tables.AVAILABLE(found.balanced, odd)
    pressure = tables.PRESSURE(found.balanced, odd) if settings.dynamic_memory is not False else None
    known = visible is not None and available is not None and 0 <= available <= visible and visible > 0
    return GuestMemory(
        configured_bytes=configured,
        assigned_bytes=tables.MEMORY_USAGE(found.summary, odd) or physical,
        host_used_bytes=tables.PARTITION_PAGES(found.partition, odd) or physical,
        used_bytes=visible - available if known and visible is not None and available is not None else None,
        available_bytes=available if known else None,
        demand_bytes=physical * pressure if physical and pressure else None,
        # 0 is what builds before 2016 write for guests without dynamic memory.
        pressure_ratio=pressure or None,
        **_bounds(settings),
    )


def _bounds(settings: GuestSettings) -> dict[str, float | None]:
    if settings.dynamic_memory is None:
        return {}
    if not settings.dynamic_memory:
        return {"limit_bytes": settings.startup_bytes, "reservation_bytes": settings.startup_bytes}
    return {"limit_bytes": settings.maximum_bytes, "reservation_bytes": settings.minimum_bytes}


def _disks(found: Found, host: HostView, odd: Oddities) -> tuple[GuestDisk, ...]:
    return tuple(
        _disk(disk, found.disks.get(disk.disk, {}) if found.has_partition else {}, host, odd)
        for disk in found.settings.disks or ()
    )


def _disk(disk: DiskFile, row: Row, host: HostView, odd: Oddities) -> GuestDisk:
    # Another host and another file (a checkpoint was made) count from elsewhere.
    part = f"{host.id}:{disk_path(disk.path)}"
    return GuestDisk(
        disk=disk.disk,
        read_bytes=_single(part, tables.READ_BYTES, row, odd),
        written_bytes=_single(part, tables.WRITTEN_BYTES, row, odd),
        reads=_wrapping(part, tables.READS, row, odd),
        writes=_wrapping(part, tables.WRITES, row, odd),
        flushes=_wrapping(part, tables.FLUSHES, row, odd),
        errors=_wrapping(part, tables.DISK_ERRORS, row, odd),
        path=disk.path,
    )


def _single(part: str, counter: Field, row: Row, odd: Oddities) -> Parts | None:
    value = counter(row, odd)
    return None if value is None else Parts({part: value})


def _wrapping(part: str, counter: Field, row: Row, odd: Oddities) -> Wrapping | None:
    value = number(row, counter.name, odd)
    return None if value is None else Wrapping({part: int(value)}, bits=counter.bits)


def _nics(found: Found, host: HostView, odd: Oddities) -> tuple[GuestNic, ...]:
    known = {each.nic: each for each in found.settings.nics or ()}
    counted = found.nics if found.has_partition else {}
    return tuple(
        _nic(known.get(nic, NicSettings(nic)), counted.get(nic, {}), host, odd) for nic in sorted({*known, *counted})
    )


def _nic(settings: NicSettings, row: Row, host: HostView, odd: Oddities) -> GuestNic:
    part = f"{host.id}:{settings.nic}"
    return GuestNic(
        nic=settings.nic,
        mac=settings.mac or None,
        network=settings.network,
        traffic=Traffic(
            receive_bytes=_single(part, tables.RECEIVED_BYTES, row, odd),
            transmit_bytes=_single(part, tables.SENT_BYTES, row, odd),
            receive_packets=_single(part, tables.RECEIVED_PACKETS, row, odd),
            transmit_packets=_single(part, tables.SENT_PACKETS, row, odd),
            receive_drops=_single(part, tables.DROPPED_IN, row, odd),
            transmit_drops=_single(part, tables.DROPPED_OUT, row, odd),
        ),
    )


def _extra(found: Found, host: HostView, odd: Oddities) -> dict[str, Counter | None]:
    extra: dict[str, Counter | None] = {}
    if found.condition.operation:
        extra[OPERATION + found.condition.operation] = 1
    if found.has_partition:
        extra[REMOTE_PAGES] = tables.REMOTE_PAGES(found.partition, odd)
        extra[WAIT_RAW] = _processor_parts(found, host, tables.VP_WAIT, odd)
        extra[WAIT_DISPATCHES] = _processor_parts(found, host, tables.VP_DISPATCHES, odd)
    return extra
