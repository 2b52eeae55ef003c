"""How a vCenter looks."""

from __future__ import annotations

from collectors.simulated.looks import vcenter
from collectors.simulated.looks.look import Look, Words, support, table
from collectors.simulated.plans import HostPlan
from collectors.vsphere.families import FAMILIES as REAL

_NATIVE = table("""
    host_info = summary.config.product, summary.hardware
    host_up = runtime.connectionState is connected
    host_state = runtime.connectionState, powerState, inMaintenanceMode, standbyMode
    host_maintenance_mode = runtime.inMaintenanceMode
    host_boot_timestamp_seconds = runtime.bootTime
    host_cpu_sockets host_cpu_cores host_cpu_threads host_cpu_capacity_cpus = summary.hardware
    host_cpu_frequency_hertz = summary.hardware.cpuMhz, MHz
    host_cpu_busy_seconds_total = derived: cpu.utilization.average x threads, integrated
    host_memory_capacity_bytes = summary.hardware.memorySize
    host_memory_used_bytes = quickStats.overallMemoryUsage, MB
    host_memory_available_bytes = derived: capacity less consumed
    host_memory_swap_used_bytes = mem.swapused.average, KB
    host_memory_ballooned_bytes = mem.vmmemctl.average, KB
    host_memory_swap_in_bytes_total host_memory_swap_out_bytes_total = derived: mem.swapinRate, swapoutRate, integrated
    host_guests host_vcpus_allocated host_memory_allocated_bytes host_memory_assigned_bytes = derived: counted
    host_network_receive_bytes_total host_network_transmit_bytes_total = derived: net.bytesRx, bytesTx, integrated
    host_network_receive_errors_total host_network_transmit_errors_total = derived: net.errorsRx, errorsTx, integrated
    host_network_receive_drops_total host_network_transmit_drops_total = derived: net.droppedRx, droppedTx, integrated
    host_power_joules_total = derived: power.energy.summation, integrated
    cluster_info = configurationEx
    cluster_hosts cluster_cpu_capacity_cpus cluster_memory_capacity_bytes = summary
    cluster_hosts_up = summary.numEffectiveHosts
    cluster_cpu_effective_hertz cluster_memory_effective_bytes = summary.effectiveCpu, effectiveMemory
    cluster_ha_enabled cluster_admission_control_enabled = configurationEx.dasConfig
    cluster_failover_hosts = summary.currentFailoverLevel
    guest_info = config, runtime.host
    guest_running = derived: from the state
    guest_state = runtime.powerState, connectionState
    guest_migrating = derived: recent tasks
    guest_boot_timestamp_seconds = runtime.bootTime
    guest_agent_up = guest.toolsRunningStatus
    guest_io_error = derived: runtime.question
    guest_stats_complete = derived: 1
    guest_vcpus = summary.config.numCpu
    guest_cpu_seconds_total guest_cpu_ready_seconds_total = derived: cpu.run, cpu.ready.summation, integrated
    guest_cpu_costop_seconds_total = derived: cpu.costop.summation, integrated
    guest_cpu_limit_cpus guest_cpu_reservation_cpus = derived: config.cpuAllocation, MHz of the host's
    guest_memory_configured_bytes = summary.config.memorySizeMB
    guest_memory_assigned_bytes = derived: configured less ballooned
    guest_memory_host_used_bytes = quickStats.hostMemoryUsage, MB
    guest_memory_active_bytes = quickStats.guestMemoryUsage, MB
    guest_memory_ballooned_bytes guest_memory_swapped_bytes = quickStats.balloonedMemory, swappedMemory, MB
    guest_memory_limit_bytes guest_memory_reservation_bytes = config.memoryAllocation, MB
    guest_memory_swap_in_bytes_total guest_memory_swap_out_bytes_total = derived: mem.swapinRate, ..., integrated
    guest_disk_read_bytes_total guest_disk_written_bytes_total = derived: virtualDisk.read, write, integrated
    guest_disk_reads_total guest_disk_writes_total = derived: virtualDisk.numberReadAveraged, ..., integrated
    guest_disk_read_seconds_total guest_disk_write_seconds_total = derived: virtualDisk.*LatencyUS x operations
    guest_disk_capacity_bytes guest_disk_info = config.hardware.device
    guest_disk_allocated_bytes = derived: layoutEx
    guest_network_receive_bytes_total guest_network_transmit_bytes_total = derived: net.*, integrated
    guest_network_receive_packets_total guest_network_transmit_packets_total = derived: net.packetsRx, Tx, integrated
    guest_network_receive_drops_total guest_network_transmit_drops_total = derived: net.droppedRx, droppedTx, integrated
    guest_network_info = config.hardware.device
    guest_filesystem_size_bytes guest_filesystem_free_bytes = guest.disk
    guest_snapshots guest_snapshot_chain_depth = derived: counted from snapshot.rootSnapshotList
    guest_oldest_snapshot_timestamp_seconds guest_oldest_snapshot_age_seconds = derived: createTime
    guest_snapshots_size_bytes = derived: layoutEx
    guest_backup_snapshots guest_oldest_backup_snapshot_timestamp_seconds = derived: by the configured patterns
    guest_replication_snapshots = derived: by the configured patterns
    guest_consolidation_needed = runtime.consolidationNeeded
    guest_orphaned_overlays = derived: layoutEx
    guest_storage_data_timestamp_seconds = layoutEx.timestamp
    storage_snapshots_size_bytes = derived: layoutEx
    snapshot_created_timestamp_seconds snapshot_info = snapshot.rootSnapshotList
    snapshot_size_bytes = derived: layoutEx
    storage_info storage_accessible storage_capacity_bytes storage_free_bytes = summary
    storage_hosts storage_hosts_accessible = host.mountInfo
    storage_provisioned_bytes = derived: capacity - free + uncommitted
    storage_data_timestamp_seconds = info.timestamp
    target_clock_offset_seconds = CurrentTime
""")
_ABSENT = table("""
    guest_memory_used_bytes guest_memory_available_bytes = guestMemoryUsage is active memory, not memory in use
    guest_autostart = a host's list of starts is not read
    guest_last_backup_timestamp_seconds guest_last_checkpoint_timestamp_seconds = vCenter keeps no record of backups
    cluster_quorate = a vCenter has no quorum
""")


