"""Datastores, sizes of guests' disks, file systems in guests, resource pools; and triggered alarms of all things."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from collectors.vsphere.client.decode import Ref, Shape, Shapes
from collectors.vsphere.groups import inventory, turns
from collectors.vsphere.groups.alarms import read_alarms
from collectors.vsphere.groups.layouts import TIMESTAMP, guests_of, note, outdated, read_layouts, state_of
from collectors.vsphere.groups.pools import Told, pools_by_owner
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import alarms, filesystems, pools
from collectors.vsphere.mapping import storage as mapping
from collectors.vsphere.mapping.checked import Facts, Oddities, flag, reference
from collectors.vsphere.mapping.devices import Disk
from collectors.vsphere.mapping.host import host_ids
from collectors.vsphere.mapping.layout import DiskSize, disk_size, has_sizes
from collectors.vsphere.mapping.paths import CLUSTER, DATASTORE, HOST, POD, POOL
from collectors.vsphere.mapping.places import Places, plain
from exporter.model import Cluster, EndpointFacts, Guest, GuestDisk, Host, Observation, Storage

PATHS: Mapping[str, Sequence[str]] = {DATASTORE: mapping.PATHS, POD: mapping.POD_PATHS, POOL: pools.PATHS}
OF_GUESTS = (*filesystems.PATHS, TIMESTAMP)
_OF_VCENTER = {POD}
"""An ESXi has no datastore clusters."""
SHAPES: Shapes = {"guest.disk": Shape(frozenset(), frozenset({"diskPath", "capacity", "freeSpace"}), list)}

Objects = Mapping[Ref, dict[str, Any]]


def collect(around: Surroundings) -> Observation:
    """The storage of one endpoint."""
    inventory.refresh(around)
    paths = PATHS if around.lane.service.vcenter else {k: v for k, v in PATHS.items() if k not in _OF_VCENTER}
    found: dict[Ref, dict[str, Any]] = {}
    for page in around.lane.every(paths):
        around.deadline.check("reading datastores")
        found |= page.objects
        around.findings.lost(page.lost)
    found |= turns.read_guests(around, around.memory.filesystems, OF_GUESTS, SHAPES).objects
    places = Places(around.memory.slow, around.lane.service.instance)
    raised = read_alarms(around)
    storages = _storages(around, found, raised)
    pooled = pools_by_owner(around, found)
    return Observation(
        collected_at=around.now,
        storages=storages,
        hosts=_hosts(around, places, pooled, raised),
        guests=_guests(around, found, places, {each.id: each for each in storages}, raised),
        clusters=_clusters(around, places, pooled, raised),
        endpoint=EndpointFacts(extra={} if raised is None else {alarms.IN_ALL: alarms.in_all(raised)}),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _storages(around: Surroundings, found: Objects, raised: alarms.Counts | None) -> tuple[Storage, ...]:
    endpoint = _endpoint(around)
    storages = []
    for ref, facts in found.items():
        if ref.kind != DATASTORE:
            continue
        odd: Oddities = []
        pod = found.get(reference(facts, "parent") or ref, {}) if _in_pod(facts) else {}
        view = mapping.StorageView(
            ref, endpoint, cluster=plain(str(pod.get("name", ""))), automated=flag(pod, mapping.DRS_ENABLED, odd)
        )
        made = mapping.storage(view, facts, odd)
        storages.append(dataclasses.replace(made, extra={**made.extra, **_alarms(raised, ref)}))
        note(around, ref, odd)
    return tuple(storages)


def _in_pod(facts: Facts) -> bool:
    parent = reference(facts, "parent")
    return parent is not None and parent.kind == POD


def _endpoint(around: Surroundings) -> str:
    """What makes ids unique among endpoints: the vCenter's own UUID; an ESXi has only that of its hardware."""
    hosts = around.memory.of_kind(HOST).values()
    return around.lane.service.instance or next((str(each.get("summary.hardware.uuid", "")) for each in hosts), "")


