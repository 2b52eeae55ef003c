"""Values are in base units, counters only grow, and what is unknown is absent rather than zero."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest

from exporter.catalogue.family import Entity, Kind
from exporter.model import GuestState, Observation
from exporter.testing.verdict import refuse
from exporter.testing.visit import Record, Sample
from exporter.testing.world import World

_YEAR_2000 = 946_684_800.0
_DAY = 86_400.0
_YEAR_2286 = 10_000_000_000.0
_ENDS = ("_not_after_timestamp_seconds", "_expiration_timestamp_seconds")
_FASTER = 1.1
"""Counters and clocks are not read at the same instant: a tenth is no mistake of unit, a factor of ten is."""
_HERTZ = (1e7, 1e11)
_HERTZ_OF_CLUSTERS = 1e16
"""A cluster's processors are told as one sum."""
_LARGEST_RATIO = {"hypervisor_guest_memory_pressure_ratio": 10.0}
"""Demand may exceed what is there; other ratios are shares."""
_PER_GUEST_CPU = (
    "hypervisor_guest_cpu_seconds_total",
    "hypervisor_guest_cpu_ready_seconds_total",
    "hypervisor_guest_cpu_costop_seconds_total",
)
_SIZES = (
    "hypervisor_host_cpu_sockets",
    "hypervisor_host_cpu_cores",
    "hypervisor_host_cpu_threads",
    "hypervisor_host_cpu_frequency_hertz",
    "hypervisor_host_cpu_capacity_cpus",
    "hypervisor_host_memory_capacity_bytes",
    "hypervisor_guest_vcpus",
    "hypervisor_guest_memory_configured_bytes",
    "hypervisor_guest_filesystem_size_bytes",
    "hypervisor_storage_capacity_bytes",
)
"""Nothing has a size of zero: there a zero stands for unknown."""
_SHARES = (
    ("hypervisor_host_memory_used_bytes", "hypervisor_host_memory_capacity_bytes"),
    ("hypervisor_host_memory_available_bytes", "hypervisor_host_memory_capacity_bytes"),
    ("hypervisor_storage_free_bytes", "hypervisor_storage_capacity_bytes"),
    ("hypervisor_guest_filesystem_free_bytes", "hypervisor_guest_filesystem_size_bytes"),
)


def test_every_value_is_plausible_in_its_unit(seen: Record) -> None:
    """Nothing negative; ratios are shares, timestamps Unix seconds, frequencies hertz, infos and flags 1 or 0."""
    refuse(dict.fromkeys(sentence for sample in seen.samples() for sentence in _implausible(sample)))


def _implausible(sample: Sample) -> Iterator[str]:
    name, value = sample.family.name, sample.value
    if not math.isfinite(value):
        yield f"{sample}: not a finite number"
    elif value < 0:
        yield f"{sample}: negative; what is unknown is None"
    elif sample.family.kind is Kind.INFO and value != 1:
        yield f"{sample}: an info has the value 1"
    elif name.endswith("_ratio") and value > _LARGEST_RATIO.get(name, 1.0):
        yield f"{sample}: a ratio is 0 to 1; is this percent? (exporter.units.percent)"
    elif name.endswith("_timestamp_seconds") and not _YEAR_2000 <= value <= _latest(name):
        yield f"{sample}: no Unix time in seconds between 2000 and now; milliseconds, or 0 for unknown?"
    elif name.endswith("_hertz") and not _least_hertz(name, value) <= value <= _most_hertz(sample):
        yield f"{sample}: no processor runs at that; is this MHz? (exporter.units.megahertz)"
    elif sample.family.help.startswith(("1 if ", "1 while ")) and value not in (0, 1):
        yield f"{sample}: a flag is 0 or 1"


def _latest(name: str) -> float:
    """The end of something may lie ahead, but is no millisecond either."""
    return _YEAR_2286 if name.endswith(_ENDS) else time.time() + _DAY


def _least_hertz(name: str, value: float) -> float:
    """A processor runs at something; of what was reserved or used of it, nothing and single MHz are true."""
    if name.endswith("_frequency_hertz"):
        return _HERTZ[0]
    return 1e6 if value else 0.0


def _most_hertz(sample: Sample) -> float:
    return _HERTZ_OF_CLUSTERS if sample.family.entity is Entity.CLUSTER else _HERTZ[1]


