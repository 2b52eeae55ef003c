"""A guest and its snapshots as objects of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.backends.inventory import chains
from tests.backends.inventory.chains import DAY, GIB, Layer, Tree
from tests.backends.inventory.plan import Guest, Plan
from tests.backends.inventory.xml import Ref, Struct, content, fields, refs, stamp, struct

POWER = {"running": "poweredOn", "deltas": "poweredOn", "vcls": "poweredOn", "suspended": "suspended"}
SCSI, IDE, FIRST_DISK, NIC = 1000, 200, 2000, 4000


def power(guest: Guest) -> str:
    """`runtime.powerState`; of a guest out of reach what it was."""
    return POWER.get(guest.role, "poweredOff")


def objects(plan: Plan, guest: Guest, networks: tuple[Ref, ...]) -> Iterator[tuple[Ref, str]]:
    """The guest and its snapshots. `networks`: a port group by its key and switch, and the network of the others."""
    runtime, network = _runtime(guest), networks[guest.dice % len(networks)]
    known = guest.known
    yield (
        guest.ref,
        content(
            guest.ref,
            {
                "name": guest.name if guest.role != "inaccessible" else f"{guest.base}.vmx",
                "parent": guest.folder,
                "overallStatus": Struct("ManagedEntityStatus", "green"),
                "resourcePool": guest.pool if guest.in_pool else None,
                "runtime": struct("VirtualMachineRuntimeInfo", **runtime),
                "config": _config(guest, network) if known else None,
                "summary": _summary(plan, guest, runtime),
                "guest": _guest(guest) if known else None,
                "guestHeartbeatStatus": Struct("ManagedEntityStatus", "green" if _tools(guest) else "gray"),
                "layout": struct("VirtualMachineFileLayout") if known else None,
                "layoutEx": _layout(plan, guest) if known else None,
                "storage": _storage(plan, guest) if known else None,
                "snapshot": _tree(guest) if guest.tree.snapshots else None,
                "rootSnapshot": refs([guest.tree.snapshots[n].ref for n in guest.tree.below(None)]),
                "datastore": refs([guest.datastore.ref] if known else []),
                "network": refs([network] if known else []),
            },
        ),
    )
    for place, each in enumerate(guest.tree.snapshots):
        above = [guest.tree.snapshots[n].ref for n in guest.tree.below(place)]
        yield (
            each.ref,
            content(each.ref, {"vm": guest.ref, "childSnapshot": refs(above)}),
        )


def _runtime(guest: Guest) -> dict[str, Any]:
    running = guest.running and guest.connection == "connected"
    return {
        "device": [],
        "host": guest.host.ref if guest.on_host else None,
        "connectionState": guest.connection,
        "powerState": power(guest),
        "faultToleranceState": "notConfigured",
        "toolsInstallerMounted": False,
        "bootTime": stamp(guest.booted) if running else None,
        "suspendInterval": 0,
        "maxCpuUsage": guest.vcpus * 2400 if running else None,
        "maxMemoryUsage": guest.memory_mib if running else None,
        "numMksConnections": 0,
        "recordReplayState": "inactive",
        "onlineStandby": False,
        "consolidationNeeded": guest.role == "deltas",
        "featureMask": [],
    }


def _tools(guest: Guest) -> bool:
    return guest.running and guest.connection == "connected" and guest.dice % 10 > 0


def _config(guest: Guest, network: Ref) -> Struct:
    shares = fields(shares=1000 * guest.vcpus, level="normal")
    allocation = fields(reservation=0, expandableReservation=False, limit=-1, shares=shares)
    agent = fields(extensionKey="com.vmware.vim.eam", type="cluster-agent") if guest.role == "vcls" else None
    return struct(
        "VirtualMachineConfigInfo",
        changeVersion=stamp(guest.booted),
        modified=stamp(guest.booted),
        name=guest.name,
        guestFullName=_system(guest),
        version="vmx-19",
        uuid=f"4210{guest.uuid[4:]}",
        instanceUuid=guest.uuid,
        template=guest.role == "template",
        guestId="debian12_64Guest",
        alternateGuestName="",
        annotation="owner: <web> & co",
        files=fields(vmPathName=f"{guest.base}.vmx"),
        tools=fields(),
        flags=fields(),
        defaultPowerOps=fields(),
        hardware=fields(
            numCPU=guest.vcpus,
            numCoresPerSocket=1,
            memoryMB=guest.memory_mib,
            device=list(_devices(guest, network)),
        ),
        cpuAllocation=allocation,
        memoryAllocation=allocation,
        managedBy=agent,
        changeTrackingEnabled=guest.dice % 3 == 0,
        firmware="efi",
    )


def _system(guest: Guest) -> str:
    return ("Debian GNU/Linux 12 (64-bit)", "Microsoft Windows Server 2022 (64-bit)")[guest.dice % 2]


def _device(kind: str, key: int, label: str, **values: Any) -> Struct:
    return struct(kind, key=key, deviceInfo=struct("Description", label=label, summary=label), **values)


def _devices(guest: Guest, network: Ref) -> Iterator[Struct]:
    disks = [FIRST_DISK + n for n in range(len(guest.disks))]
    yield _device("VirtualIDEController", IDE, "IDE 0", busNumber=0, device=[3000])
    yield _device("VirtualIDEController", IDE + 1, "IDE 1", busNumber=1)
    yield _device("VirtualPS2Controller", 300, "PS2 controller 0", busNumber=0, device=[600, 700])
    yield _device("VirtualPCIController", 100, "PCI controller 0", busNumber=0, device=[500, 12000, SCSI, NIC])
    yield _device("VirtualSIOController", 400, "SIO controller 0", busNumber=0)
    yield _device("VirtualKeyboard", 600, "Keyboard", controllerKey=300, unitNumber=0)
    yield _device("VirtualPointingDevice", 700, "Pointing device", controllerKey=300, unitNumber=1)
    yield _device("VirtualMachineVideoCard", 500, "Video card", controllerKey=100, unitNumber=0, videoRamSizeInKB=8192)
    yield _device("VirtualMachineVMCIDevice", 12000, "VMCI device", controllerKey=100, unitNumber=17)
    yield _device(
        "ParaVirtualSCSIController",
        SCSI,
        "SCSI controller 0",
        controllerKey=100,
        unitNumber=3,
        busNumber=0,
        device=disks,
        sharedBus="noSharing",
    )
    yield _device("VirtualCdrom", 3000, "CD/DVD drive 1", controllerKey=IDE, unitNumber=0)
    yield from (_disk(guest, number) for number in range(len(guest.disks)))
    mac = ":".join(("00", "50", "56", *(f"{guest.dice >> shift & 255:02x}" for shift in (16, 8, 0))))
    yield _device(
        "VirtualVmxnet3",
        NIC,
        "Network adapter 1",
        backing=_nic(network),
        connectable=fields(startConnected=True, allowGuestControl=True, connected=guest.running),
        controllerKey=100,
        unitNumber=7,
        addressType="assigned",
        macAddress=mac,
    )


def _nic(network: Ref) -> Struct:
    if network.kind == "Network":
        kind = "VirtualEthernetCardNetworkBackingInfo"
        return struct(kind, deviceName="VM Network", useAutoDetect=False, network=network)
    port = fields(switchUuid=f"50 {network.id}", portgroupKey=network.id, portKey="10")
    return struct("VirtualEthernetCardDistributedVirtualPortBackingInfo", port=port)


def _disk(guest: Guest, number: int) -> Struct:
    size = guest.disks[number]
    return _device(
        "VirtualDisk",
        FIRST_DISK + number,
        f"Hard disk {number + 1}",
        backing=_backing(guest, guest.tree.active[number]),
        controllerKey=SCSI,
        unitNumber=number,
        capacityInKB=size // 1024,
        capacityInBytes=size,
        shares=fields(shares=1000, level="normal"),
        diskObjectId=f"1-{FIRST_DISK + number}",
    )


def _backing(guest: Guest, chain: tuple[Layer, ...]) -> Struct:
    below = None
    for layer in chain:
        below = struct(
            "VirtualDiskFlatVer2BackingInfo",
            fileName=f"{layer.path(guest.base)}.vmdk",
            datastore=guest.datastore.ref,
            diskMode="persistent",
            split=False,
            writeThrough=False,
            thinProvisioned=layer.disk == 0,
            uuid=f"6000C29{guest.uuid[7:]}",
            parent=below,
        )
    assert below is not None
    return below._replace(kind="VirtualDiskFlatVer2BackingInfo")


def _summary(plan: Plan, guest: Guest, runtime: dict[str, Any]) -> Struct:
    path = f"{guest.base}.vmx"
    config = fields(name=guest.name, template=False, vmPathName=path)
    if guest.known:
        config = fields(
            name=guest.name,
            template=guest.role == "template",
            vmPathName=path,
            memorySizeMB=guest.memory_mib,
            cpuReservation=0,
            memoryReservation=0,
            numCpu=guest.vcpus,
            numEthernetCards=1,
            numVirtualDisks=len(guest.disks),
            uuid=f"4210{guest.uuid[4:]}",
            instanceUuid=guest.uuid,
            guestId="debian12_64Guest",
            guestFullName=_system(guest),
        )
    return struct(
        "VirtualMachineSummary",
        vm=guest.ref,
        runtime=fields(**runtime),
        guest=fields(**_agent(guest)) if guest.known else None,
        config=config,
        storage=fields(
            committed=guest.files.bytes,
            uncommitted=_uncommitted(guest),
            unshared=guest.files.bytes,
            timestamp=stamp(plan.now),
        )
        if guest.known
        else None,
        quickStats=fields(**_quick(plan, guest)),
        overallStatus="green",
    )


def _uncommitted(guest: Guest) -> int:
    return guest.disks[0] - guest.tree.active[0][0].extent_bytes


def _quick(plan: Plan, guest: Guest) -> dict[str, Any]:
    if not guest.running or guest.connection != "connected":
        return {"guestHeartbeatStatus": "gray"}
    dice, memory = guest.dice, guest.memory_mib
    ballooned, swapped = (256, 64) if dice % 20 == 0 else (0, 0)
    return {
        "overallCpuUsage": dice % (guest.vcpus * 2400),
        "overallCpuDemand": dice % (guest.vcpus * 2400) + 10,
        "overallCpuReadiness": dice % 5,
        "guestMemoryUsage": memory * (dice % 60) // 100,
        "hostMemoryUsage": memory * 9 // 10,
        "guestHeartbeatStatus": "green",
        "distributedCpuEntitlement": dice % 2000,
        "distributedMemoryEntitlement": memory // 2,
        "staticCpuEntitlement": 2400,
        "staticMemoryEntitlement": memory,
        "grantedMemory": memory,
        "privateMemory": memory * 8 // 10,
        "sharedMemory": memory // 10,
        "swappedMemory": swapped,
        "balloonedMemory": ballooned,
        "consumedOverheadMemory": 60,
        "ftLogBandwidth": -1,
        "ftSecondaryLatency": -1,
        "ftLatencyStatus": "gray",
        "compressedMemory": 2048 if swapped else 0,
        "uptimeSeconds": plan.now - guest.booted,
        "ssdSwappedMemory": 0,
        "activeMemory": memory * (dice % 60) // 100,
    }


def _agent(guest: Guest) -> dict[str, Any]:
    tools = _tools(guest)
    return {
        "guestId": "debian12_64Guest",
        "guestFullName": _system(guest) if tools else None,
        "toolsStatus": "toolsOk" if tools else "toolsNotRunning",
        "toolsVersionStatus": "guestToolsUnmanaged",
        "toolsVersionStatus2": "guestToolsUnmanaged" if guest.dice % 4 else "guestToolsSupportedOld",
        "toolsRunningStatus": "guestToolsRunning" if tools else "guestToolsNotRunning",
        "hostName": f"{guest.ref.id}.example.net" if tools else None,
        "ipAddress": f"10.{guest.dice >> 16 & 255}.{guest.dice >> 8 & 255}.{guest.dice & 255}" if tools else None,
    }


def file_systems(guest: Guest) -> list[tuple[str, int, int, int]]:
    """Path, capacity, free bytes and the disk's key of what the tools tell; none without them."""
    if not _tools(guest):
        return []
    paths = ("C:\\", "D:\\") if guest.dice % 2 else ("/", "/srv/data")
    return [
        (path, size - GIB, (size - GIB) // 100 * (guest.dice % 90 + 5), FIRST_DISK + number)
        for number, (path, size) in enumerate(zip(paths, guest.disks, strict=True))
    ]


def _guest(guest: Guest) -> Struct:
    values = _agent(guest)
    disks = [
        fields(
            diskPath=path,
            capacity=size,
            freeSpace=free,
            filesystemType="NTFS" if guest.dice % 2 else "ext4",
            mappings=fields(key=key),
        )
        for path, size, free, key in file_systems(guest)
    ]
    return struct(
        "GuestInfo",
        **values,
        toolsVersion="12352",
        guestFamily="windowsGuest" if guest.dice % 2 else "linuxGuest",
        disk=disks,
        guestState="running" if _tools(guest) else "notRunning",
        guestOperationsReady=_tools(guest),
    )


def _layout(plan: Plan, guest: Guest) -> Struct:
    found = guest.files

    def disks(chained: chains.Chains) -> list[Struct]:
        return [
            fields(
                key=FIRST_DISK + number,
                chain=[fields(fileKey=list(found.of_layer[layer])) for layer in chain],
            )
            for number, chain in enumerate(chained)
        ]

    return struct(
        "VirtualMachineFileLayoutEx",
        file=[
            fields(
                key=each.key,
                name=each.path,
                type=each.kind,
                size=each.size_bytes,
                uniqueSize=each.size_bytes,
                backingObjectId="",
                accessible=True,
            )
            for each in found.all
        ],
        disk=disks(guest.tree.active),
        snapshot=[
            fields(key=each.ref, dataKey=found.data[n], memoryKey=found.memory[n], disk=disks(each.chains))
            for n, each in enumerate(guest.tree.snapshots)
        ],
        timestamp=stamp(plan.now - guest.dice % DAY),
    )


def _storage(plan: Plan, guest: Guest) -> Struct:
    usage = fields(
        datastore=guest.datastore.ref,
        committed=guest.files.bytes,
        uncommitted=_uncommitted(guest),
        unshared=guest.files.bytes,
    )
    return struct("VirtualMachineStorageInfo", perDatastoreUsage=[usage], timestamp=stamp(plan.now))


def _tree(guest: Guest) -> Struct:
    tree = guest.tree
    current = tree.snapshots[tree.current].ref if tree.current is not None else None
    roots = [_node(guest, tree, place) for place in tree.below(None)]
    return struct("VirtualMachineSnapshotInfo", currentSnapshot=current, rootSnapshotList=roots)


def _node(guest: Guest, tree: Tree, place: int) -> Struct:
    each = tree.snapshots[place]
    return fields(
        snapshot=each.ref,
        vm=guest.ref,
        name=each.name,
        description="made by the generator",
        id=place + 1,
        createTime=stamp(each.created),
        state="poweredOn" if each.memory_bytes is not None else "poweredOff",
        quiesced=each.quiesced,
        replaySupported=False,
        childSnapshotList=[_node(guest, tree, below) for below in tree.below(place)],
    )
