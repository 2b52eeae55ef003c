"""What a domain's XML says: facts that change when an administrator changes them, not by themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.annotations import tags
from collectors.libvirt.mapping.limits import io_limits
from collectors.libvirt.mapping.xml import Oddities, attribute, number_of, parse, shortened, sized, text_of, whole

_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
_AGENT = "org.qemu.guest_agent.0"
_SOURCES = ("file", "dev", "dir", "name", "volume", "path")
_NETWORKS = ("network", "bridge", "dev", "portgroup")
_REMOVABLE = {"cdrom", "floppy"}
PERIOD_MICROSECONDS = 100_000
"""The kernel's period where a domain has a quota and names none."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DiskSource:
    """A disk with a medium: `path` is a file, a device, `protocol:name` over the network; "" where nothing names it."""

    disk: str
    path: str
    format: str = ""
    kind: str = "file"
    pool: str = ""
    hosts: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    """Paths of the layers below, the next first."""
    chain_known: bool = False

    @property
    def is_file(self) -> bool:
        """Whether the disk is a file, whose own blocks tell what it takes; a device takes all of itself."""
        return self.kind == "file"

    @property
    def known_layers_below(self) -> int | None:
        """Layers below the newest, None where the description does not show the chain (a guest that is off)."""
        return len(self.chain) if self.chain_known else None


@dataclass(frozen=True, slots=True)
class NicSource:
    """An adapter: the name that its counters bear, or its hardware address where it has no device on the host."""

    nic: str
    mac: str
    network: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """One domain's slow facts."""

    os: str = ""
    kind: str = "guest"
    bios_uuid: str = ""
    tags: str = ""
    agent_up: bool | None = None
    limit_cpus: float | None = None
    memory_limit_bytes: float | None = None
    memory_reservation_bytes: float | None = None
    balloon_period_seconds: int | None = None
    disks: tuple[DiskSource, ...] = field(default=())
    nics: tuple[NicSource, ...] = field(default=())
    io_limits: Mapping[str, float] = field(default_factory=dict)
    oddities: tuple[str, ...] = ()
    """What was there and made no sense, a sentence each; it is left out, all else counts."""


def describe(text: str, what: str, annotations: Collection[str] = ()) -> Description:
    """The facts of a domain's XML (virDomainGetXMLDesc), with the wanted annotations as tags.

    Raises `Malformed` naming `what`.
    """
    domain = parse(text, what, root="domain")
    odd: Oddities = []
    disks = [source for disk in domain.iterfind("devices/disk") if (source := _disk(disk)) is not None]
    return Description(
        os=_operating_system(domain),
        kind="container" if text_of(domain, "os/type") == "exe" else "guest",
        bios_uuid=_bios_uuid(domain),
        tags=tags(domain, annotations),
        agent_up=_agent_up(domain),
        limit_cpus=_limit_cpus(domain, odd),
        memory_limit_bytes=sized(domain, "memtune/hard_limit", odd),
        memory_reservation_bytes=sized(domain, "memtune/min_guarantee", odd),
        balloon_period_seconds=whole(attribute(domain, "devices/memballoon/stats", "period")) or None,
        disks=_once(disks, lambda disk: disk.disk, "disks", odd),
        nics=_once(_nics(domain, odd), lambda nic: nic.nic, "adapters", odd),
        io_limits=io_limits(domain, odd),
        oddities=tuple(odd),
    )


def _once(parts: Iterable[T], name_of: Callable[[T], str], kind: str, odd: Oddities) -> tuple[T, ...]:
    """The first part of each name: two of one name would be one series twice."""
    found: dict[str, T] = {}
    for part in parts:
        if found.setdefault(name_of(part), part) is not part:
            odd.append(f"two {kind} are called {shortened(name_of(part))}, and the first one is shown")
    return tuple(found.values())


def _operating_system(domain: Element) -> str:
    """`http://debian.org/debian/12` of the metadata of libosinfo is "debian 12"."""
    address = attribute(domain, f"metadata/{_OSINFO}libosinfo/{_OSINFO}os", "id")
    return urlsplit(address).path.strip("/").replace("/", " ")


