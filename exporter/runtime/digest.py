"""A bounded summary of an observation for people: what pages, API and terminal tables show. Travels in the envelope.

The exposition is never parsed for that. What does not fit is counted: `of` says how many there were.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from exporter.model import Guest, Host, Observation, Storage

MOST_SNAPSHOTS = 200
MOST_THINGS = 5000
LARGEST_BYTES = 256 * 1024


def digest(observation: Observation) -> bytes:
    """The summary, compressed, at most 256 KiB; empty where the observation has nothing that is shown."""
    most = MOST_THINGS
    while True:
        document = _document(observation, most)
        if not document:
            return b""
        text = zlib.compress(json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode())
        if len(text) <= LARGEST_BYTES or most == 0:
            return text
        most //= 2


def read(text: bytes) -> Mapping[str, Any]:
    """What `digest` wrote."""
    return dict(json.loads(zlib.decompress(text))) if text else {}


def _document(observation: Observation, most: int) -> dict[str, Any]:
    hosts = [host for host in observation.hosts if host.allocation is not None]
    # The group of snapshots lists storage too, for what snapshots hold of it; it tells nothing of the storage itself.
    told = [each for each in observation.storages if each.accessible is not None or each.capacity_bytes is not None]
    guests = [guest for guest in observation.guests if guest.snapshot_summary and guest.snapshot_summary.count]
    parts = {
        "hosts": _first(hosts, most, _overcommit, _host),
        "storages": _first(told, most, _fullness, _storage),
        "snapshots": _first(guests, min(most, MOST_SNAPSHOTS), _oldest, _snapshots),
    }
    return {name: part for name, part in parts.items() if part["of"]}


def _first(
    things: Sequence[Any], most: int, rank: Callable[[Any], float], show: Callable[[Any], Mapping[str, Any]]
) -> dict[str, Any]:
    """The `most` highest by rank, and of how many."""
    chosen: Iterable[Any] = sorted(things, key=lambda thing: (-rank(thing), thing.id))[:most]
    return {"of": len(things), "first": [show(thing) for thing in chosen]}


def _overcommit(host: Host) -> float:
    allocated = host.allocation.memory_bytes if host.allocation is not None else None
    return (allocated or 0.0) / (host.memory.capacity_bytes or float("inf"))


def _host(host: Host) -> dict[str, Any]:
    allocation = host.allocation
    assert allocation is not None  # noqa: S101  chosen for having one
    return {
        "id": host.id,
        "name": host.name,
        "cores": host.cpu.cores,
        "cpus": host.cpu.capacity_cpus,
        "memory_bytes": host.memory.capacity_bytes,
        "guests": dict(allocation.guests),
        "vcpus_allocated": allocation.vcpus,
        "memory_allocated_bytes": allocation.memory_bytes,
    }


def _fullness(storage: Storage) -> float:
    if not storage.capacity_bytes or storage.free_bytes is None:
        return -1.0
    return 1 - storage.free_bytes / storage.capacity_bytes


def _storage(storage: Storage) -> dict[str, Any]:
    return {
        "id": storage.id,
        "name": storage.name,
        "accessible": storage.accessible,
        "capacity_bytes": storage.capacity_bytes,
        "free_bytes": storage.free_bytes,
        "provisioned_bytes": storage.provisioned_bytes,
    }


def _oldest(guest: Guest) -> float:
    summary = guest.snapshot_summary
    oldest = summary.oldest_timestamp_seconds if summary is not None else None
    return float("-inf") if oldest is None else -oldest


def _snapshots(guest: Guest) -> dict[str, Any]:
    summary = guest.snapshot_summary
    assert summary is not None  # noqa: S101  chosen for having one
    return {
        "id": guest.id,
        "guest": guest.name,
        "count": summary.count,
        "oldest_timestamp_seconds": summary.oldest_timestamp_seconds,
        "chain_depth": summary.chain_depth,
        "size_bytes": guest.snapshots_size_bytes,
    }
