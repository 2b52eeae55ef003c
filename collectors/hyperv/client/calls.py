"""Every operation of WS-Management and every method of WMI that this platform uses. None can change a host."""

from __future__ import annotations

METHODS = frozenset({
    ("Msvm_VirtualSystemManagementService", "GetSummaryInformation"),
    ("Msvm_ImageManagementService", "GetVirtualHardDiskSettingData"),
    ("Msvm_ImageManagementService", "GetVirtualHardDiskState"),
    ("Msvm_ReplicationService", "GetReplicationStatistics"),
    ("Msvm_ReplicationService", "GetReplicationStatisticsEx"),
})  # fmt: skip
"""Class and method: all of them only read."""
