"""What an observation tells, family by family, before the core derives anything from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exporter.catalogue.family import PARENT, Entity, Family
from exporter.exposition.subjects import walk
from exporter.model import (
    Cluster,
    EndpointFacts,
    Guest,
    GuestDisk,
    GuestFilesystem,
    GuestNic,
    Host,
    HostNic,
    Observation,
    Snapshot,
    Storage,
)
from exporter.testing.visit import Collected

_BARE: Mapping[Entity, Any] = {
    Entity.TARGET: EndpointFacts(),
    Entity.HOST: Host("", ""),
    Entity.HOST_NIC: HostNic(""),
    Entity.GUEST: Guest("", ""),
    Entity.DISK: GuestDisk(""),
    Entity.NIC: GuestNic(""),
    Entity.FILESYSTEM: GuestFilesystem(""),
    Entity.SNAPSHOT: Snapshot("", ""),
    Entity.STORAGE: Storage("", ""),
    Entity.CLUSTER: Cluster("", ""),
}
"""Entities of which nothing is known: what a family says of these, nobody has told it."""

FACTS: Mapping[str, str] = {
    "hypervisor_target_clock_offset_seconds": "clock_offset_seconds",
    "hypervisor_target_tls_verified": "tls_verified",
    "hypervisor_target_tls_not_after_timestamp_seconds": "tls_not_after_timestamp_seconds",
}
"""Families of the parent that collectors feed through `Observation.endpoint`, and its field."""


def tells(family: Family, seen: Observation) -> bool:
    """Whether the observation itself holds a value of the family, beyond what every bare entity has."""
    if family.group == PARENT:
        fact = FACTS.get(family.name)
        return fact is not None and getattr(seen.endpoint, fact) is not None
    nothing = _values(family, _BARE[family.entity])
    return any(values not in ([], nothing) for values in (_values(family, thing) for _, thing in _things(family, seen)))


def _things(family: Family, seen: Observation) -> list[tuple[Any, Any]]:
    try:
        return walk(seen, family.entity)
    except (TypeError, AttributeError):  # an observation that is none fails other checks
        return []


def _values(family: Family, thing: Any) -> list[Any]:
    try:
        if family.value is not None:
            value = family.value(thing)
            return [] if value is None else [value]
        rows = family.each(thing) if family.each is not None else ()
        return [row for row in rows or () if row[1] is not None]
    except Exception:  # noqa: BLE001  a mapping's mistake is found where the page is made
        return []


def shown(collected: Collected) -> Iterator[str]:
    """Names of the families that the collection has brought onto the page, or to the parent."""
    yield from {sample.family.name for sample in collected.samples}
    if collected.page is not None:
        if collected.page.single_host:
            yield "hypervisor_host_up"
        facts: EndpointFacts = collected.page.endpoint
        yield from (name for name, fact in FACTS.items() if getattr(facts, fact) is not None)
