"""What tests of the libvirt budget look at from outside: libvirtd's workers, and sessions whose call hangs."""

import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from exporter.errors import CollectorError
from tests.backends.processes import find_binary, until
from tests.integration.libvirt_world import World


def busy_workers(lab) -> int:
    """Workers of the lab's libvirtd that are inside a call, as its own administration interface tells."""
    admin = f"libvirtd+unix:///session?socket={lab.scratch.path}/run/libvirt/libvirt-admin-sock"
    command = [find_binary("virt-admin"), "-c", admin, "server-threadpool-info", "libvirtd"]
    if lab.scratch.credentials:  # libvirtd talks to its own user only
        command = [find_binary("setpriv"), *lab.scratch.credentials, *command]
    done = subprocess.run(command, env=lab.env, capture_output=True, text=True, check=True, timeout=10)
    told = {key: int(value) for key, value in re.findall(r"(\w+)\s*: (\d+)", done.stdout)}
    return told["nWorkers"] - told["freeWorkers"]


class Watch:
    """Looks at libvirtd's workers all the time. A call that is just being answered is not held: it is gone at once."""

    def __init__(self, lab) -> None:
        self.held: list[int] = []
        self._lab, self._stop = lab, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._stop.wait(0.3):
            with suppress(subprocess.SubprocessError, KeyError):
                busy = busy_workers(self._lab)
                for _ in range(4):
                    if busy > 1:
                        time.sleep(0.1)
                        busy = min(busy, busy_workers(self._lab))
                self.held.append(busy)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Hanging:
    """A collection in a thread of its own."""

    def __init__(self, world: World, group: str = "vitals") -> None:
        self.outcome: list[object] = []
        self._world, self._group = world, group
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.outcome.append(self._world.collect(self._group))
        except CollectorError as error:
            self.outcome.append(error)

    def hangs(self, seconds: float = 0.7) -> bool:
        self.thread.join(seconds)
        return self.thread.is_alive()

    def returned(self, seconds: float) -> object:
        self.thread.join(seconds)
        assert self.outcome, f"still hangs after {seconds} s"
        return self.outcome[0]


@contextmanager
def frozen(lab, *guests: str) -> Iterator[None]:
    """Guests whose QEMU is stopped meanwhile."""
    try:
        for guest in guests:
            lab.freeze_guest(guest)
        yield
    finally:
        for guest in guests:
            lab.thaw_guest(guest)
        until(lambda: not busy_workers(lab), 10, "idle libvirtd")
