"""One lane's connections to an endpoint: pyVmomi's adapter with a deadline, and a plain way for the hot calls.

Every socket operation ends by the lane's deadline, every answer has a largest size, and `cut` makes a hung call fail.
"""

from __future__ import annotations

import functools
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from types import ModuleType
from typing import Any

from collectors.vsphere.address import Address
from collectors.vsphere.client.faults import Busy, connection_error, error_of, parse_fault
from collectors.vsphere.client.tls import Context
from exporter.contract import Meter
from exporter.errors import CollectorError, Malformed, SdkMissing, TimedOut, Unreachable

_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 1 << 18
LARGEST_ANSWER_BYTES = 1 << 30
_BUSY = {429, 502, 503, 504}


@functools.cache
def adapters() -> ModuleType:
    """PyVmomi's module of adapters. Raises `SdkMissing`."""
    try:
        from pyVmomi import SoapAdapter  # noqa: PLC0415  an installation without it runs everything else
    except ImportError as error:
        raise SdkMissing(f"pyVmomi is not installed ({error}): pip install pyvmomi") from error
    return SoapAdapter


class Wire:
    """A lane's way to the endpoint, used by one thread at a time; `cut` may come from any."""

    def __init__(self, address: Address, context: Context, version: str, meter: Meter, deadline_seconds: float) -> None:
        self.address = address
        self._meter = meter
        self._until = time.monotonic() + deadline_seconds
        self._busy: Any = None
        self.stub = _adapter(self, address, context, version)

    def until(self, seconds: float) -> None:
        """Let everything from now on end within so many seconds."""
        self._until = time.monotonic() + seconds

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline. Raises `TimedOut` when it has passed."""
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimedOut(f"{self.address} did not answer before the deadline")
        return remaining

    @property
    def cookie(self) -> str:
        """The session's cookie, "" without a session."""
        return str(self.stub.cookie)

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.stub.cookie = value

    def cut(self) -> None:
        """Make the call that is under way fail at once."""
        connection = self._busy
        found = getattr(connection, "sock", None)
        if found is not None:
            with suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close every connection."""
        self.cut()
        self.stub.DropConnections()

    @contextmanager
    def counted(self, operation: str) -> Iterator[None]:
        """Count a call of pyVmomi's and turn its errors into the core's."""
        with self._meter.timed(operation), self._translated():
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except CollectorError:
            raise
        except (OSError, HTTPException) as error:
            raise connection_error(error, str(self.address)) from error

    def post(self, operation: str, body: str, *, session_objects: bool = False) -> bytes:
        """Send the body of a SOAP call and return the envelope of its answer.

        Raises the core's errors; `Refused` for a fault that means something to the caller, `Busy` for 503 and its like.
        """
        begun = time.perf_counter()
        received = 0
        try:
            with self._translated():
                status, answer, received = self._exchange(body)
        finally:
            self._meter.add(operation, seconds=time.perf_counter() - begun, received_bytes=received)
        if status == 200:
            return answer
        fault = parse_fault(answer) if status == 500 else None
        if fault is not None:
            raise error_of(operation, fault, session_objects)
        if status in _BUSY:
            raise Busy(f"{self.address} answers {status} to {operation}: it is overloaded or starting")
        raise Malformed(f"{self.address} answers {status} to {operation}: is it a vCenter or ESXi?", where=operation)

    def _exchange(self, body: str) -> tuple[int, bytes, int]:
        envelope = f"{_HEAD}{body}{_TAIL}".encode("utf-8", "replace")
        headers = {
            "Cookie": self.cookie,
            "SOAPAction": self.stub.versionId,
            "Content-Type": "text/xml; charset=utf-8",
            "Accept-Encoding": "gzip",
            "User-Agent": "hypervisor-exporter",
        }
        # An idle connection that the endpoint has closed shows only when it is used: what was kept gets one more try.
        for fresh in (False, True):
            if fresh:
                self.stub.DropConnections()
            kept = bool(self.stub.pool)
            connection = self.stub.GetConnection()
            try:
                connection.request("POST", self.address.path, envelope, headers)
                response = connection.getresponse()
                answer, received = self._read(response, connection)
            except (ConnectionError, HTTPException) as error:
                connection.close()
                if kept and not fresh and not isinstance(error, TimeoutError):
                    continue
                raise
            except BaseException:
                connection.close()
                raise
            self._returned(connection, response)
            return response.status, answer, received
        raise Unreachable(
            f"{self.address} closes every connection"
        )  # pragma: no cover  the loop has returned or raised

    def _returned(self, connection: Any, response: HTTPResponse) -> None:
        self._busy = None
        if response.will_close:
            connection.close()
        else:
            self.stub.ReturnConnection(connection)

    def _read(self, response: HTTPResponse, connection: Any) -> tuple[bytes, int]:
        compressed = (response.getheader("Content-Encoding") or "").casefold() == "gzip"
        inflater = zlib.decompressobj(wbits=31) if compressed else None
        parts: list[bytes] = []
        received = size = 0
        while chunk := response.read(_CHUNK_BYTES):
            received += len(chunk)
            part = inflater.decompress(chunk, LARGEST_ANSWER_BYTES) if inflater else chunk
            size += len(part)
            if size > LARGEST_ANSWER_BYTES:
                raise Malformed(f"{self.address} sends more than {LARGEST_ANSWER_BYTES >> 20} MiB in one answer")
            parts.append(part)
            if connection.sock is not None:
                connection.sock.settimeout(self.remaining_seconds)
        return b"".join(parts), received

    def lend(self, connection: Any) -> Any:
        """A connection of the pool, with what is left of the deadline."""
        self._busy = connection
        if connection.sock is not None:
            connection.sock.settimeout(self.remaining_seconds)
        return connection


def _adapter(wire: Wire, address: Address, context: Context, version: str) -> Any:
    base: Any = adapters().SoapStubAdapter

    class Adapter(base):  # type: ignore[misc]
        def GetConnection(self) -> Any:  # noqa: N802  pyVmomi's name
            self.schemeArgs["timeout"] = min(_CONNECT_SECONDS, wire.remaining_seconds)
            return wire.lend(super().GetConnection())

    port = -address.port if address.scheme == "http" else address.port
    adapter = Adapter(host=address.host, port=port, path=address.path, version=version, sslContext=context)
    if address.scheme == "http":
        adapter.schemeArgs.pop("context", None)
    return adapter


_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Body>'
)
_TAIL = "</soapenv:Body></soapenv:Envelope>"
