"""Health of a host's hardware as its sensors see it: how many are in which state, never a series per sensor."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from collectors.vsphere.mapping.checked import Facts, Oddities, part, parts, text
from exporter.model import Counter, Parts

_HEALTH = "runtime.healthSystemRuntime"
PATHS = (f"{_HEALTH}.systemHealthInfo.numericSensorInfo", f"{_HEALTH}.hardwareStatusInfo")
_SENSORS, _HARDWARE = PATHS
SENSORS, ELEMENTS = "sensors", "hardware_elements"
"""Keys among what only vSphere tells of a host."""
_STATES = ("green", "yellow", "red", "unknown")
_PARTS = {
    "cpu": "cpuStatusInfo",
    "memory": "memoryStatusInfo",
    "storage": "storageStatusInfo",
    "dpu": "dpuStatusInfo",
}


def health_of(facts: Facts, odd: Oddities) -> dict[str, Counter | None]:
    """Sensors by state, and elements by `<part> <state>`. A host that tells of none has no count, not zero."""
    sensors = [_word(each, "healthState", odd) for each in parts(facts, _SENSORS, odd)]
    hardware = part(facts, _HARDWARE, odd)
    elements: dict[str, float] = {}
    for name, field in _PARTS.items():
        states = [_word(each, "status", odd) for each in parts(hardware, field, odd)]
        elements |= {f"{name} {state}": count for state, count in _counted(states).items()}
    return {
        SENSORS: Parts(_counted(sensors)) if sensors else None,
        ELEMENTS: Parts(elements) if elements else None,
    }


def _word(thing: Facts, field: str, odd: Oddities) -> str:
    """The state's key, in whose letters hosts differ; `unknown` for any other word."""
    word = text(part(thing, field, odd), "key", odd).lower()
    return word if word in _STATES else "unknown"


def _counted(states: Iterable[str]) -> dict[str, float]:
    counts = Tally(states)
    return {state: counts[state] for state in _STATES} if counts else {}
