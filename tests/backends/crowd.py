"""Two dozen QEMU guests in one lab, each in another state or with other disks, snapshots or processors.

None has an operating system (boot_sector.py), none needs KVM; those that run use a few hundredths of a CPU.
"""

from pathlib import Path

import libvirt

from tests.backends.boot_sector import HANGER, HEART, LEAVER, PANICKER, SLEEPER, bootable
from tests.backends.estate import cdrom, disk, nic, overlays, qcow2, raw, redefine_snapshot, snapshot_tree, take
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import find_binary, until

ACPI = "<features><acpi/></features>"
POOL, IDLE_POOL, LOST_POOL = "volumes", "idle", "lost"
NO_SPACE = 28
FULL_DISK = (
    "driver=raw,file.driver=blkdebug,file.inject-error.0.event=none,file.inject-error.0.iotype=write,"
    f"file.inject-error.0.errno={NO_SPACE},file.image.driver=file,file.image.filename="
)

STATES = {
    "heart": "running (booted)",
    "heart 2": "running (booted)",
    "heart 4": "running (booted)",
    "transient": "running (booted)",
    "woken": "running (unpaused)",
    "restored": "running (restored)",
    "sleeper": "pmsuspended (unknown)",
    "leaver": "shut off (shutdown)",
    "panicker": "crashed (panicked)",
    "panicker off": "shut off (crashed)",
    "hanger": "paused (watchdog)",
    "full": "paused (I/O error)",
    "user": "paused (user)",
    "plugged": "paused (user)",
    "disks": "paused (user)",
    "drives": "paused (user)",
    "bytes": "paused (user)",
    "clone 1": "paused (user)",
    "clone 2": "paused (user)",
    "overlays": "paused (user)",
    "orphan": "paused (user)",
    "with ram": "paused (user)",
    "tree": "shut off (unknown)",
    "ancient": "shut off (unknown)",
    "saved": "shut off (saved)",
    "destroyed": "shut off (destroyed)",
    "off": "shut off (unknown)",
}
"""What each guest comes to, as `virsh domstate --reason` says it."""


def build_crowd(lab: LibvirtLab) -> None:
    """Build it all and wait until every guest has come to its state."""
    build_living(lab)
    build_fallen(lab)
    build_disks(lab)
    build_snapshots(lab)
    build_pools(lab)
    build_resting(lab)
    for name, state in STATES.items():
        until(lambda name=name, state=state: lab.virsh("domstate", name, "--reason").strip() == state, 30, state)


def alive(lab: LibvirtLab, name: str, sector: str, **shape) -> libvirt.virDomain:
    """A guest that runs a boot sector."""
    devices = disk("raw", bootable(lab, f"{name}.raw", sector), "vda") + shape.pop("devices", "")
    return lab.launch(name, paused=False, devices=devices, **shape)


def build_living(lab: LibvirtLab) -> None:
    alive(lab, "heart", HEART)
    alive(lab, "heart 2", HEART, vcpus=2, memory_mib=8)
    alive(lab, "heart 4", HEART, vcpus=4, max_vcpus=6)
    alive(lab, "transient", HEART, transient=True)
    woken = alive(lab, "woken", HEART)
    woken.suspend()
    woken.resume()
    restored = alive(lab, "restored", HEART)
    restored.managedSave()
    restored.create()


def build_fallen(lab: LibvirtLab) -> None:
    alive(lab, "sleeper", SLEEPER, head=f"{ACPI}<pm><suspend-to-mem enabled='yes'/></pm>", vcpus=3)
    alive(lab, "leaver", LEAVER, head=ACPI)
    alive(lab, "panicker", PANICKER, head="<on_crash>preserve</on_crash>", devices="<panic model='isa'/>")
    alive(lab, "panicker off", PANICKER, head="<on_crash>destroy</on_crash>", devices="<panic model='isa'/>")
    alive(lab, "hanger", HANGER, devices="<watchdog model='ib700' action='pause'/>")
    socket = lab.scratch.path / "full.sock"
    serve = [find_binary("qemu-nbd") or "qemu-nbd", "--persistent", "--export-name=", f"--socket={socket}"]
    server = lab.scratch.start("full", *serve, "--image-opts", f"{FULL_DISK}{bootable(lab, 'full.raw')}")
    until(socket.exists, 10, "a disk over the network", server)
    source = f"<source protocol='nbd'><host transport='unix' socket='{socket}'/></source>"
    driver = "<driver name='qemu' type='raw' error_policy='stop'/>"
    full = f"<disk type='network'>{driver}{source}<target dev='vda' bus='virtio'/></disk>"
    lab.launch("full", paused=False, devices=full)


