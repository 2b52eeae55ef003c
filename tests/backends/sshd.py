"""A private sshd on loopback, and what its clients need: keys, files of known hosts, a command that names them.

It lets in whoever runs the tests, by key only: sshd needs a user with a real shell, so as root that is root. Logins
have another HOME: what a user's own .bashrc does takes its time, and may leave locks behind when a test kills it.
"""

import getpass
import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import SYSTEM_PATH, Child, Scratch, find_binary, free_port, until

NEEDED = ["sshd", "ssh", "ssh-keygen", "nc", "virt-ssh-helper"]
PRIVILEGE_SEPARATION = Path("/run/sshd")

CONFIGURATION = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile none
StrictModes no
UsePAM {pam}
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv HOME={folder} LC_ALL=C LIBVIRT_AUTOSTART=0 XDG_RUNTIME_DIR={run} PATH={folder}/bin:{path}
"""

HELPER = """#!/bin/sh
exec {command} "$@"
"""

CLIENT = """#!/bin/sh
exec ssh -F none -o UserKnownHostsFile={known} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes {options} "$@"
"""


class Sshd:
    """`with Sshd(lab) as sshd: f"qemu+ssh://{sshd.place}/system?{sshd.client()}"`.

    `behind` is the libvirtd that a login without a socket's path finds, by libvirt's helper. As root that helper would
    look for the machine's own, so it runs as the daemon's user.
    """

    def __init__(self, behind: LibvirtLab) -> None:
        self.behind = behind
        self.scratch: Scratch
        self.daemon: Child

    def start(self) -> Self:
        self.scratch = Scratch("sshd")
        try:
            self.port = free_port()
            for name in ("host", "key", "stranger"):
                self.make_key(name)
            self.authorize("key")
            public = " ".join(self.path("host.pub").read_text().split()[:2])
            self.scratch.file("known", f"[127.0.0.1]:{self.port} {public}\n")
            helper = [find_binary("virt-ssh-helper") or "virt-ssh-helper"]
            if credentials := self.behind.scratch.credentials:
                helper = ["setpriv", *credentials, "--", *helper]
            self.scratch.file("bin/virt-ssh-helper", HELPER.format(command=" ".join(helper))).chmod(0o755)
            settings = CONFIGURATION.format(
                port=self.port,
                folder=self.scratch.path,
                path=SYSTEM_PATH,
                run=self.behind.env["XDG_RUNTIME_DIR"],
                pam="yes" if root_is_locked() else "no",
            )
            self.scratch.file("sshd_config", settings)
            if os.geteuid() == 0:  # what its service would make
                PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
            self.start_daemon()
        except BaseException:
            self.stop()
            raise
        return self

    def start_daemon(self) -> None:
        """Start sshd (again), on the same port."""
        # sshd starts itself anew for each connection: it wants its whole path.
        program = find_binary("sshd") or "sshd"
        self.daemon = self.scratch.start("sshd", program, "-D", "-e", "-f", str(self.path("sshd_config")))
        until(self._listens, 10, "listening sshd", self.daemon)

    def stop(self) -> None:
        """End it with its logins and remove every trace."""
        self.scratch.close()

    def path(self, name: str) -> Path:
        return self.scratch.path / name

    def make_key(self, name: str, passphrase: str = "") -> Path:
        """A new key pair; the private one's path."""
        command = [find_binary("ssh-keygen") or "ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase]
        subprocess.run([*command, "-f", self.path(name)], check=True, stdin=subprocess.DEVNULL, timeout=30)
        return self.path(name)

    def authorize(self, *names: str) -> None:
        """Let in these keys and no others."""
        self.path("authorized").write_text("".join(self.path(f"{name}.pub").read_text() for name in names))

    @property
    def place(self) -> str:
        """User, host and port of a URI."""
        return f"{getpass.getuser()}@127.0.0.1:{self.port}"

    def client(self, *, key: str = "key", known: str = "known", options: str = "") -> str:
        """Parameters of a URI: a key, and the ssh that reads this file of known hosts instead of the user's."""
        command = self.scratch.file(f"ssh-{known}", CLIENT.format(known=self.path(known), options=options))
        command.chmod(0o755)
        return f"keyfile={self.path(key)}&command={command}"

    def clients(self) -> list[psutil.Process]:
        """The ssh processes on this machine that lead here."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "ssh" and str(self.port) in process.cmdline():
                    found.append(process)
        return found

    def shut(self) -> None:
        """End sshd and every login: connections break and nobody listens, until `start_daemon`."""
        logins = self._processes()[1:]
        self.daemon.stop()
        for process in logins:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(logins, timeout=10)

    def freeze(self) -> None:
        """Stop sshd and everything it has started: connections stay, nobody answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, signum: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.Error):
                process.send_signal(signum)

    def _processes(self) -> list[psutil.Process]:
        """The listener first: stopped, it starts nothing new."""
        with suppress(psutil.Error):
            listener = psutil.Process(self.daemon.pid)
            return [listener, *listener.children(recursive=True)]
        return []

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def root_is_locked() -> bool:
    """Whether root has a locked password, as on many images: without PAM sshd then refuses its keys as well."""
    lines = Path("/etc/shadow").read_text().splitlines() if os.geteuid() == 0 else []
    return any(line.startswith("root:!") for line in lines)
