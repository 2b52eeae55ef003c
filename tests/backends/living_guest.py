"""A guest that lives: Debian's kernel, busybox and QEMU's guest agent, in a LibvirtLab under TCG.

It has a balloon that reports, an agent, two disks with file systems, and as root an adapter on a tap. What it knows of
itself is asked over its second serial port: `guest.sh("cat /proc/meminfo")`. It boots in some seconds.
"""

import gzip
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.backends.debs import libraries, unpacked
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import BackendError, until
from tests.backends.tap import NODE, Tap, make_tap, open_to_all

PACKAGES = ("linux-image-cloud-amd64", "busybox-static", "qemu-guest-agent")
INIT = Path(__file__).with_name("living_init.sh")
MODULES = ("virtio_pci", "virtio_console", "virtio_blk", "virtio_net", "virtio_balloon", "vfat")
MODULES += ("nls_cp437", "nls_ascii")  # vfat's names
MEMORY_MIB = 128
BOOT_SECONDS = 90
"""Four to eight on two idle cores."""
MAC = "52:54:00:11:22:33"

DEVICES = """\
<controller type='virtio-serial' index='0'/>
<serial type='file'><source path='{console}'/><target port='0'/></serial>
<serial type='unix'><source mode='bind' path='{commands}'/><target port='1'/></serial>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<memballoon model='virtio'>{stats}</memballoon>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{first}'/><target dev='vda'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{second}'/><target dev='vdb'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{third}'/><target dev='vdc'/></disk>
"""
FIRMWARE = "<kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 quiet panic=-1</cmdline>"
NIC = """\
<interface type='ethernet'><mac address='{mac}'/><target dev='{tap}' managed='no'/><model type='virtio'/></interface>
"""


@dataclass(frozen=True)
class LivingGuest:
    """One guest in a lab; made by `launch`."""

    lab: LibvirtLab
    name: str
    console: Path
    commands: Path
    tap: Tap | None = None

    def sh(self, command: str, timeout_seconds: float = 30) -> str:
        """What one line of shell prints inside; raises BackendError if it fails there."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_seconds)
            line.connect(str(self.commands))
            line.sendall(command.encode() + b"\n")
            printed = b""
            while not (end := re.search(rb"=(\d+)=\n$", printed)):
                if not (more := line.recv(65536)):
                    raise BackendError(f"{self.name} has ended during {command}")
                printed += more
        text = printed[: end.start()].decode()
        if end[1] != b"0":
            raise BackendError(f"{self.name}: {command}: exit status {end[1].decode()}\n{text}")
        return text

    def booted(self) -> bool:
        return b"the living guest listens" in self.console.read_bytes()

    def await_boot(self) -> None:
        try:
            until(self.booted, BOOT_SECONDS, f"booted guest {self.name}")
        except BackendError as error:
            raise BackendError(f"{error}\n{self.console.read_text(errors='replace')[-2000:]}") from None


def launch(
    lab: LibvirtLab, name: str, *, tap: Tap | None = None, stats: str = "<stats period='2'/>", paused: bool = False
) -> LivingGuest:
    """Start a guest, and have nobody wait for it: `await_boot` does."""
    kernel, initrd = boot_files(lab)
    folder = lab.scratch.directory(f"living-{name}")
    console = lab.scratch.file(f"living-{name}/console", "")
    guest = LivingGuest(lab, name, console, folder / "commands", tap)
    devices = DEVICES.format(
        console=guest.console,
        commands=guest.commands,
        stats=stats,
        first=lab.image(f"{name}-first", "32M", "raw"),
        second=lab.image(f"{name}-second", "16M", "raw"),
        third=lab.image(f"{name}-third", "16M", "raw"),
    )
    with open_to_all() if tap else nullcontext():
        lab.launch(
            name,
            paused=paused,
            devices=devices + (NIC.format(mac=MAC, tap=tap.name) if tap else ""),
            firmware=FIRMWARE.format(kernel=kernel, initrd=initrd),
            memory_mib=MEMORY_MIB,
        )
    return guest


@contextmanager
def tap_if_possible(lab: LibvirtLab) -> Iterator[Tap | None]:
    """A tap for the lab's user; None without root or without the kernel's driver."""
    if os.geteuid() or not NODE.exists():
        yield None
        return
    with make_tap(lab.scratch) as tap:
        yield tap


def boot_files(lab: LibvirtLab) -> tuple[Path, Path]:
    """Kernel and initial file system, made once per lab, where its user may read them."""
    kernel, initrd = lab.scratch.path / "vmlinuz", lab.scratch.path / "initrd"
    if not initrd.exists():
        root = unpacked(*PACKAGES)
        kernel.write_bytes(next(root.glob("boot/vmlinuz-*")).read_bytes())
        initrd.write_bytes(gzip.compress(_archive(_contents(root)), 1))
        lab.scratch.own(kernel, initrd)
    return kernel, initrd


def _contents(root: Path) -> dict[str, bytes]:
    agent = root / "usr/sbin/qemu-ga"
    modules = _in_order_of_loading(root, MODULES)
    return {
        "init": INIT.read_bytes(),
        "bin/busybox": (root / "bin/busybox").read_bytes(),
        "bin/qemu-ga": agent.read_bytes(),
        "etc/os-release": b'ID=living\nNAME="Living guest"\nPRETTY_NAME="Living guest 1"\nVERSION_ID=1\n',
        "modules/order": "".join(f"{each.stem}\n" for each in modules).encode(),
        **{f"modules/{each.name}": each.read_bytes() for each in modules},
        **{str(each).lstrip("/"): each.read_bytes() for each in libraries(agent)},
    }


def _in_order_of_loading(root: Path, wanted: tuple[str, ...]) -> list[Path]:
    """Modules with those that they need before them; what the kernel has built in is left out."""
    files = {path.stem.replace("-", "_"): path for path in root.glob("lib/modules/**/*.ko")}
    order: list[Path] = []

    def add(name: str) -> None:
        path = files.get(name.replace("-", "_"))
        if path is not None and path not in order:
            needed = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
            for each in needed[1].decode().split(",") if needed else []:
                add(each)
            order.append(path)

    for name in wanted:
        add(name)
    return order


def _archive(contents: dict[str, bytes]) -> bytes:
    """A cpio archive ("newc") of files that all may be run, and the folders they are in."""
    folders = {str(parent) for name in contents for parent in Path(name).parents if str(parent) != "."}
    entries = [(name, stat.S_IFDIR, b"") for name in sorted({*folders, "proc", "sys", "dev"})]
    entries += [(name, stat.S_IFREG, content) for name, content in contents.items()]
    parts = []
    for number, (name, kind, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        fields = [number, kind | 0o755, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % each for each in fields) + name.encode() + b"\0"
        parts += [head, bytes(-len(head) % 4), content, bytes(-len(content) % 4)]
    return b"".join(parts)