def _bios_uuid(domain: Element) -> str:
    """What QEMU shows in SMBIOS: `hwuuid` where the machine is to see another UUID than libvirt's, else that."""
    if domain.get("type") not in {"qemu", "kvm"}:
        return ""
    return (text_of(domain, "hwuuid") or text_of(domain, "uuid")).lower()


def _agent_up(domain: Element) -> bool | None:
    """Whether the guest agent's channel is connected; None where the domain has no such channel or does not run."""
    for target in domain.iterfind("devices/channel/target"):
        if target.get("name") == _AGENT and "state" in target.attrib:
            return target.get("state") == "connected"
    return None


def _limit_cpus(domain: Element, odd: Oddities) -> float | None:
    """CPUs by `cputune`: the smaller of `quota` and `global_quota`, each over its period (us).

    `quota` limits each virtual CPU, but a container of LXC as a whole; `global_quota` the virtual machine.
    """
    container = domain.get("type") == "lxc"
    limits = [_quota(domain, "", odd, 1 if container else _vcpus(domain))]
    if not container:
        limits.append(_quota(domain, "global_", odd, 1))
    return min((limit for limit in limits if limit), default=None)


def _quota(domain: Element, prefix: str, odd: Oddities, cpus: int) -> float | None:
    quota = number_of(domain, f"cputune/{prefix}quota", odd)
    given = domain.find(f"cputune/{prefix}period") is not None
    period = number_of(domain, f"cputune/{prefix}period", odd) if given else PERIOD_MICROSECONDS
    return cpus * quota / period if quota and quota > 0 and period and period > 0 else None


def _vcpus(domain: Element) -> int:
    return whole(attribute(domain, "vcpu", "current")) or number_of(domain, "vcpu") or 0


def _disk(disk: Element) -> DiskSource | None:
    """A disk element; None for an empty drive and for a disk without a name."""
    name, source = attribute(disk, "target", "dev"), disk.find("source")
    path = place_of_source(source)
    if not name or source is None or (not path and disk.get("device") in _REMOVABLE):
        return None
    return DiskSource(
        disk=name,
        path=path,
        format=attribute(disk, "driver", "type"),
        kind=disk.get("type", "file"),
        pool=source.get("pool", ""),
        hosts=tuple(host.get("name", "") for host in source.iterfind("host")),
        chain=_chain(disk),
        chain_known=disk.find("backingStore") is not None,
    )


def place_of_source(source: Element | None) -> str:
    """What a `source` element names: a file, a device, `protocol:name`, `nvme:ADDRESS/NAMESPACE`; "" if nothing."""
    if source is None:
        return ""
    place = next((source.get(key, "") for key in _SOURCES if source.get(key)), "")
    protocol = source.get("protocol", "")
    if protocol:
        # An NBD server's only export needs no name.
        return f"{protocol}:{place or ','.join(host.get('name', '') for host in source.iterfind('host'))}"
    return place or _nvme(source)


def _nvme(source: Element) -> str:
    """Place of a controller's namespace on the host's PCI bus, as `nvme:0000:01:00.0/1`."""
    address = source.find("address")
    if address is None or source.get("type") != "pci":
        return ""
    domain, bus, slot, function = (
        address.get(key, "0").removeprefix("0x") for key in ("domain", "bus", "slot", "function")
    )
    return f"nvme:{domain:0>4}:{bus:0>2}:{slot:0>2}.{function}/{source.get('namespace', '1')}"


def _chain(disk: Element) -> tuple[str, ...]:
    """Paths of nested `backingStore`; the end of the chain is an empty one. Absent for a guest that is off."""
    paths, layer = [], disk.find("backingStore")
    while layer is not None and layer.find("source") is not None:
        paths.append(place_of_source(layer.find("source")))
        layer = layer.find("backingStore")
    return tuple(paths)


def _nics(domain: Element, odd: Oddities) -> Iterator[NicSource]:
    for interface in domain.iterfind("devices/interface"):
        mac, device = attribute(interface, "mac", "address").lower(), attribute(interface, "target", "dev")
        if not (device or mac):
            odd.append("an adapter has neither a device nor an address to call it by")
            continue
        source = interface.find("source")
        network = "" if source is None else next((source.get(key, "") for key in _NETWORKS if source.get(key)), "")
        yield NicSource(nic=device or mac, mac=mac, network=network, device=device)
