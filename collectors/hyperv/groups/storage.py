"""Volumes of hosts, shared volumes once per cluster, sizes of guests' disks, traffic of virtual switches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.rows import Row
from collectors.hyperv.findings import BLIND_SPOT, INACCESSIBLE, MISSING_RIGHT
from collectors.hyperv.groups import files, hosts, topology
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import storage as mapping
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.host import switches
from collectors.hyperv.mapping.settings import DiskFile, GuestSettings
from collectors.hyperv.mapping.snapshots import bare
from collectors.hyperv.mapping.storage import Places, Volume
from collectors.hyperv.mapping.values import Table
from collectors.hyperv.mapping.vhd import DiskFileFacts, chain, key_of
from collectors.hyperv.reach import NODE_SECONDS, Reading
from exporter.errors import Forbidden, Malformed, TimedOut, Unreachable, Unsupported
from exporter.model import GuestDisk, Host, Observation, Storage

_OF_HOST: Sequence[Table] = (tables.VOLUMES, tables.SWITCHES)
_OF_NODE: Sequence[Table] = (*_OF_HOST, tables.SHARED_FILE_SYSTEMS)
_OF_CLUSTER: Sequence[Table] = (tables.SHARED_VOLUMES, tables.CLUSTER_PARTITIONS)


def collect(around: Surroundings) -> Observation:
    """The storage of one target."""
    known = topology.learn(around, again=False)
    told = hosts.read_hosts(around, _OF_NODE if known.is_cluster else _OF_HOST, _then(around))
    shared = _shared(around, told.readings) if known.is_cluster else []
    if not known.is_cluster:
        _look_for_a_cluster(around, told.readings)
    volumes = [*shared, *_local(around, told.readings)]
    around.memory.volumes = tuple(volumes)
    everything = files.wanted_paths(
        around, (disk.path for _, _, each in _settings(around) for disk in each.disks or ())
    )
    files.note_unreadable(around, everything)
    places = Places(volumes)
    growth: dict[str, list[float | None]] = {}
    guests = [
        replace(bare(guest, each.name), disks=_disks(around, node, each, places, growth))
        for guest, node, each in _settings(around)
        if each.is_guest
    ]
    return Observation(
        around.now,
        hosts=_switches(around, told.readings),
        guests=tuple(guests),
        storages=tuple(_promised(around, each.storage, growth, everything) for each in volumes),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _then(around: Surroundings) -> hosts.Then:
    slow = hosts.with_slow(around)

    def then(node: str, connection: Connection, until: float, reading: Reading) -> None:
        slow(node, connection, until, reading)
        if not around.options.disk_files or reading.error is not None:
            return
        known = around.memory.slow.get(node)
        paths = [disk.path for each in known.settings.values() for disk in each.disks or ()] if known else []
        try:
            files.read_files(around, node, connection, until, paths)
        except (TimedOut, Unreachable):
            # What was read is told; the rest is read the next time, and the lost connection is made anew.
            return

    return then


def _settings(around: Surroundings) -> Iterator[tuple[str, str, GuestSettings]]:
    """Guest or checkpoint, node and settings; a guest that two nodes list is where vitals have seen it."""
    seen: dict[str, tuple[str, GuestSettings]] = {}
    for node, slow in around.memory.slow.items():
        for identity, settings in slow.settings.items():
            if identity not in seen or around.memory.guests.get(identity) == node:
                seen[identity] = (node, settings)
    for identity, (node, settings) in seen.items():
        yield identity, node, settings


# Volumes.


def _look_for_a_cluster(around: Surroundings, readings: Mapping[str, Reading]) -> None:
    """Shared volumes on a host that is in no cluster: the account may not see the cluster."""
    seen = {each for reading in readings.values() for each in mapping.seen_by(reading.answers.get(tables.VOLUMES, ()))}
    around.memory.unseen_cluster = bool(seen)
    if seen:
        around.findings.unread = True
        sentence = "the host has cluster shared volumes and shows no cluster: the account probably lacks access to it"
        around.findings.tell(BLIND_SPOT, len(seen), sentence)


def _local(around: Surroundings, readings: Mapping[str, Reading]) -> list[Volume]:
    odd: list[str] = []
    ids = around.memory.ids()
    found: list[Volume] = []
    for node, reading in readings.items():
        slow = around.memory.slow.get(node)
        found += mapping.local_volumes(
            reading.answers.get(tables.VOLUMES, ()),
            odd,
            host_id=ids.get(node, node),
            host=(slow.facts.name if slow else node) if node else "",
            target=around.target,
            now=around.now,
        )
    around.odd(odd, "volumes")
    return found


def _shared(around: Surroundings, readings: Mapping[str, Reading]) -> list[Volume]:
    known = around.memory.topology
    rows = _of_cluster(around, list(readings))
    if known is None or rows is None:
        return []
    odd: list[str] = []
    found = mapping.shared_volumes(*rows, odd, nodes=len(known.nodes), now=around.now)
    counters = {
        node: reading.answers[tables.SHARED_FILE_SYSTEMS]
        for node, reading in readings.items()
        if tables.SHARED_FILE_SYSTEMS in reading.answers
    }
    seen = [mapping.seen_by(reading.answers.get(tables.VOLUMES, ())) for reading in readings.values()]
    out = []
    for volume in found:
        storage = volume.storage
        users = sum(storage.id in each for each in seen)
        extra = {**storage.extra, **mapping.redirected(counters, storage.name, odd)}
        # A node that could not be asked may see it too; where no node lists shared volumes at all, nobody knows.
        known_users = users if users and len(readings) == len(known.nodes) else None
        out.append(replace(volume, storage=replace(storage, hosts_accessible=known_users, extra=extra)))
    around.odd(odd, "cluster shared volumes")
    return out


def _of_cluster(around: Surroundings, nodes: Sequence[str]) -> tuple[list[Row], list[Row]] | None:
    """Shared volumes and their partitions, from the first node that tells."""
    addresses = around.hosts()
    trouble: Exception | None = None
    for node in nodes:
        until = time.monotonic() + min(around.deadline.remaining_seconds, NODE_SECONDS)
        try:
            volumes, partitions = around.reach.ask(
                around.lane,
                addresses[node],
                lambda way, until=until: [way.rows(table.query, until) for table in _OF_CLUSTER],  # type: ignore[misc]
            )
        except Unsupported:
            return None
        except (Forbidden, Malformed, TimedOut, Unreachable) as error:
            trouble = error
            continue
        return volumes, partitions
    if trouble is not None:
        problem = MISSING_RIGHT if isinstance(trouble, Forbidden) else INACCESSIBLE
        around.findings.note(problem, "shared volumes", str(trouble))
    return None


# Disks.


def _disks(
    around: Surroundings, node: str, settings: GuestSettings, places: Places, growth: dict[str, list[float | None]]
) -> tuple[GuestDisk, ...]:
    """A guest's disks. What they may still grow by is added to `growth` by storage."""
    known = around.memory.files
    host = around.memory.ids().get(node, node)
    disks = []
    for disk in settings.disks or ():
        facts, place = known.get(key_of(disk.path)), places.storage(disk.path, host)
        if place is not None:
            growth.setdefault(place.id, []).append(None if facts is None else facts.growth_bytes)
        disks.append(_disk(disk, facts, place, known))
    return tuple(disks)


