"""Families about guests as a whole: description, state, CPU, memory."""

from __future__ import annotations

from exporter.catalogue.family import INVENTORY, SNAPSHOTS, VITALS, Entity, Family, Priority, Section, one_of
from exporter.model import Guest

_guest = Section(Entity.GUEST, VITALS, Priority.GUEST)
_slow = Section(Entity.GUEST, INVENTORY, Priority.GUEST)
_protection = Section(Entity.GUEST, SNAPSHOTS, Priority.GUEST)


def _describe(guest: Guest) -> tuple[str, ...] | None:
    if not guest.described:
        return None
    return (
        guest.host,
        guest.host_id,
        guest.compute_cluster,
        guest.compute_cluster_id,
        guest.compute_datacenter,
        guest.folder,
        guest.resource_pool,
        guest.os,
        guest.kind,
        guest.role,
        guest.native_id,
        guest.bios_uuid,
        "" if guest.saved is None else str(int(guest.saved)),
        guest.tags,
    )


def _running(guest: Guest) -> bool | None:
    return None if guest.state is None or guest.kind == "template" else guest.state.running


_STATE = (
    _guest.info(
        "hypervisor_guest_info",
        "What and where the guest is: its host, cluster, operating system, kind and role.",
        labels=(
            "host",
            "host_id",
            "compute_cluster",
            "compute_cluster_id",
            "compute_datacenter",
            "folder",
            "resource_pool",
            "os",
            "kind",
            "role",
            "native_id",
            "bios_uuid",
            "saved",
            "tags",
        ),
        describe=_describe,
    ),
    _guest.gauge("hypervisor_guest_running", "1 if the guest runs, 0 if not; absent where unknown.", value=_running),
    _guest.gauge(
        "hypervisor_guest_state", "Current state, value 1.", labels=("state",), each=one_of(lambda g: g.state)
    ),
    _guest.gauge("hypervisor_guest_migrating", "1 while the guest moves to another host.", value=lambda g: g.migrating),
    _guest.gauge(
        "hypervisor_guest_state_reason",
        "Why the guest is in its state, in the platform's word; value 1.",
        labels=("reason",),
        each=one_of(lambda g: g.state_reason),
    ),
    _guest.gauge(
        "hypervisor_guest_persistent",
        "1 if the definition outlives a stop, 0 if the guest is transient.",
        value=lambda g: g.persistent,
    ),
    _slow.gauge(
        "hypervisor_guest_autostart",
        "1 if the guest starts with its host, whether it ran before or not.",
        value=lambda g: g.autostart,
    ),
    _guest.gauge(
        "hypervisor_guest_boot_timestamp_seconds",
        "When the guest was started, Unix time.",
        value=lambda g: g.boot_timestamp_seconds,
    ),
    _guest.gauge(
        "hypervisor_guest_agent_up",
        "1 if the guest agent is connected, 0 if one is configured and silent; absent where none is configured.",
        value=lambda g: g.agent_up,
    ),
    _guest.gauge(
        "hypervisor_guest_io_error",
        "1 while the guest is stopped or degraded by a storage error.",
        value=lambda g: g.io_error,
    ),
    _guest.gauge(
        "hypervisor_guest_stats_complete",
        "0 where the hypervisor could not answer for the guest in full and values are missing.",
        value=lambda g: g.stats_complete,
    ),
)

_CPU = (
    _guest.gauge("hypervisor_guest_vcpus", "Virtual CPUs the guest has now.", value=lambda g: g.cpu.vcpus),
    _guest.counter(
        "hypervisor_guest_cpu_seconds_total",
        "CPU time the guest's virtual CPUs have run.",
        value=lambda g: g.cpu.seconds,
    ),
    _guest.counter(
        "hypervisor_guest_cpu_ready_seconds_total",
        "Time virtual CPUs were ready to run but had to wait for a processor.",
        value=lambda g: g.cpu.ready_seconds,
    ),
    _guest.counter(
        "hypervisor_guest_cpu_costop_seconds_total",
        "Time virtual CPUs were held back so that their siblings could catch up.",
        value=lambda g: g.cpu.costop_seconds,
    ),
    _guest.gauge(
        "hypervisor_guest_cpu_limit_cpus",
        "CPUs the guest is limited to; absent without a limit.",
        value=lambda g: g.cpu.limit_cpus,
        default=False,
    ),
    _guest.gauge(
        "hypervisor_guest_cpu_reservation_cpus",
        "CPUs reserved for the guest.",
        value=lambda g: g.cpu.reservation_cpus,
        default=False,
    ),
)

