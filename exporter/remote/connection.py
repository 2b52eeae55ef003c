"""One HTTP connection on which everything ends by a deadline, however slowly the other side sends.

The standard library's timeouts begin anew with each byte. Here every operation on the socket gets what is left of the
time, from looking up the name to an answer's last byte.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
from collections.abc import Callable
from typing import Any

from exporter.remote.names import addresses
from exporter.remote.tls import Trust

CONNECT_SECONDS = 10.0
Remaining = Callable[[], float]
"""Seconds that are left; raises when there are none."""
Holding = Callable[[socket.socket], None]
"""Is told the socket that may block from now on; raises when nothing may block any more."""


class NoAnswer(OSError):
    """Nothing answers at the address."""


class Connection(http.client.HTTPConnection):
    """A connection to an endpoint, made when it is first used; without `trust`, without TLS.

    `certificate` is what was shown (DER), b"" without TLS.
    """

    def __init__(self, host: str, port: int, trust: Trust | None, remaining: Remaining, holding: Holding) -> None:
        super().__init__(host, port)
        self.default_port = 80 if trust is None else 443  # that port is left out of the Host header
        self._trust = trust
        self._remaining, self._holding = remaining, holding
        self._socket: socket.socket | None = None
        self.certificate = b""

    def connect(self) -> None:
        """Reach the endpoint and agree on TLS."""
        reached = self._reached()
        try:
            self._socket = reached if self._trust is None else self._secured(reached, self._trust)
        except BaseException:
            reached.close()
            raise
        self.sock = _Paced(self._socket, self._remaining)

    def shut(self) -> None:
        """Close the socket; `close` of http.client comes before an answer is read."""
        self.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def shown_by(self) -> socket.socket | None:
        """The socket itself, for who looks for the certificate that the other side has shown on it."""
        return self._socket

    @property
    def idle(self) -> bool:
        """Whether the connection can take a request: it is open, and the other side has neither sent nor closed."""
        if self._socket is None or self.sock is None:
            return False
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        return not waiting.poll(0)

    def _reached(self) -> socket.socket:
        problem: OSError = NoAnswer(f"the name of {self.host} has no address")
        found = addresses(self.host, self.port, min(CONNECT_SECONDS, self._remaining()))
        for family, kind, protocol, _, where in found:
            tried = socket.socket(family, kind, protocol)
            try:
                self._holding(tried)
                tried.settimeout(min(CONNECT_SECONDS, self._remaining()))
                tried.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tried.connect(where)
            except TimeoutError:
                tried.close()
                problem = NoAnswer("nothing answers there")
            except OSError as error:
                tried.close()
                problem = error
            except BaseException:
                tried.close()
                raise
            else:
                return tried
        raise problem

    def _secured(self, reached: socket.socket, trust: Trust) -> ssl.SSLSocket:
        name = trust.server_name or self.host.partition("%")[0]  # fe80::1%eth0: the zone is ours, not the endpoint's
        secured = trust.context().wrap_socket(reached, server_hostname=name, do_handshake_on_connect=False)
        try:
            self._holding(secured)
            secured.settimeout(self._remaining())
            secured.do_handshake()
            self.certificate = secured.getpeercert(binary_form=True) or b""
            trust.check(self.certificate)
        except BaseException:
            secured.close()
            raise
        return secured


class _Paced:
    """What http.client needs of a socket. Closing is left to `Connection.shut`."""

    def __init__(self, sock: socket.socket, remaining: Remaining) -> None:
        self._sock, self._remaining = sock, remaining

    def sendall(self, content: bytes) -> None:
        left = memoryview(content)
        while left:
            self._sock.settimeout(self._remaining())
            left = left[self._sock.send(left) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Arriving(self._sock, self._remaining))

    def close(self) -> None:
        pass


class _Arriving(io.RawIOBase):
    def __init__(self, sock: socket.socket, remaining: Remaining) -> None:
        self._sock, self._remaining = sock, remaining

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._remaining())
        return self._sock.recv_into(buffer)
