"""The parent's end of a worker: starts the process, writes without ever blocking the caller, reads what it says."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection

from exporter.runtime.messages import Settings
from exporter.threads import show_name


class WorkerProcess:
    """A running worker. `received(message)` is called from its reader thread, with None once when it is gone."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.name
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        ours, theirs = socket.socketpair()
        with theirs:
            # An own process group: a Ctrl-C at the terminal reaches the parent, which then ends its workers in order,
            # and what a library starts (ssh) ends with the worker. -P: nothing comes from the working directory.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "exporter.runtime.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                process_group=0,
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self.send(settings)
        self._writer = threading.Thread(target=self._write, name=f"{self.name}-write", daemon=True)
        self._writer.start()

    def listen(self, received: Callable[[object], None]) -> None:
        """Begin to hand over what the worker says."""
        threading.Thread(target=self._read, args=(received,), name=f"{self.name}-read", daemon=True).start()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Queue a message; a stopped worker never blocks the caller."""
        self._outbox.put(message)

    def finish(self, message: object, seconds: float) -> None:
        """Ask it to end, and kill it if it has not within so many seconds. Returns at once."""
        self.send(message)
        killer = threading.Timer(seconds, self.kill)
        killer.daemon = True
        killer.start()

    def wait(self, seconds: float) -> bool:
        """Whether the process has ended within so many seconds."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it now, and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def fate(self) -> str:
        """How the process ended, for the log."""
        code = self._process.wait()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def _read(self, received: Callable[[object], None]) -> None:
        show_name()
        with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                # The sender is our own child on a socket pair that nobody else holds.
                received(pickle.loads(self._connection.recv_bytes()))  # noqa: S301
        self.kill()
        self._outbox.put(None)
        # Only now may the descriptor be closed: its number could be given out again under a thread that still uses it.
        self._writer.join()
        self._connection.close()
        received(None)

    def _write(self) -> None:
        show_name()
        with contextlib.suppress(OSError):
            while (message := self._outbox.get()) is not None:
                self._connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
