"""Where every shared family comes from on vSphere, or why it is absent.

Counters are integrals of realtime samples (20 s each); `mapping/counters.py` has their units.
"""

from __future__ import annotations

from exporter.contract import Absent, Derived, Native, Support

_QUICK = "summary.quickStats"
_HARDWARE = "summary.hardware"
_PATTERNS = Derived("snapshots whose names match the configured patterns")
_NOT_KNOWN = Absent("vSphere does not tell")


def _summed(counter: str, unit: str) -> Derived:
    return Derived(f"{counter}, {unit}, summed over all 20-second samples")


_HOST: dict[str, Support] = {
    "hypervisor_host_info": Native(f"summary.config.product, {_HARDWARE} vendor, model, cpuModel"),
    "hypervisor_host_up": Derived("1 where runtime.connectionState is connected"),
    "hypervisor_host_state": Derived("runtime.connectionState, powerState, standbyMode, inMaintenanceMode"),
    "hypervisor_host_maintenance_mode": Native("runtime.inMaintenanceMode"),
    "hypervisor_host_boot_timestamp_seconds": Native("runtime.bootTime"),
    "hypervisor_host_cpu_sockets": Native(f"{_HARDWARE}.numCpuPkgs"),
    "hypervisor_host_cpu_cores": Native(f"{_HARDWARE}.numCpuCores"),
    "hypervisor_host_cpu_threads": Native(f"{_HARDWARE}.numCpuThreads"),
    "hypervisor_host_cpu_frequency_hertz": Native(f"{_HARDWARE}.cpuMhz, MHz"),
    "hypervisor_host_cpu_capacity_cpus": Native(f"{_HARDWARE}.numCpuThreads"),
    "hypervisor_host_cpu_busy_seconds_total": Derived(
        "cpu.utilization.average, 1/100 %, times threads, summed over all 20-second samples"
    ),
    "hypervisor_host_memory_capacity_bytes": Native(f"{_HARDWARE}.memorySize, bytes"),
    "hypervisor_host_memory_used_bytes": Native(f"{_QUICK}.overallMemoryUsage, MB of 1,048,576 bytes"),
    "hypervisor_host_memory_available_bytes": Derived("capacity less used"),
    "hypervisor_host_memory_swap_used_bytes": Native("mem.swapused.average, KB, newest sample"),
    "hypervisor_host_memory_ballooned_bytes": Native("mem.vmmemctl.average, KB, newest sample"),
    "hypervisor_host_memory_swap_in_bytes_total": _summed("mem.swapinRate.average", "KB/s"),
    "hypervisor_host_memory_swap_out_bytes_total": _summed("mem.swapoutRate.average", "KB/s"),
    "hypervisor_host_guests": Derived("counted, without templates"),
    "hypervisor_host_vcpus_allocated": Derived("sum of summary.config.numCpu over guests that hold memory"),
    "hypervisor_host_memory_allocated_bytes": Derived("sum of configured memory over guests that hold memory"),
    "hypervisor_host_memory_assigned_bytes": Derived("sum of assigned memory over guests that hold memory"),
    "hypervisor_host_network_receive_bytes_total": _summed("net.bytesRx.average", "KB/s"),
    "hypervisor_host_network_transmit_bytes_total": _summed("net.bytesTx.average", "KB/s"),
    "hypervisor_host_network_receive_errors_total": _summed("net.errorsRx.summation", "errors in 20 s"),
    "hypervisor_host_network_transmit_errors_total": _summed("net.errorsTx.summation", "errors in 20 s"),
    "hypervisor_host_network_receive_drops_total": _summed("net.droppedRx.summation", "packets in 20 s"),
    "hypervisor_host_network_transmit_drops_total": _summed("net.droppedTx.summation", "packets in 20 s"),
    "hypervisor_host_power_joules_total": Derived(
        "power.energy.summation, J in 20 s, summed over all samples; else power.power.average, W"
    ),
    "hypervisor_host_numa_memory_free_bytes": Absent("the API tells no free memory by NUMA node"),
    "hypervisor_host_hugepages_free": Absent("ESXi has no pool of huge pages"),
    "hypervisor_host_migrations": Absent("tasks are not read"),
}

