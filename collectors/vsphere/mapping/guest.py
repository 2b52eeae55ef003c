"""Guests: identity, state, size, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.counters import Readings
from collectors.vsphere.mapping.devices import disks_of, nics_of, unique
from collectors.vsphere.mapping.places import Places
from exporter.model import Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, GuestState, Traffic
from exporter.units import mebibytes

_STATES = {
    "poweredOn": GuestState.RUNNING,
    "poweredOff": GuestState.STOPPED,
    "suspended": GuestState.SUSPENDED,
}
_VCLS = "vCLS"
_AGENTS = "com.vmware.vim.eam"


@dataclass(frozen=True, slots=True)
class GuestView:
    """A guest with what is known beside its own properties."""

    ref: Ref
    id: str
    host: Ref | None
    host_id: str
    readings: Readings
    networks: Mapping[str, str]


def guest_id(ref: Ref, facts: Mapping[str, Any], last: str = "") -> str:
    """The instance UUID; the last known one where the guest does not tell it now; else the reference."""
    found = str(facts.get("config.instanceUuid", "") or "").lower()
    return found or last or f"moref:{ref.id}"


def guest_state(facts: Mapping[str, Any]) -> GuestState:
    """The state; unknown for a guest whose host does not tell: its last power state is old."""
    if facts.get("runtime.connectionState", "connected") != "connected":
        return GuestState.UNKNOWN
    return _STATES.get(str(facts.get("runtime.powerState", "")), GuestState.UNKNOWN)


def guest_kind(facts: Mapping[str, Any]) -> str:
    """`template`, `system` for vCenter's own agents, else `guest`."""
    if facts.get("config.template"):
        return "template"
    managed = facts.get("config.managedBy")
    agent = isinstance(managed, dict) and managed.get("extensionKey") == _AGENTS
    return "system" if agent or str(facts.get("name", "")).startswith(f"{_VCLS}-") else "guest"


def guest_vitals(view: GuestView, facts: Mapping[str, Any], fast: Mapping[str, Any], places: Places) -> Guest:
    """A guest as vitals know it; usage only of one that runs."""
    state = guest_state(facts)
    cluster = places.cluster(view.host)
    running = state is GuestState.RUNNING
    return Guest(
        id=view.id,
        name=places.name(view.ref),
        native_id=view.ref.id,
        bios_uuid=str(facts.get("config.uuid", "")).lower(),
        host=places.name(view.host),
        host_id=view.host_id,
        compute_cluster=cluster.name,
        compute_cluster_id=cluster.id,
        compute_datacenter=places.datacenter(view.ref) or places.datacenter(view.host),
        folder=places.folder(view.ref),
        resource_pool=places.name(facts.get("resourcePool")),
        os=str(facts.get("config.guestFullName", "")),
        kind=guest_kind(facts),
        state=state,
        boot_timestamp_seconds=facts.get("runtime.bootTime") if running else None,
        agent_up=agent_up(facts) if running else None,
        stats_complete=True,
        cpu=_cpu(view, facts, running=running),
        memory=_memory(view, facts, fast, running=running),
        disks=_disks(view, facts) if running else (),
        nics=_nics(view, facts) if running else (),
    )


def _cpu(view: GuestView, facts: Mapping[str, Any], *, running: bool) -> GuestCpu:
    vcpus = facts.get("summary.config.numCpu")
    if not running:
        return GuestCpu(vcpus=vcpus)
    rate = view.readings.rate
    return GuestCpu(vcpus=vcpus, seconds=rate("cpu"), ready_seconds=rate("ready"), costop_seconds=rate("costop"))


def _disks(view: GuestView, facts: Mapping[str, Any]) -> tuple[GuestDisk, ...]:
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
        for label, disk in unique(disks_of(facts.get("config.hardware.device") or ()))
    )


def _nics(view: GuestView, facts: Mapping[str, Any]) -> tuple[GuestNic, ...]:
    rate = view.readings.rate
    return tuple(
        GuestNic(
            nic=nic.key,
            mac=nic.mac,
            network=nic.network,
            traffic=Traffic(
                receive_bytes=rate("received", nic.key),
                transmit_bytes=rate("transmitted", nic.key),
                receive_packets=rate("received_packets", nic.key),
                transmit_packets=rate("transmitted_packets", nic.key),
                receive_drops=rate("received_drops", nic.key),
                transmit_drops=rate("transmitted_drops", nic.key),
            ),
        )
        for nic in nics_of(facts.get("config.hardware.device") or (), view.networks)
    )


def agent_up(facts: Mapping[str, Any]) -> bool | None:
    """Whether VMware Tools run; None where they are not installed or that is not known."""
    status = facts.get("guest.toolsRunningStatus")
    return None if status is None else status == "guestToolsRunning"


def _memory(view: GuestView, facts: Mapping[str, Any], fast: Mapping[str, Any], *, running: bool) -> GuestMemory:
    configured = mebibytes(facts.get("summary.config.memorySizeMB"))
    if not running:
        return GuestMemory(configured_bytes=configured)
    ballooned = mebibytes(fast.get("summary.quickStats.balloonedMemory"))
    return GuestMemory(
        configured_bytes=configured,
        assigned_bytes=None if configured is None or ballooned is None else configured - ballooned,
        host_used_bytes=mebibytes(fast.get("summary.quickStats.hostMemoryUsage")),
        active_bytes=mebibytes(fast.get("summary.quickStats.guestMemoryUsage")),
        ballooned_bytes=ballooned,
        swapped_bytes=mebibytes(fast.get("summary.quickStats.swappedMemory")),
        swap_in_bytes=view.readings.rate("swap_in"),
        swap_out_bytes=view.readings.rate("swap_out"),
    )
