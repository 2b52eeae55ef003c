"""A fleet from a seed and a size: which clusters, hosts, storages and guests there are, and what they are like."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from collectors.simulated import guests, names
from collectors.simulated.curves import BATCHES, DAY, HOUR, MINUTE, ORIGIN, PHASES, Rhythm, Train, peak
from collectors.simulated.dice import Dice, identity
from collectors.simulated.options import Look, SimulatedOptions
from collectors.simulated.plans import GIB, ClusterPlan, DiskPlan, Fate, GuestPlan, HostPlan, Snaps, StoragePlan

GUESTS_PER_HOST = 14
HOSTS_PER_CLUSTER = 8
GUESTS_PER_STORAGE = 25
VCPUS_PER_CORE = 2.4
OVERHEAD_CPU = 0.02
"""Share of a host's processors that the hypervisor itself uses."""
OVERHEAD_MEMORY = 0.04
_CORES = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_MEMORY_GIB = (16, 32, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)
_KINDS: dict[str | None, str] = {"vsphere": "esx", "hyperv": "hv", "libvirt": "kvm", "proxmox": "pve"}
"""How hosts are called."""
FATES = (Fate.CROWDED, Fate.FAILING, Fate.CUT_OFF)


@dataclass(slots=True)
class Fleet:
    """What one target sees. It never changes; everything else follows from it and an instant."""

    seed: str
    site: str
    clusters: tuple[ClusterPlan, ...]
    hosts: tuple[HostPlan, ...]
    storages: tuple[StoragePlan, ...]
    guests: tuple[GuestPlan, ...]


@lru_cache(maxsize=64)
def _fleet(seed: str, count: int, hosts: int, snapshots: int, like: Look | None) -> Fleet:
    site = names.SITES[Dice(seed, "site").number(len(names.SITES))]
    clusters = _clusters(seed, site, hosts, like)
    every_host = tuple(host for cluster in clusters for host in cluster.hosts)
    storages = {cluster.id: _storages(seed, site, cluster, count, hosts) for cluster in clusters}
    plans = guests.plan(seed, count, every_host, storages, snapshots)
    _equip(clusters, plans)
    flat = tuple(storage for cluster in clusters for storage in storages[cluster.id])
    _size(flat, plans)
    return Fleet(seed, site, clusters, every_host, flat, plans)


def fleet_of(options: SimulatedOptions) -> Fleet:
    """The fleet of a target; targets with the same options share it."""
    single = options.like == "libvirt"
    hosts = options.hosts or (1 if single else 1 + ceil(options.guests / GUESTS_PER_HOST))
    snapshots = ceil(options.guests / 3) if options.snapshots is None else options.snapshots
    return _fleet(options.seed, options.guests, hosts, snapshots, options.like)


def _rhythm(dice: Dice) -> Rhythm:
    return Rhythm(dice.number(PHASES), dice.number(PHASES), dice.number(PHASES), dice.number(BATCHES))


def _clusters(seed: str, site: str, hosts: int, like: Look | None) -> tuple[ClusterPlan, ...]:
    count = ceil(hosts / HOSTS_PER_CLUSTER)
    clusters = []
    for number in range(count):
        name = f"{site}-{'prod' if number == 0 else number + 1}"
        cluster = ClusterPlan(identity(seed, "cluster", number), name, site.upper())
        members = range(number, hosts, count)
        for place, index in enumerate(members):
            fate = _fate(place, len(members), single=like == "libvirt")
            name = f"{_KINDS.get(like, 'host')}-{site}-{index + 1:02d}"
            cluster.hosts.append(_host(seed, name, cluster, index, fate))
        clusters.append(cluster)
    return tuple(clusters)


def _fate(place: int, members: int, *, single: bool) -> Fate:
    """Who is alone can neither fail over nor be spare; the more hosts, the more can happen."""
    if single or members < 3:
        return Fate.STEADY
    if place == members - 1:
        return Fate.SPARE
    return FATES[place] if place < min(len(FATES), members - 2) else Fate.STEADY


def _host(seed: str, name: str, cluster: ClusterPlan, index: int, fate: Fate) -> HostPlan:
    dice = Dice(seed, "host", index)
    first = ORIGIN - dice.between(0, 9 * DAY)
    episode = {
        Fate.FAILING: Train(first, 9 * DAY, 40 * MINUTE),
        Fate.CUT_OFF: Train(first, 5 * DAY, 50 * MINUTE),
        Fate.SPARE: Train(first, 6 * DAY, 8 * HOUR),
    }.get(fate, Train(first, DAY, 0.0))
    return HostPlan(
        id=identity(seed, "host", index),
        name=name,
        index=index,
        cluster=cluster,
        fate=fate,
        rhythm=_rhythm(dice),
        boot=ORIGIN - dice.between(10, 200) * DAY,
        episode=episode,
        native=f"host-{1001 + index}",
    )


