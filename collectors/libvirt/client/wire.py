"""The socket under a connection, so that a call that hangs in it can be made to fail.

libvirt tells nobody which descriptor a connection uses. It is the one socket with the right peer that is there after
opening and was not there before; where two fit (two connections of one worker opened at once), it stays unknown.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from collectors.libvirt.address import parameters

IN_OUR_PROCESS = {"test", "esx", "gsx", "vpx", "hyperv", "openvz", "vbox", "vmwareplayer", "vmwarews", "vmwarefusion"}
PORTS = {"tcp": 16509, "tls": 16514}
TURN_SECONDS = 0.5

Peer = Callable[[socket.socket], bool]


class Wires:
    """Finds the sockets of one URI's connections. Used by both lanes of a target."""

    def __init__(self, uri: str) -> None:
        self._peer, self.at_once = peer_of(uri)
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._opening: list[Wire] = []
        self._taken: set[int] = set()

    @contextmanager
    def opening(self) -> Iterator[Wire]:
        """The wire of the connection that the block opens.

        Two lanes open one after the other, so that each finds its own; but nobody waits for long: opening may hang.
        """
        mine = self._turn.acquire(timeout=TURN_SECONDS)
        with self._lock:
            for other in self._opening:
                self._find(other)
            wire = Wire(self, frozenset() if self._peer is None else frozenset(_sockets()))
            self._opening.append(wire)
        try:
            yield wire
            with self._lock:
                self._find(wire)
        finally:
            with self._lock:
                self._opening.remove(wire)
            if mine:
                self._turn.release()

    def find(self, wire: Wire) -> None:
        """Look for the socket of a connection that is still being opened."""
        with self._lock:
            if self.at_once and wire in self._opening:
                self._find(wire)

    def _find(self, wire: Wire) -> None:
        if self._peer is None or wire.inode is not None:
            return
        found = _sockets()
        self._taken &= found.keys()
        fitting = [
            inode
            for inode, descriptor in found.items()
            if inode not in wire.before and inode not in self._taken and _fits(descriptor, inode, self._peer)
        ]
        if len(fitting) == 1:
            wire.inode = fitting[0]
            self._taken.add(fitting[0])


class Wire:
    """One connection's socket, once it is known."""

    def __init__(self, wires: Wires, before: frozenset[int]) -> None:
        self._wires = wires
        self.before = before
        self.inode: int | None = None

    def cut(self) -> bool:
        """Shut the socket down: every call in it fails at once. Whether the socket was known and is still there.

        Never to be called from libvirt's event loop thread, which would wait for itself.
        """
        self._wires.find(self)
        if self.inode is None or (descriptor := _sockets().get(self.inode)) is None:
            return False
        with suppress(OSError), _own(descriptor, self.inode) as handle:
            if handle is not None:
                handle.shutdown(socket.SHUT_RDWR)
                return True
        return False


def peer_of(uri: str) -> tuple[Peer | None, bool]:
    """What tells a connection's socket from others, and whether it exists as soon as opening begins to wait.

    None where no socket of ours leads to the daemon: over SSH it is a pipe to another process, and several drivers run
    in our own.
    """
    parts = urlsplit(uri)
    driver, _, transport = parts.scheme.partition("+")
    if transport in PORTS or (not transport and parts.hostname):
        port = parts.port or PORTS[transport or "tls"]
        return lambda handle: handle.family != socket.AF_UNIX and handle.getpeername()[1] == port, False
    if transport not in ("", "unix") or (driver in IN_OUR_PROCESS and not transport):
        return None, False
    path = parameters(parts.query).get("socket", "")
    return lambda handle: handle.family == socket.AF_UNIX and _leads_to(handle.getpeername(), path), True


def _leads_to(peer: object, path: str) -> bool:
    if not isinstance(peer, str):
        return False
    # The daemon's name for its socket may pass through another link than ours: /var/run is /run.
    return os.path.realpath(peer) == os.path.realpath(path) if path else "libvirt" in peer


def _sockets() -> dict[int, int]:
    """Descriptors of this process's sockets by inode."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir() if Path("/proc/self/fd").is_dir() else ():
        with suppress(OSError):
            kind, _, inode = str(entry.readlink()).partition(":")
            if kind == "socket":
                found[int(inode.strip("[]"))] = int(entry.name)
    return found


def _fits(descriptor: int, inode: int, peer: Peer) -> bool:
    with suppress(OSError), _own(descriptor, inode) as handle:
        return handle is not None and peer(handle)
    return False


@contextmanager
def _own(descriptor: int, inode: int) -> Iterator[socket.socket | None]:
    """A second descriptor of the socket; None if the first one means something else by now. Raises OSError."""
    copy = os.dup(descriptor)
    try:
        handle = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with handle:
        yield handle if os.fstat(copy).st_ino == inode else None
