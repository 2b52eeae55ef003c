"""Everything but guests as objects of the API: folders, datacenters, clusters, hosts, datastores, networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.backends.inventory.chains import DAY, GIB, MIB
from tests.backends.inventory.plan import (
    HOST_BYTES,
    HOST_CORES,
    HOST_MHZ,
    Cluster,
    Datacenter,
    Datastore,
    Host,
    Plan,
)
from tests.backends.inventory.xml import Array, Ref, Struct, content, fields, refs, stamp, struct

ROOT = Ref("Folder", "group-d1")
GREEN = Struct("ManagedEntityStatus", "green")
CHILDREN = {
    "vm": ("Folder", "VirtualMachine", "VirtualApp"),
    "host": ("Folder", "ComputeResource"),
    "datastore": ("Folder", "Datastore", "StoragePod"),
    "network": ("Folder", "Network", "DistributedVirtualSwitch", "DistributedVirtualPortgroup"),
}

Object = tuple[Ref, str]


def networks(datacenter: Datacenter) -> dict[Ref, str]:
    """The networks of a datacenter by name: a plain one and two port groups of a switch."""
    number = datacenter.ref.id.rpartition("-")[2]
    groups = {Ref("DistributedVirtualPortgroup", f"dvportgroup-{number}{n}"): f"vlan-{n}0" for n in (1, 2)}
    return {Ref("Network", f"network-{number}"): "VM Network"} | groups


def objects(plan: Plan) -> Iterator[Object]:
    """The root and everything below it that is no guest."""
    yield _folder(ROOT, None, "Datacenters", ("Folder", "Datacenter"), [each.ref for each in plan.datacenters])
    for datacenter in plan.datacenters:
        yield from _datacenter(datacenter)
        for cluster in datacenter.clusters:
            yield from _cluster(plan, cluster)
        for datastore in datacenter.datastores:
            yield _datastore(plan, datastore)


def _object(ref: Ref, **properties: Any) -> Object:
    return ref, content(ref, {**properties, "overallStatus": GREEN})


def _folder(ref: Ref, parent: Ref | None, name: str, may: tuple[str, ...], children: list[Ref]) -> Object:
    return _object(ref, name=name, parent=parent, childType=Array("String", may), childEntity=refs(children))


def _datacenter(datacenter: Datacenter) -> Iterator[Object]:
    folders = datacenter.folders
    nets = networks(datacenter)
    switch = Ref("VmwareDistributedVirtualSwitch", f"dvs-{datacenter.ref.id}")
    yield _object(
        datacenter.ref,
        name=datacenter.name,
        parent=ROOT,
        vmFolder=folders["vm"],
        hostFolder=folders["host"],
        datastoreFolder=folders["datastore"],
        networkFolder=folders["network"],
        datastore=refs([each.ref for each in datacenter.datastores]),
        network=refs(nets),
    )
    pod = datacenter.pod
    own = {name: ref for name, ref in folders.items() if name not in CHILDREN}
    below = {
        "vm": [*own.values(), *datacenter.guests.get(folders["vm"], [])],
        "host": [each.ref for each in datacenter.clusters],
        "datastore": [*([pod[0]] if pod else []), *(each.ref for each in datacenter.datastores if each.pod is None)],
        "network": [*nets, switch],
    }
    for name, children in below.items():
        yield _folder(folders[name], datacenter.ref, name, CHILDREN[name], children)
    for name, ref in own.items():
        yield _folder(ref, folders["vm"], name, CHILDREN["vm"], datacenter.guests.get(ref, []))
    if pod:
        yield _pod(datacenter, *pod)
    yield from _networks(datacenter, nets, switch)


def _pod(datacenter: Datacenter, ref: Ref, name: str) -> Object:
    within = [each for each in datacenter.datastores if each.pod == ref]
    capacity = sum(each.capacity_bytes for each in within)
    free = capacity - sum(each.used_bytes for each in within)
    return _object(
        ref,
        name=name,
        parent=datacenter.folders["datastore"],
        childType=Array("String", ("Datastore",)),
        childEntity=refs([each.ref for each in within]),
        summary=struct("StoragePodSummary", name=name, capacity=capacity, freeSpace=free),
        podStorageDrsEntry=struct(
            "PodStorageDrsEntry",
            storageDrsConfig=fields(
                podConfig=fields(enabled=True, ioLoadBalanceEnabled=False, defaultVmBehavior="manual")
            ),
        ),
    )


def _networks(datacenter: Datacenter, nets: dict[Ref, str], switch: Ref) -> Iterator[Object]:
    folder = datacenter.folders["network"]
    groups = [each for each in nets if each.kind != "Network"]
    for ref, name in nets.items():
        summary = struct("NetworkSummary", network=ref, name=name, accessible=True)
        port: dict[str, Any] = {}
        if ref in groups:
            config = struct("DVPortgroupConfigInfo", key=ref.id, name=name, distributedVirtualSwitch=switch)
            port = {"key": ref.id, "config": config}
        yield _object(ref, name=name, parent=folder, summary=summary, **port)
    name = f"dvs {datacenter.name}"
    yield _object(
        switch,
        name=name,
        parent=folder,
        uuid=f"50 {switch.id}",
        summary=struct("DVSSummary", name=name, uuid=f"50 {switch.id}", numPorts=64),
        portgroup=refs(groups),
    )


def _cluster(plan: Plan, cluster: Cluster) -> Iterator[Object]:
    folder, datacenter = cluster.datacenter.folders["host"], cluster.datacenter
    able = [host for host in cluster.hosts if host.state == "connected"]
    total = len(cluster.hosts) * HOST_CORES * HOST_MHZ
    values = {
        "totalCpu": total,
        "totalMemory": len(cluster.hosts) * HOST_BYTES,
        "numCpuCores": len(cluster.hosts) * HOST_CORES,
        "numCpuThreads": len(cluster.hosts) * HOST_CORES * 2,
        "effectiveCpu": len(able) * HOST_CORES * HOST_MHZ,
        "effectiveMemory": len(able) * HOST_BYTES // MIB,
        "numHosts": len(cluster.hosts),
        "numEffectiveHosts": len(able),
        "overallStatus": "green",
    }
    more: dict[str, Any] = {}
    if not cluster.alone:
        values |= _of_cluster(cluster, values)
        more["configurationEx"] = struct(
            "ClusterConfigInfoEx",
            dasConfig=fields(enabled=True, admissionControlEnabled=True, failoverLevel=1),
            drsConfig=fields(enabled=True, defaultVmBehavior="fullyAutomated", vmotionRate=3),
        )
    yield _object(
        cluster.ref,
        name=cluster.name,
        parent=folder,
        resourcePool=cluster.root,
        host=refs([host.ref for host in cluster.hosts]),
        datastore=refs([each.ref for each in datacenter.datastores if set(map(id, each.hosts)) & _ids(cluster)]),
        network=refs(networks(datacenter)),
        summary=struct("ComputeResourceSummary" if cluster.alone else "ClusterComputeResourceSummary", **values),
        **more,
    )
    yield _pool(cluster, cluster.root, "Resources", cluster.ref, [each for each, _ in cluster.pools])
    for ref, name in cluster.pools:
        yield _pool(cluster, ref, name, cluster.root, [])
    for host in cluster.hosts:
        yield _host(plan, host)


def _ids(cluster: Cluster) -> set[int]:
    return {id(host) for host in cluster.hosts}


def _of_cluster(cluster: Cluster, values: dict[str, Any]) -> dict[str, Any]:
    guests = [guest for host in cluster.hosts for guest in host.guests]
    off = sum(not guest.running for guest in guests)
    return {
        "currentFailoverLevel": 1,
        "numVmotions": 1234,
        "targetBalance": -1000,
        "currentBalance": -1000,
        "drsScore": 87,
        "usageSummary": fields(
            totalCpuCapacityMhz=values["effectiveCpu"],
            totalMemCapacityMB=values["effectiveMemory"],
            cpuReservationMhz=1200,
            memReservationMB=2048,
            poweredOffCpuReservationMhz=0,
            poweredOffMemReservationMB=0,
            cpuDemandMhz=values["effectiveCpu"] // 3,
            memDemandMB=values["effectiveMemory"] // 2,
            statsGenNumber=1,
            cpuEntitledMhz=values["effectiveCpu"] // 4,
            memEntitledMB=values["effectiveMemory"] // 4,
            poweredOffVmCount=off,
            totalVmCount=len(guests),
        ),
    }


def _pool(cluster: Cluster, ref: Ref, name: str, parent: Ref, below: list[Ref]) -> Object:
    guests = cluster.guests.get(ref, [])
    shares = fields(shares=4000, level="normal")
    allocation = fields(reservation=0, expandableReservation=True, limit=-1, shares=shares)
    config = {"entity": ref, "cpuAllocation": allocation, "memoryAllocation": allocation}
    reserved = {"reservationUsed": 0, "reservationUsedForVm": 0, "unreservedForPool": 0, "unreservedForVm": 0}
    most = len(cluster.hosts) * HOST_CORES * HOST_MHZ
    cpu = fields(**reserved, overallUsage=len(guests) * 100, maxUsage=most)
    memory = fields(**reserved, overallUsage=len(guests) * GIB, maxUsage=len(cluster.hosts) * HOST_BYTES)
    runtime = {"memory": memory, "cpu": cpu, "overallStatus": "green"}
    quick = fields(
        overallCpuUsage=len(guests) * 100,
        overallCpuDemand=len(guests) * 110,
        guestMemoryUsage=len(guests) * 512,
        hostMemoryUsage=len(guests) * 1024,
    )
    return _object(
        ref,
        name=name,
        parent=parent,
        owner=cluster.ref,
        resourcePool=refs(below),
        vm=refs(guests),
        config=struct("ResourceConfigSpec", **config),
        runtime=struct("ResourcePoolRuntimeInfo", **runtime),
        summary=struct(
            "ResourcePoolSummary",
            name=name,
            config=fields(**config),
            runtime=fields(**runtime),
            quickStats=quick,
        ),
    )


def _host(plan: Plan, host: Host) -> Object:
    connected = host.state != "disconnected"
    runtime = {
        "connectionState": "connected" if connected else "disconnected",
        "powerState": "poweredOn" if connected else "unknown",
        "standbyMode": "none",
        "inMaintenanceMode": host.state == "maintenance",
        "inQuarantineMode": False,
        "bootTime": stamp(plan.now - 40 * DAY) if connected else None,
    }
    datacenter = host.cluster.datacenter
    return _object(
        host.ref,
        name=host.name,
        parent=host.cluster.ref,
        runtime=struct("HostRuntimeInfo", **runtime),
        summary=struct(
            "HostListSummary",
            host=host.ref,
            hardware=fields(
                vendor="Dell Inc.",
                model="PowerEdge R650",
                uuid=host.uuid,
                memorySize=HOST_BYTES,
                cpuModel="Intel(R) Xeon(R) Gold 6338N CPU @ 2.40GHz",
                cpuMhz=HOST_MHZ,
                numCpuPkgs=2,
                numCpuCores=HOST_CORES,
                numCpuThreads=HOST_CORES * 2,
                numNics=4,
                numHBAs=2,
            ),
            runtime=fields(**runtime),
            config=fields(
                name=host.name, port=902, product=_product(), vmotionEnabled=True, faultToleranceEnabled=False
            ),
            quickStats=_host_quick(host) if connected else fields(),
            overallStatus="green" if connected else "gray",
            rebootRequired=False,
        ),
        datastore=refs([each.ref for each in datacenter.datastores if any(one is host for one in each.hosts)]),
        network=refs(networks(datacenter)),
        vm=refs([guest.ref for guest in host.guests]),
    )


def _product() -> Struct:
    return fields(
        name="VMware ESXi",
        fullName="VMware ESXi 8.0.3 build-24022510",
        vendor="VMware, Inc.",
        version="8.0.3",
        build="24022510",
        osType="vmnix-x86",
        productLineId="embeddedEsx",
        apiType="HostAgent",
        apiVersion="8.0.3.0",
    )


def _host_quick(host: Host) -> Struct:
    running = [guest for guest in host.guests if guest.running]
    used = 8192 + sum(guest.memory_mib for guest in running) * 9 // 10
    return fields(
        overallCpuUsage=min(HOST_CORES * HOST_MHZ, 200 + 300 * len(running)),
        overallMemoryUsage=min(HOST_BYTES // MIB - 1024, used),
        distributedCpuFairness=1000,
        distributedMemoryFairness=1000,
        uptime=40 * DAY,
    )


def _datastore(plan: Plan, datastore: Datastore) -> Object:
    name, datacenter, accessible = datastore.name, datastore.datacenter, datastore.state != "inaccessible"
    url = f"ds:///vmfs/volumes/{datastore.uuid}/"
    free = datastore.capacity_bytes - datastore.used_bytes if accessible else 0
    mount = fields(accessMode="readWrite", mounted=True, accessible=accessible)
    return _object(
        datastore.ref,
        name=name,
        parent=datastore.pod or datacenter.folders["datastore"],
        info=_datastore_info(plan, datastore, url, free),
        summary=struct(
            "DatastoreSummary",
            datastore=datastore.ref,
            name=name,
            url=url,
            capacity=datastore.capacity_bytes if accessible else 0,
            freeSpace=free,
            uncommitted=datastore.promised_bytes,
            accessible=accessible,
            multipleHostAccess=len(datastore.hosts) > 1,
            type=datastore.kind,
            maintenanceMode="inMaintenance" if datastore.state == "inMaintenance" else "normal",
        ),
        host=Array("DatastoreHostMount", [fields(key=host.ref, mountInfo=mount) for host in datastore.hosts]),
        vm=refs(datastore.guests),
        capability=struct(
            "DatastoreCapability",
            directoryHierarchySupported=True,
            rawDiskMappingsSupported=True,
            perFileThinProvisioningSupported=True,
        ),
    )


def _datastore_info(plan: Plan, datastore: Datastore, url: str, free: int) -> Struct:
    volume = {"type": datastore.kind, "name": datastore.name, "capacity": datastore.capacity_bytes}
    kind, own = {
        "VMFS": ("VmfsDatastoreInfo", {"vmfs": fields(**volume, blockSizeMb=1, version="6.82", uuid=datastore.uuid)}),
        "NFS": ("NasDatastoreInfo", {"nas": fields(**volume, remoteHost="nas.example.net", remotePath="/export")}),
        "vsan": ("VsanDatastoreInfo", {"membershipUuid": datastore.uuid}),
    }[datastore.kind]
    return struct(
        kind,
        name=datastore.name,
        url=url,
        freeSpace=free,
        maxFileSize=62 * 1024 * GIB,
        timestamp=stamp(plan.now - 300),
        **own,
    )
