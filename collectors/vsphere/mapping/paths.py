"""Which properties are read, by type, and how often they change. Leaves only, never whole structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GUEST, HOST, CLUSTER, COMPUTE = "VirtualMachine", "HostSystem", "ClusterComputeResource", "ComputeResource"
DATACENTER, FOLDER, POOL, DATASTORE, POD = "Datacenter", "Folder", "ResourcePool", "Datastore", "StoragePod"
NETWORK, PORTGROUP, OPAQUE, APP = "Network", "DistributedVirtualPortgroup", "OpaqueNetwork", "VirtualApp"

Paths = Mapping[str, Sequence[str]]

SLOW: Paths = {
    GUEST: (
        "name",
        "parent",
        "parentVApp",
        "resourcePool",
        "runtime.host",
        "runtime.powerState",
        "runtime.connectionState",
        "runtime.bootTime",
        "config.instanceUuid",
        "config.uuid",
        "config.template",
        "config.guestFullName",
        "config.managedBy",
        "config.hardware.device",
        "summary.config.numCpu",
        "summary.config.memorySizeMB",
        "guest.toolsRunningStatus",
        "guest.toolsVersionStatus2",
        "guest.toolsVersion",  # behind the longer name, or govmomi's simulator confuses their changes
        "runtime.question",
        "config.cpuAllocation.limit",
        "config.cpuAllocation.reservation",
        "config.memoryAllocation.limit",
        "config.memoryAllocation.reservation",
    ),
    HOST: (
        "name",
        "parent",
        "runtime.connectionState",
        "runtime.powerState",
        "runtime.inMaintenanceMode",
        "runtime.standbyMode",
        "runtime.bootTime",
        "summary.hardware.uuid",
        "summary.hardware.vendor",
        "summary.hardware.model",
        "summary.hardware.cpuModel",
        "summary.hardware.cpuMhz",
        "summary.hardware.memorySize",
        "summary.hardware.numCpuPkgs",
        "summary.hardware.numCpuCores",
        "summary.hardware.numCpuThreads",
        "summary.config.product.name",
        "summary.config.product.version",
        "summary.config.product.build",
    ),
    # Whole: the property collector of a vCenter does not go into what only the derived type has.
    CLUSTER: ("name", "parent", "configurationEx"),
    COMPUTE: ("name", "parent"),
    DATACENTER: ("name", "parent"),
    FOLDER: ("name", "parent"),
    POOL: ("name", "parent"),
    APP: ("name", "parent"),
    DATASTORE: ("name", "parent", "summary.url"),
    NETWORK: ("name",),
    PORTGROUP: ("name", "key"),
    # Whole for the same reason: the id that adapters hold is of the derived type.
    OPAQUE: ("name", "summary"),
}
"""Read once, then kept by what the endpoint says has changed."""

FAST: Paths = {
    GUEST: (
        "summary.quickStats.guestMemoryUsage",
        "summary.quickStats.hostMemoryUsage",
        "summary.quickStats.balloonedMemory",
        "summary.quickStats.swappedMemory",
    ),
    HOST: ("summary.quickStats.overallMemoryUsage",),
    CLUSTER: ("summary",),
}
"""Read anew for every vitals."""
