"""Vitals of the guests of one host: state, processors, memory, disks, adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias

from collectors.hyperv.mapping.devices import disks_of, nics_of
from collectors.hyperv.mapping.found import NO_PROCESSOR, Found
from collectors.hyperv.mapping.making import columns_of, made
from collectors.hyperv.mapping.settings import GuestSettings, tag_of
from collectors.hyperv.mapping.states import beats
from collectors.hyperv.mapping.values import word
from exporter.model import Counter, Guest, GuestCpu, GuestMemory, GuestState, Parts

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


class Told(NamedTuple):
    """What is decided outside of the mapping: by what was known before, by the clock, by the options."""

    boot_timestamp_seconds: float | None = None
    wait_plausible: bool = True
    counters_read: bool = True
    wait_unit: float = 1e-7
    """Seconds that one count of CPUWaitTimePerDispatch stands for: the same for all guests of a target."""
    notes: bool = False
    guest_os: bool = False


def guest_vitals(guests: Sequence[Found], host: HostView, told: Sequence[Told]) -> list[Guest]:
    """Guests of one host as the model has them, and of each what is told of it from outside.

    All of them at once, field by field: of a thousand guests this is most of what a collection costs.
    """
    counts = list(map(vcpus, guests))
    processors = _processors(guests, host, counts, told)
    conditions = [each.condition for each in guests]
    settings = [each.settings for each in guests]
    return made(
        Guest,
        len(guests),
        id=[each.id for each in guests],
        name=[each.name for each in guests],
        native_id=[each.id.upper() for each in guests],
        bios_uuid=[each.bios_uuid for each in settings],
        host=[host.name] * len(guests),
        host_id=[host.id] * len(guests),
        compute_cluster=[host.cluster] * len(guests),
        compute_cluster_id=[host.cluster_id] * len(guests),
        os=[_os(each) if which.guest_os else "" for each, which in zip(guests, told, strict=True)],
        role=[each.role for each in conditions],
        saved=[each.state is GuestState.SUSPENDED for each in conditions],
        tags=[tag_of(each.notes) if which.notes else "" for each, which in zip(settings, told, strict=True)],
        state=[each.state for each in conditions],
        migrating=[each.migrating for each in conditions],
        boot_timestamp_seconds=[each.boot_timestamp_seconds for each in told],
        agent_up=[beats(each.summary[0]) if each.has_partition else None for each in guests],
        io_error=[each.io_error for each in conditions],
        stats_complete=[each.counters_read for each in told],
        cpu=_cpus(settings, counts, processors),
        memory=_memories(guests, host),
        disks=disks_of(guests, host.id),
        nics=nics_of(guests, host.id),
        extra=list(map(_extra, guests, processors.waits, processors.dispatches)),
    )


def _os(found: Found) -> str:
    return word({"": found.summary[3]}, "")


def _extra(found: Found, waits: Parts | None, dispatches: Parts | None) -> dict[str, Counter | None]:
    operation = found.condition.operation
    extra: dict[str, Counter | None] = {OPERATION + operation: 1} if operation else {}
    if found.has_partition:
        extra[REMOTE_PAGES] = found.partition[1]
        extra[WAIT_RAW] = waits
        extra[WAIT_DISPATCHES] = dispatches
    return extra


# Processors.


def vcpus(found: Found) -> float | None:
    """Virtual processors: what it runs with, else what it is set to."""
    return found.summary[1] or found.settings.vcpus or None


_Counters: TypeAlias = "Sequence[Parts | None]"


class _Processors(NamedTuple):
    """Counters over the virtual processors of each guest; `waits` as counted, `waited` in seconds."""

    run: _Counters
    waits: _Counters
    waited: _Counters
    dispatches: _Counters


def _processors(
    guests: Sequence[Found], host: HostView, counts: Sequence[float | None], told: Sequence[Told]
) -> _Processors:
    """Parts are named after the host: another's begin anew, and are no fall."""
    owned = [each.processors for each in guests]
    part = {number: f"{host.id}:{number}" for each in owned for number in each}
    parts = [part[number] for each in owned for number in each]
    run, waits, dispatches, _ = columns_of([each for theirs in owned for each in theirs.values()], NO_PROCESSOR)
    sizes = list(map(len, owned))
    enough = [count is None or size >= count for count, size in zip(counts, sizes, strict=True)]
    # Divides by a whole number: seconds are then the nearest to what was counted.
    per_second = round(1 / told[0].wait_unit) if told else 1
    seconds = [None if value is None else value / per_second for value in waits]
    waited = _summed(parts, seconds, sizes, enough)
    return _Processors(
        _summed(parts, run, sizes, enough),
        _summed(parts, waits, sizes, enough),
        [each if which.wait_plausible else None for each, which in zip(waited, told, strict=True)],
        _summed(parts, dispatches, sizes, enough),
    )


