"""Every call of libvirt that this platform makes. All are read-only; what is not on the list cannot be called.

Only what an operator asks for opens a connection that may write; its few calls are the second list (`WRITING`).
Left the method of libvirt-python, right the C function under which the call is counted. Beside these only what needs no
request is used: names, UUIDs and ids of listed objects, and whether a connection is alive.
"""

from __future__ import annotations

ALLOWED = {
    "virConnect": {
        "getType": "virConnectGetType",
        "getVersion": "virConnectGetVersion",
        "getLibVersion": "virConnectGetLibVersion",
        "getHostname": "virConnectGetHostname",
        "getCapabilities": "virConnectGetCapabilities",
        "getSysinfo": "virConnectGetSysinfo",
        "getInfo": "virNodeGetInfo",
        "getCPUMap": "virNodeGetCPUMap",
        "getCPUStats": "virNodeGetCPUStats",
        "getMemoryStats": "virNodeGetMemoryStats",
        "getFreeMemory": "virNodeGetFreeMemory",
        "getCellsFreeMemory": "virNodeGetCellsFreeMemory",
        "getFreePages": "virNodeGetFreePages",
        "listAllDomains": "virConnectListAllDomains",
        "domainListGetStats": "virDomainListGetStats",
        "listAllStoragePools": "virConnectListAllStoragePools",
    },
    "virDomain": {
        "state": "virDomainGetState",
        "controlInfo": "virDomainGetControlInfo",
        "info": "virDomainGetInfo",
        "vcpus": "virDomainGetVcpus",
        "memoryStats": "virDomainMemoryStats",
        "blockStats": "virDomainBlockStats",
        "blockInfo": "virDomainGetBlockInfo",
        "interfaceStats": "virDomainInterfaceStats",
        "jobStats": "virDomainGetJobStats",
        "diskErrors": "virDomainGetDiskErrors",
        "XMLDesc": "virDomainGetXMLDesc",
        "listAllSnapshots": "virDomainListAllSnapshots",
        "snapshotListNames": "virDomainSnapshotListNames",
        "snapshotLookupByName": "virDomainSnapshotLookupByName",
        "snapshotCurrent": "virDomainSnapshotCurrent",
        "listAllCheckpoints": "virDomainListAllCheckpoints",
    },
    "virDomainSnapshot": {"getXMLDesc": "virDomainSnapshotGetXMLDesc"},
    "virDomainCheckpoint": {"getXMLDesc": "virDomainCheckpointGetXMLDesc"},
    "virStoragePool": {
        "info": "virStoragePoolGetInfo",
        "XMLDesc": "virStoragePoolGetXMLDesc",
        "listAllVolumes": "virStoragePoolListAllVolumes",
    },
    "virStorageVol": {"XMLDesc": "virStorageVolGetXMLDesc"},
}
