"""Every class that is asked for, and every number that is read of it: its counter type, its unit, its conversion.

Types of performance counters are those of Windows' registry: `timer` is PERF_PRECISION_100NS_TIMER (ticks of 100 ns,
cumulative), `bulk count` PERF_COUNTER_BULK_COUNT (cumulative, never to be divided), `raw count` PERF_COUNTER_RAWCOUNT.
Only raw classes are read: formatted ones need two samples and round.
"""

from __future__ import annotations

from collectors.hyperv.client.rows import Namespace
from collectors.hyperv.mapping.values import (
    Field,
    Table,
    kibibytes,
    mebibytes,
    megahertz,
    milliseconds,
    pages,
    percent,
    thousandths_of_percent,
    ticks,
)

_V2, _CIMV2, _CLUSTER = Namespace.VIRTUALIZATION, Namespace.CIMV2, Namespace.CLUSTER
_RAW = "Win32_PerfRawData_"
TIMER, BULK, RAW, GAUGE = "timer", "bulk count", "raw count", "gauge"
UINT32 = 32

# Guests.

ON_TIME = Field("OnTimeInMilliseconds", GAUGE, "ms", milliseconds)
COMPUTER_SYSTEMS = Table(
    _V2,
    "Msvm_ComputerSystem",
    (
        "Name",
        "ElementName",
        "EnabledState",
        "HealthState",
        "OperationalStatus",
        "ReplicationMode",
        "TimeOfLastStateChange",
        ON_TIME,
    ),
)
"""The host itself is in it too: known by its name that is no GUID, never by the caption, which is localised."""

PROCESSORS = Field("NumberOfProcessors", GAUGE, "virtual processors")
MEMORY_USAGE = Field("MemoryUsage", GAUGE, "MB", mebibytes)
HEARTBEAT = Field("Heartbeat", GAUGE, "a state")
SUMMARIES = Table(_V2, "Msvm_SummaryInformation", ("Name", HEARTBEAT, "GuestOperatingSystem", PROCESSORS, MEMORY_USAGE))

# Processors.

LP_RUN = Field("PercentTotalRunTime", TIMER, "100 ns", ticks)
LOGICAL_PROCESSORS = Table(_CIMV2, f"{_RAW}HvStats_HyperVHypervisorLogicalProcessor", ("Name", LP_RUN))
ROOT_RUN = Field("PercentTotalRunTime", TIMER, "100 ns", ticks)
ROOT_PROCESSORS = Table(_CIMV2, f"{_RAW}HvStats_HyperVHypervisorRootVirtualProcessor", ("Name", ROOT_RUN))
VP_RUN = Field("PercentTotalRunTime", TIMER, "100 ns", ticks)
VP_WAIT = Field("CPUWaitTimePerDispatch", TIMER, "100 ns (not proven)")
VP_DISPATCHES = Field("CPUWaitTimePerDispatch_Base", BULK, "dispatches")
VIRTUAL_PROCESSORS = Table(
    _CIMV2, f"{_RAW}HvStats_HyperVHypervisorVirtualProcessor", ("Name", VP_RUN, VP_WAIT, VP_DISPATCHES)
)

# Memory.

PHYSICAL = Field("PhysicalMemory", RAW, "MB", mebibytes)
VISIBLE = Field("GuestVisiblePhysicalMemory", RAW, "MB", mebibytes)
AVAILABLE = Field("GuestAvailableMemory", RAW, "MB", mebibytes)
PRESSURE = Field("CurrentPressure", RAW, "percent", percent)
BALANCED_GUESTS = Table(
    _CIMV2, f"{_RAW}BalancerStats_HyperVDynamicMemoryVM", ("Name", PHYSICAL, VISIBLE, AVAILABLE, PRESSURE)
)
BALANCER_AVAILABLE = Field("AvailableMemory", RAW, "MB", mebibytes)
BALANCER = Table(_CIMV2, f"{_RAW}BalancerStats_HyperVDynamicMemoryBalancer", ("Name", BALANCER_AVAILABLE))
PARTITION_PAGES = Field("PhysicalPagesAllocated", RAW, "pages of 4 KiB", pages)
REMOTE_PAGES = Field("RemotePhysicalPages", RAW, "pages of 4 KiB")
PARTITIONS = Table(_CIMV2, f"{_RAW}VidPerfProvider_HyperVVMVidPartition", ("Name", PARTITION_PAGES, REMOTE_PAGES))

# Disks and adapters of guests.

