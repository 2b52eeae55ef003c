"""Vitals of a host: its own processors as the hypervisor counts them, memory, physical adapters, what is promised."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.rows import Row, text
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.joins import counted, counter_name, instances
from collectors.hyperv.mapping.settings import Answers, GuestSettings
from collectors.hyperv.mapping.values import Field, Oddities, Table, guid, instant, when, word
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
    Parts,
    Traffic,
)

ROOT_CPU = "root"
_HOLDING = frozenset(state for state in GuestState if state.holds_memory)
SWITCH_IN, SWITCH_OUT = "switch_in:", "switch_out:"
_NO_IDS = {
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "03000200-0400-0500-0006-000700080009",
}
"""What boards carry whose maker gave them none."""
_VIRTUAL = ("ROOT\\", "SWD\\")


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What of a host rarely changes."""

    name: str = ""
    uuid: str = ""
    vendor: str = ""
    model: str = ""
    cpu_model: str = ""
    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None
    frequency_hertz: float | None = None
    memory_bytes: float | None = None
    adapters: frozenset[str] | None = None
    """Physical adapters as performance counters name them; None where they were not read."""

    @property
    def id(self) -> str:
        """The hardware's UUID; the computer's name where it has none that tells it apart."""
        return self.uuid or self.name.lower()


def host_facts(answers: Answers, odd: Oddities) -> HostFacts:
    """Slow facts of one host."""
    computer = _only(answers, tables.COMPUTER)
    packages = answers.get(tables.PACKAGES, ())
    uuid = guid(text(_only(answers, tables.PRODUCT), "UUID"))
    first: Row = packages[0] if packages else {}
    return HostFacts(
        name=word(computer, "Name") or word(_only(answers, tables.OPERATING_SYSTEM), "CSName"),
        uuid="" if uuid in _NO_IDS else uuid,
        vendor=word(computer, "Manufacturer"),
        model=word(computer, "Model"),
        cpu_model=" ".join(word(first, "Name").split()),
        sockets=len(packages) or None,
        cores=_summed(packages, tables.CORES, odd),
        threads=_summed(packages, tables.THREADS, odd),
        frequency_hertz=tables.CLOCK(first, odd) or None,
        memory_bytes=tables.TOTAL_MEMORY(computer, odd) or None,
        adapters=_physical(answers.get(tables.PHYSICAL_ADAPTERS)),
    )


def _only(answers: Answers, table: Table) -> Row:
    rows = answers.get(table, ())
    return rows[0] if rows else {}


def _summed(rows: Sequence[Row], counter: Field, odd: Oddities) -> int | None:
    values = [counter(row, odd) for row in rows]
    return None if not values or None in values else int(sum(value for value in values if value is not None)) or None


def _physical(rows: Sequence[Row] | None) -> frozenset[str] | None:
    if rows is None:
        return None
    real = (row for row in rows if not word(row, "PNPDeviceID").upper().startswith(_VIRTUAL))
    return frozenset(counter_name(word(row, "Name")) for row in real)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a cluster says of one of its nodes; a stand-alone host has no word but its answers."""

    state: HostState = HostState.CONNECTED
    maintenance: bool | None = None
    up: bool = True
    cluster: str = ""
    cluster_id: str = ""


def host_vitals(
    facts: HostFacts, host_id: str, answers: Answers, standing: Standing, odd: Oddities, *, boot: float | None
) -> Host:
    """One host that has answered."""
    system = _only(answers, tables.OPERATING_SYSTEM)
    processors = _running(answers.get(tables.LOGICAL_PROCESSORS), tables.LOGICAL_PROCESSORS, odd)
    capacity = len(processors.values) if processors is not None and processors.complete else None
    root = _running(answers.get(tables.ROOT_PROCESSORS), tables.ROOT_PROCESSORS, odd)
    return Host(
        id=host_id,
        name=facts.name or host_id,
        product=word(system, "Caption"),
        version=word(system, "Version"),
        vendor=facts.vendor,
        model=facts.model,
        cpu_model=facts.cpu_model,
        compute_cluster=standing.cluster,
        compute_cluster_id=standing.cluster_id,
        up=standing.up,
        state=standing.state,
        maintenance_mode=standing.maintenance,
        boot_timestamp_seconds=boot,
        cpu=HostCpu(
            sockets=facts.sockets,
            cores=facts.cores,
            # The root partition may be given fewer processors than there are.
            threads=capacity or facts.threads,
            frequency_hertz=facts.frequency_hertz,
            capacity_cpus=capacity or facts.threads,
            busy_seconds=processors,
        ),
        memory=_memory(facts, answers, odd),
        nics=_nics(facts, answers, odd),
        extra=_extra(root),
    )


def _extra(root: Parts | None) -> dict[str, Counter | None]:
    return {} if root is None else {ROOT_CPU: root}


def absent_host(facts: HostFacts, host_id: str, standing: Standing) -> Host:
    """A node that is down or out of reach, by what was known of it."""
    return Host(
        id=host_id,
        name=facts.name or host_id,
        vendor=facts.vendor,
        model=facts.model,
        cpu_model=facts.cpu_model,
        compute_cluster=standing.cluster,
        compute_cluster_id=standing.cluster_id,
        up=False,
        state=standing.state,
        maintenance_mode=standing.maintenance,
        allocation=Allocation(),
    )


def _running(rows: Sequence[Row] | None, table: Table, odd: Oddities) -> Parts | None:
    """Run time of every processor in seconds: the table's only number."""
    if not rows:
        return None
    values = {name: numbers[0] for name, numbers in counted(rows, table, odd)}
    known = {name: value for name, value in sorted(values.items()) if value is not None}
    return Parts(known, complete=len(known) == len(values)) if known else None


