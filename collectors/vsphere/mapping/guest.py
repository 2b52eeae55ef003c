"""Guests: identity, state, size, memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.counters import Readings
from collectors.vsphere.mapping.devices import Devices
from collectors.vsphere.mapping.places import Places, plain
from collectors.vsphere.mapping.tools import agent_up
from exporter.model import Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, GuestState, Traffic
from exporter.units import mebibytes

_STATES = {
    "poweredOn": GuestState.RUNNING,
    "poweredOff": GuestState.STOPPED,
    "suspended": GuestState.SUSPENDED,
}
_VCLS = "vCLS"
SYSTEM = "system"
_AGENTS = "com.vmware.vim.eam"
_STORAGE_TROUBLE = re.compile(
    r"hbacommon|outofspace|no (more )?space|insufficient (disk )?space|datastore|redo\s?log|msg\.disk|disklib|locklost",
    re.IGNORECASE,
)
"""Questions about storage, by the id of their message (`msg.hbacommon.outofspace`) or their text."""
LASTING = (
    "name",
    "runtime.host",
    "runtime.powerState",
    "resourcePool",
    "parent",
    "config.instanceUuid",
    "config.uuid",
    "config.template",
    "config.guestFullName",
    "config.managedBy",
    "summary.config.numCpu",
    "summary.config.memorySizeMB",
)
"""What a guest that has become inaccessible no longer tells, and still is."""


@dataclass(frozen=True, slots=True)
class GuestView:
    """A guest with what is known beside its own properties.

    `host_facts` are those of its host, `networks` names of networks by what adapters hold of them.
    """

    ref: Ref
    id: str
    name: str
    host: Ref | None
    host_id: str
    host_facts: Mapping[str, Any]
    devices: Devices
    networks: Mapping[str, str]
    readings: Readings
    tags: str = ""


def connected(facts: Mapping[str, Any]) -> bool:
    """Whether the endpoint has word of an object: its connection state says so, or it has none."""
    return bool(facts.get("runtime.connectionState", "connected") == "connected")


def guest_facts(facts: Mapping[str, Any], last: Mapping[str, Any]) -> Mapping[str, Any]:
    """A guest's facts; of one that is out of reach those that it told last, where it tells them no longer."""
    return facts if connected(facts) or not last else {**last, **facts}