READ_BYTES = Field("ReadBytesPersec", BULK, "bytes")
WRITTEN_BYTES = Field("WriteBytesPersec", BULK, "bytes")
READS = Field("ReadCount", RAW, "operations, cumulative", bits=UINT32)
WRITES = Field("WriteCount", RAW, "operations, cumulative", bits=UINT32)
FLUSHES = Field("FlushCount", RAW, "operations, cumulative", bits=UINT32)
DISK_ERRORS = Field("ErrorCount", RAW, "errors, cumulative", bits=UINT32)
STORAGE_DEVICES = Table(
    _CIMV2,
    f"{_RAW}Counters_HyperVVirtualStorageDevice",
    ("Name", READ_BYTES, WRITTEN_BYTES, READS, WRITES, FLUSHES, DISK_ERRORS),
)
RECEIVED_BYTES = Field("BytesReceivedPersec", BULK, "bytes")
SENT_BYTES = Field("BytesSentPersec", BULK, "bytes")
RECEIVED_PACKETS = Field("PacketsReceivedPersec", BULK, "packets")
SENT_PACKETS = Field("PacketsSentPersec", BULK, "packets")
DROPPED_IN = Field("DroppedPacketsIncomingPersec", BULK, "packets")
DROPPED_OUT = Field("DroppedPacketsOutgoingPersec", BULK, "packets")
NETWORK_ADAPTERS = Table(
    _CIMV2,
    f"{_RAW}NvspNicStats_HyperVVirtualNetworkAdapter",
    ("Name", RECEIVED_BYTES, SENT_BYTES, RECEIVED_PACKETS, SENT_PACKETS, DROPPED_IN, DROPPED_OUT),
)

# The host.

FREE_MEMORY = Field("FreePhysicalMemory", GAUGE, "KB", kibibytes)
VISIBLE_MEMORY = Field("TotalVisibleMemorySize", GAUGE, "KB", kibibytes)
OPERATING_SYSTEM = Table(
    _CIMV2,
    "Win32_OperatingSystem",
    ("Caption", "Version", "BuildNumber", "CSName", "LastBootUpTime", "LocalDateTime", FREE_MEMORY, VISIBLE_MEMORY),
)
RECEIVE_ERRORS = Field("PacketsReceivedErrors", RAW, "packets, cumulative")
SEND_ERRORS = Field("PacketsOutboundErrors", RAW, "packets, cumulative")
RECEIVE_DISCARDS = Field("PacketsReceivedDiscarded", RAW, "packets, cumulative")
SEND_DISCARDS = Field("PacketsOutboundDiscarded", RAW, "packets, cumulative")
HOST_ADAPTERS = Table(
    _CIMV2,
    f"{_RAW}Tcpip_NetworkAdapter",
    ("Name", RECEIVED_BYTES, SENT_BYTES, RECEIVE_ERRORS, SEND_ERRORS, RECEIVE_DISCARDS, SEND_DISCARDS),
)
TOTAL_MEMORY = Field("TotalPhysicalMemory", GAUGE, "bytes")
COMPUTER = Table(_CIMV2, "Win32_ComputerSystem", ("Name", "Manufacturer", "Model", TOTAL_MEMORY))
PRODUCT = Table(_CIMV2, "Win32_ComputerSystemProduct", ("UUID",))
CORES = Field("NumberOfCores", GAUGE, "cores")
THREADS = Field("NumberOfLogicalProcessors", GAUGE, "logical processors of the root partition")
CLOCK = Field("MaxClockSpeed", GAUGE, "MHz", megahertz)
PACKAGES = Table(_CIMV2, "Win32_Processor", ("DeviceID", "Name", CORES, THREADS, CLOCK))
PHYSICAL_ADAPTERS = Table(_CIMV2, "Win32_NetworkAdapter", ("Name", "PNPDeviceID"), "PhysicalAdapter = TRUE")
PARTITION_COUNT = Field("Partitions", RAW, "partitions, the root's too")
LP_COUNT = Field("LogicalProcessors", RAW, "logical processors")
HYPERVISOR = Table(_CIMV2, f"{_RAW}HvStats_HyperVHypervisor", (PARTITION_COUNT, LP_COUNT))
HEALTH_OK = Field("HealthOk", RAW, "guests")
HEALTH_CRITICAL = Field("HealthCritical", RAW, "guests")
HEALTH = Table(_CIMV2, f"{_RAW}VmmsVirtualMachineStats_HyperVVirtualMachineHealthSummary", (HEALTH_OK, HEALTH_CRITICAL))
SWITCHES = Table(_CIMV2, f"{_RAW}NvspSwitchStats_HyperVVirtualSwitch", ("Name", RECEIVED_BYTES, SENT_BYTES))

# Settings.

