"""How a failover cluster of Hyper-V hosts looks."""

from __future__ import annotations

from collectors.hyperv.families import FAMILIES as REAL
from collectors.simulated.dice import identity
from collectors.simulated.looks.look import Look, Words, support, table
from collectors.simulated.plans import GuestPlan, HostPlan, StoragePlan

_NATIVE = table("""
    host_info = Win32_OperatingSystem, Win32_Processor
    host_up host_state = MSCluster_Node.State
    host_maintenance_mode = MSCluster_Node.NodeDrainStatus
    host_boot_timestamp_seconds = Win32_OperatingSystem.LastBootUpTime
    host_cpu_sockets host_cpu_cores host_cpu_threads = Win32_Processor
    host_cpu_frequency_hertz = Win32_Processor.MaxClockSpeed, MHz
    host_cpu_capacity_cpus = logical processors
    host_cpu_busy_seconds_total = hypervisor logical processor run time, 100 ns
    host_memory_capacity_bytes = Win32_ComputerSystem.TotalPhysicalMemory
    host_memory_used_bytes = derived: capacity less available
    host_memory_available_bytes = balancer AvailableMemory, MB
    host_guests host_vcpus_allocated host_memory_allocated_bytes host_memory_assigned_bytes = derived: counted
    host_network_receive_bytes_total host_network_transmit_bytes_total = Tcpip_NetworkAdapter
    host_network_receive_errors_total host_network_transmit_errors_total = Tcpip_NetworkAdapter
    host_network_receive_drops_total host_network_transmit_drops_total = Tcpip_NetworkAdapter
    cluster_info = MSCluster_Cluster
    cluster_hosts cluster_hosts_up = MSCluster_Node
    cluster_cpu_capacity_cpus cluster_memory_capacity_bytes = derived: sums over nodes
    cluster_quorate = MSCluster_Cluster
    cluster_ha_enabled = derived: always 1, that is what a failover cluster is
    guest_info = Msvm_VirtualSystemSettingData
    guest_running = derived: from the state
    guest_state = Msvm_ComputerSystem.EnabledState
    guest_migrating = Msvm_ComputerSystem.OperationalStatus 32774
    guest_autostart = derived: AutomaticStartupAction not 2
    guest_boot_timestamp_seconds = derived: OnTimeInMilliseconds
    guest_agent_up = Msvm_HeartbeatComponent
    guest_io_error = derived: OperationalStatus 5, HealthState 25
    guest_stats_complete = derived: 1
    guest_vcpus = Msvm_SummaryInformation.NumberOfProcessors
    guest_cpu_seconds_total = virtual processor PercentTotalRunTime, 100 ns
    guest_cpu_ready_seconds_total = CPUWaitTimePerDispatch, 100 ns
    guest_cpu_limit_cpus guest_cpu_reservation_cpus = derived: Msvm_ProcessorSettingData x virtual processors
    guest_memory_configured_bytes = Msvm_MemorySettingData, MB
    guest_memory_assigned_bytes = Msvm_SummaryInformation.MemoryUsage, MB
    guest_memory_host_used_bytes = physical memory of the partition
    guest_memory_used_bytes = derived: visible less available
    guest_memory_available_bytes = balancer GuestAvailableMemory, MB
    guest_memory_demand_bytes = derived: PhysicalMemory x CurrentPressure / 100
    guest_memory_pressure_ratio = CurrentPressure, percent
    guest_memory_limit_bytes guest_memory_reservation_bytes = Msvm_MemorySettingData, MB
    guest_disk_read_bytes_total guest_disk_written_bytes_total = virtual storage device
    guest_disk_reads_total guest_disk_writes_total = virtual storage device, unwrapped
    guest_disk_errors_total = virtual storage device ErrorCount, unwrapped
    guest_disk_capacity_bytes guest_disk_allocated_bytes = GetVirtualHardDiskState
    guest_disk_info = Msvm_StorageAllocationSettingData
    guest_network_receive_bytes_total guest_network_transmit_bytes_total = virtual network adapter
    guest_network_receive_packets_total guest_network_transmit_packets_total = virtual network adapter
    guest_network_receive_drops_total guest_network_transmit_drops_total = virtual network adapter
    guest_network_info = Msvm_SyntheticEthernetPortSettingData
    guest_last_backup_timestamp_seconds = Msvm_ComputerSystem.LastSuccessfulBackupTime
    guest_last_replication_timestamp_seconds guest_replication_state = Msvm_ReplicationRelationship
    guest_storage_data_timestamp_seconds = derived: when the VHDs were read
    guest_snapshots guest_snapshot_chain_depth = derived: counted from Msvm_VirtualSystemSettingData
    guest_oldest_snapshot_timestamp_seconds guest_oldest_snapshot_age_seconds = derived: CreationTime
    guest_snapshots_size_bytes = derived: sizes of differencing disks
    guest_backup_snapshots guest_oldest_backup_snapshot_timestamp_seconds = derived: VirtualSystemType Recovery
    guest_replication_snapshots = derived: VirtualSystemType Replica
    guest_consolidation_needed = derived: an .avhdx leaf with no checkpoint
    storage_snapshots_size_bytes = derived: sizes of differencing disks
    snapshot_created_timestamp_seconds snapshot_info = Msvm_VirtualSystemSettingData
    snapshot_size_bytes = derived: size of the differencing disk
    storage_info storage_capacity_bytes storage_free_bytes = Win32_Volume, MSCluster_DiskPartition
    storage_accessible = MSCluster_ClusterSharedVolume.FaultState
    storage_hosts storage_hosts_accessible = MSCluster_ClusterSharedVolume
    storage_provisioned_bytes = derived: size - free + what dynamic disks may still grow
    storage_data_timestamp_seconds = derived: when the volume was read
    target_clock_offset_seconds = Win32_OperatingSystem.LocalDateTime
""")
_ABSENT = table("""
    guest_disk_read_seconds_total guest_disk_write_seconds_total = the counter's type is not proven
    guest_cpu_costop_seconds_total = virtual processors are not co-scheduled
    guest_filesystem_size_bytes guest_filesystem_free_bytes = the guest's file systems are not told
    host_memory_ballooned_bytes host_memory_swap_used_bytes = Hyper-V does not overcommit a host's memory
""")


