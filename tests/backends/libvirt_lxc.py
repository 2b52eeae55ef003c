"""A private libvirtd with the LXC driver: containers, so the path of drivers without bulk statistics. Needs root.

The daemon runs in a mount namespace of its own, where all of libvirt's folders are new and empty, and listens in the
scratch directory. Where LXC cannot work (no cgroup may be made, a kernel without namespaces) `start` raises
`NoContainers` with libvirt's own reason.
"""

import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import libvirt

from tests.backends.processes import BackendError, Child, Scratch, find_binary, until

FOLDERS = "/etc/libvirt /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt"
# On a machine with both cgroup versions libvirt 9.0.0 wants to make a folder in the container's /sys for the second one
# and fails; D-Bus is hidden, lest it asks systemd for a cgroup and waits.
NAMESPACE = f"""\
set -eu
for folder in {FOLDERS}; do mkdir -p $folder; mount -t tmpfs lab $folder; done
if [ -d /run/dbus ]; then mount -t tmpfs lab /run/dbus; fi
if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi
exec "$@"
"""
CONFIG = 'unix_sock_dir = "{run}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n'
CONTAINER = """\
<domain type='lxc'>
  <name>{name}</name>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>{vcpus}</vcpu>
  {head}
  <os><type>exe</type><init>/bin/sh</init><initarg>-c</initarg><initarg>{script}</initarg></os>
  <devices>
    <filesystem type='mount'><source dir='{root}'/><target dir='/'/></filesystem>
    {programs}
    {devices}
    <console type='pty'/>
  </devices>
</domain>
"""
PROGRAMS = "<filesystem type='mount'><source dir='{folder}'/><target dir='{folder}'/><readonly/></filesystem>"
PARTITIONS = [folder / "machine" for folder in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/"))]
ASLEEP = "while :; do sleep 3600; done"
BUSY = "while :; do :; done"


class NoContainers(Exception):
    """This machine cannot run a container of libvirt; `str()` says why."""


class LxcLab:
    """`with LxcLab() as lab: lab.launch("a"); lab.virsh("list")`."""

    def __init__(self) -> None:
        self.scratch: Scratch
        self.daemon: Child
        self._conn: libvirt.virConnect | None = None
        self._programs = ""
        self._partitions = {folder for folder in PARTITIONS if folder.exists()}

    def start(self) -> Self:
        """Start the daemon and one container; raises `NoContainers`."""
        if os.geteuid():
            raise NoContainers("libvirt's LXC driver works for root only")
        self.scratch = Scratch("lxc")
        try:
            self._prepare()
            until(self._answers, 30, "answering libvirtd", self.daemon)
            self.launch("probe")
            self.discard("probe")
        except (libvirt.libvirtError, BackendError) as error:
            self.stop()
            raise NoContainers(f"a container of libvirt does not start here: {error}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End containers and daemon and remove every trace, also of cgroups."""
        with suppress(libvirt.libvirtError):
            if self._conn is not None:
                for guest in self._conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
                    end(guest)
                self._conn.close()
        self._conn = None
        self.scratch.close()
        for folder in PARTITIONS:
            if folder not in self._partitions:
                with suppress(OSError):  # it is gone, or somebody else's by now
                    folder.rmdir()

    @property
    def uri(self) -> str:
        return f"lxc+unix:///system?socket={self.scratch.path / 'run/libvirt-sock'}"

    def conn(self) -> libvirt.virConnect:
        """The lab's own read-write connection; what is tested opens its own by `uri`."""
        if self._conn is None:
            libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised anyway
            self._conn = libvirt.open(self.uri)
        return self._conn

    def virsh(self, *arguments: str) -> str:
        """What Debian's virsh prints; raises subprocess.CalledProcessError."""
        command = [find_binary("virsh") or "virsh", "--connect", self.uri, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, env=os.environ | C)
        return done.stdout

    def launch(self, name: str, script: str = ASLEEP, **shape) -> libvirt.virDomain:
        """Define and start a container whose first process is a shell with this script."""
        guest = self.define(name, script, **shape)
        guest.create()
        return guest

    def define(
        self,
        name: str,
        script: str = ASLEEP,
        *,
        memory_mib: int = 64,
        vcpus: int = 1,
        devices: str = "",
        head: str = "",
    ) -> libvirt.virDomain:
        """Define a container that is off; `head` and `devices` are elements."""
        return self.conn().defineXML(
            CONTAINER.format(
                name=name,
                script=script,
                memory_mib=memory_mib,
                vcpus=vcpus,
                devices=devices,
                head=head,
                root=self.scratch.path / "root",
                programs=self._programs,
            )
        )

    def discard(self, name: str) -> None:
        """Destroy and undefine a container."""
        guest = self.conn().lookupByName(name)
        if guest.isActive():
            end(guest)
        guest.undefine()

    def cgroup(self, name: str, controller: str, *files: str) -> Path:
        """The first of the files that exists in the cgroup of a running container; version 1 or 2."""
        leader = self.conn().lookupByName(name).ID()  # libvirt_lxc is a member of its container's cgroup
        folders = [
            Path("/sys/fs/cgroup", *([] if not version_1 else [controller]), path.lstrip("/"))
            for _, version_1, path in re.findall(
                r"^(\d+):([^:]*):(.*)$", Path(f"/proc/{leader}/cgroup").read_text(), re.MULTILINE
            )
            if not version_1 or controller in version_1.split(",")
        ]
        found = [folder / file for folder in folders for file in files if "lxc" in folder.name]
        return next(file for file in found if file.exists())

    def _prepare(self) -> None:
        """A root whose programs are this machine's own, and a daemon in its own mount namespace."""
        root, folders = self.scratch.directory("root"), []
        for name in ("proc", "sys", "dev", "etc", "tmp"):
            self.scratch.directory(f"root/{name}")
        for folder in (Path("/usr"), Path("/bin"), Path("/lib"), Path("/lib64")):
            if folder.is_symlink():
                (root / folder.name).symlink_to(folder.readlink())
            elif folder.is_dir():
                self.scratch.directory(f"root/{folder.name}")
                folders.append(folder)
        self._programs = "".join(PROGRAMS.format(folder=folder) for folder in folders)
        namespace = self.scratch.file("namespace.sh", NAMESPACE)
        config = self.scratch.file("libvirtd.conf", CONFIG.format(run=self.scratch.directory("run")))
        self.daemon = self.scratch.start(
            "libvirtd",
            *("unshare", "--mount", "--propagation", "private", "sh", str(namespace)),
            *(find_binary("libvirtd") or "libvirtd", "--timeout", "0", "--config", str(config)),
            *("--pid-file", str(self.scratch.path / "libvirtd.pid")),
            env=os.environ | C,
        )

    def _answers(self) -> bool:
        with suppress(libvirt.libvirtError):
            return bool(self.conn().getType())
        return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def end(guest: libvirt.virDomain) -> None:
    """Destroy a running container; processes that are frozen could not die and would keep their cgroup."""
    if guest.state()[0] == libvirt.VIR_DOMAIN_PAUSED:
        guest.resume()
    guest.destroy()


C = {"LC_ALL": "C.UTF-8", "LIBVIRT_AUTOSTART": "0"}