def _disk(
    disk: DiskFile, facts: DiskFileFacts | None, place: Storage | None, known: Mapping[str, DiskFileFacts]
) -> GuestDisk:
    layers = chain(disk.path, known)
    return GuestDisk(
        disk=disk.disk,
        capacity_bytes=None if facts is None else facts.capacity_bytes,
        allocated_bytes=None if facts is None else facts.file_bytes,
        chain_depth=None if layers is None else len(layers) - 1,
        storage=place.name if place is not None else "",
        storage_id=place.id if place is not None else "",
        path=disk.path,
        format=facts.format if facts is not None and facts.format else disk.path.rpartition(".")[2].lower(),
    )


def _promised(
    around: Surroundings, storage: Storage, growth: Mapping[str, list[float | None]], wanted: Mapping[str, str]
) -> Storage:
    if not around.options.disk_files or not wanted:
        return storage
    return mapping.provisioned(storage, growth.get(storage.id, []))


def _switches(around: Surroundings, readings: Mapping[str, Reading]) -> tuple[Host, ...]:
    ids = around.memory.ids()
    odd: list[str] = []
    found = []
    for node, reading in readings.items():
        slow = around.memory.slow.get(node)
        if slow is not None and tables.SWITCHES in reading.answers:
            extra = switches(reading.answers[tables.SWITCHES], odd)
            found.append(Host(id=ids[node], name=slow.facts.name or ids[node], extra=extra))
    around.odd(odd, "virtual switches")
    return tuple(found)
