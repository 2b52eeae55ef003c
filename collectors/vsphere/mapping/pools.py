"""Resource pools: what guests below them are promised, may take at most, and take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.checked import Facts, Oddities, number, text
from collectors.vsphere.mapping.places import plain
from exporter.model import Counter, Parts
from exporter.units import mebibytes, megahertz

Convert = Callable[[float | None], float | None]


def _bytes(value: float | None) -> float | None:
    return value


@dataclass(frozen=True, slots=True)
class _Value:
    path: str
    convert: Convert


CPU_RESERVATION, CPU_LIMIT, CPU_USED = "pool_cpu_reservation", "pool_cpu_limit", "pool_cpu_used"
MEMORY_RESERVATION, MEMORY_LIMIT, MEMORY_USED = "pool_memory_reservation", "pool_memory_limit", "pool_memory_used"
"""Keys among what only vSphere tells of a cluster, and of a host outside of clusters."""
_VALUES: Mapping[str, _Value] = {
    CPU_RESERVATION: _Value("config.cpuAllocation.reservation", megahertz),
    CPU_LIMIT: _Value("config.cpuAllocation.limit", megahertz),
    CPU_USED: _Value("runtime.cpu.overallUsage", megahertz),
    MEMORY_RESERVATION: _Value("config.memoryAllocation.reservation", mebibytes),
    MEMORY_LIMIT: _Value("config.memoryAllocation.limit", mebibytes),
    MEMORY_USED: _Value("runtime.memory.overallUsage", _bytes),
}
"""Usage of memory is told in bytes, its reservation and limit in MB."""

PATHS = ("name", "parent", "owner", *(each.path for each in _VALUES.values()))
UNLIMITED = -1


def values_of(pools: Mapping[Ref, Facts], odd: Oddities) -> dict[str, Counter | None]:
    """What pools have, by the name of the value; within it by `<reference> <name>`. A pool without limit has none."""
    found: dict[str, Counter | None] = {}
    for name, value in _VALUES.items():
        known = {}
        for ref, facts in pools.items():
            told = number(facts, value.path, odd, least=UNLIMITED)
            converted = None if told is None or told < 0 else value.convert(told)
            if converted is not None:
                known[f"{ref.id} {plain(text(facts, 'name', odd))}"] = converted
        found[name] = Parts(known)
    return found
