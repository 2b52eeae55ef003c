"""A tap between a client and libvirtd: what is really asked, in libvirt's own protocol, and a network's delay."""

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROGRAM = 0x20008086
"""libvirt's remote protocol; keep-alive and drivers' own calls are other programs."""
OPEN, XML_DESC, LIST_DOMAINS, STATS = 1, 14, 273, 344
"""REMOTE_PROC_CONNECT_OPEN, DOMAIN_GET_XML_DESC, CONNECT_LIST_ALL_DOMAINS, CONNECT_GET_ALL_DOMAIN_STATS."""
_CALL = 0
_HEADER = struct.Struct(">IIIIiII")
"""Length of the message, program, its version, procedure, kind, serial number, status."""
_UUID_BYTES = 16


@dataclass(frozen=True)
class Call:
    """A request: the connection's number, the procedure and its arguments in XDR."""

    connection: int
    procedure: int
    arguments: bytes

    @property
    def flags(self) -> int:
        """The last argument of nearly every procedure."""
        return struct.unpack(">I", self.arguments[-4:])[0]


@dataclass(frozen=True)
class StatsCall:
    """virDomainListGetStats: names of the domains that run and of those that do not, groups and flags."""

    running: tuple[str, ...]
    off: tuple[str, ...]
    groups: int
    flags: int

    @classmethod
    def of(cls, call: Call) -> Self:
        count, at = struct.unpack_from(">I", call.arguments)[0], 4
        domains = {True: [], False: []}
        for _ in range(count):
            length = struct.unpack_from(">I", call.arguments, at)[0]
            name = call.arguments[at + 4 : at + 4 + length].decode()
            at += 4 + -(-length // 4) * 4 + _UUID_BYTES
            domains[struct.unpack_from(">i", call.arguments, at)[0] != -1].append(name)
            at += 4
        groups, flags = struct.unpack_from(">II", call.arguments, at)
        return cls(tuple(domains[True]), tuple(domains[False]), groups, flags)


class Tap:
    """`with Tap(lab) as tap: ... tap.uri ... tap.calls`. Each message waits `delay_seconds` in both directions."""

    def __init__(self, lab, delay_seconds: float = 0) -> None:
        self._lab, self._delay = lab, delay_seconds
        self._path = Path(f"{lab.scratch.path}/libvirt-tap-{id(self):x}")
        self._numbers = itertools.count()
        self._calls: list[Call] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def uri(self) -> str:
        return f"qemu+unix:///session?socket={self._path}"

    def take(self) -> list[Call]:
        """What was asked since the last time."""
        taken, self._calls = self._calls, []
        return taken

    def stats(self) -> list[StatsCall]:
        return [StatsCall.of(call) for call in self.take() if call.procedure == STATS]

    def __enter__(self) -> Self:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen()
        self._sockets.append(listener)
        self._start(self._accept, listener)
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._sockets[:]:
            _shut(end)
        for thread in self._threads[:]:
            thread.join(10)
        for end in self._sockets:
            end.close()
        self._path.unlink()

    def _start(self, act: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, daemon = listener.accept()[0], socket.socket(socket.AF_UNIX)
                self._sockets += (client, daemon)
                daemon.connect(str(self._lab.socket))
                self._start(self._forward, client, daemon, next(self._numbers))
                self._start(self._forward, daemon, client, None)

    def _forward(self, source: socket.socket, target: socket.socket, number: int | None) -> None:
        with contextlib.suppress(OSError, EOFError):
            for message in _messages(source):
                if number is not None:
                    self._note(number, message)
                time.sleep(self._delay)
                target.sendall(message)
        _shut(source)
        _shut(target)

    def _note(self, number: int, message: bytes) -> None:
        _, program, _, procedure, kind, _, _ = _HEADER.unpack_from(message)
        if (program, kind) == (PROGRAM, _CALL):
            self._calls.append(Call(number, procedure, message[_HEADER.size :]))


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _messages(source: socket.socket) -> Iterator[bytes]:
    """Whole messages; each begins with its length, which counts itself."""
    with source.makefile("rb") as stream:
        while len(head := stream.read(4)) == 4:
            yield head + stream.read(struct.unpack(">I", head)[0] - 4)
