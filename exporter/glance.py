"""The estate at a glance: the oldest snapshots, the most overcommitted hosts and the fullest storage over all targets.

Made of the digests that came with the newest pages; pages, API and terminal tables show it. Pure.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any

from exporter.runtime.digest import read
from exporter.web.source import FullStorage, Glance, LoadedHost, OldSnapshot

MOST = 10


def glance(digests: Iterable[tuple[str, bytes]], most: int = MOST) -> Glance:
    """Over the digests of all targets, each with its target's name."""
    snapshots: list[OldSnapshot] = []
    hosts: list[LoadedHost] = []
    storages: list[FullStorage] = []
    of = dict.fromkeys(("snapshots", "hosts", "storages"), 0)
    for target, text in digests:
        document = read(text)
        for kind in of:
            of[kind] += document.get(kind, {}).get("of", 0)
        snapshots += filter(None, (_snapshot(target, entry) for entry in _first(document, "snapshots")))
        hosts += (_host(target, entry) for entry in _first(document, "hosts"))
        storages += filter(None, (_storage(target, entry) for entry in _first(document, "storages")))
    return Glance(
        snapshots=tuple(heapq.nsmallest(most, snapshots, key=lambda old: old.oldest_timestamp_seconds)),
        guests_with_snapshots=of["snapshots"],
        hosts=tuple(
            heapq.nlargest(most, hosts, key=lambda host: max(host.memory_ratio or 0, host.vcpus_per_core or 0))
        ),
        hosts_in_all=of["hosts"],
        storages=tuple(heapq.nlargest(most, storages, key=lambda storage: storage.used_ratio)),
        storages_in_all=of["storages"],
    )


def _first(document: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return list(document.get(kind, {}).get("first", ()))


def _snapshot(target: str, entry: Mapping[str, Any]) -> OldSnapshot | None:
    oldest = entry["oldest_timestamp_seconds"]
    if oldest is None:
        return None
    return OldSnapshot(target, entry["guest"], entry["count"], oldest, entry["chain_depth"], entry["size_bytes"])


def _host(target: str, entry: Mapping[str, Any]) -> LoadedHost:
    return LoadedHost(
        target,
        entry["name"],
        _ratio(entry["vcpus_allocated"], entry["cores"]),
        _ratio(entry["memory_allocated_bytes"], entry["memory_bytes"]),
    )


def _storage(target: str, entry: Mapping[str, Any]) -> FullStorage | None:
    capacity, free = entry["capacity_bytes"], entry["free_bytes"]
    if not capacity or free is None:
        return None
    return FullStorage(target, entry["name"], 1 - free / capacity, _ratio(entry["provisioned_bytes"], capacity), free)


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
