"""A failover cluster: nodes that share the classes of root/MSCluster, and guests that move between them."""

from dataclasses import dataclass, field
from typing import Any

from tests.backends.winrm.cim import Counter, Embedded
from tests.backends.winrm.clock import Clock
from tests.backends.winrm.estate import Estate, Row
from tests.backends.winrm.guest import SETTINGS, SYSTEM, Guest
from tests.backends.winrm.guests import add_guest, remove_guest
from tests.backends.winrm.hosts import PERF, stable_id, stamps

UP, DOWN, NODE_PAUSED = 0, 1, 2
NOT_DRAINED, DRAINING, DRAINED = 0, 1, 2
VIRTUAL_MACHINE = 111
MIGRATING = 32774


@dataclass
class Cluster:
    """Several hosts, one clock. Rows of MSCluster classes are the same objects on every node."""

    name: str
    nodes: list[Estate]
    clock: Clock
    guests: dict[str, Guest] = field(default_factory=dict)

    def node(self, name: str) -> Estate:
        return next(node for node in self.nodes if node.name == name)

    def row(self, class_name: str, **wanted: Any) -> Row:
        """The one row of a cluster class, to be edited for all nodes."""
        return self.nodes[0].row(class_name, **wanted)

    def owner(self, guest: Guest) -> str:
        """The node that the cluster holds to be the owner."""
        return self.row("MSCluster_ResourceGroup", Id=stable_id("group", guest.guid))["OwnerNode"]

    def set_owner(self, guest: Guest, node: str) -> None:
        self.row("MSCluster_ResourceGroup", Id=stable_id("group", guest.guid))["OwnerNode"] = node
        self.row("MSCluster_Resource", Id=stable_id("resource", guest.guid))["OwnerNode"] = node

    def migrate(self, guest: Guest, to: str) -> "Migration":
        """A live migration, whose steps the test takes: planned, realised, owned, finish."""
        return Migration(self, guest, self.node(self.owner(guest)), self.node(to))


@dataclass
class Migration:
    """One live migration. The steps come in this order; any of the first three may be left out."""

    cluster: Cluster
    guest: Guest
    source: Estate
    target: Estate

    def planned(self) -> None:
        """The guest is migrating; the target lists a planned twin with the same GUID."""
        self.source.row(SYSTEM, Name=self.guest.guid)["OperationalStatus"] = [2, MIGRATING]
        settings = {**self.source.row(SETTINGS, InstanceID=self.guest.path)}
        settings["VirtualSystemType"] = "Microsoft:Hyper-V:System:Planned"
        self.target.add(SETTINGS, **settings)
        self.target.add("Msvm_PlannedComputerSystem", Name=self.guest.guid, ElementName=self.guest.name,
                        CreationClassName="Msvm_PlannedComputerSystem", EnabledState=3)  # fmt: skip

    def realised(self, state: int = 2) -> None:
        """The target lists a whole guest too, with counters that start anew; the source has not let go yet."""
        remove_guest(self.target, self.guest)
        add_guest(self.target, self.guest)
        self.target.row(SYSTEM, Name=self.guest.guid).update(
            EnabledState=state, TimeOfLastStateChange=self.cluster.clock.now(), OperationalStatus=[2]
        )

    def owned(self) -> None:
        """The cluster says that the target owns the guest."""
        self.cluster.set_owner(self.guest, self.target.name)

    def finish(self) -> None:
        """Only the target has it."""
        if not self.target.rows(SYSTEM, Name=self.guest.guid):
            self.realised()
        self.owned()
        remove_guest(self.source, self.guest)

    def abandon(self) -> None:
        """The migration fails: all is as before."""
        remove_guest(self.target, self.guest)
        self.source.row(SYSTEM, Name=self.guest.guid)["OperationalStatus"] = [2]
        self.cluster.set_owner(self.guest, self.source.name)


