"""What guests ask of a cluster, and what DRS and HA make of that: parts of its summary, computed by the vCenter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from collectors.vsphere.mapping.checked import Facts, number, part
from exporter.model import Counter
from exporter.units import mebibytes, megahertz

Unit = Callable[[float | None], float | None]


class _Field(NamedTuple):
    """A field of the summary, or of the structure `within` it; `unit` leads to base units."""

    within: str
    name: str
    unit: Unit


def _percent(value: float | None) -> float | None:
    return None if value is None else value / 100


def _plain(value: float | None) -> float | None:
    return value


CPU_DEMAND, CPU_ENTITLED, CPU_RESERVATION = "cpu_demand", "cpu_entitled", "cpu_reservation"
MEMORY_DEMAND, MEMORY_ENTITLED, MEMORY_RESERVATION = "memory_demand", "memory_entitled", "memory_reservation"
FAILOVER_CPU, FAILOVER_MEMORY = "failover_cpu", "failover_memory"
EFFECTIVE_HOSTS, DRS_SCORE, MIGRATIONS = "effective_hosts", "drs_score", "migrations"
_USAGE, _ADMISSION = "usageSummary", "admissionControlInfo"
_FIELDS: Mapping[str, _Field] = {
    CPU_DEMAND: _Field(_USAGE, "cpuDemandMhz", megahertz),
    CPU_ENTITLED: _Field(_USAGE, "cpuEntitledMhz", megahertz),
    CPU_RESERVATION: _Field(_USAGE, "cpuReservationMhz", megahertz),
    MEMORY_DEMAND: _Field(_USAGE, "memDemandMB", mebibytes),
    MEMORY_ENTITLED: _Field(_USAGE, "memEntitledMB", mebibytes),
    MEMORY_RESERVATION: _Field(_USAGE, "memReservationMB", mebibytes),
    FAILOVER_CPU: _Field(_ADMISSION, "currentCpuFailoverResourcesPercent", _percent),
    FAILOVER_MEMORY: _Field(_ADMISSION, "currentMemoryFailoverResourcesPercent", _percent),
    EFFECTIVE_HOSTS: _Field("", "numEffectiveHosts", _plain),
    DRS_SCORE: _Field("", "drsScore", _percent),
    MIGRATIONS: _Field("", "numVmotions", _plain),
}


def usage_of(summary: Facts) -> dict[str, Counter | None]:
    """By the names above, in base units; without what is unset, or below 0 (the vCenter's word for unknown)."""
    found = {name: each.unit(_value(summary, each)) for name, each in _FIELDS.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(summary: Facts, field: _Field) -> float | None:
    return number(part(summary, field.within, []) if field.within else summary, field.name, [])
