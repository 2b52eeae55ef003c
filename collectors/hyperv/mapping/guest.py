"""Vitals of the guests of one host: state, processors, memory, disks, adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import Names, adapter, disk_path, instances
from collectors.hyperv.mapping.settings import Answers, DiskFile, GuestSettings, NicSettings, tag_of
from collectors.hyperv.mapping.states import Condition, beats, condition
from collectors.hyperv.mapping.values import Field, Oddities, is_guid, number, when, word
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
NO_SETTINGS = GuestSettings()


@dataclass(frozen=True, slots=True)
class HostView:
    """Where the guests are."""

    id: str
    name: str
    cluster: str = ""
    cluster_id: str = ""
    memory_bytes: float | None = None
    """The host's own, which bounds what a guest with dynamic memory may get."""


@dataclass(slots=True)
class Found:
    """A guest and everything that was read of it on this host."""

    id: str
    name: str
    row: Row
    condition: Condition
    changed_at: float | None
    """When its state last changed, Unix seconds."""
    settings: GuestSettings = NO_SETTINGS
    summary: Row = field(default_factory=dict)
    processors: Mapping[str, Row] = field(default_factory=dict)
    balanced: Row = field(default_factory=dict)
    partition: Row = field(default_factory=dict)
    disks: Mapping[str, Row] = field(default_factory=dict)
    """Rows of storage devices by instance, for the disks whose instance is theirs alone."""
    nics: Mapping[str, Row] = field(default_factory=dict)

    @property
    def has_partition(self) -> bool:
        """Whether it has memory and processors of its host now: nothing else has counters."""
        return self.condition.state.holds_memory


@dataclass(frozen=True, slots=True)
class Joined:
    """The guests of a host, and what did not fit together."""

    guests: tuple[Found, ...]
    ambiguous: frozenset[str]
    """Guests whose name is another's too: their counters by name cannot be told apart."""
    unjoined: tuple[str, ...]
    """Instances of counters that belong to no guest that is known."""
    unjoined_disks: tuple[str, ...]


def join(answers: Answers, settings: Mapping[str, GuestSettings], odd: Oddities) -> Joined:
    """Put together by GUID, and by name where that is all there is."""
    guests = {each.id: each for each in _systems(answers, odd)}
    for identity, found in guests.items():
        found.settings = settings.get(identity, NO_SETTINGS)
    for row in answers.get(tables.SUMMARIES, ()):
        if (known := guests.get(word(row, "Name").lower())) is not None:
            known.summary = row
    names = Names((each.id, each.name) for each in guests.values() if each.has_partition)
    processors, left = names.processors(answers.get(tables.VIRTUAL_PROCESSORS, ()))
    balanced, _ = names.join(answers.get(tables.BALANCED_GUESTS, ()))
    partitions, _ = names.join(answers.get(tables.PARTITIONS, ()))
    nics, foreign = _adapters(answers.get(tables.NETWORK_ADAPTERS, ()), guests)
    disks, unjoined = _devices(answers.get(tables.STORAGE_DEVICES, ()), guests)
    for identity, found in guests.items():
        found.processors = processors.get(identity, {})
        found.balanced = balanced.get(identity, {})
        found.partition = partitions.get(identity, {})
        found.nics = nics.get(identity, {})
        found.disks = disks.get(identity, {})
    return Joined(tuple(guests.values()), frozenset(names.ambiguous), (*left, *foreign), tuple(unjoined))


def _systems(answers: Answers, odd: Oddities) -> list[Found]:
    found = []
    for row in answers.get(tables.COMPUTER_SYSTEMS, ()):
        identity = word(row, "Name")
        if is_guid(identity):
            name = word(row, "ElementName") or identity.lower()
            changed = when(row, "TimeOfLastStateChange", odd)
            found.append(Found(identity.lower(), name, row, condition(row, odd), changed))
    return found


def _adapters(rows: Sequence[Row], guests: Mapping[str, Found]) -> tuple[dict[str, dict[str, Row]], list[str]]:
    joined: dict[str, dict[str, Row]] = {}
    left = []
    for instance, row in instances(rows):
        parsed = adapter(instance)
        if parsed is not None and parsed[0] in guests:
            joined.setdefault(parsed[0], {})[parsed[1]] = row
        elif parsed is not None:
            left.append(instance)
    return joined, left


def _devices(rows: Sequence[Row], guests: Mapping[str, Found]) -> tuple[dict[str, dict[str, Row]], list[str]]:
    """By guest and disk; a file that two guests have is told of neither."""
    owners: dict[str, list[tuple[str, str]]] = {}
    for each in guests.values():
        for disk in each.settings.disks or () if each.has_partition else ():
            owners.setdefault(disk_path(disk.path), []).append((each.id, disk.disk))
    joined: dict[str, dict[str, Row]] = {}
    left = []
    for instance, row in instances(rows):
        found = owners.get(disk_path(instance), ())
        if len(found) == 1:
            joined.setdefault(found[0][0], {})[found[0][1]] = row
        elif not found:
            left.append(instance)
    return joined, left


# One guest.


@dataclass(frozen=True, slots=True)
class Told:
    """What is decided outside of the mapping: by what was known before, by the clock, by the options."""

    boot_timestamp_seconds: float | None = None
    wait_plausible: bool = True
    wait_unit: float = 1e-7
    """Seconds that one count of CPUWaitTimePerDispatch stands for."""
    notes: bool = False
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
    values = {number: counter(row, odd) for number, row in sorted(found.processors.items())}
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