def _summed(
    parts: Sequence[str], values: Sequence[float | None], sizes: Sequence[int], enough: Sequence[bool]
) -> _Counters:
    """One counter of each guest, made of as many values as it has processors; None where none is known."""
    pairs = zip(parts, values, strict=True)
    if None not in values:
        known = [dict(islice(pairs, size)) for size in sizes]
        complete = enough
    else:
        known = [{part: value for part, value in islice(pairs, size) if value is not None} for size in sizes]
        complete = [all_ and len(each) == size for each, size, all_ in zip(known, sizes, enough, strict=True)]
    counters = made(Parts, len(sizes), values=known, complete=complete)
    return [counter if each else None for counter, each in zip(counters, known, strict=True)]


def _cpus(settings: Sequence[GuestSettings], counts: Sequence[float | None], processors: _Processors) -> list[GuestCpu]:
    return made(
        GuestCpu,
        len(settings),
        vcpus=counts,
        seconds=processors.run,
        ready_seconds=processors.waited,
        limit_cpus=[
            None if each.cpu_limit is None or count is None or each.cpu_limit >= 1 else count * each.cpu_limit
            for each, count in zip(settings, counts, strict=True)
        ],
        reservation_cpus=[
            None if each.cpu_reservation is None or count is None else count * each.cpu_reservation
            for each, count in zip(settings, counts, strict=True)
        ],
    )


def wait_counted(found: Found) -> float | None:
    """CPUWaitTimePerDispatch over all virtual processors, as counted; None where it is not."""
    values = [each[1] for each in found.processors.values()]
    return None if not values or None in values else sum(values)


# Memory.


def configured_memory(settings: GuestSettings, host: HostView) -> float | None:
    """The most the guest may get without an administrator, in bytes."""
    if settings.dynamic_memory is None:
        return None
    if not settings.dynamic_memory:
        return settings.startup_bytes or None
    bounds = [each for each in (settings.maximum_bytes, host.memory_bytes) if each]
    return min(bounds, default=None) if settings.maximum_bytes else None


def _bounds(settings: GuestSettings) -> tuple[float | None, float | None]:
    """Limit and reservation."""
    if settings.dynamic_memory is None:
        return None, None
    if not settings.dynamic_memory:
        return settings.startup_bytes, settings.startup_bytes
    return settings.maximum_bytes, settings.minimum_bytes


_MEMORY = (
    "configured_bytes",
    "assigned_bytes",
    "host_used_bytes",
    "used_bytes",
    "available_bytes",
    "demand_bytes",
    "pressure_ratio",
    "limit_bytes",
    "reservation_bytes",
)


def _memories(guests: Sequence[Found], host: HostView) -> list[GuestMemory]:
    columns = zip(*[_memory(each, host) for each in guests], strict=True)
    return made(GuestMemory, len(guests), **dict(zip(_MEMORY, columns, strict=False)))


def _memory(found: Found, host: HostView) -> tuple[float | None, ...]:
    """What `_MEMORY` names."""
    settings = found.settings
    configured, bounds = configured_memory(settings, host), _bounds(settings)
    if not found.has_partition:
        return (configured, None, None, None, None, None, None, *bounds)
    physical, visible, available, pressure, _ = found.balanced
    if settings.dynamic_memory is False:
        pressure = None
    known = visible is not None and available is not None and 0 <= available <= visible and visible > 0
    return (
        configured,
        found.summary[2] or physical or None,
        found.partition[0] or physical or None,
        visible - available if known else None,
        available if known else None,
        physical * pressure if physical and pressure else None,
        # 0 is what builds before 2016 write for guests without dynamic memory.
        pressure or None,
        *bounds,
    )