def build_disks(lab: LibvirtLab) -> None:
    lab.launch("user", vcpus=8, devices=nic())
    lab.launch("plugged", vcpus=2, max_vcpus=4, memory_mib=6).setVcpus(3)
    scsi = "<controller type='scsi' model='virtio-scsi'/>"
    third = disk("qcow2", lab.image("third.qcow2", "96M"), "sda", bus="scsi")
    lab.launch("disks", devices=qcow2(lab, "first") + raw(lab, "second") + third + scsi)
    empty = "<disk device='cdrom'><target dev='sdb' bus='ide'/></disk>"
    floppy = disk("raw", lab.image("floppy.img", "1440k", "raw"), "fda", device="floppy", bus="fdc")
    lab.launch("drives", devices=cdrom(lab, "medium") + empty + floppy)
    full = lab.image("bytes.raw", "3M", "raw")
    full.write_bytes(b"\xa5" * 2 * 2**20)  # shorter than it was, and no hole
    lab.launch("bytes", devices=disk("raw", full, "vda"))
    base = lab.image("base image.qcow2", "32M")
    for number in (1, 2):
        lab.launch(f"clone {number}", devices=disk("qcow2", clone(lab, base, f"clone {number}.qcow2"), "vda"))


def clone(lab: LibvirtLab, base: Path, name: str, base_format: str = "qcow2") -> Path:
    """A new overlay of an image, belonging to the daemon's user."""
    path = lab.image(name)
    options = f"backing_fmt={base_format},backing_file={base}"
    lab.run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, str(path))
    lab.scratch.own(path)
    return path


def build_snapshots(lab: LibvirtLab) -> None:
    overlays(lab, lab.launch("overlays", devices=qcow2(lab, "with overlays")))
    orphan = lab.launch("orphan", devices=qcow2(lab, "with an orphan"))
    hidden = lab.scratch.directory("images") / "hidden.qcow2"
    xml = f"<domainsnapshot><disks><disk name='vda'><source file='{hidden}'/></disk></disks></domainsnapshot>"
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    orphan.snapshotCreateXML(xml, flags)
    take(lab.launch("with ram", devices=qcow2(lab, "with ram")), "veeam backup")
    tree = lab.define("tree", devices=qcow2(lab, "tree"))
    snapshot_tree(tree)
    ancient = lab.define("ancient", devices=qcow2(lab, "ancient"))
    redefine_snapshot(ancient, "long ago", 1_500_000_000)
    redefine_snapshot(ancient, "daily-1", 1_600_000_000)


def build_resting(lab: LibvirtLab) -> None:
    lab.launch("saved", devices=qcow2(lab, "saved")).managedSave()
    top = lab.scratch.path / f"pool {POOL}" / "top.qcow2"
    lab.launch("destroyed", devices=disk("qcow2", top, "vda")).destroy()
    lab.define("off", vcpus=3, max_vcpus=5, devices=raw(lab, "off") + nic()).setAutostart(1)


def build_pools(lab: LibvirtLab) -> None:
    for name in (POOL, IDLE_POOL, LOST_POOL):
        path = lab.scratch.directory(f"pool {name}")
        pool = lab.conn().storagePoolDefineXML(
            f"<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>"
        )
        if name != IDLE_POOL:
            pool.create()
    fill_pool(lab, lab.scratch.path / f"pool {POOL}")


def fill_pool(lab: LibvirtLab, folder: Path) -> None:
    """Sparse, full and chained volumes: what they may still grow by differs."""
    base = folder / "base.qcow2"
    create = ["qemu-img", "create", "-q", "-f"]
    lab.run(*create, "qcow2", str(base), "64M")
    lab.run(*create, "qcow2", "-o", f"backing_fmt=qcow2,backing_file={base}", str(folder / "top.qcow2"))
    lab.run(*create, "qcow2", "-o", "preallocation=full", str(folder / "full.qcow2"), "2M")
    lab.run(*create, "raw", str(folder / "sparse.raw"), "48M")
    (folder / "solid.raw").write_bytes(b"\xa5" * 2**20)
    lab.scratch.own(*folder.iterdir())
    lab.virsh("pool-refresh", POOL)
