"""One lane's way to an endpoint: SOAP over one kept connection, with a deadline, a largest answer, and a way to cut it.

What pyVmomi makes of a call goes the same way (`stub.py`): its own adapter knows no deadline and no largest answer.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import zlib
from contextlib import suppress
from http.client import HTTPException
from typing import NamedTuple

from collectors.vsphere.address import Address
from collectors.vsphere.client.cookies import Cookies
from collectors.vsphere.client.faults import answer_error, error_of, parse_fault
from collectors.vsphere.client.versions import action
from exporter.contract import Meter
from exporter.errors import CollectorError, TimedOut
from exporter.remote.body import read_body
from exporter.remote.connection import Connection
from exporter.remote.doors import connection_error
from exporter.remote.tls import Trust

ONCE = {"Login"}
"""Calls that are never repeated, whatever happens to the connection: a password that is wrong twice locks accounts."""
_HEAD_BYTES = 2048


class _Request(NamedTuple):
    operation: str
    method: str
    path: str
    body: bytes | None


class _Answer(NamedTuple):
    status: int
    location: str
    body: bytes
    received: int


class Wire:
    """A lane's way to the endpoint, used by one thread at a time; `cut` and `close` may come from any."""

    def __init__(self, address: Address, trust: Trust, meter: Meter) -> None:
        self.address = address
        self.version = ""
        self.cookies = Cookies()
        self.certificate = b""
        """What the endpoint showed last (DER)."""
        self._trust, self._meter = trust, meter
        self._until = time.monotonic()
        self._guard = threading.Lock()
        """Over what follows: nobody shuts down a socket whose number is another's by now. Not held while blocking."""
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        self._busy = self._cut = self._closed = False

    def begin(self, seconds: float) -> None:
        """Begin a collection that ends within so many seconds; what was cut is whole again."""
        with self._guard:
            self._cut = self._closed
        self.until(seconds)

    def until(self, seconds: float) -> None:
        """Let everything from now on end within so many seconds."""
        self._until = time.monotonic() + seconds

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline. Raises `TimedOut` when it has passed, or the wire was cut."""
        remaining = self._until - time.monotonic()
        if self._cut:
            raise TimedOut(f"waiting for {self.address} was given up")
        if remaining <= 0:
            raise TimedOut(f"{self.address} did not answer before the deadline")
        return remaining

    def cut(self) -> None:
        """Make whatever is under way fail at once, and everything until the next collection begins."""
        with self._guard:
            self._cut = True
            if self._busy and self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket's own: that would take its TLS away from the thread which is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, for good, and close the connection: now, or when the thread that uses it has noticed."""
        self._closed = True
        self.cut()
        with self._guard:
            if not self._busy:
                self._drop()

    def get(self, operation: str, path: str) -> bytes:
        """A document. Raises the core's errors."""
        answer = self._asked(_Request(operation, "GET", path, None))
        if answer.status == 200:
            return answer.body
        raise answer_error(str(self.address), operation, answer.status, answer.location)

    def post(self, operation: str, body: str, *, session_objects: bool = False) -> bytes:
        """Send the body of a SOAP call and return the envelope of its answer.

        Raises the core's errors; `Refused` for a fault that means something to the caller, `Busy` for 503 and its like.
        """
        return self.send(operation, f"{_HEAD}{body}{_TAIL}".encode("utf-8", "replace"), session_objects=session_objects)

    def send(self, operation: str, envelope: bytes, *, session_objects: bool = False) -> bytes:
        """As `post`, with a whole envelope."""
        answer = self._asked(_Request(operation, "POST", self.address.path, envelope))
        # An answer's body begins with its name: a web page, or a fault that comes with status 200, does not.
        if answer.status == 200 and f"{operation}Response".encode() in answer.body[:_HEAD_BYTES]:
            return answer.body
        fault = parse_fault(answer.body)
        if fault is not None:
            raise error_of(operation, fault, session_objects)
        raise answer_error(str(self.address), operation, answer.status, answer.location)

    def _asked(self, request: _Request) -> _Answer:
        begun = time.perf_counter()
        received = 0
        try:
            answer = self._exchange(request)
            received = answer.received
        except CollectorError:
            raise
        except (OSError, HTTPException, ValueError, zlib.error) as error:
            if self._cut:
                raise TimedOut(f"waiting for {self.address} was given up") from error
            raise connection_error(error, str(self.address)) from error
        finally:
            self._meter.add(request.operation, seconds=time.perf_counter() - begun, received_bytes=received)
        return answer

    def _exchange(self, request: _Request) -> _Answer:
        """Send and receive. That a kept connection has been closed may show only when it is used: then once more."""
        kept = self._take(fresh=request.operation in ONCE)
        done = False
        try:
            try:
                answer = self._once(request)
            except _NotTaken as error:
                if not kept or self._cut:
                    raise error.reason from error
                self._take(fresh=True)
                answer = self._once(request)
            done = True
        except _NotTaken as error:
            raise error.reason from error
        finally:
            self._give_back(whole=done)
        return answer

    def _once(self, request: _Request) -> _Answer:
        connection = self._connection
        assert connection is not None  # noqa: S101  taken by the caller
        if connection.sock is None:
            connection.connect()
            self.certificate = connection.certificate
        try:
            connection.request(request.method, request.path, request.body, self._headers())
            response = connection.getresponse()
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise _NotTaken(error) from error
        self.cookies.take(response.msg.get_all("Set-Cookie", ()))
        body, received = read_body(response, str(self.address))
        if response.will_close:
            with self._guard:
                self._drop()
        return _Answer(response.status, response.getheader("Location") or "", body, received)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "hypervisor-exporter"}
        if self.version:
            headers |= {"SOAPAction": action(self.version), "Content-Type": "text/xml; charset=utf-8"}
        if self.cookies.header:
            headers["Cookie"] = self.cookies.header
        return headers

    def _take(self, *, fresh: bool) -> bool:
        """Have a connection; whether it is one that was used before."""
        self.remaining_seconds  # noqa: B018  raises
        with self._guard:
            self._busy = True
            kept = not fresh and self._connection is not None and self._connection.idle
            if not kept:
                self._drop()
                trust = None if self.address.scheme == "http" else self._trust
                self._connection = Connection(
                    self.address.host, self.address.port, trust, lambda: self.remaining_seconds, self._hold
                )
            return kept

    def _hold(self, sock: socket.socket) -> None:
        with self._guard:
            self._socket = sock
        self.remaining_seconds  # noqa: B018  raises what a cut has missed that came before

    def _give_back(self, *, whole: bool) -> None:
        with self._guard:
            self._busy = False
            if not whole or self._closed:
                self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.shut()
        self._connection = self._socket = None


class _NotTaken(Exception):
    """The connection ended before an answer began."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Body>'
)
_TAIL = "</soapenv:Body></soapenv:Envelope>"
