"""A worker process: holds sessions of some targets, two lanes for each, and sends pages to the parent.

Started as `python -m exporter.runtime.worker FD`. It imports neither command line nor web, ignores SIGINT and SIGTERM
(the parent decides), and ends when the parent's end of the socket closes, whatever call hangs in a lane.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import pickle
import queue
import resource
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from exporter import logs
from exporter.contract import Runtime
from exporter.platforms import installed
from exporter.runtime.collection import FAST, SLOW, CollectedTarget, lane_of
from exporter.runtime.memory import Garbage, use_one_arena
from exporter.runtime.messages import Abandon, CloseTarget, Collect, Done, Finish, Key, OpenTarget, Pulse, Settings
from exporter.threads import show_name

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
GARBAGE_AFTER = 1_000_000
"""New objects before Python looks for cycles in the middle of a collection: only where somebody makes them in heaps.
After collections `Garbage` decides."""
log = logging.getLogger("worker")


def _die_with_parent(name: str) -> None:
    """Have the kernel kill us when the parent dies, and show a name in `top`. Without Linux the pipe suffices."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NAME, name.encode()[:15])


class Lane:
    """A thread of a target that runs its collections one after the other."""

    def __init__(self, target: CollectedTarget, name: str, send: queue.SimpleQueue[object], garbage: Garbage) -> None:
        self._jobs: queue.SimpleQueue[Collect | None] = queue.SimpleQueue()
        self._target, self._send, self._garbage = target, send, garbage
        self._thread = threading.Thread(target=self._run, name=f"{name}-{target.target.name}", daemon=True)
        self._thread.start()

    def put(self, job: Collect) -> None:
        self._jobs.put(job)

    def stop(self, seconds: float) -> None:
        """Let the lane end after its current call, for which this waits at most so long."""
        self._jobs.put(None)
        self._thread.join(max(0.0, seconds))

    def _run(self) -> None:
        show_name()
        while (job := self._jobs.get()) is not None:
            done = self._target.collect(job)
            failed = done.page is None
            self._send.put(done)
            del done  # its page is the outbox's alone now
            self._garbage.clear(failed=failed)


class Worker:
    """The worker's state. The main thread only takes messages, so that it always notices that the parent is gone."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection, self._settings = connection, settings
        self._targets: dict[Key, tuple[CollectedTarget, dict[str, Lane]]] = {}
        self._runtimes: dict[str, Runtime] = {}
        self._garbage = Garbage()
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="outbox", daemon=True).start()
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def run(self) -> None:
        """Obey until told to finish or left alone."""
        while True:
            message = pickle.loads(self._connection.recv_bytes())  # noqa: S301  our own parent's end of a socket pair
            match message:
                case OpenTarget():
                    self._open(message)
                case CloseTarget():
                    self._close(message.key)
                case Collect():
                    self._collect(message)
                case Abandon():
                    self._abandon(message)
                case Finish():
                    self._finish(message.grace_seconds)
                    return

    def _open(self, message: OpenTarget) -> None:
        found = installed()
        platform = found.platforms[message.target.platform]
        if platform.runtime is not None and platform.name not in self._runtimes:
            self._start_runtime(platform.name, platform.runtime())
        target = CollectedTarget(message.key, message.target, found, self._settings.limits, offsets=message.offsets)
        lanes = {name: Lane(target, name, self._outbox, self._garbage) for name in (FAST, SLOW)}
        self._targets[message.key] = target, lanes

    def _start_runtime(self, platform: str, runtime: Runtime) -> None:
        self._runtimes[platform] = runtime
        try:
            runtime.start()
        except Exception as error:  # noqa: BLE001  its targets will say what is missing when they are collected
            log.warning("the platform's runtime did not start: %s", error, extra={"fields": {"platform": platform}})

    def _collect(self, job: Collect) -> None:
        known = self._targets.get(job.key)
        if known is None:
            self._outbox.put(Done(job.key, job.group, job.run, "bug", 0.0, "the worker does not hold this target"))
        else:
            known[1][lane_of(job.group)].put(job)

    def _abandon(self, message: Abandon) -> None:
        known = self._targets.get(message.key)
        if known is not None:
            # Not on this thread: what is meant to unblock a call may block itself.
            threading.Thread(
                target=known[0].unblock, args=(message.group,), name=f"unblock-{message.key.name}", daemon=True
            ).start()

    def _close(self, key: Key) -> None:
        known = self._targets.pop(key, None)
        if known is not None:
            # In a thread of its own: logging out of a hung endpoint must not stop the main thread from listening.
            threading.Thread(target=self._retire, args=(*known, 2.0), name=f"close-{key.name}", daemon=True).start()

    @staticmethod
    def _retire(target: CollectedTarget, lanes: dict[str, Lane], seconds: float) -> None:
        until = time.monotonic() + seconds
        for lane in lanes.values():
            lane.stop(until - time.monotonic())
        target.close()

    def _finish(self, grace_seconds: float) -> None:
        until = time.monotonic() + grace_seconds
        closing = [
            threading.Thread(target=self._retire, args=(target, lanes, grace_seconds / 2), daemon=True)
            for target, lanes in self._targets.values()
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(max(0.0, until - time.monotonic()))
        if not any(thread.is_alive() for thread in closing):
            for runtime in self._runtimes.values():
                runtime.stop()

    def _write(self) -> None:
        show_name()
        while True:
            message = self._outbox.get()
            try:
                self._connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
            except OSError:
                _end()  # the parent is gone

    def _beat(self) -> None:
        while True:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            self._outbox.put(Pulse(usage.ru_utime + usage.ru_stime, _resident_bytes()))
            time.sleep(self._settings.pulse_seconds)


def _resident_bytes() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123  opened every few seconds for ever
        return float(statm.read().split()[1]) * resource.getpagesize()


def main() -> None:
    """Entry point of the process; `argv[1]` is the descriptor of the socket to the parent."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    use_one_arena()
    gc.set_threshold(GARBAGE_AFTER, 10, 10)
    connection = Connection(int(sys.argv[1]))
    with contextlib.suppress(EOFError, OSError):
        settings = pickle.loads(connection.recv_bytes())  # noqa: S301  our own parent's end of a socket pair
        _die_with_parent(settings.name)
        logs.setup(settings.log_level, settings.log_format)
        Worker(connection, settings).run()
    _end()


def _end() -> None:
    """End at once: threads may hang in calls that never return. Children of libraries (ssh) end as well."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