_OWN = {"hypervisor_vsphere_host_memory_state", *vcenter.NAMES}
FAMILIES = tuple(family for family in REAL if family.name in _OWN)
"""The real platform's very objects, which read what `_host` and `vcenter` fill in."""


def _host(host: HostPlan, _busy: float) -> dict[str, float]:
    return {"memory_state": 0 if not host.pressure else 1 if host.pressure < 0.25 else 2}


VSPHERE = Look(
    name="vsphere",
    title="Simulated fleet that looks like VMware vSphere",
    product="VMware vCenter Server",
    version="8.0.3",
    api_version="8.0.3.0",
    support=support(_NATIVE, _ABSENT),
    families=FAMILIES,
    operations={
        "vitals": ("QueryPerf", 50),
        "storage": ("RetrievePropertiesEx", 500),
        "snapshots": ("RetrievePropertiesEx", 500),
        "inventory": ("RetrievePropertiesEx", 500),
    },
    right="System.Read",
    words=Words(
        disk=lambda number: f"Hard disk {number + 1}",
        nic=lambda _guest, number: str(4000 + number),
        mac="00:50:56",
        native=lambda guest: f"vm-{guest.index + 2001}",
        cluster_id=lambda cluster: f"{cluster.id[:-12]}000000000000:domain-c{8 + int(cluster.id[:4], 16)}",
        storage_id=lambda storage: f"datastore-{int(storage.id[:6], 16)}",
        backing=lambda storage: "NFS41" if storage.shared else "VMFS",
        path=lambda guest, number: f"[{guest.disks[number].storage.name}] {guest.id[:8]}/{guest.id[:8]}_{number}.vmdk",
        format="vmdk",
    ),
    host_extra=_host,
    host_told=vcenter.of_host,
    endpoint_told=vcenter.of_endpoint,
    unreadable=vcenter.unreadable,
)