_OWN = (
    "hypervisor_hyperv_host_root_cpu_seconds_total",
    "hypervisor_hyperv_guest_remote_pages",
    "hypervisor_hyperv_csv_redirected_bytes_total",
)
FAMILIES = tuple(family for family in REAL if family.name in _OWN)
"""The real platform's very objects, which read what is filled in below."""


def _host(_host: HostPlan, busy: float) -> dict[str, float]:
    return {"root": int(busy * 60) / 1000}


def _guest(guest: GuestPlan, _cpu: float) -> dict[str, float]:
    return {"remote_pages": float(guest.index * 37 % 4096)}


def _storage(storage: StoragePlan, since: float) -> dict[str, float]:
    if not storage.shared:
        return {}
    return {"read": float(int(since * (1 + storage.period % 977))), "write": float(int(since * (storage.period % 499)))}


HYPERV = Look(
    name="hyperv",
    title="Simulated fleet that looks like Microsoft Hyper-V",
    product="Microsoft Windows Server 2025 Datacenter",
    version="10.0.26100",
    api_version="10.0",
    support=support(_NATIVE, _ABSENT),
    families=FAMILIES,
    operations={
        "vitals": ("Enumerate", 60),
        "storage": ("GetVirtualHardDiskState", 1),
        "snapshots": ("Enumerate", 60),
        "inventory": ("Enumerate", 60),
    },
    ha="failover",
    right="membership of Hyper-V Administrators",
    words=Words(
        disk=lambda number: f"SCSI 0:{number}",
        nic=lambda guest, number: identity(guest.id, "nic", number),
        mac="00:15:5d",
        native=lambda guest: guest.id.upper(),
        cluster_id=lambda cluster: cluster.name.lower(),
        backing=lambda storage: "CSVFS" if storage.shared else "NTFS",
        path=lambda guest, number: (
            f"C:\\ClusterStorage\\{guest.disks[number].storage.name}\\{guest.id[:8]}\\disk{number}.vhdx"
        ),
        format="vhdx",
    ),
    host_extra=_host,
    guest_extra=_guest,
    storage_extra=_storage,
)
