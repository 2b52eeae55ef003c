"""Scratch directories, child processes and waiting for conditions: what every real back end of the tests is made of.

A back end opens a `Scratch`, writes its configuration into it and starts its processes with `scratch.start()`. Whatever
happens to the test run, even SIGKILL, the processes end and the directory disappears (see warden.py).
"""

import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

WARDEN = Path(__file__).with_name("warden.py")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

Found = TypeVar("Found")


class BackendError(AssertionError):
    """A back end did not do what it was asked to; the sentence ends with the tail of its log."""


def find_binary(name: str) -> str | None:
    """Path of `name`, also in the sbin folders that a user's PATH lacks."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), SYSTEM_PATH]))


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(condition: Callable[[], Found], timeout_seconds: float, what: str, child: "Child | None" = None) -> Found:
    """Wait until `condition()` is true and return its value.

    Raises BackendError, a sentence with `what` and the child's log, after `timeout_seconds` or when `child` has ended.
    """
    deadline = time.monotonic() + timeout_seconds
    while not (found := condition()):
        log = f"\n{child.log_tail()}" if child else ""
        if child and not child.alive():
            raise BackendError(f"{child.name} ended while waiting for {what}{log}")
        if time.monotonic() > deadline:
            raise BackendError(f"no {what} within {timeout_seconds:g} s{log}")
        time.sleep(0.01)
    return found


class Child:
    """A process started in a Scratch; signals go to this very process, never to a later owner of its id."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.name = log.stem
        self._pidfd: int | None = None
        with suppress(ProcessLookupError):
            self._pidfd = os.pidfd_open(pid)

    def alive(self) -> bool:
        return self._pidfd is not None and not select.select([self._pidfd], [], [], 0)[0]

    def send(self, signum: signal.Signals) -> None:
        """Send a signal; a process that has ended is no error."""
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signum)

    def stop(self, signum: signal.Signals = signal.SIGTERM, timeout_seconds: float = 10) -> None:
        """End the process and wait for its end; one that does not listen within `timeout_seconds` is killed."""
        for attempt in (signum, signal.SIGKILL):
            self.send(attempt)
            self.send(signal.SIGCONT)  # a frozen process would not hear SIGTERM
            if self.wait(timeout_seconds):
                break

    def wait(self, timeout_seconds: float) -> bool:
        """Whether the process ended within `timeout_seconds`."""
        return self._pidfd is None or bool(select.select([self._pidfd], [], [], timeout_seconds)[0])

    def log_tail(self, lines: int = 20) -> str:
        with suppress(FileNotFoundError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return "(no log)"

    def close(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


class Scratch:
    """A directory and the processes in it; a context manager that leaves neither behind.

    The path is short, because a unix socket's may have 107 bytes. With `unprivileged` and started by root, directory
    and processes belong to nobody.
    """

    def __init__(self, name: str, *, unprivileged: bool = False) -> None:
        drop = unprivileged and os.geteuid() == 0
        self.owner = pwd.getpwnam("nobody") if drop else None
        self.path = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
        self._children: list[Child] = []
        self._warden = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WARDEN), str(self.path), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the test run; it then closes us
            text=True,
        )
        self.own(self.path)

    def own(self, *paths: Path) -> None:
        """Give files that the test run has written to the back end's user."""
        for path in paths:
            if self.owner:
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def directory(self, name: str) -> Path:
        """A new directory, with its parents, that belongs to the back end's user."""
        path = self.path / name
        for part in reversed([path, *path.relative_to(self.path).parents][:-1]):
            (self.path / part).mkdir(exist_ok=True)
            self.own(self.path / part)
        return path

    def file(self, name: str, text: str) -> Path:
        """Write a file that belongs to the back end's user."""
        path = self.directory(str(Path(name).parent)) / Path(name).name
        path.write_text(text)
        self.own(path)
        return path

    @property
    def credentials(self) -> list[str]:
        """Arguments of setpriv that turn root into the back end's user."""
        if not self.owner:
            return []
        return ["--reuid", str(self.owner.pw_uid), "--regid", str(self.owner.pw_gid), "--clear-groups"]

    def start(self, name: str, *command: str, env: Mapping[str, str] | None = None) -> Child:
        """Start a process whose output goes to `name`.log."""
        log = self.path / f"{name}.log"
        order = {
            "command": command,
            "env": dict(os.environ if env is None else env),
            "log": str(log),
            "credentials": self.credentials,
        }
        print(json.dumps(order), file=self._warden.stdin, flush=True)
        answer = json.loads(self._warden.stdout.readline())
        if "error" in answer:
            raise BackendError(f"{name} does not start: {answer['error']}")
        child = Child(answer["pid"], log)
        self._children.append(child)
        return child

    def close(self) -> None:
        """Kill what still runs and remove the directory."""
        with suppress(BrokenPipeError):
            self._warden.stdin.close()
        self._warden.wait()
        self._warden.stdout.close()
        for child in self._children:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()
