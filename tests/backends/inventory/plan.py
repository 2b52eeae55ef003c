"""What is in a generated inventory: the same for the same size, seed and moment. Nothing here knows XML."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from tests.backends.inventory import chains
from tests.backends.inventory.chains import GIB, Files, Tree
from tests.backends.inventory.xml import Ref

ODD_NAMES = (
    'say "hello"',
    "rocket 🚀",
    "build%2fnightly",
    "back%5cslash",
    "it's",
    "<a> & b",
    "l" * 80,
    "100%25",
)
"""As the API tells them: slash, backslash and percent are escaped there."""
DATACENTERS = ("fra1", "Zürich %2f 2")
FEWEST_FOR_ODDITIES, FEWEST_HOSTS_FOR_ODDITIES = 30, 6
HOST_BYTES, HOST_CORES, HOST_MHZ = 512 * GIB, 32, 2400


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. Hosts: one for 33 guests where it is not said."""

    guests: int
    hosts: int = 0
    seed: int = 1

    @property
    def all_hosts(self) -> int:
        return self.hosts or max(1, round(self.guests / 33))


@dataclass(slots=True)
class Host:
    """A host; `state` is connected, disconnected or maintenance."""

    ref: Ref
    name: str
    state: str
    uuid: str
    cluster: Cluster
    guests: list[Guest] = field(default_factory=list)


@dataclass(slots=True)
class Cluster:
    """A cluster, or, with `alone`, what a host outside of one is the only member of."""

    ref: Ref
    name: str
    datacenter: Datacenter
    alone: bool
    root: Ref
    pools: list[tuple[Ref, str]]
    hosts: list[Host] = field(default_factory=list)
    datastores: list[Datastore] = field(default_factory=list)
    guests: dict[Ref, list[Ref]] = field(default_factory=dict)
    """By pool."""


