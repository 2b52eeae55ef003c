"""What a domain's XML says: facts that change when an administrator changes them, not by themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.annotations import tags
from collectors.libvirt.mapping.xml import attribute, number_of, parse, sized, text_of

_OSINFO = "{http://libosinfo.org/xmlns/libvirt/domain/1.0}"
_AGENT = "org.qemu.guest_agent.0"
_SOURCES = ("file", "dev", "dir", "name", "volume")
_NETWORKS = ("network", "bridge", "dev", "portgroup")


@dataclass(frozen=True, slots=True)
class DiskSource:
    """A disk with a medium: `path` is a file, a device or, over the network, `protocol:name`."""

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


def describe(text: str, what: str, annotations: Collection[str] = ()) -> Description:
    """The facts of a domain's XML (virDomainGetXMLDesc), with the wanted annotations as tags.

    Raises `Malformed` naming `what`.
    """
    domain = parse(text, what)
    return Description(
        os=_operating_system(domain),
        kind="container" if text_of(domain, "os/type") == "exe" else "guest",
        bios_uuid=_bios_uuid(domain),
        tags=tags(domain, annotations),
        agent_up=_agent_up(domain),
        limit_cpus=_limit_cpus(domain),
        memory_limit_bytes=sized(domain, "memtune/hard_limit"),
        memory_reservation_bytes=sized(domain, "memtune/min_guarantee"),
        balloon_period_seconds=_period(domain),
        disks=tuple(source for disk in domain.iterfind("devices/disk") if (source := _disk(disk)) is not None),
        nics=tuple(nic for each in domain.iterfind("devices/interface") if (nic := _nic(each)) is not None),
    )


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


def _limit_cpus(domain: Element) -> float | None:
    """CPUs by `cputune`: `global_quota` over its period, else virtual CPUs times `quota` over its period (us)."""
    for prefix, cpus in (("global_", 1), ("", _vcpus(domain))):
        quota = number_of(domain, f"cputune/{prefix}quota")
        period = number_of(domain, f"cputune/{prefix}period")
        if quota is not None and quota > 0 and period and cpus:
            return cpus * quota / period
    return None


def _vcpus(domain: Element) -> int:
    current = attribute(domain, "vcpu", "current")
    return int(current) if current.isdecimal() else number_of(domain, "vcpu") or 0


def _period(domain: Element) -> int | None:
    period = attribute(domain, "devices/memballoon/stats", "period")
    return int(period) if period.isdecimal() and int(period) else None


def _disk(disk: Element) -> DiskSource | None:
    """A disk element; None for an empty drive and for a disk without a name."""
    name, source = attribute(disk, "target", "dev"), disk.find("source")
    path = place_of_source(source)
    if not name or source is None or not path:
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
    """File, device or `protocol:name` of a `source` element; "" where it names none."""
    if source is None:
        return ""
    place = next((source.get(key, "") for key in _SOURCES if source.get(key)), "")
    protocol = source.get("protocol", "")
    return f"{protocol}:{place}" if protocol and place else place


def _chain(disk: Element) -> tuple[str, ...]:
    """Paths of nested `backingStore`; the end of the chain is an empty one. Absent for a guest that is off."""
    paths, layer = [], disk.find("backingStore")
    while layer is not None and layer.find("source") is not None:
        paths.append(place_of_source(layer.find("source")))
        layer = layer.find("backingStore")
    return tuple(paths)


def _nic(interface: Element) -> NicSource | None:
    mac, device = attribute(interface, "mac", "address").lower(), attribute(interface, "target", "dev")
    if not (device or mac):
        return None
    source = interface.find("source")
    network = "" if source is None else next((source.get(key, "") for key in _NETWORKS if source.get(key)), "")
    return NicSource(nic=device or mac, mac=mac, network=network, device=device)
