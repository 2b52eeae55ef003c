"""How a Proxmox VE cluster looks."""

from __future__ import annotations

from collectors.simulated.looks.look import Look, Words, support, table
from collectors.simulated.plans import GuestPlan
from exporter.catalogue.family import VITALS, Entity, Priority, Row, Section, one_of
from exporter.model import Guest

_NATIVE = table("""
    host_info = /nodes/N/status
    host_up = /cluster/status online
    host_state = derived: /cluster/resources status, /cluster/ha/status/current
    host_maintenance_mode = /cluster/ha/status/current
    host_boot_timestamp_seconds = derived: uptime
    host_cpu_sockets host_cpu_cores host_cpu_threads host_cpu_frequency_hertz = /nodes/N/status cpuinfo
    host_cpu_capacity_cpus = /cluster/resources maxcpu
    host_cpu_busy_seconds_total = derived: cpu_current x maxcpu, samples of 10 s, integrated
    host_memory_capacity_bytes host_memory_used_bytes = /cluster/resources maxmem, mem
    host_memory_available_bytes = derived: capacity less used
    host_memory_swap_used_bytes = /cluster/metrics/export swap_used
    host_guests host_vcpus_allocated host_memory_allocated_bytes host_memory_assigned_bytes = derived: counted
    host_network_receive_bytes_total host_network_transmit_bytes_total = /cluster/metrics/export net_in, net_out
    cluster_info cluster_hosts cluster_hosts_up cluster_quorate = /cluster/status
    cluster_cpu_capacity_cpus cluster_memory_capacity_bytes = derived: sums over nodes
    guest_info guest_state = /cluster/resources
    guest_running = derived: from the state
    guest_migrating = derived: lock
    guest_autostart = config onboot
    guest_boot_timestamp_seconds = derived: uptime
    guest_agent_up = config agent, running processes
    guest_stats_complete = derived: 1
    guest_vcpus = /cluster/resources maxcpu
    guest_cpu_seconds_total = derived: cpu_current x maxcpu, samples of 10 s, integrated
    guest_cpu_limit_cpus = config cpulimit
    guest_memory_configured_bytes = /cluster/resources maxmem
    guest_memory_assigned_bytes guest_memory_ballooned_bytes = ballooninfo
    guest_memory_host_used_bytes = /cluster/resources memhost
    guest_memory_used_bytes = /cluster/resources mem
    guest_memory_available_bytes = freemem
    guest_disk_read_bytes_total guest_disk_written_bytes_total = status/current blockstat
    guest_disk_reads_total guest_disk_writes_total = status/current blockstat
    guest_disk_read_seconds_total guest_disk_write_seconds_total = status/current blockstat, ns
    guest_disk_capacity_bytes guest_disk_info = /nodes/N/qemu/ID/config
    guest_network_receive_bytes_total guest_network_transmit_bytes_total = status/current nics
    guest_network_info = /nodes/N/qemu/ID/config
    guest_last_backup_timestamp_seconds = derived: newest ctime of content=backup
    guest_last_replication_timestamp_seconds guest_replication_state = /nodes/N/replication
    guest_snapshots guest_snapshot_chain_depth = derived: counted from /nodes/N/qemu/ID/snapshot
    guest_oldest_snapshot_timestamp_seconds guest_oldest_snapshot_age_seconds = derived: snaptime
    guest_backup_snapshots guest_oldest_backup_snapshot_timestamp_seconds = derived: by the configured patterns
    guest_replication_snapshots = derived: by the configured patterns
    snapshot_created_timestamp_seconds snapshot_info = /nodes/N/qemu/ID/snapshot
    storage_info storage_capacity_bytes storage_free_bytes = /nodes/N/storage
    storage_accessible = /cluster/resources status
    storage_hosts storage_hosts_accessible = derived: counted over nodes
    target_clock_offset_seconds = Date header
""")
_ABSENT = table("""
    guest_cpu_ready_seconds_total = Proxmox VE tells pressure, not time waited
    guest_disk_allocated_bytes = the API reports 0 for every QEMU guest
    guest_snapshots_size_bytes snapshot_size_bytes storage_snapshots_size_bytes = the API does not tell sizes
    storage_provisioned_bytes = sizes in use of QEMU disks are not told
    guest_consolidation_needed guest_orphaned_overlays = snapshots lie inside images and volumes
""")


def _pressure(guest: Guest) -> list[Row]:
    return [((what,), guest.extra[what]) for what in ("cpu", "io", "memory") if what in guest.extra]


FAMILIES = (
    Section(Entity.GUEST, VITALS, Priority.DETAIL).gauge(
        "hypervisor_proxmox_guest_pressure_ratio",
        "Share of time in which some task of the guest's waited for a resource (PSI, 10 s).",
        labels=("resource",),
        each=_pressure,
        cost=3,
    ),
    Section(Entity.GUEST, VITALS, Priority.DETAIL).gauge(
        "hypervisor_proxmox_guest_ha_state",
        "State of the guest as a resource of high availability, value 1; absent where it is none.",
        labels=("state",),
        each=one_of(lambda guest: "started" if guest.extra.get("ha") else None),
    ),
)


def _guest(guest: GuestPlan, _cpu: float) -> dict[str, float]:
    felt = guest.home.contention[1] * guest.ready
    return {"cpu": round(felt, 4), "io": round(felt / 4, 4), "memory": round(guest.home.pressure / 10, 4),
            "ha": guest.index % 3 == 0}  # fmt: skip


PROXMOX = Look(
    name="proxmox",
    title="Simulated fleet that looks like Proxmox VE",
    product="Proxmox VE",
    version="9.2",
    api_version="9.2",
    support=support(_NATIVE, _ABSENT),
    families=FAMILIES,
    operations={
        "vitals": ("GET /cluster/metrics/export", 100_000),
        "storage": ("GET /nodes/N/storage", 100_000),
        "snapshots": ("GET /nodes/N/qemu/ID/snapshot", 1),
        "inventory": ("GET /nodes/N/qemu/ID/config", 1),
    },
    right="VM.Audit",
    words=Words(
        disk=lambda number: f"scsi{number}",
        nic=lambda _guest, number: f"net{number}",
        mac="bc:24:11",
        native=lambda guest: f"qemu/{100 + guest.index}",
        backing=lambda storage: "nfs" if storage.shared else "lvmthin",
        path=lambda guest, number: f"{guest.disks[number].storage.name}:vm-{100 + guest.index}-disk-{number}",
        format="raw",
    ),
    guest_extra=_guest,
)
