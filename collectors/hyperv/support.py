"""Where every shared family comes from on Hyper-V, or why it is absent.

`mapping/tables.py` has the class, the counter type, the unit and the conversion of every number.
"""

from __future__ import annotations

from exporter.contract import Absent, Derived, Native, Support

_COUNTED = Derived("counted from the guests of the host; replicas that rest are not counted")
_SNAPSHOTS_COUNTED = Derived("counted in Msvm_VirtualSystemSettingData")
_DIFFERENCING = Derived("GetVirtualHardDiskState: sizes of differencing disks, read every half hour")
_NO_OVERCOMMIT = Absent("Hyper-V does not page or balloon a guest's memory for its host")
_WINDOWS_SILENT = Absent("Windows does not tell")
_LATENCY = Absent("the latency counter wraps within a scrape, and its type is not proven")
_PACKETS = "packets, cumulative"
_MACHINE = "Msvm_ComputerSystem"
_SETTING = "Msvm_VirtualSystemSettingData"
_VP = "HyperVHypervisorVirtualProcessor"
_DEVICE = "HyperVVirtualStorageDevice"
_ADAPTER = "HyperVVirtualNetworkAdapter"
_NIC = "Tcpip_NetworkAdapter"

_HOST: dict[str, Support] = {
    "hypervisor_host_info": Native("Win32_OperatingSystem, Win32_ComputerSystem, Win32_Processor"),
    "hypervisor_host_up": Derived("1 if the host has answered and, in a cluster, is not down (MSCluster_Node.State)"),
    "hypervisor_host_state": Derived("connected; in a cluster by MSCluster_Node State and NodeDrainStatus"),
    "hypervisor_host_maintenance_mode": Derived(
        "MSCluster_Node State 2 or NodeDrainStatus 1, 2; nodes of clusters only"
    ),
    "hypervisor_host_boot_timestamp_seconds": Native("Win32_OperatingSystem.LastBootUpTime"),
    "hypervisor_host_cpu_sockets": Derived("instances of Win32_Processor"),
    "hypervisor_host_cpu_cores": Derived("sum of Win32_Processor.NumberOfCores"),
    "hypervisor_host_cpu_threads": Derived("instances of HyperVHypervisorLogicalProcessor"),
    "hypervisor_host_cpu_frequency_hertz": Native("Win32_Processor.MaxClockSpeed, MHz"),
    "hypervisor_host_cpu_capacity_cpus": Derived("instances of HyperVHypervisorLogicalProcessor"),
    "hypervisor_host_cpu_busy_seconds_total": Native("HyperVHypervisorLogicalProcessor.PercentTotalRunTime, 100 ns"),
    "hypervisor_host_memory_capacity_bytes": Native("Win32_ComputerSystem.TotalPhysicalMemory, bytes"),
    "hypervisor_host_memory_used_bytes": Derived("capacity less available"),
    "hypervisor_host_memory_available_bytes": Native(
        "HyperVDynamicMemoryBalancer.AvailableMemory, MB of 1,048,576 bytes; else FreePhysicalMemory, KB"
    ),
    "hypervisor_host_memory_swap_used_bytes": _NO_OVERCOMMIT,
    "hypervisor_host_memory_ballooned_bytes": _NO_OVERCOMMIT,
    "hypervisor_host_memory_swap_in_bytes_total": _NO_OVERCOMMIT,
    "hypervisor_host_memory_swap_out_bytes_total": _NO_OVERCOMMIT,
    "hypervisor_host_guests": _COUNTED,
    "hypervisor_host_vcpus_allocated": Derived("sum of virtual processors over guests that hold memory"),
    "hypervisor_host_memory_allocated_bytes": Derived(
        "sum of configured memory over guests that hold memory; max(startup, assigned) of a guest without a bound"
    ),
    "hypervisor_host_memory_assigned_bytes": Derived("sum of assigned memory over guests that hold memory"),
    "hypervisor_host_network_receive_bytes_total": Native(f"{_NIC}.BytesReceivedPersec of physical adapters, bytes"),
    "hypervisor_host_network_transmit_bytes_total": Native(f"{_NIC}.BytesSentPersec of physical adapters, bytes"),
    "hypervisor_host_network_receive_errors_total": Native(f"{_NIC}.PacketsReceivedErrors, {_PACKETS}"),
    "hypervisor_host_network_transmit_errors_total": Native(f"{_NIC}.PacketsOutboundErrors, {_PACKETS}"),
    "hypervisor_host_network_receive_drops_total": Native(f"{_NIC}.PacketsReceivedDiscarded, {_PACKETS}"),
    "hypervisor_host_network_transmit_drops_total": Native(f"{_NIC}.PacketsOutboundDiscarded, {_PACKETS}"),
    "hypervisor_host_power_joules_total": _WINDOWS_SILENT,
    "hypervisor_host_numa_memory_free_bytes": Absent("free memory by NUMA node is not read"),
    "hypervisor_host_hugepages_free": Absent("Hyper-V has no pool of huge pages"),
    "hypervisor_host_migrations": Absent("live migrations are told by guest: hypervisor_guest_migrating"),
}

