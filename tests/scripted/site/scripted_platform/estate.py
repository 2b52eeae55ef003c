"""The healthy estate of a script at an instant, per group. Pure: the same script and clock, the same observation."""

from __future__ import annotations

import uuid
from functools import lru_cache

from exporter.model import (
    Cluster,
    EndpointFacts,
    Guest,
    GuestCpu,
    GuestDisk,
    GuestFilesystem,
    GuestMemory,
    GuestNic,
    GuestState,
    Host,
    HostCpu,
    HostMemory,
    HostNic,
    HostState,
    Observation,
    Snapshot,
    Storage,
    Traffic,
)
from scripted_platform.counters import Clock, counter, linear
from scripted_platform.script import Script

GIB = 1024.0**3
DAY = 86_400.0
HOST_CPUS = 8.0
MEMORY_GIB = 4.0


def observe(script: Script, group: str, clock: Clock) -> Observation:
    """What a collection of the group sees."""
    guests = tuple(_guest(script, group, clock, number) for number in range(script.guests))
    if group == "vitals":
        return Observation(
            clock.wall,
            hosts=tuple(_host(script, clock, number) for number in range(script.hosts)),
            guests=guests,
            clusters=tuple(_cluster(script, number) for number in range(script.clusters)),
            endpoint=EndpointFacts(product="Scripted hypervisor", version="1.0", api_version="1"),
        )
    if group == "storage":
        return Observation(
            clock.wall, guests=guests, storages=tuple(_storage(script, n) for n in range(script.storages))
        )
    return Observation(clock.wall, guests=guests)


def identity(script: Script, name: str) -> str:
    """A stable identifier from the script's seed."""
    return _identity(f"{script.seed}/{script.prefix}/{name}")


@lru_cache(maxsize=200_000)
def _identity(path: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, path))


def host_name(script: Script, number: int) -> str:
    """`guest-host-1` and so on, after the script's prefix."""
    return f"{script.prefix}-host-{number + 1}"


def guest_name(script: Script, number: int) -> str:
    """`guest-1` and so on, after the script's prefix."""
    return f"{script.prefix}-{number + 1}"


def _host(script: Script, clock: Clock, number: int) -> Host:
    name = host_name(script, number)
    traffic = Traffic(
        receive_bytes=linear(script, clock, script.network_rate, name, "rx"),
        transmit_bytes=linear(script, clock, script.network_rate / 2, name, "tx"),
    )
    return Host(
        id=identity(script, name),
        name=name,
        product="Scripted hypervisor",
        version="1.0",
        up=True,
        state=HostState.CONNECTED,
        cpu=HostCpu(
            sockets=1,
            cores=4,
            threads=8,
            frequency_hertz=2.5e9,
            capacity_cpus=HOST_CPUS,
            busy_seconds=linear(script, clock, script.busy_rate, name, "busy"),
        ),
        memory=HostMemory(capacity_bytes=64 * GIB, used_bytes=40 * GIB, available_bytes=24 * GIB),
        nics=(HostNic("eno1", traffic),),
    )


def _cluster(script: Script, number: int) -> Cluster:
    name = f"{script.prefix}-cluster-{number + 1}"
    return Cluster(id=identity(script, name), name=name, hosts=script.hosts, hosts_up=script.hosts)


def _storage(script: Script, number: int) -> Storage:
    name = f"{script.prefix}-storage-{number + 1}"
    return Storage(
        id=identity(script, name),
        name=name,
        backing="dir",
        shared=False,
        key=identity(script, name),
        accessible=True,
        capacity_bytes=1000 * GIB,
        free_bytes=400 * GIB,
    )


def _guest(script: Script, group: str, clock: Clock, number: int) -> Guest:
    name = guest_name(script, number)
    guest_id, runs = identity(script, name), number < script.guests - script.stopped
    if group == "vitals":
        return _vitals(script, clock, number, runs=runs)
    if group == "storage":
        disks = tuple(
            GuestDisk(_disk(n), capacity_bytes=20 * GIB, allocated_bytes=5 * GIB) for n in range(script.disks)
        )
        return Guest(guest_id, name, disks=disks)
    if group == "snapshots":
        return Guest(guest_id, name, snapshots=_snapshots(script))
    if group == "agent":
        files = tuple(GuestFilesystem(f"/data{n}", 10 * GIB, 4 * GIB) for n in range(script.filesystems if runs else 0))
        return Guest(guest_id, name, filesystems=files)
    nics = tuple(
        GuestNic(f"net{n}", mac=f"52:54:00:{number % 256:02x}:00:{n:02x}", network="lan") for n in range(script.nics)
    )
    return Guest(guest_id, name, autostart=True, nics=nics)


def _vitals(script: Script, clock: Clock, number: int, *, runs: bool) -> Guest:
    name, host = guest_name(script, number), host_name(script, number % max(script.hosts, 1))
    cpu, disks, nics = GuestCpu(vcpus=script.vcpus), (), ()
    if runs:
        grow = (script, clock, script.cpu_counter)
        cpu = GuestCpu(
            vcpus=script.vcpus,
            seconds=counter(*grow, script.cpu_rate, script.vcpus, name, "cpu"),
            ready_seconds=counter(*grow, script.ready_rate, script.vcpus, name, "ready"),
        )
        disks = tuple(_busy_disk(script, clock, name, disk) for disk in range(script.disks))
        nics = tuple(_busy_nic(script, clock, name, nic) for nic in range(script.nics))
    return Guest(
        id=identity(script, name),
        name=name,
        native_id=f"g-{number + 1}",
        host=host,
        host_id=identity(script, host),
        os="scripted",
        state=GuestState.RUNNING if runs else GuestState.STOPPED,
        migrating=False,
        cpu=cpu,
        memory=GuestMemory(
            configured_bytes=MEMORY_GIB * GIB,
            assigned_bytes=MEMORY_GIB * GIB if runs else None,
            host_used_bytes=MEMORY_GIB * GIB / 2 if runs else None,
        ),
        disks=disks,
        nics=nics,
        extra={f"mark-{mark}": number for mark in range(script.marks)},
    )


def _disk(number: int) -> str:
    return f"disk{number}"


def _busy_disk(script: Script, clock: Clock, guest: str, number: int) -> GuestDisk:
    def grown(rate: float, what: str) -> object:
        return counter(script, clock, script.disk_counter, rate, 1, guest, number, what)

    return GuestDisk(
        _disk(number),
        read_bytes=grown(script.disk_rate, "read"),
        written_bytes=grown(script.disk_rate / 2, "written"),
        reads=grown(script.disk_rate / 4096, "reads"),
        writes=grown(script.disk_rate / 8192, "writes"),
    )


def _busy_nic(script: Script, clock: Clock, guest: str, number: int) -> GuestNic:
    def grown(rate: float, what: str) -> object:
        return counter(script, clock, script.network_counter, rate, 1, guest, number, what)

    traffic = Traffic(
        receive_bytes=grown(script.network_rate, "received"), transmit_bytes=grown(script.network_rate / 2, "sent")
    )
    return GuestNic(f"net{number}", traffic=traffic)


def _snapshots(script: Script) -> tuple[Snapshot, ...]:
    # The oldest first; each is the parent of the next.
    days = range(script.snapshots, 0, -1)
    return tuple(
        Snapshot(
            id=f"s{day}",
            name=f"snapshot-{day}",
            created_timestamp_seconds=script.began_wall - day * DAY,
            parent_id=f"s{day + 1}" if day < script.snapshots else "",
        )
        for day in days
    )
