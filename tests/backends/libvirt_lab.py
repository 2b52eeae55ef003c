"""A private libvirtd with the full QEMU driver: no root, KVM, systemd or D-Bus, nothing shared with the machine's own.

It is a session daemon in a scratch directory. Started by root it runs as nobody, who may not open /dev/kvm: as long as
a /dev/kvm can be opened that does not work (nested machines), libvirt 9.0.0 probes QEMU again on every call.
In a chroot mount /sys as well: without it no guest starts ("the cause is unknown").
"""

import os
import signal
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Self
from xml.sax.saxutils import escape

import libvirt
import psutil

from tests.backends.hostname import HOSTNAME, hostname_library
from tests.backends.processes import SYSTEM_PATH, Child, Scratch, find_binary, until

QUOTES = {'"': "&quot;", "'": "&apos;"}

QEMU_CONF = 'stdio_handler = "file"\n'  # virtlogd would be started as well

GUEST = """\
<domain type='qemu'>
  <name>{name}</name>{head}
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu current='{vcpus}'>{max_vcpus}</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type>{firmware}</os>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    {devices}
  </devices>
</domain>
"""


class LibvirtLab:
    """`with LibvirtLab() as lab: lab.define("a"); lab.conn().lookupByName("a").create(); lab.virsh("list")`."""

    def __init__(self, settings: str = "", *, hostname: str = "") -> None:
        """`settings`: lines of libvirtd.conf, for example "max_workers = 3".

        `hostname` makes the daemon believe that it has a machine of its own: libvirt moves no guest to the host that it
        is on. With a dot in it, no name server is asked.
        """
        self.settings = f'{settings}\nhost_uuid = "{uuid.uuid4()}"' if hostname else settings
        self.hostname = hostname
        self.scratch: Scratch
        self.daemon: Child
        self.env: dict[str, str] = {}
        self._conn: libvirt.virConnect | None = None

    def start(self) -> Self:
        """Start the daemon and let it probe QEMU once (seconds), so that nothing later waits for that."""
        self.scratch = Scratch("lab", unprivileged=True)
        try:
            self.scratch.file("config/libvirt/qemu.conf", QEMU_CONF)
            self.scratch.file("config/libvirt/libvirtd.conf", f'auth_unix_rw = "none"\n{self.settings}\n')
            self.env = {
                "PATH": SYSTEM_PATH,
                "LC_ALL": "C.UTF-8",
                "LIBVIRT_AUTOSTART": "0",  # a client that finds no daemon must not start one
                "HOME": str(self.scratch.directory("home")),
                "XDG_RUNTIME_DIR": str(self.scratch.directory("run")),
                "XDG_CONFIG_HOME": str(self.scratch.directory("config")),
                "XDG_CACHE_HOME": str(self.scratch.directory("cache")),
                "XDG_DATA_HOME": str(self.scratch.directory("data")),
            }
            if self.hostname:
                self.env |= {"LD_PRELOAD": str(hostname_library(self.scratch)), HOSTNAME: self.hostname}
            self.start_daemon()
            self.virsh("capabilities")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End daemon and guests and remove every trace."""
        self._disconnect()
        self.scratch.close()

    def start_daemon(self) -> None:
        """Start libvirtd (again); it takes over the guests that still run."""
        self.daemon = self.scratch.start(
            "libvirtd", find_binary("libvirtd") or "libvirtd", "--timeout", "0", env=self.env
        )
        until(self._answers, 30, "answering libvirtd", self.daemon)

    def stop_daemon(self, signum: signal.Signals = signal.SIGTERM) -> None:
        """End libvirtd only: guests go on without it."""
        self._disconnect()
        self.daemon.stop(signum)

    def freeze(self) -> None:
        """Stop libvirtd in its tracks: calls hang, new connections too."""
        self.daemon.send(signal.SIGSTOP)
        until(lambda: psutil.Process(self.daemon.pid).status() == psutil.STATUS_STOPPED, 5, "frozen libvirtd")

    def thaw(self) -> None:
        self.daemon.send(signal.SIGCONT)

    @property
    def socket(self) -> Path:
        return self.scratch.path / "run/libvirt/libvirt-sock"

    @property
    def uri(self) -> str:
        """For read-write and read-only use alike: a session daemon has one socket and honours the client's wish."""
        return f"qemu+unix:///session?socket={self.socket}"

    def conn(self) -> libvirt.virConnect:
        """The lab's own read-write connection, for preparing the world; what is tested opens its own by `uri`."""
        if self._conn is None or not self._conn.isAlive():
            libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised anyway
            self._conn = libvirt.open(self.uri)
        return self._conn

    def virsh(self, *arguments: str, timeout_seconds: float = 30) -> str:
        """What Debian's virsh prints; raises subprocess.CalledProcessError with its stderr, or TimeoutExpired."""
        done = subprocess.run(
            [find_binary("virsh") or "virsh", "--connect", self.uri, *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout, done.stderr)
        return done.stdout

    def define(self, name: str, **shape) -> libvirt.virDomain:
        """Define a persistent guest that is off; `shape` as in `guest_xml`."""
        return self.conn().defineXML(self.guest_xml(name, **shape))

    def launch(self, name: str, *, paused: bool = True, transient: bool = False, **shape) -> libvirt.virDomain:
        """Define (unless transient) and start a guest; paused, it costs 17 MB and no CPU time."""
        flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
        if transient:
            return self.conn().createXML(self.guest_xml(name, **shape), flags)
        guest = self.define(name, **shape)
        guest.createWithFlags(flags)
        return guest

    def discard(self, name: str) -> None:
        """Destroy and undefine a guest with its snapshots and saved state; its images stay."""
        guest = self.conn().lookupByName(name)
        persistent = guest.isPersistent()
        if guest.isActive():
            guest.destroy()
        if persistent:
            guest.undefineFlags(
                libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            )

    def migrate(self, name: str, to: "LibvirtLab", *flags: str, timeout_seconds: float = 60) -> None:
        """Move a running guest live to another lab (both with a `hostname`) and wait for it to be there.

        The images are the same files, which libvirt cannot know. A paused guest arrives paused.
        """
        way = f"unix://{to.scratch.path}/{uuid.uuid4().hex[:8]}"
        command = ["migrate", name, to.uri, "--live", "--unsafe", "--migrateuri", way, *flags]
        self.virsh(*command, timeout_seconds=timeout_seconds)

    def guest_xml(
        self,
        name: str,
        *,
        devices: str = "",
        head: str = "",
        firmware: str = "",
        memory_mib: int = 4,
        vcpus: int = 1,
        max_vcpus: int | None = None,
    ) -> str:
        """A guest of nothing but what is asked for. `head`: elements such as <title>; TCG, so no KVM is needed."""
        return GUEST.format(
            name=escape(name),
            devices=devices or "<memballoon model='none'/>",
            head=head,
            firmware=firmware,
            memory_mib=memory_mib,
            vcpus=vcpus,
            max_vcpus=max_vcpus or vcpus,
            emulator=find_binary("qemu-system-x86_64"),
        )

    def image(self, name: str, size: str = "1M", image_format: str = "qcow2") -> Path:
        """Create a disk image that belongs to the daemon's user."""
        path = self.scratch.directory("images") / name
        self.run("qemu-img", "create", "-q", "-f", image_format, str(path), size)
        self.scratch.own(path)
        return path

    def run(self, program: str, *arguments: str) -> str:
        """What a program beside the daemon prints, for example qemu-img."""
        command = [find_binary(program) or program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def guest_pid(self, name: str) -> int:
        """Process id of a running guest's QEMU, for example to stop it with SIGSTOP."""
        file = f"{escape(name, QUOTES)}.pid"  # libvirt escapes names here as if they stood in XML
        return int((self.scratch.path / "run/libvirt/qemu/run" / file).read_text())

    def freeze_guest(self, name: str) -> None:
        """Stop a guest's QEMU: its monitor no longer answers."""
        pid = self.guest_pid(name)
        os.kill(pid, signal.SIGSTOP)
        until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 5, f"frozen {name}")

    def thaw_guest(self, name: str) -> None:
        os.kill(self.guest_pid(name), signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(subprocess.CalledProcessError):
            return bool(self.virsh("version"))
        return False

    def _disconnect(self) -> None:
        if self._conn is not None:
            self.daemon.send(signal.SIGCONT)  # closing asks a frozen daemon, and would hang
            with suppress(libvirt.libvirtError):
                self._conn.close()
            self._conn = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()