SYSTEMS = Table(
    _V2,
    "Msvm_VirtualSystemSettingData",
    (
        "InstanceID",
        "ElementName",
        "VirtualSystemIdentifier",
        "VirtualSystemType",
        "VirtualSystemSubType",
        "CreationTime",
        "Parent",
        "IsAutomaticSnapshot",
        "IsSaved",
        "AutomaticStartupAction",
        "Version",
        "BIOSGUID",
        "Notes",
    ),
)
"""Guests and checkpoints in one answer."""
STARTUP = Field("VirtualQuantity", GAUGE, "MB", mebibytes)
MINIMUM = Field("Reservation", GAUGE, "MB", mebibytes)
MAXIMUM = Field("Limit", GAUGE, "MB", mebibytes)
MEMORY_SETTINGS = Table(
    _V2, "Msvm_MemorySettingData", ("InstanceID", "DynamicMemoryEnabled", STARTUP, MINIMUM, MAXIMUM)
)
CPU_COUNT = Field("VirtualQuantity", GAUGE, "virtual processors")
CPU_LIMIT = Field("Limit", GAUGE, "100,000 are all of the guest's", thousandths_of_percent)
CPU_RESERVATION = Field("Reservation", GAUGE, "100,000 are all of the guest's", thousandths_of_percent)
PROCESSOR_SETTINGS = Table(_V2, "Msvm_ProcessorSettingData", ("InstanceID", CPU_COUNT, CPU_LIMIT, CPU_RESERVATION))
DISK_FILES = Table(
    _V2, "Msvm_StorageAllocationSettingData", ("InstanceID", "HostResource", "ResourceType", "ResourceSubType")
)
CONTROLLERS = Table(_V2, "Msvm_ResourceAllocationSettingData", ("InstanceID",), "ResourceType = 6")
ADAPTER_SETTINGS = Table(_V2, "Msvm_SyntheticEthernetPortSettingData", ("InstanceID", "ElementName", "Address"))
PORT_SETTINGS = Table(_V2, "Msvm_EthernetPortAllocationSettingData", ("InstanceID", "LastKnownSwitchName"))

GUEST_NAMES = Table(_V2, "Msvm_ComputerSystem", ("Name", "ElementName"))

# Checkpoints, backups, replication.

PROTECTION = Table(
    _V2,
    "Msvm_ComputerSystem",
    (
        "Name",
        "ElementName",
        "OperationalStatus",
        "LastSuccessfulBackupTime",
        "LastReplicationTime",
        "ReplicationHealth",
        "ReplicationMode",
    ),
)
REPLICATION = Table(
    _V2,
    "Msvm_ReplicationRelationship",
    ("InstanceID", "ReplicationHealth", "ReplicationState", "LastReplicationTime"),
)
SNAPSHOT_LINKS = Table(_V2, "Msvm_SnapshotOfVirtualSystem", ("Antecedent", "Dependent"))
"""Only where a checkpoint itself does not say whose it is."""

# Volumes.

CAPACITY = Field("Capacity", GAUGE, "bytes")
FREE_SPACE = Field("FreeSpace", GAUGE, "bytes")
VOLUMES = Table(
    _CIMV2, "Win32_Volume", ("DeviceID", "Name", "Label", "FileSystem", CAPACITY, FREE_SPACE), "DriveType = 3"
)
PARTITION_SIZE = Field("TotalSize", GAUGE, "MB", mebibytes)
PARTITION_FREE = Field("FreeSpace", GAUGE, "MB", mebibytes)
CLUSTER_PARTITIONS = Table(
    _CLUSTER,
    "MSCluster_DiskPartition",
    ("Path", "VolumeGuid", "VolumeLabel", "FileSystem", PARTITION_SIZE, PARTITION_FREE),
)
SHARED_VOLUMES = Table(_CLUSTER, "MSCluster_ClusterSharedVolume", ("Name", "VolumeName", "FaultState", "BackupState"))
REDIRECTED_READ = Field("RedirectedReadBytes", BULK, "bytes")
REDIRECTED_WRITTEN = Field("RedirectedWriteBytes", BULK, "bytes")
SHARED_FILE_SYSTEMS = Table(
    _CIMV2, f"{_RAW}CsvFsPerfProvider_ClusterCSVFileSystem", ("Name", REDIRECTED_READ, REDIRECTED_WRITTEN)
)

# The cluster.

CLUSTER = Table(_CLUSTER, "MSCluster_Cluster", ("Name", "Fqdn"))
NODES = Table(_CLUSTER, "MSCluster_Node", ("Name", "State", "NodeDrainStatus", "NodeWeight", "DynamicWeight"))
ROLES = Table(
    _CLUSTER,
    "MSCluster_Resource",
    ("Name", "OwnerGroup", "OwnerNode", "State", "PrivateProperties"),
    "Type = 'Virtual Machine'",
)
RESOURCE_GROUPS = Table(_CLUSTER, "MSCluster_ResourceGroup", ("Name", "OwnerNode", "State", "GroupType"))