def _memory(facts: HostFacts, answers: Answers, odd: Oddities) -> HostMemory:
    system = _only(answers, tables.OPERATING_SYSTEM)
    capacity = facts.memory_bytes or tables.VISIBLE_MEMORY(system, odd) or None
    available = tables.BALANCER_AVAILABLE(_only(answers, tables.BALANCER), odd)
    if available is None:
        available = tables.FREE_MEMORY(system, odd)
    if available is not None and capacity is not None and available > capacity:
        odd.append(f"{available:.0f} bytes of memory are available of {capacity:.0f}")
        available = None
    used = None if available is None or capacity is None else capacity - available
    return HostMemory(capacity_bytes=capacity, used_bytes=used, available_bytes=available)


def _nics(facts: HostFacts, answers: Answers, odd: Oddities) -> tuple[HostNic, ...]:
    return tuple(
        HostNic(name, _traffic(row, odd))
        for name, row in sorted(instances(answers.get(tables.HOST_ADAPTERS, ())), key=lambda each: each[0])
        if facts.adapters is None or name in facts.adapters
    )


def _traffic(row: Row, odd: Oddities) -> Traffic:
    def one(counter: Field) -> Parts | None:
        value = counter(row, odd)
        return None if value is None else Parts({"": value})

    return Traffic(
        receive_bytes=one(tables.RECEIVED_BYTES),
        transmit_bytes=one(tables.SENT_BYTES),
        receive_errors=one(tables.RECEIVE_ERRORS),
        transmit_errors=one(tables.SEND_ERRORS),
        receive_drops=one(tables.RECEIVE_DISCARDS),
        transmit_drops=one(tables.SEND_DISCARDS),
    )


def switches(rows: Sequence[Row], odd: Oddities) -> dict[str, Counter | None]:
    """Traffic of virtual switches, by `SWITCH_IN` and `SWITCH_OUT` with the switch's name."""
    found: dict[str, Counter | None] = {}
    for name, row in instances(rows):
        for prefix, counter in ((SWITCH_IN, tables.RECEIVED_BYTES), (SWITCH_OUT, tables.SENT_BYTES)):
            if (value := counter(row, odd)) is not None:
                found[prefix + name] = Parts({"": value})
    return found


def clock(answers: Answers) -> float | None:
    """The host's own clock when it answered, Unix seconds."""
    found = text(_only(answers, tables.OPERATING_SYSTEM), "LocalDateTime")
    return None if found is None else instant(found)


def booted_at(answers: Answers, odd: Oddities) -> float | None:
    """When the host was started, Unix seconds."""
    return when(_only(answers, tables.OPERATING_SYSTEM), "LastBootUpTime", odd)


# What is promised to guests.


def allocation(
    guests: Iterable[Guest], settings: Mapping[str, GuestSettings], memory_bytes: float | None
) -> Allocation:
    """Sums over the guests of one host, before filters.

    A replica that rests is the same guest as its primary elsewhere, and is not counted again. A guest whose dynamic
    memory has no bound but the host's own counts with what it starts with, or has.
    """
    guests = tuple(guests)
    states = Tally({str(GuestState.RUNNING): 0, str(GuestState.STOPPED): 0})
    found = Tally(each.state for each in guests if each.role == "primary" or each.state is GuestState.RUNNING)
    states.update({str(state): count for state, count in found.items()})
    holding = [each for each in guests if each.state in _HOLDING]
    none = GuestSettings()
    return Allocation(
        guests=dict(sorted(states.items())),
        vcpus=_sum(each.cpu.vcpus for each in holding),
        memory_bytes=_sum(_promised(each, settings.get(each.id, none), memory_bytes) for each in holding),
        memory_assigned_bytes=_sum(each.memory.assigned_bytes for each in holding),
    )


def _promised(guest: Guest, settings: GuestSettings, memory_bytes: float | None) -> float | None:
    unbound = settings.dynamic_memory and memory_bytes and (settings.maximum_bytes or 0) >= memory_bytes
    if not unbound:
        return guest.memory.configured_bytes
    known = [each for each in (settings.startup_bytes, guest.memory.assigned_bytes) if each is not None]
    return max(known, default=None)


def _sum(values: Iterable[float | None]) -> float | None:
    found = list(values)
    return None if None in found else sum((each for each in found if each is not None), 0.0)