def test_observations_are_stamped_in_unix_seconds(seen: Record) -> None:
    """`collected_at` is a Unix time of about now: ages are measured against it."""
    refuse(
        f"{collected.group} was collected_at {collected.observation.collected_at:g}, now it is {time.time():.0f}: "
        "Unix seconds are wanted, for example Context.now()"
        for collected in seen.collected()
        if isinstance(collected.observation, Observation)
        and abs(collected.observation.collected_at - time.time()) > _DAY
    )


def test_shares_are_not_larger_than_the_whole(seen: Record) -> None:
    """Used, free and available are at most the capacity: both sides have the same unit."""
    whole = {(sample.family.name, _thing(sample)): sample.value for sample in seen.samples()}
    refuse(
        f"{sample} is more than {capacity} = {whole[capacity, _thing(sample)]:g}: are both in bytes?"
        for sample in seen.samples()
        for share, capacity in _SHARES
        if sample.family.name == share and sample.value > whole.get((capacity, _thing(sample)), math.inf)
    )


def _thing(sample: Sample) -> tuple[str, ...]:
    return tuple(sample.labels.get(label, "") for label in sample.family.entity.identity)


def test_unknown_sizes_are_absent_and_not_zero(seen: Record) -> None:
    """Zero processors, zero bytes of memory or disk: then nobody knew."""
    refuse(
        f"{sample}: nothing has this size; leave the field None where it is unknown"
        for sample in seen.samples()
        if sample.family.name in _SIZES and sample.value == 0
    )


def test_counters_do_not_fall(seen: Record) -> None:
    """Between two collections of one session a counter of the same series stays or grows."""
    before = {sample.key: sample.value for sample in seen.samples(seen.first)}
    refuse(
        f"{sample}: a moment ago it was {before[sample.key]:g}; a sum whose parts come and go belongs into model.Parts"
        for sample in seen.samples()
        if sample.family.kind is Kind.COUNTER and sample.value < before.get(sample.key, 0.0)
    )


def test_seconds_do_not_run_faster_than_their_processors(world: World, seen: Record) -> None:
    """CPU seconds grow by at most the processors' number times the time that has passed."""
    refuse(_too_fast(seen, world.resolution_seconds))


def _too_fast(seen: Record, resolution_seconds: float) -> Iterator[str]:
    processors = {(it.family.name, _thing(it)): it.value for it in seen.samples()}
    before = {sample.key: sample.value for sample in seen.samples(seen.first)}
    began = min((collected.began for collected in seen.first.values()), default=0.0)
    elapsed = max((collected.ended for collected in seen.second.values()), default=0.0) - began
    for sample in seen.samples():
        whole = _processors_family(sample.family.name)
        if whole is None or sample.key not in before:
            continue
        count = processors.get((whole, _thing(sample)))
        growth = sample.value - before[sample.key]
        if count is not None and growth > count * (elapsed * _FASTER + resolution_seconds):
            yield (
                f"{sample}: grew by {growth:g} s in {elapsed:.1f} s on {count:g} processors; is the vendor's unit "
                "nanoseconds or milliseconds? (exporter.units)"
            )


def _processors_family(name: str) -> str | None:
    if name in _PER_GUEST_CPU:
        return "hypervisor_guest_vcpus"
    return "hypervisor_host_cpu_capacity_cpus" if name == "hypervisor_host_cpu_busy_seconds_total" else None


def test_a_stopped_guest_exports_no_usage_counters(seen: Record) -> None:
    """A guest that is off uses nothing that could be counted: its counters are absent, not zero."""
    stopped = _stopped(seen)
    if not stopped:
        pytest.skip("no guest of this world is stopped")
    entities = (Entity.GUEST, Entity.DISK, Entity.NIC)
    refuse(
        f"{sample}: the guest is stopped; leave its counters None"
        for sample in seen.samples()
        if sample.family.kind is Kind.COUNTER
        and sample.family.entity in entities
        and sample.labels.get("guest_id") in stopped
    )


def _stopped(seen: Record) -> set[str]:
    observations = [collected.observation for collected in seen.second.values()]
    return {
        guest.id
        for observation in observations
        if isinstance(observation, Observation)
        for guest in observation.guests
        if guest.state is GuestState.STOPPED
    }
