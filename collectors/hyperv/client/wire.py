"""One socket to a host and what was agreed on it: who we are, the keys. It ends with the first thing that fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING

from collectors.hyperv.client.account import Account, Credentials
from collectors.hyperv.client.envelopes import Envelope
from collectors.hyperv.client.errors import Lost
from collectors.hyperv.client.received import Received, clock_offset
from collectors.hyperv.client.refusals import (
    library_error,
    lost_at_login,
    not_installed,
    of_library,
    run_out,
    status_error,
    timed_out,
)
from collectors.hyperv.client.settings import Settings
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, CollectorError, SdkMissing, TimedOut
from exporter.remote.body import read_body
from exporter.remote.connection import Connection
from exporter.remote.tls import Trust

if TYPE_CHECKING:  # it imports the libraries, which takes a third of a second
    from collectors.hyperv.client.carriers import Carrier
    from collectors.hyperv.client.door import Door


@dataclass(slots=True)
class Counts:
    """What was asked of a host so far."""

    requests: int = 0
    enumerations: int = 0
    pulls: int = 0
    received_bytes: int = 0
    connections: int = 0


class Wire:
    """Sends envelopes over one connection, used by one thread; `cut` may come from any."""

    def __init__(self, settings: Settings, account: Account, meter: Meter, *, trust: Trust, counts: Counts) -> None:
        self.settings = settings
        self.usable = True
        self.clock_offset_seconds: float | None = None
        self._account, self._meter, self._trust, self._counts = account, meter, trust, counts
        self._until = time.monotonic()
        self._guard = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False
        self._connected: Connection | None = None
        self._door: Door | None = None
        self._carrier: Carrier | None = None
        self._entered = False

    @property
    def idle(self) -> bool:
        """Whether the next message can go over this wire: it is whole, and the host has not closed it."""
        return self.usable and not self._cut and (self._door is None or self._door.idle)

    @property
    def remaining_seconds(self) -> float:
        """Seconds until the deadline. Raises `TimedOut` when it has passed, or the wire was cut."""
        if self._cut:
            raise TimedOut(f"waiting for {self.settings.address} was given up")
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise timed_out(self.settings)
        return remaining

    @property
    def certificate(self) -> bytes:
        """What the host has shown (DER), b"" without TLS."""
        return self._connected.certificate if self._connected is not None else b""

    def until(self, at: float) -> None:
        """Let everything from now on end by an instant of the monotonic clock."""
        self._until = at

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let what happens within the block end earlier."""
        before = self._until
        self._until = min(before, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._until = before

    def cut(self) -> None:
        """Make whatever is under way fail at once, and everything after."""
        with self._guard:
            self._cut = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket's own: that would take its TLS away from the thread which is reading.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket; by the thread that uses the wire, or when none does."""
        self.usable = False
        with self._guard:
            self._socket = None
            if self._door is not None:
                self._door.close()

    def send(self, envelope: Envelope) -> bytes:
        """The answer's envelope. Raises the core's errors, `Lost` where another wire may do better."""
        return self._metered(envelope, self._carried)

    def send_openly(self, envelope: Envelope) -> bytes:
        """As `send`, without saying who we are, over a wire that was not used before and is not used again."""
        return self._metered(envelope, self._shown)

    def _metered(self, envelope: Envelope, carry: Callable[[Envelope], Received]) -> bytes:
        if not self.usable:
            raise Lost(f"the connection with {self.settings.address} has ended")
        begun, before = time.perf_counter(), self._counts.received_bytes
        well = False
        try:
            answer = self._sent(envelope, carry)
            well = True
        finally:
            self.usable = self.usable and well
            received = self._counts.received_bytes - before
            self._meter.add(envelope.operation, seconds=time.perf_counter() - begun, received_bytes=received)
        return answer

    def _sent(self, envelope: Envelope, carry: Callable[[Envelope], Received]) -> bytes:
        try:
            received = carry(envelope)
        except Exception as error:
            # Sockets, HTTP, and four libraries with exceptions of their own.
            meant = self._meant(error)
            if meant is None:
                raise
            raise meant from error
        if received.body.lstrip()[:1] != b"<" or received.status not in {200, 400, 500}:
            location = received.headers.get("Location") or ""
            raise status_error(self.settings, envelope.operation, received.status, location)
        return received.body

    def _meant(self, error: Exception) -> CollectorError | None:
        """What an exception means; None for one that tells it itself, or that is a mistake of ours."""
        if self._cut:
            return TimedOut(f"waiting for {self.settings.address} was given up")
        if self._entered and (isinstance(error, AuthenticationFailed) or run_out(error)):  # it knew us a moment ago
            return Lost(str(error))
        if isinstance(error, Lost) and not self._entered:
            # A login is not repeated: passwords that are wrong several times lock accounts.
            return lost_at_login(error, self.settings)
        if isinstance(error, ImportError):  # what a way to log in needs is imported when it is taken
            return not_installed(error)
        if isinstance(error, CollectorError) or not (
            isinstance(error, OSError | HTTPException | ValueError) or of_library(error)
        ):
            return None
        return library_error(error, self.settings)

    def _carried(self, envelope: Envelope) -> Received:
        if self._entered and self._carrier is not None:
            return self._carrier.send(envelope.content)
        self.remaining_seconds  # noqa: B018  raises
        credentials = self._account.credentials(self.settings)
        with self._account.entering(self.settings.address.host, credentials, self._until):
            carrier = self._carrier = self._taken_on(credentials)
            try:
                received = carrier.send(envelope.content)
            except Exception as error:
                # What a library refuses has to be known as such in here: the account remembers it.
                meant = self._meant(error)
                if meant is None:
                    raise
                raise meant from error
            self._entered = True
        return received

    def _shown(self, envelope: Envelope) -> Received:
        connection = self._connection()
        said = {"Content-Type": "application/soap+xml;charset=UTF-8", "WSMANIDENTIFY": "unauthenticated"}
        try:
            connection.request("POST", self.settings.address.path, envelope.content, said)
            response = connection.getresponse()
            content, received_bytes = read_body(response, str(self.settings.address))
        finally:
            connection.shut()
        headers = dict(response.headers)
        self._heard(received_bytes, headers)
        return Received(response.status, headers, content)

    def _taken_on(self, credentials: Credentials) -> Carrier:
        try:
            from collectors.hyperv.client.carriers import carrier  # noqa: PLC0415  imports the libraries
            from collectors.hyperv.client.door import Door  # noqa: PLC0415
        except ImportError as error:
            raise SdkMissing(f"pywinrm is not installed ({error}): pip install pywinrm") from error
        self._door = Door(str(self.settings.address), self._connection, self._heard)
        return carrier(self.settings, credentials, self._door)

    def _connection(self) -> Connection:
        address = self.settings.address
        self._counts.connections += 1
        trust = None if address.scheme == "http" else self._trust
        self._connected = Connection(address.host, address.port, trust, lambda: self.remaining_seconds, self._hold)
        return self._connected

    def _hold(self, sock: socket.socket) -> None:
        with self._guard:
            self._socket = sock
        self.remaining_seconds  # noqa: B018  raises what a cut has missed that came before

    def _heard(self, received_bytes: int, headers: Mapping[str, str]) -> None:
        self._counts.requests += 1
        self._counts.received_bytes += received_bytes
        self.clock_offset_seconds = clock_offset(headers)