def guest_name(places: Places, ref: Ref, facts: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    """The name; of a guest out of reach the last one where vCenter shows the path of its file instead, or nothing."""
    name = places.name(ref)
    lost = not name or (not connected(facts) and name.startswith(("/vmfs/", "[")))
    return plain(str(last["name"])) if lost and last.get("name") else name


def guest_id(ref: Ref, facts: Mapping[str, Any], last: str = "") -> str:
    """The instance UUID; the last known one where the guest does not tell it now; else the reference."""
    found = _lower(str(facts.get("config.instanceUuid", "") or ""))
    return found or last or f"moref:{ref.id}"


def _lower(text: str) -> str:
    """In small letters; the same object where it is, for it is held by every collection."""
    return text if text.islower() else text.lower()


def guest_state(facts: Mapping[str, Any], host: Mapping[str, Any]) -> GuestState:
    """The state; unknown for a guest that vCenter or its host does not reach: its last power state is old."""
    if not (connected(facts) and connected(host)):
        return GuestState.UNKNOWN
    return _STATES.get(str(facts.get("runtime.powerState", "")), GuestState.UNKNOWN)


def guest_kind(facts: Mapping[str, Any]) -> str:
    """`template`, `system` for vCenter's own agents, else `guest`."""
    if facts.get("config.template"):
        return "template"
    managed = facts.get("config.managedBy")
    agent = isinstance(managed, dict) and managed.get("extensionKey") == _AGENTS
    return SYSTEM if agent or str(facts.get("name", "")).startswith(f"{_VCLS}-") else "guest"


def io_error(facts: Mapping[str, Any]) -> bool:
    """Whether the guest waits for an answer to a question about its storage."""
    question = facts.get("runtime.question")
    if not isinstance(question, dict):
        return False
    messages = [str(part) for each in question.get("message") or () for part in (each.get("id"), each.get("text"))]
    return bool(_STORAGE_TROUBLE.search(" ".join([str(question.get("text", "")), *messages])))


def guest_vitals(view: GuestView, facts: Mapping[str, Any], fast: Mapping[str, Any], places: Places) -> Guest:
    """A guest as vitals know it; usage only of one that runs."""
    state = guest_state(facts, view.host_facts)
    cluster = places.cluster(view.host)
    running = state is GuestState.RUNNING
    before = _STATES.get(str(facts.get("runtime.powerState", "")))
    return Guest(
        id=view.id,
        name=view.name,
        native_id=view.ref.id,
        bios_uuid=_lower(str(facts.get("config.uuid", ""))),
        host=places.name(view.host),
        host_id=view.host_id,
        compute_cluster=cluster.name,
        compute_cluster_id=cluster.id,
        compute_datacenter=places.datacenter(view.ref) or places.datacenter(view.host),
        folder=places.folder(view.ref),
        resource_pool=places.name(facts.get("resourcePool")),
        os=str(facts.get("config.guestFullName", "")),
        kind=guest_kind(facts),
        tags=view.tags,
        state=state,
        holds_memory=before.holds_memory if state is GuestState.UNKNOWN and before is not None else None,
        boot_timestamp_seconds=facts.get("runtime.bootTime") if running else None,
        agent_up=agent_up(facts) if running else None,
        io_error=io_error(facts) if state is not GuestState.UNKNOWN else None,
        stats_complete=True,
        cpu=_cpu(view, facts, running=running),
        memory=_memory(view, facts, fast, running=running),
        disks=_disks(view) if running else (),
        nics=_nics(view) if running else (),
    )


def _cpu(view: GuestView, facts: Mapping[str, Any], *, running: bool) -> GuestCpu:
    rate = view.readings.rate
    return GuestCpu(
        vcpus=facts.get("summary.config.numCpu"),
        seconds=rate("cpu") if running else None,
        ready_seconds=rate("ready") if running else None,
        costop_seconds=rate("costop") if running else None,
        limit_cpus=_cpus(_limit(facts, "config.cpuAllocation.limit"), view.host_facts),
        reservation_cpus=_cpus(facts.get("config.cpuAllocation.reservation"), view.host_facts),
    )


def _limit(facts: Mapping[str, Any], path: str) -> float | None:
    """A limit in the vendor's unit; -1 is none."""
    found = facts.get(path)
    return found if isinstance(found, int) and found >= 0 else None


def _cpus(megahertz: float | None, host: Mapping[str, Any]) -> float | None:
    """An allocation in MHz as processors of the guest's host."""
    of_one = host.get("summary.hardware.cpuMhz")
    return None if megahertz is None or not of_one else megahertz / of_one


def _disks(view: GuestView) -> tuple[GuestDisk, ...]:
    readings = view.readings
    return tuple(
        GuestDisk(
            disk=label,
            read_bytes=readings.rate("disk_read", disk.instance),
            written_bytes=readings.rate("disk_written", disk.instance),
            reads=readings.rate("disk_reads", disk.instance),
            writes=readings.rate("disk_writes", disk.instance),
            read_seconds=readings.time("disk_reads", "disk_read_latency", disk.instance),
            write_seconds=readings.time("disk_writes", "disk_write_latency", disk.instance),
        )
        for label, disk in view.devices.disks
    )


def _nics(view: GuestView) -> tuple[GuestNic, ...]:
    rate = view.readings.rate
    return tuple(
        GuestNic(
            nic=nic.key,
            mac=nic.mac,
            network=nic.network_name(view.networks),
            traffic=Traffic(
                receive_bytes=rate("received", nic.key),
                transmit_bytes=rate("transmitted", nic.key),
                receive_packets=rate("received_packets", nic.key),
                transmit_packets=rate("transmitted_packets", nic.key),
                receive_drops=rate("received_drops", nic.key),
                transmit_drops=rate("transmitted_drops", nic.key),
            ),
        )
        for nic in view.devices.nics
    )


def _memory(view: GuestView, facts: Mapping[str, Any], fast: Mapping[str, Any], *, running: bool) -> GuestMemory:
    configured = mebibytes(facts.get("summary.config.memorySizeMB"))
    limit = mebibytes(_limit(facts, "config.memoryAllocation.limit"))
    reservation = mebibytes(facts.get("config.memoryAllocation.reservation"))
    if not running:
        return GuestMemory(configured_bytes=configured, limit_bytes=limit, reservation_bytes=reservation)
    ballooned = mebibytes(fast.get("summary.quickStats.balloonedMemory"))
    return GuestMemory(
        configured_bytes=configured,
        assigned_bytes=None if configured is None or ballooned is None else configured - ballooned,
        host_used_bytes=mebibytes(fast.get("summary.quickStats.hostMemoryUsage")),
        active_bytes=mebibytes(fast.get("summary.quickStats.guestMemoryUsage")),
        ballooned_bytes=ballooned,
        swapped_bytes=mebibytes(fast.get("summary.quickStats.swappedMemory")),
        limit_bytes=limit,
        reservation_bytes=reservation,
        swap_in_bytes=view.readings.rate("swap_in"),
        swap_out_bytes=view.readings.rate("swap_out"),
    )
