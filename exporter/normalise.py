"""From what a collector saw to what is shown: one entity per id, sums over guests, filters, snapshots in numbers.

Pure. Called by the pipeline between collector and renderer; the order matters, since sums come before filters.
"""

from __future__ import annotations

import re
import sys
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from exporter.config.model import Target
from exporter.model import (
    Allocation,
    Cluster,
    Guest,
    GuestState,
    Host,
    HostState,
    Observation,
    Snapshot,
    SnapshotSummary,
    Storage,
)

FUTURE_SECONDS = 300.0
"""Clocks differ by this much without anybody being told."""

USER, BACKUP, REPLICATION = "user", "backup", "replication"
_ALWAYS_COUNTED = (GuestState.RUNNING, GuestState.STOPPED)

SnapshotKinds = tuple[tuple[str, tuple[str, ...]], ...]
T = TypeVar("T", Host, Guest, Storage, Cluster)
M = TypeVar("M", Host, Guest)


@dataclass(frozen=True, slots=True)
class Normalised:
    """The observation as families read it, what was wrong with it, and how many of each kind were seen."""

    observation: Observation
    problems: Mapping[str, int]
    objects: Mapping[str, int]


def normalise(seen: Observation, target: Target) -> Normalised:
    """One entity per id in the order of ids, allocation of hosts, the target's filters, snapshots summed up."""
    problems: Tally[str] = Tally()
    hosts = _unique(seen.hosts, _host_rank, "duplicate_host_id", problems)
    guests = _unique(seen.guests, guest_rank, "duplicate_guest_id", problems)
    storages = _unique(seen.storages, _storage_rank, "duplicate_storage_id", problems)
    clusters = _unique(seen.clusters, lambda cluster: (cluster.name,), "duplicate_cluster_id", problems)
    objects = {
        "hosts": len(hosts),
        "guests": len(guests),
        "snapshots": sum(len(guest.snapshots or ()) for guest in guests),
        "storages": len(storages),
    }
    if any(guest.state is not None for guest in guests) or not (guests or seen.partial):
        hosts = _allocated(hosts, guests)
    if target.compute_cluster:
        hosts = tuple(_in_cluster(host, target.compute_cluster) for host in hosts)
        guests = tuple(_in_cluster(guest, target.compute_cluster) for guest in guests)
    shown = [guest for guest in guests if target.filters.guests.admits(guest.name)]
    kinds = target.profile.snapshot_kinds
    summed = tuple(_with_snapshots(guest, kinds, seen.collected_at, problems) for guest in shown)
    observation = replace(seen, hosts=hosts, guests=summed, storages=storages, clusters=clusters)
    return Normalised(observation, problems, objects)


# One entity per id.


def _unique(
    entities: Sequence[T], rank: Callable[[T], tuple[Any, ...]], problem: str, problems: Tally[str]
) -> tuple[T, ...]:
    """Sorted by id; of several with one id the one with the smallest rank, the others are counted."""
    ids = [str(entity.id) for entity in entities]
    if len(set(ids)) == len(ids):
        return tuple(sorted(entities, key=lambda entity: str(entity.id)))
    chosen: dict[str, T] = {}
    for entity_id, entity in zip(ids, entities, strict=True):
        rival = chosen.get(entity_id)
        if rival is None or rank(entity) < rank(rival):
            chosen[entity_id] = entity
    if len(chosen) < len(ids):
        problems[problem] += len(ids) - len(chosen)
    return tuple(chosen[entity_id] for entity_id in sorted(chosen))


def _host_rank(host: Host) -> tuple[Any, ...]:
    return (host.state not in (None, HostState.CONNECTED), host.up is False, host.name)


def guest_rank(guest: Guest) -> tuple[Any, ...]:
    """Of two guests with one id the smaller wins: connected, then running, then the smallest native id."""
    running = guest.state is not None and bool(guest.state.running)
    # Shorter first, so that vm-9 comes before vm-12.
    return (guest.state is GuestState.UNKNOWN, not running, len(guest.native_id), guest.native_id, guest.name)


def _storage_rank(storage: Storage) -> tuple[Any, ...]:
    return (storage.accessible is False, storage.name)