_CLUSTER: dict[str, Support] = {
    "hypervisor_cluster_info": Derived("a failover cluster restarts its guests elsewhere; it does not balance them"),
    "hypervisor_cluster_hosts": Native("instances of MSCluster_Node"),
    "hypervisor_cluster_hosts_up": Derived("nodes whose MSCluster_Node.State is up or paused"),
    "hypervisor_cluster_cpu_capacity_cpus": Derived("sum over nodes; absent while one that is up is not read"),
    "hypervisor_cluster_memory_capacity_bytes": Derived("sum over nodes; absent while one that is up is not read"),
    "hypervisor_cluster_cpu_effective_hertz": _WINDOWS_SILENT,
    "hypervisor_cluster_memory_effective_bytes": _WINDOWS_SILENT,
    "hypervisor_cluster_ha_enabled": Derived("always 1: that is what a failover cluster is"),
    "hypervisor_cluster_admission_control_enabled": Absent("a failover cluster admits every guest"),
    "hypervisor_cluster_failover_hosts": Absent("a failover cluster keeps no capacity free"),
    "hypervisor_cluster_quorate": Derived(
        "1 while the cluster service answers on a node, which it does only with quorum; 0 if it answers on none"
    ),
}

_GUEST: dict[str, Support] = {
    "hypervisor_guest_info": Native(f"{_MACHINE}, {_SETTING}"),
    "hypervisor_guest_running": Derived("from the state"),
    "hypervisor_guest_state": Native(f"{_MACHINE}.EnabledState"),
    "hypervisor_guest_state_reason": Absent("see hypervisor_hyperv_guest_operation"),
    "hypervisor_guest_migrating": Derived(f"{_MACHINE}.OperationalStatus holds 32774"),
    "hypervisor_guest_persistent": Absent("every guest of Hyper-V is"),
    "hypervisor_guest_autostart": Derived(f"{_SETTING}.AutomaticStartupAction is 4, always"),
    "hypervisor_guest_boot_timestamp_seconds": Derived(
        f"the host's clock less {_MACHINE}.OnTimeInMilliseconds, ms; kept unless it moves by more than 60 s"
    ),
    "hypervisor_guest_agent_up": Derived("Msvm_SummaryInformation.Heartbeat: 2, 3 are up, 6, 7, 12, 13 are not"),
    "hypervisor_guest_io_error": Derived(f"{_MACHINE} OperationalStatus 5 (storage is low) or HealthState 25"),
    "hypervisor_guest_stats_complete": Derived(
        "0 where counters could not be read, or belong to two guests of one name"
    ),
    "hypervisor_guest_vcpus": Native("Msvm_SummaryInformation.NumberOfProcessors"),
    "hypervisor_guest_cpu_seconds_total": Native(f"{_VP}.PercentTotalRunTime, 100 ns, summed over virtual processors"),
    "hypervisor_guest_cpu_ready_seconds_total": Native(
        f"{_VP}.CPUWaitTimePerDispatch, 100 ns by its counter type (option cpu_wait_unit); experimental"
    ),
    "hypervisor_guest_cpu_costop_seconds_total": Absent("virtual processors are not scheduled together"),
    "hypervisor_guest_cpu_limit_cpus": Derived("virtual processors x Msvm_ProcessorSettingData.Limit / 100,000"),
    "hypervisor_guest_cpu_reservation_cpus": Derived("virtual processors x Reservation / 100,000"),
    "hypervisor_guest_memory_configured_bytes": Derived(
        "Msvm_MemorySettingData, MB: VirtualQuantity, with dynamic memory min(Limit, the host's memory)"
    ),
    "hypervisor_guest_memory_assigned_bytes": Native("Msvm_SummaryInformation.MemoryUsage, MB of 1,048,576 bytes"),
    "hypervisor_guest_memory_host_used_bytes": Native("HyperVVMVidPartition.PhysicalPagesAllocated, pages of 4 KiB"),
    "hypervisor_guest_memory_used_bytes": Derived("HyperVDynamicMemoryVM: visible less available, MB"),
    "hypervisor_guest_memory_available_bytes": Native(
        "HyperVDynamicMemoryVM.GuestAvailableMemory, MB, where the build has it"
    ),
    "hypervisor_guest_memory_active_bytes": _WINDOWS_SILENT,
    "hypervisor_guest_memory_ballooned_bytes": Absent("what was taken from a guest is configured less assigned memory"),
    "hypervisor_guest_memory_swapped_bytes": _NO_OVERCOMMIT,
    "hypervisor_guest_memory_demand_bytes": Derived(
        "HyperVDynamicMemoryVM: PhysicalMemory, MB, x CurrentPressure, percent"
    ),
    "hypervisor_guest_memory_pressure_ratio": Native(
        "HyperVDynamicMemoryVM.CurrentPressure, percent, with dynamic memory"
    ),
    "hypervisor_guest_memory_limit_bytes": Native(
        "Msvm_MemorySettingData.Limit, MB; without dynamic memory VirtualQuantity"
    ),
    "hypervisor_guest_memory_reservation_bytes": Native(
        "Msvm_MemorySettingData.Reservation, MB; without it VirtualQuantity"
    ),
    "hypervisor_guest_memory_swap_in_bytes_total": _NO_OVERCOMMIT,
    "hypervisor_guest_memory_swap_out_bytes_total": _NO_OVERCOMMIT,
    "hypervisor_guest_os_swap_in_bytes_total": Absent("the guest's own paging is not told"),
    "hypervisor_guest_os_swap_out_bytes_total": Absent("the guest's own paging is not told"),
    "hypervisor_guest_last_backup_timestamp_seconds": Native(f"{_MACHINE}.LastSuccessfulBackupTime"),
    "hypervisor_guest_last_checkpoint_timestamp_seconds": Absent(
        "the time of the last successful backup is told itself"
    ),
    "hypervisor_guest_last_replication_timestamp_seconds": Native("Msvm_ReplicationRelationship.LastReplicationTime"),
    "hypervisor_guest_replication_state": Native("Msvm_ReplicationRelationship.ReplicationHealth"),
    "hypervisor_guest_storage_data_timestamp_seconds": Derived("when the files of the guest's disks were read"),
}

