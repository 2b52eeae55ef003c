"""A small world of guests, snapshots and pools in a LibvirtLab: one of everything that a collector must tell apart.

Guests are QEMU under TCG with 4 MiB; all are paused or off but SPINNER. NICs are of type user (slirp): an unprivileged
libvirtd has no tap devices, so there are no traffic counters (`net.count` only).
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import libvirt
import libvirt_qemu

from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import until

SPINNER = "spinner"  # the only one that runs: its firmware restarts for ever, a third of a CPU busy
TWO_DISKS = "two disks"  # vda qcow2, vdb raw, a NIC; paused, so counters move by `move_disk` only
# libvirt 9.0.0 allows everything in a name but "/", line feeds and what XML cannot hold.
ODD_NAME = """ odd "double" 'single' back\\slash\t<&>{} $(x) größer 😀 """
HOT_PLUG = "hot-plug"  # 2 of 4 virtual CPUs
CDROM = "cdrom"  # one with a medium, one without, no disk
TITLED = "titled"  # off, with title, description and metadata
OFF = "off"
TREE = "snapshot-tree"  # off; base -> update -> test, and base -> other
LIVE = "snapshot-live"  # paused; internal snapshot with RAM
OVERLAYS = "snapshot-overlays"  # paused; two external disk-only snapshots: a chain of three files
OLD = "snapshot-old"  # off; its snapshot is 400 days old
SAVED = "managed-save"  # off, with its RAM on disk
TRANSIENT = "transient"  # paused; gone once destroyed
STOPPABLE = "stoppable"  # paused; off once destroyed

POOL = "images pool"  # active, with a qcow2 and a raw volume
COLD_POOL = "cold"  # inactive

OLD_SNAPSHOT_DAYS = 400
METADATA_URI = "https://example.org/estate"


@dataclass(frozen=True)
class Guest:
    name: str
    uuid: str
    state: str  # as virsh names it: running, paused, "shut off"
    disks: dict[str, Path] = field(default_factory=dict)  # by target; the file at the top of the chain
    snapshots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pool:
    name: str
    uuid: str
    active: bool
    path: Path
    volumes: dict[str, int] = field(default_factory=dict)  # capacity in bytes by name


@dataclass(frozen=True)
class Estate:
    guests: dict[str, Guest]
    pools: dict[str, Pool]
    old_snapshot_time: int  # unix seconds


def build_estate(lab: LibvirtLab) -> Estate:
    """Build it all, in about four seconds, and say what there is."""
    lab.launch(SPINNER, paused=False, firmware="<bios rebootTimeout='200'/>")
    lab.launch(TWO_DISKS, devices=qcow2(lab, "first") + raw(lab, "second") + nic())
    lab.launch(ODD_NAME, devices=nic())
    lab.launch(HOT_PLUG, vcpus=2, max_vcpus=4)
    lab.launch(CDROM, devices=cdrom(lab, "medium") + "<disk device='cdrom'><target dev='sdb' bus='ide'/></disk>")
    lab.launch(TRANSIENT, transient=True, devices=qcow2(lab, "transient"))
    lab.launch(STOPPABLE, devices=qcow2(lab, "stoppable"))
    lab.define(OFF)
    lab.define(
        TITLED, head="<title>Titled &amp; described</title><description>Shop,\nfront end</description>"
    ).setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, "<owner>web team</owner>", "estate", METADATA_URI)
    lab.launch(SAVED, devices=qcow2(lab, "saved")).managedSave()
    snapshot_tree(lab.define(TREE, devices=qcow2(lab, "tree")))
    take(lab.launch(LIVE, devices=qcow2(lab, "live")), "with-ram")
    overlays(lab, lab.launch(OVERLAYS, devices=qcow2(lab, "overlays")))
    created = int(time.time()) - OLD_SNAPSHOT_DAYS * 86400
    redefine_snapshot(lab.define(OLD, devices=qcow2(lab, "old")), "ancient", created)
    build_pools(lab)
    return describe(lab, created)


def describe(lab: LibvirtLab, old_snapshot_time: int) -> Estate:
    """What the lab holds, read back from libvirt."""
    return Estate(
        guests={guest.name(): describe_guest(guest) for guest in lab.conn().listAllDomains()},
        pools={pool.name(): describe_pool(pool) for pool in lab.conn().listAllStoragePools()},
        old_snapshot_time=old_snapshot_time,
    )


def describe_guest(guest: libvirt.virDomain) -> Guest:
    states = {
        libvirt.VIR_DOMAIN_RUNNING: "running",
        libvirt.VIR_DOMAIN_PAUSED: "paused",
        libvirt.VIR_DOMAIN_SHUTOFF: "shut off",
    }
    disks = {
        disk.find("target").get("dev"): Path(disk.find("source").get("file"))
        for disk in ET.fromstring(guest.XMLDesc()).iterfind("devices/disk")
        if disk.find("source") is not None
    }
    snapshots = tuple(sorted(snapshot.getName() for snapshot in guest.listAllSnapshots()))
    return Guest(guest.name(), guest.UUIDString(), states[guest.state()[0]], disks, snapshots)


def describe_pool(pool: libvirt.virStoragePool) -> Pool:
    path = Path(ET.fromstring(pool.XMLDesc()).findtext("target/path"))
    volumes = {each.name(): each.info()[1] for each in pool.listAllVolumes()} if pool.isActive() else {}
    return Pool(pool.name(), pool.UUIDString(), bool(pool.isActive()), path, volumes)


def move_disk(lab: LibvirtLab, guest: str, target: str, nbytes: int, *, act: str = "write") -> None:
    """Make a running or paused guest's disk counters move by one request of `nbytes` ("write" or "read").

    Returns when libvirt shows it. QEMU counts `aio_` requests only, and none that reach beyond the disk's end.
    """
    domain = lab.conn().lookupByName(guest)
    found = ET.fromstring(domain.XMLDesc()).find(f"devices/disk/target[@dev='{target}']/..")
    inner = "/virtio-backend" if found.find("target").get("bus") == "virtio" else ""
    # block_stats: read requests, read bytes, write requests, write bytes, errors
    column = {"read": 1, "write": 3}[act]
    before = domain.blockStats(target)[column]
    device = f"/machine/peripheral/{found.find('alias').get('name')}{inner}"
    command = f'qemu-io -d {device} "aio_{act} 0 {nbytes}"'
    libvirt_qemu.qemuMonitorCommand(domain, command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
    until(
        lambda: domain.blockStats(target)[column] == before + nbytes,
        10,
        f"{act} of {nbytes} bytes in {target} of {guest}",
    )


def take(guest: libvirt.virDomain, name: str, xml: str = "", flags: int = 0) -> None:
    """Take a snapshot; internal and, where the guest is on, with RAM unless told otherwise."""
    guest.snapshotCreateXML(f"<domainsnapshot><name>{escape(name)}</name>{xml}</domainsnapshot>", flags)


def snapshot_tree(guest: libvirt.virDomain) -> None:
    for name in ("base", "update", "test"):
        take(guest, name, f"<description>{name} of the tree</description>")
    guest.revertToSnapshot(guest.snapshotLookupByName("base"))
    take(guest, "other")


def overlays(lab: LibvirtLab, guest: libvirt.virDomain) -> None:
    for name in ("monday", "tuesday"):
        file = lab.scratch.directory("images") / f"overlay-{name}.qcow2"
        disk = f"<disks><disk name='vda' snapshot='external'><source file='{file}'/></disk></disks>"
        take(guest, name, disk, libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)


def redefine_snapshot(guest: libvirt.virDomain, name: str, created: int) -> None:
    """Add the metadata of an internal snapshot of vda that was taken at the unix time `created`."""
    guest.snapshotCreateXML(
        f"<domainsnapshot><name>{name}</name><state>shutoff</state><creationTime>{created}</creationTime>"
        "<memory snapshot='no'/><disks><disk name='vda' snapshot='internal'/></disks>"
        f"{guest.XMLDesc()}</domainsnapshot>",
        libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE,
    )


def build_pools(lab: LibvirtLab) -> None:
    for name, folder in ((POOL, "pool"), (COLD_POOL, "cold pool")):
        path = lab.scratch.directory(folder)
        pool = lab.conn().storagePoolDefineXML(
            f"<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>"
        )
        if name == COLD_POOL:
            continue
        pool.create()
        for volume, image_format, mib in (("data.qcow2", "qcow2", 64), ("swap.raw", "raw", 8)):
            pool.createXML(
                f"<volume><name>{volume}</name><capacity unit='MiB'>{mib}</capacity><allocation>0</allocation>"
                f"<target><format type='{image_format}'/></target></volume>"
            )


def qcow2(lab: LibvirtLab, name: str) -> str:
    return disk("qcow2", lab.image(f"{name}.qcow2"), "vda")


def raw(lab: LibvirtLab, name: str) -> str:
    return disk("raw", lab.image(f"{name}.raw", image_format="raw"), "vdb")


def cdrom(lab: LibvirtLab, name: str) -> str:
    return disk("raw", lab.image(f"{name}.iso", image_format="raw"), "sda", device="cdrom", bus="ide")


def disk(image_format: str, path: Path, target: str, *, device: str = "disk", bus: str = "virtio") -> str:
    return (
        f"<disk type='file' device='{device}'><driver name='qemu' type='{image_format}'/>"
        f"<source file='{escape(str(path))}'/><target dev='{target}' bus='{bus}'/></disk>"
    )


def nic() -> str:
    return "<interface type='user'><model type='virtio'/></interface>"