def _in_cluster(entity: M, cluster: str) -> M:
    """A stand-alone host or its guest joins the cluster that the target's configuration names."""
    if entity.compute_cluster_id:
        return entity
    return replace(entity, compute_cluster=cluster, compute_cluster_id=cluster)


# What guests hold of their hosts.


def _allocated(hosts: tuple[Host, ...], guests: Iterable[Guest]) -> tuple[Host, ...]:
    only = hosts[0].id if len(hosts) == 1 else ""
    by_host: dict[str, list[Guest]] = {host.id: [] for host in hosts}
    for guest in guests:
        of_host = by_host.get(guest.host_id or only)
        if of_host is not None and guest.kind != "template":
            of_host.append(guest)
    return tuple(
        replace(host, allocation=_allocation(by_host[host.id])) if host.allocation is None else host for host in hosts
    )


def _allocation(guests: Sequence[Guest]) -> Allocation:
    states = Tally({str(state): 0 for state in _ALWAYS_COUNTED})
    states.update(str(guest.state) for guest in guests if guest.state is not None)
    holding = [guest for guest in guests if _holds_memory(guest)]
    return Allocation(
        guests=dict(sorted(states.items())),
        vcpus=_sum(guest.cpu.vcpus for guest in holding),
        memory_bytes=_sum(guest.memory.configured_bytes for guest in holding),
        memory_assigned_bytes=_sum(guest.memory.assigned_bytes for guest in holding),
    )


def _holds_memory(guest: Guest) -> bool:
    if guest.holds_memory is not None:
        return guest.holds_memory
    return guest.state is not None and guest.state.holds_memory


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum, or None where a summand is unknown: a sum that is too small is worse than none."""
    total = 0.0
    for value in values:
        known = _known(value)
        if known is None:
            return None
        total += known
    return total


def _known(value: Any) -> float | None:
    """The value if it can be calculated with; platforms are not trusted to send only numbers."""
    return value if isinstance(value, int | float) and abs(value) <= sys.float_info.max else None


# Snapshots.


def _with_snapshots(guest: Guest, kinds: SnapshotKinds, now: float, problems: Tally[str]) -> Guest:
    if guest.snapshots is None:
        return guest
    snapshots = tuple(
        replace(snapshot, kind=_kind(snapshot.name, kinds)) if snapshot.kind is None else snapshot
        for snapshot in guest.snapshots
    )
    future = sum((_known(snapshot.created_timestamp_seconds) or 0.0) > now + FUTURE_SECONDS for snapshot in snapshots)
    if future:
        problems["snapshot_in_future"] += future
    return replace(guest, snapshots=snapshots, snapshot_summary=guest.snapshot_summary or _summary(snapshots, now))


def _summary(snapshots: Sequence[Snapshot], now: float) -> SnapshotSummary:
    kept = [snapshot for snapshot in snapshots if snapshot.kind != REPLICATION]
    backups = [snapshot for snapshot in kept if snapshot.kind == BACKUP]
    oldest = _oldest(kept)
    return SnapshotSummary(
        count=len(kept),
        oldest_timestamp_seconds=oldest,
        oldest_age_seconds=None if oldest is None else max(0.0, now - oldest),
        chain_depth=chain_depth(snapshots),
        backups=len(backups),
        oldest_backup_timestamp_seconds=_oldest(backups),
        replications=len(snapshots) - len(kept),
    )


def _oldest(snapshots: Iterable[Snapshot]) -> float | None:
    known = (_known(snapshot.created_timestamp_seconds) for snapshot in snapshots)
    return min((created for created in known if created is not None), default=None)


def chain_depth(snapshots: Sequence[Snapshot]) -> int:
    """Snapshots on the longest path from a root. A missing parent makes a root; a loop counts each snapshot once."""
    parents = {snapshot.id: snapshot.parent_id for snapshot in snapshots}
    depths: dict[str, int] = {}
    for start in parents:
        path: dict[str, None] = {}
        at = start
        while at in parents and at not in depths and at not in path:
            path[at] = None
            at = parents[at]
        depth = depths.get(at, 0)
        for step in reversed(path):
            depth += 1
            depths[step] = depth
    return max(depths.values(), default=0)


def _kind(name: str, kinds: SnapshotKinds) -> str:
    for kind, patterns in kinds:
        if any(_compiled(pattern).search(name) for pattern in patterns):
            return kind
    return USER


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
