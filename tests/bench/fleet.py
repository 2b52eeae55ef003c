"""A generated estate of any size for the real pipelines, and the same values for prometheus_client.

Nothing is kept between two observations: like a hypervisor's answers, every one is made anew, strings included. The
same seed makes the same world, with counters that `moment` moves on.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from exporter.catalogue import GROUPS, INVENTORY, SHARED, SNAPSHOTS, STORAGE, VITALS
from exporter.config.model import Target
from exporter.contract import Native, Platform
from exporter.exposition.subjects import WALKED, walk
from exporter.model import (
    Guest,
    GuestCpu,
    GuestDisk,
    GuestMemory,
    GuestNic,
    GuestState,
    Host,
    HostCpu,
    HostMemory,
    HostState,
    Observation,
    Parts,
    Snapshot,
    Storage,
    Traffic,
)
from exporter.normalise import normalise


@dataclass(frozen=True, slots=True)
class Size:
    """How large one target is. Every guest has a disk and a network adapter; `running` is the part that runs."""

    guests: int
    hosts: int = 1
    snapshots: int = 0
    running: float = 1.0


def target(number: int) -> Target:
    return Target(f"vc-{number:03d}", "bench", "bench://")


def observation(number: int, guests: int, *, moment: int = 0) -> Observation:
    """Vitals of one host and its guests."""
    return observed(VITALS, number, Size(guests), moment)


def observed(group: str, number: int, size: Size, moment: int = 0) -> Observation:
    """What a collection of the group sees."""
    dice = random.Random(number)
    hosts = tuple(_host(dice, number, n, moment) for n in range(size.hosts))
    names = [_identity(dice) for _ in range(size.guests)]
    at = 1.79e9 + 30 * moment
    if group == VITALS:
        guests = tuple(_vitals(dice, who, hosts, moment, running=dice.random() < size.running) for who in names)
        return Observation(at, hosts=hosts, guests=guests)
    if group == STORAGE:
        storages = tuple(_storage(dice, n) for n in range(max(2, size.hosts // 3)))
        disks = tuple(Guest(id_, name, disks=(_space(dice, name),)) for id_, name in names)
        return Observation(at, guests=disks, storages=storages)
    if group == SNAPSHOTS:
        shares = [size.snapshots // size.guests + (n < size.snapshots % size.guests) for n in range(size.guests)]
        of = zip(names, shares, strict=True)
        return Observation(at, guests=tuple(Guest(i, name, snapshots=_snapshots(dice, n)) for (i, name), n in of))
    if group == INVENTORY:
        return Observation(at, guests=tuple(_inventory(dice, id_, name) for id_, name in names))
    raise ValueError(group)


def _id(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def _identity(dice: random.Random) -> tuple[str, str]:
    kind = dice.choice(("app", "db", "web", "build"))
    return _id(dice), f"{kind}-{dice.randrange(10**5):05d}.prod.example.net"


def _host(dice: random.Random, number: int, place: int, moment: int) -> Host:
    return Host(
        _id(dice),
        f"esx{number:03d}-{place:02d}.example.net",
        product="Bench",
        version="8.0.3",
        state=HostState.CONNECTED,
        up=True,
        cpu=HostCpu(2, 32, 64, 2.4e9, 64, busy_seconds=dice.random() * 1e7 + moment * 30),
        memory=HostMemory(2.0**39, dice.random() * 2**39, dice.random() * 2**38),
    )


def _vitals(dice: random.Random, who: tuple[str, str], hosts: tuple[Host, ...], moment: int, *, running: bool) -> Guest:
    def grows(most: float) -> float:
        return round(dice.random() * most + moment * dice.random() * 30, 9)

    def counts(most: int) -> int:
        return dice.randrange(most) + moment * dice.randrange(10**6)

    host = dice.choice(hosts)
    native_id, os = f"vm-{dice.randrange(10**6)}", dice.choice(("Debian 12", "Windows Server 2022", "Ubuntu 24.04"))
    described = {"native_id": native_id, "host": host.name, "host_id": host.id, "os": os, "migrating": False}
    if not running:
        memory = GuestMemory(configured_bytes=2**33)
        nic, disk = GuestNic("net0"), GuestDisk("vda")
        return Guest(
            *who,
            state=GuestState.STOPPED,
            cpu=GuestCpu(4),
            memory=memory,
            disks=(disk,),
            nics=(nic,),
            **described,  # type: ignore[arg-type]
        )
    traffic = Traffic(*(counts(10**12) for _ in range(2)), *(counts(10**9) for _ in range(2)), 0, 0, counts(99), 0)
    return Guest(
        *who,
        state=GuestState.RUNNING,
        stats_complete=True,
        cpu=GuestCpu(4, Parts({str(cpu): grows(1e6) for cpu in range(4)}), Parts({"0": grows(1e4)})),
        memory=GuestMemory(
            configured_bytes=2**33,
            assigned_bytes=2**33,
            host_used_bytes=4096 * dice.randrange(2**21),
            used_bytes=4096 * dice.randrange(2**21),
            available_bytes=4096 * dice.randrange(2**20),
        ),
        disks=(GuestDisk("vda", *(counts(10**12) for _ in range(4)), grows(1e5), grows(1e5), errors=0),),
        nics=(GuestNic("net0", traffic=traffic),),
        **described,  # type: ignore[arg-type]
    )


def _space(dice: random.Random, name: str) -> GuestDisk:
    used = 4096 * dice.randrange(2**24)
    path = f"[ds{dice.randrange(10)}] {name}/{name}.vmdk"
    return GuestDisk("vda", capacity_bytes=2**36, allocated_bytes=used, storage="ds", path=path, format="vmdk")


def _storage(dice: random.Random, place: int) -> Storage:
    return Storage(
        _id(dice),
        f"ds{place}",
        backing="vmfs",
        accessible=True,
        capacity_bytes=2**44,
        free_bytes=4096 * dice.randrange(2**32),
    )


def _snapshots(dice: random.Random, number: int) -> tuple[Snapshot, ...]:
    ids = [f"snapshot-{dice.randrange(10**6)}" for _ in range(number)]
    parents = ["", *ids]
    began = 1.78e9 + dice.randrange(10**6)
    return tuple(Snapshot(id_, f"before {id_}", began + n, parents[n]) for n, id_ in enumerate(ids))


def _inventory(dice: random.Random, identity: str, name: str) -> Guest:
    mac = ":".join(f"{byte:02x}" for byte in dice.randbytes(6))
    return Guest(identity, name, autostart=True, nics=(GuestNic("net0", mac, "VM Network"),))


def _delivered() -> dict[str, Native]:
    """Support for the families of which the estate has values: like every platform it declares what it can."""
    found = {}
    for group in GROUPS:
        seen = normalise(observed(group, 0, Size(50, snapshots=50, running=0.9)), target(0)).observation
        for family in SHARED:
            things = [thing for _, thing in walk(seen, family.entity)] if family.entity in WALKED else []
            read = family.value or family.each
            if family.group == group and read and any(read(thing) not in (None, (), []) for thing in things):
                found[family.name] = Native("generated")
    return found


PLATFORM = Platform("bench", "Bench", _delivered(), open=lambda _t, _c: None)
FAMILIES = tuple(family for family in SHARED if family.name in PLATFORM.support and family.default)
"""Every family that it shows; `families_of` tells which of them a group feeds."""


class SameValues:
    """A registry that yields the families of a text page, as an exporter built on prometheus_client would."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def registry_of(text: str) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SameValues(text))  # type: ignore[arg-type]
    return registry
