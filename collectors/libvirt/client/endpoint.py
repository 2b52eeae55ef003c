"""The questions this platform asks an endpoint, one method each; answers are plain data (`collectors.libvirt.answers`).

Methods whose docstring says "or None" give None where the driver does not support the call. All others raise the
core's errors; `Gone` and `Failed` concern one object only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from enum import IntFlag
from typing import Any, Protocol

from collectors.libvirt.answers import Domain, Node, Pool, Record, SnapshotName
from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.errors import Gone, Refused
from exporter.errors import Forbidden, Unsupported

_ALL_CPUS = -1
_LEAVES = 4
_WITHOUT_DOMAIN = 2


class Stats(IntFlag):
    """Groups of bulk statistics (virDomainStatsTypes)."""

    STATE = 1
    BALLOON = 4
    VCPU = 8
    INTERFACE = 16
    BLOCK = 32


class Listing(IntFlag):
    """Which domains a list names (virConnectListAllDomainsFlags)."""

    ALL = 0
    TRANSIENT = 8
    MANAGED_SAVE = 256
    AUTOSTART = 1024
    HAS_SNAPSHOT = 4096
    HAS_CHECKPOINT = 16384


class How(IntFlag):
    """Flags of a bulk call (virConnectGetAllDomainStatsFlags)."""

    PLAIN = 0
    ACTIVE = 1
    NOWAIT = 1 << 29
    BACKING = 1 << 30


class Questions(Protocol):
    """What the groups ask; the recorded answers of the tests offer the same."""

    def driver(self) -> str: ...
    def node(self) -> Node: ...
    def online_cpus(self) -> int | None: ...
    def node_cpu(self) -> Mapping[str, int] | None: ...
    def node_memory(self) -> Mapping[str, int] | None: ...
    def free_memory(self) -> int | None: ...
    def cells_free(self, count: int) -> Sequence[int] | None: ...
    def free_pages(self, sizes: Sequence[int], count: int) -> Mapping[int, Mapping[int, int]] | None: ...
    def domains(self, which: Listing = Listing.ALL) -> list[Domain]: ...
    def bulk(self, domains: Collection[Domain], groups: Stats, how: How = How.PLAIN) -> list[Record]: ...
    def state(self, domain: Domain) -> Sequence[int]: ...
    def info(self, domain: Domain) -> Sequence[int]: ...
    def vcpus(self, domain: Domain) -> Sequence[Sequence[int]]: ...
    def memory(self, domain: Domain) -> Mapping[str, int] | None: ...
    def block(self, domain: Domain, disk: str) -> Sequence[int] | None: ...
    def block_sizes(self, domain: Domain, disk: str) -> Sequence[int] | None: ...
    def interface(self, domain: Domain, device: str) -> Sequence[int] | None: ...
    def disk_errors(self, domain: Domain) -> Mapping[str, int] | None: ...
    def control(self, domain: Domain) -> Sequence[int] | None: ...
    def job(self, domain: Domain) -> Mapping[str, object] | None: ...
    def xml(self, domain: Domain) -> str: ...
    def snapshots(self, domain: Domain) -> list[SnapshotName]: ...
    def snapshot_xml(self, snapshot: SnapshotName) -> str: ...
    def current_snapshot(self, domain: Domain) -> str | None: ...
    def newest_checkpoints(self, domain: Domain) -> list[str]: ...
    def pools(self) -> list[Pool]: ...
    def pool_info(self, pool: Pool) -> Sequence[int]: ...
    def pool_xml(self, pool: Pool) -> str: ...
    def volumes(self, pool: Pool) -> list[str]: ...


class Endpoint:
    """`Questions` to a live connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._nowait = How.NOWAIT
        self._driver: str | None = None
        self._node: Node | None = None

    @property
    def _host(self) -> Any:
        return self._connection.handle

    def _ask(self, thing: Any, method: str, *arguments: Any) -> Any:
        return self._connection.call(thing, method, *arguments)

    def _ask_if_offered(self, thing: Any, method: str, *arguments: Any) -> Any | None:
        with suppress(Unsupported):
            return self._ask(thing, method, *arguments)
        return None

    def driver(self) -> str:
        """The hypervisor driver (virConnectGetType) in lower case, asked once: "qemu", "xen", "lxc", "test", ..."""
        if self._driver is None:
            self._driver = str(self._ask(self._host, "getType")).casefold()
        return self._driver

    def node(self) -> Node:
        """What does not change while the connection lasts, asked once."""
        if self._node is None:
            info = self._describe("getInfo")
            self._node = Node(
                product=self._ask(self._host, "getType"),
                version=self._describe("getVersion"),
                libvirt_version=self._describe("getLibVersion"),
                hostname=self._describe("getHostname"),
                info=None if info is None else tuple(info),
                capabilities=self._describe("getCapabilities"),
                sysinfo=self._describe("getSysinfo", 0),
            )
        return self._node

    def _describe(self, method: str, *arguments: int) -> Any | None:
        # A description that is not allowed or not there costs its labels, not the collection.
        with suppress(Forbidden, Gone, Refused):
            return self._ask_if_offered(self._host, method, *arguments)
        return None

    def online_cpus(self) -> int | None:
        """Logical processors online (virNodeGetCPUMap), or None."""
        answer = self._ask_if_offered(self._host, "getCPUMap")
        return None if answer is None else int(answer[2])

    def node_cpu(self) -> Mapping[str, int] | None:
        """Nanoseconds of all processors by mode, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(self._host, "getCPUStats", _ALL_CPUS, 0)
        return answer

    def node_memory(self) -> Mapping[str, int] | None:
        """KiB of all NUMA nodes by use, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(self._host, "getMemoryStats", _ALL_CPUS, 0)
        return answer

    def free_memory(self) -> int | None:
        """Free bytes, or None."""
        answer: int | None = self._ask_if_offered(self._host, "getFreeMemory")
        return answer

    def cells_free(self, count: int) -> Sequence[int] | None:
        """Free bytes of the first `count` NUMA cells, or None."""
        answer: Sequence[int] | None = self._ask_if_offered(self._host, "getCellsFreeMemory", 0, count)
        return answer

    def free_pages(self, sizes: Sequence[int], count: int) -> Mapping[int, Mapping[int, int]] | None:
        """Free pages by cell and size in KiB of the first `count` NUMA cells, or None."""
        answer: Mapping[int, Mapping[int, int]] | None
        answer = self._ask_if_offered(self._host, "getFreePages", list(sizes), 0, count, 0)
        return answer

    def domains(self, which: Listing = Listing.ALL) -> list[Domain]:
        """The domains of the host in every state, or those that a filter of the daemon leaves.

        By name: libvirt lists in the order of a hash table, which is another one in each process.
        """
        domains = [_domain(handle) for handle in self._ask(self._host, "listAllDomains", int(which))]
        return sorted(domains, key=lambda domain: (domain.name, domain.uuid))

    def bulk(self, domains: Collection[Domain], groups: Stats, how: How = How.PLAIN) -> list[Record]:
        """Statistics of several domains in one call; those that have vanished are left out by the daemon.

        Never waits for a guest that is busy, where the daemon knows how (libvirt 4.5): its record is shorter then.
        """
        handles = [domain.handle for domain in domains]
        try:
            answer = self._ask(self._host, "domainListGetStats", handles, int(groups), int(how | self._nowait))
        except Refused:
            if not self._nowait:
                raise
            self._nowait = How.PLAIN
            return self.bulk(domains, groups, how)
        return [Record(_domain(handle), stats) for handle, stats in answer]

    def state(self, domain: Domain) -> Sequence[int]:
        """State and reason."""
        answer: Sequence[int] = self._ask(domain.handle, "state", 0)
        return answer

    def control(self, domain: Domain) -> Sequence[int] | None:
        """Of the way to the domain's monitor: state, details, milliseconds in that state; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "controlInfo", 0)
        return answer

    def vcpus(self, domain: Domain) -> Sequence[Sequence[int]]:
        """Of each virtual CPU of a running domain: number, state, CPU time (ns), processor."""
        answer: Sequence[Sequence[int]] = self._ask(domain.handle, "vcpus")[0]
        return answer

    def info(self, domain: Domain) -> Sequence[int]:
        """State, most memory (KiB), memory now (KiB), virtual CPUs, CPU time (ns)."""
        answer: Sequence[int] = self._ask(domain.handle, "info")
        return answer

    def memory(self, domain: Domain) -> Mapping[str, int] | None:
        """Memory statistics in KiB, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(domain.handle, "memoryStats")
        return answer

    def block(self, domain: Domain, disk: str) -> Sequence[int] | None:
        """Read requests and bytes, write requests and bytes, errors of a disk, -1 where unknown; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "blockStats", disk)
        return answer

    def block_sizes(self, domain: Domain, disk: str) -> Sequence[int] | None:
        """Capacity, allocation, physical size of a disk in bytes, or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "blockInfo", disk, 0)
        return answer

    def interface(self, domain: Domain, device: str) -> Sequence[int] | None:
        """Received bytes, packets, errors, drops, then the same sent, -1 where unknown; or None."""
        answer: Sequence[int] | None = self._ask_if_offered(domain.handle, "interfaceStats", device)
        return answer

    def disk_errors(self, domain: Domain) -> Mapping[str, int] | None:
        """Error codes by disk, or None."""
        answer: Mapping[str, int] | None = self._ask_if_offered(domain.handle, "diskErrors", 0)
        return answer

    def job(self, domain: Domain) -> Mapping[str, object] | None:
        """What the domain is busy with, or None. Asks the monitor of a domain that has a job."""
        answer: Mapping[str, object] | None = self._ask_if_offered(domain.handle, "jobStats", 0)
        return answer

    def xml(self, domain: Domain) -> str:
        """The description of the domain as it runs, else as it would start; without secrets."""
        answer: str = self._ask(domain.handle, "XMLDesc", 0)
        return answer

    def snapshots(self, domain: Domain) -> list[SnapshotName]:
        """The domain's snapshots, name by name where the driver cannot list them at once."""
        try:
            return [SnapshotName(each.getName(), each) for each in self._ask(domain.handle, "listAllSnapshots", 0)]
        except Unsupported:
            names = self._ask(domain.handle, "snapshotListNames", 0)
            return [SnapshotName(name, self._ask(domain.handle, "snapshotLookupByName", name, 0)) for name in names]

    def snapshot_xml(self, snapshot: SnapshotName) -> str:
        """The description of a snapshot."""
        answer: str = self._ask(snapshot.handle, "getXMLDesc", 0)
        return answer

    def current_snapshot(self, domain: Domain) -> str | None:
        """Name of the snapshot the domain is at; None without one, or where the driver cannot say."""
        try:
            answer = self._ask_if_offered(domain.handle, "snapshotCurrent", 0)
        except Gone:
            return None
        return None if answer is None else str(answer.getName())

    def newest_checkpoints(self, domain: Domain) -> list[str]:
        """The descriptions of the domain's checkpoints that no other follows."""
        leaves = self._ask(domain.handle, "listAllCheckpoints", _LEAVES)
        return [self._ask(leaf, "getXMLDesc", _WITHOUT_DOMAIN) for leaf in leaves]

    def pools(self) -> list[Pool]:
        """The storage pools of the host by name, active or not."""
        pools = [Pool(each.UUIDString(), each.name(), each) for each in self._ask(self._host, "listAllStoragePools", 0)]
        return sorted(pools, key=lambda pool: pool.name)

    def pool_info(self, pool: Pool) -> Sequence[int]:
        """State, capacity, allocation, free space in bytes, as of the pool's last refresh."""
        answer: Sequence[int] = self._ask(pool.handle, "info")
        return answer

    def pool_xml(self, pool: Pool) -> str:
        """The description of a pool."""
        answer: str = self._ask(pool.handle, "XMLDesc", 0)
        return answer

    def volumes(self, pool: Pool) -> list[str]:
        """The descriptions of a pool's volumes; libvirt opens each of them for it."""
        found: list[str] = []
        for volume in self._ask(pool.handle, "listAllVolumes", 0):
            with suppress(Gone):
                found.append(self._ask(volume, "XMLDesc", 0))
        return found


def _domain(handle: Any) -> Domain:
    return Domain(handle.UUIDString(), handle.name(), handle.ID(), handle)
