"""A web server on a real socket, with or without TLS, that misbehaves as told: below HTTP and in it."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

Delivery = Callable[["Web", socket.socket, bytes], None]


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What it gets; `deliver` is how the bytes go out, `quiet_close` ends the connection without having said so."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    deliver: Delivery | None = None
    quiet_close: bool = False

    def raw(self) -> bytes:
        length = [("Content-Length", str(len(self.body)))]
        given = {name.casefold() for name, _ in self.headers}
        lines = [*self.headers, *([] if {"content-length", "transfer-encoding"} & given else length)]
        head = "".join(f"{name}: {value}\r\n" for name, value in lines)
        return f"HTTP/1.1 {self.status} Whatever\r\n{head}\r\n".encode("latin-1") + self.body

    def zipped(self) -> Self:
        self.body = gzip.compress(self.body)
        self.headers.append(("Content-Encoding", "gzip"))
        return self


def silent(web: "Web", sock: socket.socket, _raw: bytes) -> None:
    """Says nothing until the client goes away."""
    web.wait_for_end(sock)


def dripping(seconds: float) -> Delivery:
    """One byte at a time."""

    def deliver(web: "Web", sock: socket.socket, raw: bytes) -> None:
        for place in range(len(raw)):
            if web.stopping.wait(seconds):
                return
            sock.sendall(raw[place : place + 1])

    return deliver


def dying(after: float) -> Delivery:
    """Breaks off after a share of the bytes."""

    def deliver(_web: "Web", sock: socket.socket, raw: bytes) -> None:
        sock.sendall(raw[: int(len(raw) * after)])
        sock.shutdown(socket.SHUT_RDWR)
        raise ConnectionError("done")

    return deliver


class Web:
    """`with Web(answer) as web: web.port`; `answer` turns a Request into a Reply."""

    def __init__(self, answer: Callable[[Request], Reply], context: ssl.SSLContext | None = None) -> None:
        self.answer, self.context = answer, context
        self.stopping = threading.Event()
        self.before_tls: Delivery | None = None
        """Instead of TLS: what happens to a connection that was accepted."""
        self.connections = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    def wait_for_end(self, sock: socket.socket) -> None:
        """Until the client closes the connection, or the server stops."""
        sock.settimeout(0.05)
        while not self.stopping.is_set():
            with suppress(TimeoutError, ssl.SSLWantReadError):
                if not sock.recv(4096):
                    return

    def start(self) -> Self:
        self._begin(self._accept)
        return self

    def stop(self) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    def hang_up(self) -> None:
        """Close every connection there is."""
        for sock in tuple(self._open):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._begin(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        self._open.add(sock)
        try:
            if self.before_tls is not None:
                self.before_tls(self, sock, b"")
                return
            if self.context is not None:
                self._open.discard(sock)
                sock = self.context.wrap_socket(sock, server_side=True)
                self._open.add(sock)
            self._talk(sock)
        except OSError:
            pass  # the client has gone, or does not like our certificate
        finally:
            self._open.discard(sock)
            sock.close()

    def _talk(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as incoming:
            if incoming.peek(1)[:1] == b"\x16":  # the beginning of TLS, where none is spoken
                sock.sendall(Reply(400, b"not HTTP", [("Connection", "close")]).raw())
                return
            while (request := _read(incoming)) is not None and not self.stopping.is_set():
                reply = self.answer(request)
                if reply.deliver is not None:
                    reply.deliver(self, sock, reply.raw())
                    continue
                sock.sendall(reply.raw())
                if reply.quiet_close or ("Connection", "close") in reply.headers:
                    return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _read(incoming) -> Request | None:
    first = incoming.readline().decode("latin-1").split()
    if len(first) < 2:
        return None
    headers: dict[str, str] = {}
    while (line := incoming.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().casefold()] = value.strip()
    return Request(first[0], first[1], headers, incoming.read(int(headers.get("content-length", "0"))))


def took(action: Callable[[], object]) -> float:
    """Seconds that something took."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def chunked(body: bytes, sizes: Sequence[int]) -> bytes:
    """A body in HTTP chunks of these sizes, and one with the rest."""
    parts, place = [], 0
    for size in (*sizes, len(body)):
        piece = body[place : place + size]
        place += size
        if piece:
            parts.append(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    return b"".join(parts) + b"0\r\n\r\n"