def form(cluster: Cluster, guests: dict[str, list[Guest]]) -> None:
    """Give the nodes the cluster's classes, and its guests their groups."""
    shared: dict[str, list[Row]] = {}
    for node in cluster.nodes:
        node.lock = cluster.nodes[0].lock
        for name in ("Cluster", "Node", "ResourceGroup", "Resource", "ClusterSharedVolume", "DiskPartition", "Network"):
            node.instances[f"MSCluster_{name}"] = shared.setdefault(f"MSCluster_{name}", [])
    first = cluster.nodes[0]
    first.add("MSCluster_Cluster", Name=cluster.name, Fqdn=f"{cluster.name}.lab.example",
              QuorumType="Node and Disk Majority", QuorumTypeValue=2, DynamicQuorum=1,
              SharedVolumesRoot="C:\\ClusterStorage", ClusterFunctionalLevel=10, Status="OK")  # fmt: skip
    for number, node in enumerate(cluster.nodes, 1):
        first.add("MSCluster_Node", Name=node.name, Id=str(number), State=UP,
                  NodeInstanceID=stable_id("node", node.name),
                  NodeDrainStatus=NOT_DRAINED, NodeWeight=1, DynamicWeight=1, StatusInformation=0,
                  BuildNumber=20348, MajorVersion=10, MinorVersion=0, Status="OK")  # fmt: skip
    _group(first, "Cluster Group", stable_id("group", cluster.name), first.name, 0)
    for owner, held in guests.items():
        for guest in held:
            cluster.guests[guest.guid] = guest
            _group(first, guest.name, stable_id("group", guest.guid), owner, VIRTUAL_MACHINE)
            private = Embedded("root/MSCluster", "MSCluster_Property", {"VmID": guest.guid})
            first.add("MSCluster_Resource", Name=f"Virtual Machine {guest.name}", Id=stable_id("resource", guest.guid),
                      Type="Virtual Machine", OwnerGroup=guest.name, OwnerNode=owner, State=2, CoreResource=False,
                      PrivateProperties=private)  # fmt: skip
    for number in range(1, 3):
        _volume(cluster, number)


def _group(estate: Estate, name: str, group_id: str, owner: str, kind: int) -> None:
    estate.add("MSCluster_ResourceGroup", Name=name, Id=group_id, OwnerNode=owner, State=0, GroupType=kind,
               IsCore=kind == 0, Priority=2000, Status="OK")  # fmt: skip


def _volume(cluster: Cluster, number: int) -> None:
    """A cluster shared volume of 10 TiB with 4 TiB free, seen by every node."""
    guid = stable_id("csv", cluster.name, number).lower()
    path, first = f"C:\\ClusterStorage\\Volume{number}", cluster.nodes[0]
    owner = cluster.nodes[number % len(cluster.nodes)].name
    first.add("MSCluster_ClusterSharedVolume", Name=path, VolumeName=f"\\\\?\\Volume{{{guid}}}\\", VolumeOffset=0,
              FaultState=0, BackupState=0, Status="OK")  # fmt: skip
    first.add("MSCluster_DiskPartition", Name=path, Path=path, VolumeGuid=guid, VolumeLabel=f"Volume{number}",
              FileSystem="CSVFS", PartitionNumber=number, TotalSize=10 * 2**20, FreeSpace=4 * 2**20)  # fmt: skip
    first.add("MSCluster_Resource", Name=f"Cluster Disk {number}", Id=stable_id("disk", cluster.name, number),
              Type="Physical Disk", OwnerGroup="Cluster Shared Volumes", OwnerNode=owner, State=2,
              IsClusterSharedVolume=True)  # fmt: skip
    for node in cluster.nodes:
        node.add("Win32_Volume", DeviceID=f"\\\\?\\Volume{{{guid}}}\\", Name=path + "\\", DriveType=3,
                 FileSystem="CSVFS", Label=f"Volume{number}",
                 Capacity=10 * 2**40, FreeSpace=4 * 2**40, BlockSize=4096)  # fmt: skip
        node.add(PERF + "CsvFsPerfProvider_ClusterCSVFS", Name=f"Volume{number}", VolumeState=1, **stamps(node))
        node.add(PERF + "CsvFsPerfProvider_ClusterCSVFileSystem", Name=f"Volume{number}",
                 RedirectedReadBytes=Counter(0, 1000), RedirectedWriteBytes=Counter(0, 500),
                 **stamps(node))  # fmt: skip