_PARTS: dict[str, Support] = {
    "hypervisor_guest_disk_read_bytes_total": Native(f"{_DEVICE}.ReadBytesPersec, bytes, cumulative"),
    "hypervisor_guest_disk_written_bytes_total": Native(f"{_DEVICE}.WriteBytesPersec, bytes, cumulative"),
    "hypervisor_guest_disk_reads_total": Derived(f"{_DEVICE}.ReadCount, 32 bits, unwrapped"),
    "hypervisor_guest_disk_writes_total": Derived(f"{_DEVICE}.WriteCount, 32 bits, unwrapped"),
    "hypervisor_guest_disk_read_seconds_total": _LATENCY,
    "hypervisor_guest_disk_write_seconds_total": _LATENCY,
    "hypervisor_guest_disk_flushes_total": Derived(f"{_DEVICE}.FlushCount, 32 bits, unwrapped"),
    "hypervisor_guest_disk_flush_seconds_total": _WINDOWS_SILENT,
    "hypervisor_guest_disk_errors_total": Derived(f"{_DEVICE}.ErrorCount, 32 bits, unwrapped"),
    "hypervisor_guest_disk_error": Absent("an error names no disk; see hypervisor_guest_io_error"),
    "hypervisor_guest_disk_capacity_bytes": Native("GetVirtualHardDiskSettingData: MaxInternalSize, bytes"),
    "hypervisor_guest_disk_allocated_bytes": Native("GetVirtualHardDiskState: FileSize of the file written to, bytes"),
    "hypervisor_guest_disk_physical_bytes": Absent("FileSize is what the file system tells too"),
    "hypervisor_guest_disk_chain_depth": Derived("files below the one written to, by ParentPath"),
    "hypervisor_guest_disk_info": Native("Msvm_StorageAllocationSettingData.HostResource; the volume by its path"),
    "hypervisor_guest_network_receive_bytes_total": Native(f"{_ADAPTER}.BytesReceivedPersec, bytes, cumulative"),
    "hypervisor_guest_network_transmit_bytes_total": Native(f"{_ADAPTER}.BytesSentPersec, bytes, cumulative"),
    "hypervisor_guest_network_receive_packets_total": Native(f"{_ADAPTER}.PacketsReceivedPersec, {_PACKETS}"),
    "hypervisor_guest_network_transmit_packets_total": Native(f"{_ADAPTER}.PacketsSentPersec, {_PACKETS}"),
    "hypervisor_guest_network_receive_drops_total": Native(f"{_ADAPTER}.DroppedPacketsIncomingPersec, {_PACKETS}"),
    "hypervisor_guest_network_transmit_drops_total": Native(f"{_ADAPTER}.DroppedPacketsOutgoingPersec, {_PACKETS}"),
    "hypervisor_guest_network_receive_errors_total": Absent("errors are counted for physical adapters only"),
    "hypervisor_guest_network_transmit_errors_total": Absent("errors are counted for physical adapters only"),
    "hypervisor_guest_network_info": Native(
        "Msvm_SyntheticEthernetPortSettingData.Address, Msvm_EthernetPortAllocationSettingData.LastKnownSwitchName"
    ),
    "hypervisor_guest_filesystem_size_bytes": Absent("the guest's file systems are not told"),
    "hypervisor_guest_filesystem_free_bytes": Absent("the guest's file systems are not told"),
}

