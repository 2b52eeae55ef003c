"""The host that libvirt runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collectors.libvirt.answers import Node
from collectors.libvirt.mapping.xml import parse, text_of
from exporter.errors import Malformed
from exporter.model import HostCpu, HostMemory
from exporter.units import kibibytes, mebibytes, megahertz, nanoseconds

_BUSY = ("kernel", "user", "intr")


@dataclass(frozen=True, slots=True)
class Topology:
    """Processors by the capabilities; None where they do not say."""

    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the capabilities and the firmware say about the host."""

    uuid: str = ""
    vendor: str = ""
    model: str = ""
    cpu_model: str = ""
    topology: Topology = Topology()


def host_facts(node: Node) -> HostFacts:
    """Facts of virConnectGetCapabilities and virConnectGetSysinfo (SMBIOS, where libvirt may read it).

    Raises `Malformed` where the capabilities are no XML; a broken firmware table costs its labels only.
    """
    if not node.capabilities:
        return HostFacts()
    capabilities = parse(node.capabilities, "the host's capabilities")
    vendor, model, cpu_model = _firmware(node.sysinfo)
    return HostFacts(
        uuid=text_of(capabilities, "host/uuid").lower(),
        vendor=vendor,
        model=model,
        cpu_model=cpu_model or text_of(capabilities, "host/cpu/model"),
        topology=_topology([dict(cpu.attrib) for cpu in capabilities.iterfind("host/topology/cells/cell/cpus/cpu")]),
    )


def _topology(cpus: list[dict[str, str]]) -> Topology:
    """Distinct sockets and cores of the listed processors; one that is offline has no place, then nothing is known."""
    if not cpus or any("socket_id" not in cpu or "core_id" not in cpu for cpu in cpus):
        return Topology()
    return Topology(
        sockets=len({cpu["socket_id"] for cpu in cpus}),
        cores=len({(cpu["socket_id"], cpu.get("die_id"), cpu["core_id"]) for cpu in cpus}),
        threads=len(cpus),
    )


def _firmware(sysinfo: str | None) -> tuple[str, str, str]:
    if not sysinfo:
        return "", "", ""
    try:
        root = parse(sysinfo, "the host's SMBIOS")
    except Malformed:
        # Vendors write what they like into these tables; the host is described without them.
        return "", "", ""
    return (
        text_of(root, "system/entry[@name='manufacturer']"),
        text_of(root, "system/entry[@name='product']"),
        text_of(root, "processor/entry[@name='version']"),
    )


def host_cpu(node: Node, topology: Topology, online: int | None, times: Mapping[str, int] | None) -> HostCpu:
    """Processors: topology from the capabilities, else virNodeGetInfo; MHz from there; CPU map; CPU statistics (ns).

    Node info counts sockets per NUMA node, cores per socket and threads per core; their product may exceed what is
    online, hence the CPU map. Busy is kernel (with interrupts), user (with guests) and FreeBSD's intr: all but idle and
    iowait. Time stolen from a nested host is in none of them.
    """
    info = node.info or (None,) * 8
    sockets = _product(info[4], info[5])
    cores = _product(sockets, info[6])
    known = [times[mode] for mode in _BUSY if times and mode in times]
    return HostCpu(
        sockets=topology.sockets or sockets,
        cores=topology.cores or cores,
        threads=topology.threads or _product(cores, info[7]),
        frequency_hertz=megahertz(info[3] or None),
        capacity_cpus=online or info[2] or None,
        busy_seconds=nanoseconds(sum(known)) if known else None,
    )


def _product(left: int | None, right: int | None) -> int | None:
    return left * right or None if left is not None and right is not None else None


def host_memory(node: Node, memory: Mapping[str, int] | None, free_bytes: int | None) -> HostMemory:
    """Memory from virNodeGetMemoryStats (KiB), else virNodeGetInfo (MiB) and virNodeGetFreeMemory (bytes).

    Node info leaves out memory that is in no NUMA node, hence the order. `available` is there since libvirt 12.3;
    before, free plus buffers plus cached comes close. Used is what is not available.
    """
    if not memory or "total" not in memory:
        capacity = mebibytes(node.info[1] or None) if node.info else None
        return _memory(capacity, None if free_bytes is None else float(free_bytes))
    if "available" in memory:
        return _memory(kibibytes(memory["total"]), kibibytes(memory["available"]))
    return _memory(kibibytes(memory["total"]), kibibytes(_reclaimable(memory)))


def _reclaimable(memory: Mapping[str, int]) -> int | None:
    return sum(memory.get(key, 0) for key in ("free", "buffers", "cached")) if "free" in memory else None


def _memory(capacity: float | None, available: float | None) -> HostMemory:
    if capacity is None or available is None or available > capacity:
        return HostMemory(capacity_bytes=capacity)
    return HostMemory(capacity_bytes=capacity, available_bytes=available, used_bytes=capacity - available)


def version(number: int | None) -> str:
    """A version of libvirt or of a driver as people write it, from 1,000,000 x major + 1,000 x minor + release."""
    return "" if number is None else f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
