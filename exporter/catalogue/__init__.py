"""Every shared metric as data, by entity; it names no platform. `exporter.platforms` adds what those declare."""

from __future__ import annotations

from exporter.catalogue import cluster, exporter, guest, host, parts, snapshot, storage, target
from exporter.catalogue.family import (
    GROUPS,
    INVENTORY,
    PARENT,
    SNAPSHOTS,
    STORAGE,
    VITALS,
    Entity,
    Family,
    Kind,
    Priority,
    Section,
)

__all__ = [
    "GROUPS",
    "INVENTORY",
    "PARENT",
    "SHARED",
    "SNAPSHOTS",
    "STORAGE",
    "VITALS",
    "Entity",
    "Family",
    "Kind",
    "Priority",
    "Section",
]

SHARED: tuple[Family, ...] = (
    *target.FAMILIES,
    *exporter.FAMILIES,
    *host.FAMILIES,
    *cluster.FAMILIES,
    *guest.FAMILIES,
    *parts.FAMILIES,
    *snapshot.FAMILIES,
    *storage.FAMILIES,
)
"""Every family of the shared schema, in the order in which pages show them."""
