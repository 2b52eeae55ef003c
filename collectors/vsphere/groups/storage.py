"""Datastores, sizes of guests' disks, file systems in guests, resource pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups import inventory
from collectors.vsphere.groups.layouts import (
    TIMESTAMP,
    VALUE_REJECTED,
    guests_of,
    note,
    outdated,
    read_layouts,
    state_of,
)
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import filesystems, pools
from collectors.vsphere.mapping import storage as mapping
from collectors.vsphere.mapping.checked import Facts, Oddities, flag, reference
from collectors.vsphere.mapping.devices import Disk
from collectors.vsphere.mapping.layout import DiskSize, disk_size, has_sizes
from collectors.vsphere.mapping.paths import CLUSTER, DATASTORE, GUEST, HOST, POD, POOL
from collectors.vsphere.mapping.places import Places, plain
from exporter.model import Cluster, Guest, GuestDisk, Observation, Storage

PATHS: Mapping[str, Sequence[str]] = {
    DATASTORE: mapping.PATHS,
    POD: mapping.POD_PATHS,
    POOL: pools.PATHS,
    GUEST: (*filesystems.PATHS, TIMESTAMP),
}
_OF_VCENTER = {POD, POOL}
"""An ESXi has no datastore clusters, and no clusters whose pools could be told."""
MOST_POOLS = 1000

Objects = Mapping[Ref, dict[str, Any]]


def collect(around: Surroundings) -> Observation:
    """The storage of one endpoint."""
    inventory.refresh(around)
    paths = PATHS if around.lane.service.vcenter else {k: v for k, v in PATHS.items() if k not in _OF_VCENTER}
    found: dict[Ref, dict[str, Any]] = {}
    for page in around.lane.every(paths):
        around.deadline.check("reading datastores and file systems")
        found |= page.objects
        around.findings.lost(page.lost)
    places = Places(around.memory.slow, around.lane.service.instance)
    storages = _storages(around, found)
    return Observation(
        collected_at=around.now,
        storages=storages,
        guests=_guests(around, found, places, {each.id: each for each in storages}),
        clusters=_pools(around, found, places),
        problems=around.findings.problems,
        partial=around.findings.any,
    )


def _storages(around: Surroundings, found: Objects) -> tuple[Storage, ...]:
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
        storages.append(mapping.storage(view, facts, odd))
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


def _guests(around: Surroundings, found: Objects, places: Places, storages: Mapping[str, Storage]) -> tuple[Guest, ...]:
    known = {each[0]: each for each in guests_of(around, places)}
    disks_of = {ref: [disk for _, disk in disks] for ref, (_, _, _, disks) in known.items()}
    _read_sizes(around, found, disks_of, storages)
    guests = []
    for ref, identity, name, disks in known.values():
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


# Resource pools.


def _pools(around: Surroundings, found: Objects, places: Places) -> tuple[Cluster, ...]:
    """The pools that somebody made in clusters; a cluster's own pool is the cluster."""
    made: dict[Ref, dict[Ref, Facts]] = {}
    for count, (ref, facts) in enumerate(sorted(_made(found))):
        owner = reference(facts, "owner")
        if owner is None or owner.kind != CLUSTER:
            continue
        if count >= MOST_POOLS:
            around.findings.note(VALUE_REJECTED, ref, f"only {MOST_POOLS} resource pools are told, {ref.id} is not")
            continue
        made.setdefault(owner, {})[ref] = facts
    clusters = []
    for owner, of_cluster in made.items():
        odd: Oddities = []
        values = pools.values_of(of_cluster, odd)
        clusters.append(Cluster(id=places.cluster_id(owner), name=places.name(owner), extra=values))
        note(around, owner, odd)
    return tuple(clusters)


def _made(found: Objects) -> list[tuple[Ref, Facts]]:
    return [
        (ref, facts)
        for ref, facts in found.items()
        if ref.kind in {POOL, "VirtualApp"}
        and (reference(facts, "parent") or ref).kind in {POOL, "VirtualApp"}
        and "parent" in facts
    ]