_SNAPSHOTS: dict[str, Support] = {
    "hypervisor_guest_snapshots": _SNAPSHOTS_COUNTED,
    "hypervisor_guest_oldest_snapshot_timestamp_seconds": Derived(f"smallest {_SETTING}.CreationTime of checkpoints"),
    "hypervisor_guest_oldest_snapshot_age_seconds": Derived("the host's clock less the smallest CreationTime"),
    "hypervisor_guest_snapshot_chain_depth": Derived("longest path in the checkpoints' tree"),
    "hypervisor_guest_snapshots_size_bytes": _DIFFERENCING,
    "hypervisor_guest_backup_snapshots": Derived("VirtualSystemType ends with Snapshot:Recovery"),
    "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": Derived(
        "VirtualSystemType ends with Snapshot:Recovery"
    ),
    "hypervisor_guest_replication_snapshots": Derived("VirtualSystemType has Snapshot:Replica"),
    "hypervisor_guest_consolidation_needed": Derived(
        "an .avhdx is written to, there is no checkpoint of any kind, and no merge or backup is running"
    ),
    "hypervisor_guest_orphaned_overlays": Absent("see hypervisor_guest_consolidation_needed"),
    "hypervisor_storage_snapshots_size_bytes": _DIFFERENCING,
    "hypervisor_snapshot_created_timestamp_seconds": Native(f"{_SETTING}.CreationTime"),
    "hypervisor_snapshot_size_bytes": Derived("sizes of the differencing disks on top of the checkpoint's own disks"),
    "hypervisor_snapshot_info": Native(f"{_SETTING} Parent, VirtualSystemType, IsAutomaticSnapshot, IsSaved"),
}

_STORAGE: dict[str, Support] = {
    "hypervisor_storage_info": Native("Win32_Volume; MSCluster_ClusterSharedVolume once per cluster"),
    "hypervisor_storage_accessible": Derived("FaultState without the bits 2 and 8; a volume that tells its capacity"),
    "hypervisor_storage_hosts": Derived("nodes of the cluster, of cluster shared volumes"),
    "hypervisor_storage_hosts_accessible": Derived("nodes that list the volume as CSVFS"),
    "hypervisor_storage_capacity_bytes": Native("Win32_Volume.Capacity, bytes; MSCluster_DiskPartition.TotalSize, MB"),
    "hypervisor_storage_free_bytes": Native("Win32_Volume.FreeSpace, bytes; MSCluster_DiskPartition.FreeSpace, MB"),
    "hypervisor_storage_provisioned_bytes": Derived(
        "capacity less free plus MaxInternalSize less FileSize of every disk there; absent until all were read"
    ),
    "hypervisor_storage_data_timestamp_seconds": Derived("when the volume was read"),
}

_TARGET: dict[str, Support] = {
    "hypervisor_target_clock_offset_seconds": Derived(
        "Win32_OperatingSystem.LocalDateTime less the middle of our clock around the query"
    ),
}

SUPPORT: dict[str, Support] = {**_HOST, **_CLUSTER, **_GUEST, **_PARTS, **_SNAPSHOTS, **_STORAGE, **_TARGET}