def _storages(seed: str, site: str, cluster: ClusterPlan, count: int, hosts: int) -> list[StoragePlan]:
    here = len(cluster.hosts)
    shared = max(1, round(count * here / hosts / GUESTS_PER_STORAGE)) + 1
    found = []
    for number in range(shared):
        dice = Dice(seed, "storage", cluster.id, number)
        storage_id = identity(seed, "storage", cluster.id, number)
        plan = StoragePlan(
            id=storage_id,
            name=f"{cluster.name}-vol-{number + 1:02d}",
            key=f"nfs:nas.{site}.example.net:/vol/{storage_id[:8]}",
            shared=True,
            hosts=here,
            period=dice.between(30, 60) * DAY,
            offset=dice.between(0, 30) * DAY,
            filling=0.3 if number == 0 else 0.03,
        )
        if number == shared - 1 and shared > 2:
            plan.outage = Train(ORIGIN + dice.between(0, 8) * DAY, 8 * DAY, 25 * MINUTE)
        found.append(plan)
    for host in cluster.hosts[::4]:
        dice = Dice(seed, "storage", host.id)
        storage_id = identity(seed, "storage", host.id)
        found.append(
            StoragePlan(
                id=storage_id,
                name=f"{host.name}-local",
                key="",
                shared=False,
                hosts=1,
                period=dice.between(30, 60) * DAY,
                offset=0.0,
                filling=0.02,
                home=host.id,
            )
        )
    return found


def _equip(clusters: tuple[ClusterPlan, ...], plans: tuple[GuestPlan, ...]) -> None:
    """Hosts of a cluster are alike and fit its guests on average; crowded ones feel it, and nobody exceeds them."""
    at_home: dict[str, list[GuestPlan]] = defaultdict(list)
    may_be: dict[str, list[GuestPlan]] = defaultdict(list)
    for guest in plans:
        at_home[guest.home.id].append(guest)
        for host_id in {guest.home.id, *(stay.host.id for stay in guest.stays)}:
            may_be[host_id].append(guest)
    for cluster in clusters:
        active = max(1, sum(host.fate is not Fate.SPARE for host in cluster.hosts))
        mine = [guest for host in cluster.hosts for guest in at_home[host.id]]
        cores = _fitting(sum(guest.vcpus for guest in mine) / active / VCPUS_PER_CORE, _CORES)
        memory = GIB * _fitting(sum(guest.memory for guest in mine) / active / 0.9 / GIB, _MEMORY_GIB)
        for host in cluster.hosts:
            _fit(host, int(cores), memory, at_home[host.id], may_be[host.id])


def _fitting(wanted: float, sizes: tuple[int, ...]) -> float:
    return next((size for size in sizes if size >= wanted), 64 * ceil(wanted / 64))


def _fit(host: HostPlan, cores: int, memory: float, at_home: list[GuestPlan], may_be: list[GuestPlan]) -> None:
    host.cores, host.memory = cores, memory
    host.sockets = 2 if cores >= 8 else 1
    crowd = max(0.0, sum(guest.vcpus for guest in at_home) / host.threads - 1)
    noise = 0.12 if host.fate is Fate.CROWDED else 0.0
    host.contention = (0.003, min(0.08, 0.002 + 0.03 * crowd), 0.0, 0.0, noise)
    most_cpu = sum(guest.vcpus * peak(guest.busy) for guest in may_be)
    room_cpu = (0.97 - OVERHEAD_CPU) * host.threads
    most_memory = sum(guest.memory * sum(guest.resident) for guest in may_be)
    room_memory = (0.96 - OVERHEAD_MEMORY) * host.memory
    for guest in may_be:
        share = min(1.0, room_cpu / most_cpu) if most_cpu else 1.0
        if share < 1:
            a, b, c, d, e = guest.busy
            guest.busy = (a * share, b * share, c * share, d * share, e * share)
        if most_memory > room_memory:
            always, beyond = guest.resident
            guest.resident = (always * room_memory / most_memory, beyond * room_memory / most_memory)
    if most_memory > room_memory:
        host.pressure = 1 - room_memory / most_memory


def _size(storages: tuple[StoragePlan, ...], plans: tuple[GuestPlan, ...]) -> None:
    """Storages hold the most that their disks and snapshots may ever take, with more room or less."""
    disks: dict[str, list[DiskPlan]] = defaultdict(list)
    snapshots: dict[str, float] = defaultdict(float)
    for guest in plans:
        for disk in guest.disks:
            disks[disk.storage.id].append(disk)
        if guest.snaps is not Snaps.NONE and guest.disks:
            snapshots[guest.disks[0].storage.id] += guest.snapshot_bytes
    for number, storage in enumerate(storages):
        most = storage.overhead + snapshots[storage.id]
        most += sum(disk.capacity * (disk.written + storage.filling) for disk in disks[storage.id])
        full = 0.96 if storage.filling > 0.1 else (0.6, 0.75, 0.93, 0.45)[number % 4]
        storage.capacity = 64 * GIB * ceil(most / full / (64 * GIB))