# Guests.


def _guests(
    around: Surroundings,
    found: Objects,
    places: Places,
    storages: Mapping[str, Storage],
    raised: alarms.Counts | None,
) -> tuple[Guest, ...]:
    known = {each[0]: each for each in guests_of(around, places)}
    late = set(around.memory.filesystems.behind)
    disks_of = {ref: [disk for _, disk in disks] for ref, (_, _, _, disks) in known.items()}
    _read_sizes(around, found, disks_of, storages)
    guests = []
    for ref, identity, name, disks in known.values():
        if ref in late:
            continue
        odd: Oddities = []
        _, sizes = around.memory.sizes.get(ref, (None, {}))
        guests.append(
            Guest(
                id=identity,
                name=name,
                native_id=ref.id,
                described=False,
                disks=tuple(_disk(label, disk, sizes.get(disk.key), storages) for label, disk in disks),
                filesystems=filesystems.filesystems(found.get(ref, {}), odd),
                extra={alarms.ALARMS: alarms.of_guest(raised, ref)} if raised and ref in raised else {},
            )
        )
        note(around, ref, odd)
    return tuple(guests)


def _disk(label: str, disk: Disk, size: DiskSize | None, storages: Mapping[str, Storage]) -> GuestDisk:
    place = storages.get(disk.storage.id) if disk.storage is not None else None
    return GuestDisk(
        disk=label,
        capacity_bytes=disk.capacity_bytes,
        allocated_bytes=None if size is None else size.allocated_bytes,
        physical_bytes=None if size is None else size.physical_bytes,
        chain_depth=size.chain_depth if size is not None else len(disk.below) if disk.below else None,
        storage=place.name if place is not None else "",
        storage_id=disk.storage.id if disk.storage is not None else "",
        path=disk.path or None,
        format=disk.format,
    )


def _read_sizes(
    around: Surroundings, found: Objects, disks: Mapping[Ref, Sequence[Disk]], storages: Mapping[str, Storage]
) -> None:
    """Bring the remembered sizes of disks up to date with what the endpoint knows of the guests' files."""
    sizes = around.memory.sizes
    for ref in sizes.keys() - disks.keys():
        del sizes[ref]
    states = {ref: state_of(found.get(ref, {}), of_guest) for ref, of_guest in disks.items()}
    for ref, layout in read_layouts(around, outdated(states, sizes, found)):
        told = {disk.key: disk_size(layout, disk, sized=_sized(disk, storages)) for disk in disks[ref]}
        sizes[ref] = states[ref], {key: size for key, size in told.items() if size is not None}


def _sized(disk: Disk, storages: Mapping[str, Storage]) -> bool:
    place = storages.get(disk.storage.id) if disk.storage is not None else None
    return place is not None and place.backing != "" and has_sizes(place.backing)


# What hosts and clusters have beside datastores: resource pools that somebody made, and alarms.


def _hosts(
    around: Surroundings, places: Places, pooled: Mapping[Ref, Told], raised: alarms.Counts | None
) -> tuple[Host, ...]:
    ids = host_ids(around.memory.of_kind(HOST))
    return tuple(
        Host(id=identity, name=places.name(ref), extra={**pooled.get(ref, {}), **_alarms(raised, ref)})
        for ref, identity in ids.items()
    )


def _clusters(
    around: Surroundings, places: Places, pooled: Mapping[Ref, Told], raised: alarms.Counts | None
) -> tuple[Cluster, ...]:
    return tuple(
        Cluster(
            id=places.cluster_id(ref),
            name=places.name(ref),
            extra={**pooled.get(ref, {}), **_alarms(raised, ref)},
        )
        for ref in around.memory.of_kind(CLUSTER)
    )


def _alarms(raised: alarms.Counts | None, ref: Ref) -> Told:
    return {} if raised is None else {alarms.ALARMS: alarms.of_one(raised, ref)}