_CLUSTER: dict[str, Support] = {
    "hypervisor_cluster_info": Native("configurationEx dasConfig, drsConfig"),
    "hypervisor_cluster_hosts": Native("summary.numHosts"),
    "hypervisor_cluster_hosts_up": Derived("hosts of the cluster whose runtime.connectionState is connected"),
    "hypervisor_cluster_cpu_capacity_cpus": Native("summary.numCpuThreads"),
    "hypervisor_cluster_memory_capacity_bytes": Native("summary.totalMemory, bytes"),
    "hypervisor_cluster_cpu_effective_hertz": Native("summary.effectiveCpu, MHz"),
    "hypervisor_cluster_memory_effective_bytes": Native("summary.effectiveMemory, MB of 1,048,576 bytes"),
    "hypervisor_cluster_ha_enabled": Native("configurationEx.dasConfig.enabled"),
    "hypervisor_cluster_admission_control_enabled": Native(
        "configurationEx.dasConfig.admissionControlEnabled, while HA is on"
    ),
    "hypervisor_cluster_failover_hosts": Native("summary.currentFailoverLevel, while HA is on"),
    "hypervisor_cluster_quorate": Absent("a cluster of vSphere has no quorum"),
}

_GUEST: dict[str, Support] = {
    "hypervisor_guest_info": Native(
        "name, config, runtime.host, resourcePool; places by the parents; tags are custom attributes (customValue), "
        "those that the option custom_attributes names"
    ),
    "hypervisor_guest_running": Derived("from the state"),
    "hypervisor_guest_state": Derived(
        "runtime.powerState; unknown where runtime.connectionState of the guest or its host is not connected"
    ),
    "hypervisor_guest_state_reason": _NOT_KNOWN,
    "hypervisor_guest_migrating": Absent(
        "a guest that moves is told as running; its tasks (recentTask) say more, but endpoints since 5.0 notify "
        "nobody of them: those of every guest would have to be read each time, and most moves are over in between"
    ),
    "hypervisor_guest_persistent": Absent("every guest of vSphere is"),
    "hypervisor_guest_autostart": Absent("the hosts' lists of guests to start are not read"),
    "hypervisor_guest_boot_timestamp_seconds": Native("runtime.bootTime, of guests that run"),
    "hypervisor_guest_agent_up": Native("guest.toolsRunningStatus, where VMware Tools are installed"),
    "hypervisor_guest_io_error": Derived("runtime.question is about storage"),
    "hypervisor_guest_stats_complete": Derived("always 1; what could not be read is in hypervisor_target_problems"),
    "hypervisor_guest_vcpus": Native("summary.config.numCpu"),
    "hypervisor_guest_cpu_seconds_total": _summed("cpu.run.summation", "ms in 20 s"),
    "hypervisor_guest_cpu_ready_seconds_total": _summed("cpu.ready.summation", "ms in 20 s"),
    "hypervisor_guest_cpu_costop_seconds_total": _summed("cpu.costop.summation", "ms in 20 s"),
    "hypervisor_guest_cpu_limit_cpus": Derived("config.cpuAllocation.limit, MHz, by the host's cpuMhz"),
    "hypervisor_guest_cpu_reservation_cpus": Derived("config.cpuAllocation.reservation, MHz, by the host's cpuMhz"),
    "hypervisor_guest_memory_configured_bytes": Native("summary.config.memorySizeMB, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_assigned_bytes": Derived("configured less ballooned"),
    "hypervisor_guest_memory_host_used_bytes": Native(f"{_QUICK}.hostMemoryUsage, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_used_bytes": Absent("guestMemoryUsage is memory recently touched, not memory in use"),
    "hypervisor_guest_memory_available_bytes": Absent("VMware Tools tell it to nobody who asks by this API"),
    "hypervisor_guest_memory_active_bytes": Native(f"{_QUICK}.guestMemoryUsage, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_ballooned_bytes": Native(f"{_QUICK}.balloonedMemory, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_swapped_bytes": Native(f"{_QUICK}.swappedMemory, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_demand_bytes": _NOT_KNOWN,
    "hypervisor_guest_memory_pressure_ratio": _NOT_KNOWN,
    "hypervisor_guest_memory_limit_bytes": Native("config.memoryAllocation.limit, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_reservation_bytes": Native("config.memoryAllocation.reservation, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_swap_in_bytes_total": _summed("mem.swapinRate.average", "KB/s"),
    "hypervisor_guest_memory_swap_out_bytes_total": _summed("mem.swapoutRate.average", "KB/s"),
    "hypervisor_guest_os_swap_in_bytes_total": Absent("the guest's own paging is not read"),
    "hypervisor_guest_os_swap_out_bytes_total": Absent("the guest's own paging is not read"),
    "hypervisor_guest_last_backup_timestamp_seconds": Absent("vCenter keeps no record of backups"),
    "hypervisor_guest_last_checkpoint_timestamp_seconds": Absent("vCenter keeps no record of backups"),
    "hypervisor_guest_last_replication_timestamp_seconds": Absent("replication is another product's, and is not asked"),
    "hypervisor_guest_replication_state": Absent("replication is another product's, and is not asked"),
    "hypervisor_guest_storage_data_timestamp_seconds": Native("layoutEx.timestamp"),
}

_PARTS: dict[str, Support] = {
    "hypervisor_guest_disk_read_bytes_total": _summed("virtualDisk.read.average", "KB/s"),
    "hypervisor_guest_disk_written_bytes_total": _summed("virtualDisk.write.average", "KB/s"),
    "hypervisor_guest_disk_reads_total": _summed("virtualDisk.numberReadAveraged.average", "per second"),
    "hypervisor_guest_disk_writes_total": _summed("virtualDisk.numberWriteAveraged.average", "per second"),
    "hypervisor_guest_disk_read_seconds_total": Derived(
        "virtualDisk.numberReadAveraged times readLatencyUS, us, summed over all 20-second samples"
    ),
    "hypervisor_guest_disk_write_seconds_total": Derived(
        "virtualDisk.numberWriteAveraged times writeLatencyUS, us, summed over all 20-second samples"
    ),
    "hypervisor_guest_disk_flushes_total": _NOT_KNOWN,
    "hypervisor_guest_disk_flush_seconds_total": _NOT_KNOWN,
    "hypervisor_guest_disk_errors_total": _NOT_KNOWN,
    "hypervisor_guest_disk_error": Absent("a question about storage names no disk; see hypervisor_guest_io_error"),
    "hypervisor_guest_disk_capacity_bytes": Native("config.hardware.device capacityInBytes, else capacityInKB"),
    "hypervisor_guest_disk_allocated_bytes": Derived(
        "layoutEx: size of the files of the disk's newest layer; not on vSAN and vVols, nor of raw devices"
    ),
    "hypervisor_guest_disk_physical_bytes": Derived(
        "layoutEx: uniqueSize of the files of the disk's newest layer; not on vSAN and vVols, nor of raw devices"
    ),
    "hypervisor_guest_disk_chain_depth": Derived("layers below the newest by layoutEx, else by the device's backing"),
    "hypervisor_guest_disk_info": Native("config.hardware.device backing"),
    "hypervisor_guest_network_receive_bytes_total": _summed("net.bytesRx.average", "KB/s"),
    "hypervisor_guest_network_transmit_bytes_total": _summed("net.bytesTx.average", "KB/s"),
    "hypervisor_guest_network_receive_packets_total": _summed("net.packetsRx.summation", "packets in 20 s"),
    "hypervisor_guest_network_transmit_packets_total": _summed("net.packetsTx.summation", "packets in 20 s"),
    "hypervisor_guest_network_receive_drops_total": _summed("net.droppedRx.summation", "packets in 20 s"),
    "hypervisor_guest_network_transmit_drops_total": _summed("net.droppedTx.summation", "packets in 20 s"),
    "hypervisor_guest_network_receive_errors_total": Absent("errors are counted for hosts' adapters only"),
    "hypervisor_guest_network_transmit_errors_total": Absent("errors are counted for hosts' adapters only"),
    "hypervisor_guest_network_info": Native(
        "config.hardware.device macAddress, backing; names of networks, port groups and NSX's networks"
    ),
    "hypervisor_guest_filesystem_size_bytes": Native("guest.disk capacity, bytes, while VMware Tools run"),
    "hypervisor_guest_filesystem_free_bytes": Native("guest.disk freeSpace, bytes, while VMware Tools run"),
}

_SNAPSHOTS: dict[str, Support] = {
    "hypervisor_guest_snapshots": Derived("counted in snapshot.rootSnapshotList"),
    "hypervisor_guest_oldest_snapshot_timestamp_seconds": Derived("smallest createTime"),
    "hypervisor_guest_oldest_snapshot_age_seconds": Derived("the endpoint's clock less the smallest createTime"),
    "hypervisor_guest_snapshot_chain_depth": Derived("longest path in the snapshots' tree"),
    "hypervisor_guest_snapshots_size_bytes": Derived(
        "layoutEx: files that snapshots hold, each once; not on vSAN and vVols"
    ),
    "hypervisor_guest_backup_snapshots": _PATTERNS,
    "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": _PATTERNS,
    "hypervisor_guest_replication_snapshots": _PATTERNS,
    "hypervisor_guest_consolidation_needed": Native("runtime.consolidationNeeded"),
    "hypervisor_guest_orphaned_overlays": Derived(
        "layoutEx: layers above the base of a guest without snapshots, that lie in its own folders and nobody shares"
    ),
    "hypervisor_storage_snapshots_size_bytes": Derived(
        "sum of what guests' snapshots hold there; absent where one holds an unknown amount"
    ),
    "hypervisor_snapshot_created_timestamp_seconds": Native("snapshot.rootSnapshotList createTime"),
    "hypervisor_snapshot_size_bytes": Derived("layoutEx: files that the snapshot holds and its parent does not"),
    "hypervisor_snapshot_info": Native("snapshot.rootSnapshotList, snapshot.currentSnapshot, layoutEx.snapshot"),
}

_STORAGE: dict[str, Support] = {
    "hypervisor_storage_info": Native("name, summary.type, summary.multipleHostAccess, summary.url, info"),
    "hypervisor_storage_accessible": Native("summary.accessible"),
    "hypervisor_storage_hosts": Derived("counted in host"),
    "hypervisor_storage_hosts_accessible": Derived("counted in host: mountInfo.accessible"),
    "hypervisor_storage_capacity_bytes": Native("summary.capacity, bytes, while accessible"),
    "hypervisor_storage_free_bytes": Native("summary.freeSpace, bytes, while accessible"),
    "hypervisor_storage_provisioned_bytes": Derived("summary.capacity less freeSpace plus uncommitted"),
    "hypervisor_storage_data_timestamp_seconds": Native("info.timestamp"),
}

_TARGET: dict[str, Support] = {
    "hypervisor_target_clock_offset_seconds": Derived("CurrentTime less the middle of our clock around the call"),
}

SUPPORT: dict[str, Support] = {**_HOST, **_CLUSTER, **_GUEST, **_PARTS, **_SNAPSHOTS, **_STORAGE, **_TARGET}