_MEMORY = (
    _guest.gauge(
        "hypervisor_guest_memory_configured_bytes",
        "The most memory the guest may get without an administrator.",
        value=lambda g: g.memory.configured_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_assigned_bytes",
        "Memory the guest has now.",
        value=lambda g: g.memory.assigned_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_host_used_bytes",
        "Host memory the guest occupies.",
        value=lambda g: g.memory.host_used_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_used_bytes",
        "Memory in use as the guest itself reports it.",
        value=lambda g: g.memory.used_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_available_bytes",
        "Memory still available inside the guest as it reports it.",
        value=lambda g: g.memory.available_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_active_bytes",
        "Memory the guest touched recently, estimated by the hypervisor.",
        value=lambda g: g.memory.active_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_ballooned_bytes",
        "Memory taken back by the balloon driver.",
        value=lambda g: g.memory.ballooned_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_swapped_bytes",
        "Memory of the guest that its host has swapped out.",
        value=lambda g: g.memory.swapped_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_demand_bytes",
        "Memory the guest would use if it could.",
        value=lambda g: g.memory.demand_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_pressure_ratio",
        "Demanded memory over assigned memory.",
        value=lambda g: g.memory.pressure_ratio,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_limit_bytes",
        "Memory the guest is limited to.",
        value=lambda g: g.memory.limit_bytes,
        default=False,
    ),
    _guest.gauge(
        "hypervisor_guest_memory_reservation_bytes",
        "Memory reserved for the guest.",
        value=lambda g: g.memory.reservation_bytes,
        default=False,
    ),
    _guest.counter(
        "hypervisor_guest_memory_swap_in_bytes_total",
        "Memory of the guest that its host read back from swap.",
        value=lambda g: g.memory.swap_in_bytes,
    ),
    _guest.counter(
        "hypervisor_guest_memory_swap_out_bytes_total",
        "Memory of the guest that its host wrote to swap.",
        value=lambda g: g.memory.swap_out_bytes,
    ),
    _guest.counter(
        "hypervisor_guest_os_swap_in_bytes_total",
        "Bytes the guest's own operating system read from its swap.",
        value=lambda g: g.memory.os_swap_in_bytes,
    ),
    _guest.counter(
        "hypervisor_guest_os_swap_out_bytes_total",
        "Bytes the guest's own operating system wrote to its swap.",
        value=lambda g: g.memory.os_swap_out_bytes,
    ),
)

_PROTECTION = (
    _protection.gauge(
        "hypervisor_guest_last_backup_timestamp_seconds",
        "When the last backup succeeded, Unix time.",
        value=lambda g: g.last_backup_timestamp_seconds,
    ),
    _protection.gauge(
        "hypervisor_guest_last_checkpoint_timestamp_seconds",
        "Creation of the newest checkpoint, Unix time: a backup began then, which proves none.",
        value=lambda g: g.last_checkpoint_timestamp_seconds,
    ),
    _protection.gauge(
        "hypervisor_guest_last_replication_timestamp_seconds",
        "When the guest was last replicated, Unix time.",
        value=lambda g: g.last_replication_timestamp_seconds,
    ),
    _protection.gauge(
        "hypervisor_guest_replication_state",
        "State of replication, value 1.",
        labels=("state",),
        each=one_of(lambda g: g.replication_state),
    ),
    _protection.gauge(
        "hypervisor_guest_storage_data_timestamp_seconds",
        "When the platform itself last measured the guest's files, Unix time.",
        value=lambda g: g.storage_data_timestamp_seconds,
    ),
)

FAMILIES: tuple[Family, ...] = (*_STATE, *_CPU, *_MEMORY, *_PROTECTION)