@dataclass(slots=True)
class Datastore:
    """A datastore; `state` is normal, inaccessible or inMaintenance. Bytes are counted from the guests on it."""

    ref: Ref
    name: str
    kind: str
    state: str
    uuid: str
    datacenter: Datacenter
    hosts: list[Host]
    pod: Ref | None = None
    guests: list[Ref] = field(default_factory=list)
    used_bytes: int = 0
    promised_bytes: int = 0

    @property
    def capacity_bytes(self) -> int:
        return max(2048 * GIB, -(-self.used_bytes * 5 // 4 // GIB) * GIB)


@dataclass(slots=True)
class Datacenter:
    """A datacenter with its folders, by name: `vm`, `host`, `datastore`, `network`, and the guests' own below."""

    ref: Ref
    name: str
    folders: dict[str, Ref]
    clusters: list[Cluster] = field(default_factory=list)
    datastores: list[Datastore] = field(default_factory=list)
    pod: tuple[Ref, str] | None = None
    guests: dict[Ref, list[Ref]] = field(default_factory=dict)
    """By folder."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A virtual machine. `role`: running, off, suspended, template, vcls, deltas, orphaned or inaccessible."""

    ref: Ref
    name: str
    role: str
    uuid: str
    host: Host
    pool: Ref
    folder: Ref
    datastore: Datastore
    vcpus: int
    memory_mib: int
    disks: tuple[int, ...]
    """Capacities in bytes."""
    tree: Tree
    files: Files
    booted: int
    dice: int
    """A number of its own, for values that nobody looks up here."""

    @property
    def running(self) -> bool:
        return self.role in {"running", "deltas", "vcls"}

    @property
    def on_host(self) -> bool:
        return self.role != "orphaned"

    @property
    def in_pool(self) -> bool:
        """A template belongs to a host alone."""
        return self.role not in {"orphaned", "template"}

    @property
    def known(self) -> bool:
        """Whether its configuration can be read."""
        return self.role not in {"orphaned", "inaccessible"}

    @property
    def connection(self) -> str:
        """`runtime.connectionState`."""
        if self.role in {"orphaned", "inaccessible"}:
            return self.role
        return "disconnected" if self.host.state == "disconnected" else "connected"

    @property
    def base(self) -> str:
        """Its files without their endings, `[datastore] name/name`."""
        return f"[{self.datastore.name}] {self.ref.id}/{self.ref.id}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole inventory at a moment in Unix seconds."""

    size: Size
    now: int
    datacenters: list[Datacenter]
    guests: list[Guest]

    def hosts(self) -> Iterator[Host]:
        for each in self.clusters():
            yield from each.hosts

    def clusters(self) -> Iterator[Cluster]:
        for each in self.datacenters:
            yield from each.clusters

    def with_role(self, role: str) -> list[Guest]:
        return [each for each in self.guests if each.role == role]


def plan(size: Size, now: int) -> Plan:
    """What an inventory of this size holds."""
    return _Planner(size, now).plan()


class _Planner:
    def __init__(self, size: Size, now: int) -> None:
        self._size, self._now = size, now
        self._dice = random.Random(size.seed)
        self._ids = count(1000)
        self._odd = size.guests >= FEWEST_FOR_ODDITIES

    def plan(self) -> Plan:
        datacenters = [self._datacenter(name) for name in DATACENTERS[: min(2, self._size.all_hosts)]]
        self._clusters(datacenters)
        for each in datacenters:
            self._datastores(each)
        return Plan(self._size, self._now, datacenters, self._guests(datacenters))

    def _ref(self, kind: str, prefix: str) -> Ref:
        return Ref(kind, f"{prefix}-{next(self._ids)}")

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _datacenter(self, name: str) -> Datacenter:
        kinds = {"vm": "v", "host": "h", "datastore": "s", "network": "n"}
        folders = {each: self._ref("Folder", f"group-{letter}") for each, letter in kinds.items()}
        for each in ("Prod", 'Test %2f "blue"', "vCLS"):
            folders[each] = self._ref("Folder", "group-v")
        return Datacenter(self._ref("Datacenter", "datacenter"), name, folders)

    def _clusters(self, datacenters: Sequence[Datacenter]) -> None:
        """Clusters of up to 25 hosts by turns in the datacenters; the last host of many stands alone."""
        alone = 1 if self._size.all_hosts >= 4 else 0
        clustered = self._size.all_hosts - alone
        number = max(len(datacenters), -(-clustered // 25))
        shares = [clustered // number + (n < clustered % number) for n in range(number)] + [1] * alone
        hosts = 0
        for n, share in enumerate(shares):
            datacenter = datacenters[n % len(datacenters)]
            cluster = self._cluster(datacenter, f"cluster-{n + 1:02d}", alone=n >= number)
            for _ in range(share):
                hosts += 1
                odd = self._odd and self._size.all_hosts >= FEWEST_HOSTS_FOR_ODDITIES
                state = {2: "maintenance", 3: "disconnected"}.get(hosts, "connected") if odd else "connected"
                name = f"esx{hosts:03d}.example.net"
                cluster.hosts.append(Host(self._ref("HostSystem", "host"), name, state, self._uuid(), cluster))
            if cluster.alone:
                cluster.name = cluster.hosts[0].name

    def _cluster(self, datacenter: Datacenter, name: str, *, alone: bool) -> Cluster:
        kind = "ComputeResource" if alone else "ClusterComputeResource"
        names = () if alone else ("gold", "silver %2f 🥈")
        pools = [(self._ref("ResourcePool", "resgroup"), each) for each in names]
        root = self._ref("ResourcePool", "resgroup")
        cluster = Cluster(self._ref(kind, "domain-c"), name, datacenter, alone, root, pools)
        datacenter.clusters.append(cluster)
        return cluster

    def _datastores(self, datacenter: Datacenter) -> None:
        """A VMFS for four hosts, half of them in a datastore cluster, and NFS for everyone; same names everywhere."""
        names = count(1)
        everyone = [host for cluster in datacenter.clusters for host in cluster.hosts]
        datacenter.pod = (self._ref("StoragePod", "group-p"), "pod %2f 1")
        for cluster in datacenter.clusters:
            for n in range(max(2, len(cluster.hosts) // 4)):
                name = f"vmfs-{next(names):02d}"
                found = self._datastore(datacenter, name, "VMFS", cluster.hosts)
                found.pod = datacenter.pod[0] if n % 2 == 0 else None
                cluster.datastores.append(found)
        self._datastore(datacenter, "nfs iso", "NFS", everyone)
        if self._odd:
            self._datastore(datacenter, "nfs-old", "NFS", everyone, "inaccessible")
            self._datastore(datacenter, "vsan", "vsan", everyone, "inMaintenance")

    def _datastore(
        self, datacenter: Datacenter, name: str, kind: str, hosts: list[Host], state: str = "normal"
    ) -> Datastore:
        ref = self._ref("Datastore", "datastore")
        found = Datastore(ref, name, kind, state, self._uuid(), datacenter, hosts)
        datacenter.datastores.append(found)
        return found

    def _guests(self, datacenters: Sequence[Datacenter]) -> list[Guest]:
        clusters = [cluster for each in datacenters for cluster in each.clusters]
        roles = self._roles([each for each in clusters if not each.alone])
        able = [n for n, (role, _) in enumerate(roles) if role in {"running", "off", "suspended"}]
        share = min(len(able), round(len(roles) / 5)) if self._odd else 0
        frozen = set(self._dice.sample(able, share))
        hosts = [host for cluster in clusters for host in cluster.hosts if host.state != "maintenance"]
        names = self._names(roles)
        found = []
        for n, (name, (role, cluster)) in enumerate(zip(names, roles, strict=True)):
            there = [each for each in hosts if each.cluster.datacenter is datacenters[n % len(datacenters)]]
            if cluster is not None:
                there = cluster.hosts
            if role not in {"running", "off"}:
                there = [each for each in there if each.state == "connected"]
            found.append(self._guest(name, role, self._dice.choice(there), snapshots=n in frozen))
        return found

    def _roles(self, clusters: Sequence[Cluster]) -> list[tuple[str, Cluster | None]]:
        guests = self._size.guests
        if not self._odd:
            return [("running", None)] * guests
        few = max(1, guests // 500)
        rare: list[tuple[str, Cluster | None]] = [
            (role, None) for role in ("orphaned", "inaccessible", "template", "suspended", "deltas") for _ in range(few)
        ]
        found = rare + [("vcls", each) for each in clusters] + [("off", None)] * (guests // 12)
        found += [("running", None)] * (guests - len(found))
        self._dice.shuffle(found)
        return found

    def _names(self, roles: Sequence[tuple[str, Cluster | None]]) -> list[str]:
        """Odd names for the first that run; the others are numbered, each number in both datacenters."""
        odd = iter(ODD_NAMES if self._odd else ())
        found = []
        for n, (role, _) in enumerate(roles):
            usual = f"{('app', 'db', 'web')[n // 2 % 3]}-{n // 2:05d}" if self._odd else f"guest-{n}"
            found.append((next(odd, usual) if role == "running" else usual) if role != "vcls" else "")
        return found

    def _guest(self, name: str, role: str, host: Host, *, snapshots: bool) -> Guest:
        dice, cluster = self._dice, host.cluster
        ref, datacenter = self._ref("VirtualMachine", "vm"), cluster.datacenter
        vcpus, memory = dice.choice((1, 2, 4, 8)), dice.choice((1024, 4096, 8192, 32768))
        disks = (dice.choice((20, 40, 100)) * GIB, dice.choice((10, 200)) * GIB)
        bases = (dice.randrange(1, disks[0] // chains.MIB) * chains.MIB, disks[1])
        if snapshots:
            tree = chains.grown(dice, bases, self._ids, self._now, memory * chains.MIB, off=role == "off")
        else:
            tree = chains.left_over(dice, bases) if role == "deltas" else chains.plain(bases)
        datastore = dice.choice(cluster.datastores)
        pool = dice.choice([each for each, _ in cluster.pools] or [cluster.root])
        folder = datacenter.folders["vCLS" if role == "vcls" else dice.choice(("vm", "Prod", 'Test %2f "blue"'))]
        swap = memory * chains.MIB if role in {"running", "deltas", "vcls"} else 0
        instance = self._uuid()
        guest = Guest(
            ref=ref,
            name=name or f"vCLS-{instance}",
            role=role,
            uuid=instance,
            host=host,
            pool=pool,
            folder=folder,
            datastore=datastore,
            vcpus=vcpus,
            memory_mib=memory,
            disks=disks,
            tree=tree,
            files=chains.files(tree, f"[{datastore.name}] {ref.id}/{ref.id}", swap),
            booted=self._now - dice.randrange(600, 300 * chains.DAY),
            dice=dice.getrandbits(32),
        )
        self._settle(guest)
        return guest

    def _settle(self, guest: Guest) -> None:
        """Count the guest where it lives."""
        cluster, datastore = guest.host.cluster, guest.datastore
        if guest.on_host:
            guest.host.guests.append(guest)
        if guest.in_pool:
            cluster.guests.setdefault(guest.pool, []).append(guest.ref)
        cluster.datacenter.guests.setdefault(guest.folder, []).append(guest.ref)
        datastore.guests.append(guest.ref)
        datastore.used_bytes += guest.files.bytes
        datastore.promised_bytes += guest.disks[0] - guest.tree.active[0][0].extent_bytes
