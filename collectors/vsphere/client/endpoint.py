"""The one session with an endpoint that both lanes share, made anew when the endpoint has forgotten it."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from collectors.vsphere.address import Address
from collectors.vsphere.client import login
from collectors.vsphere.client.faults import SessionLost
from collectors.vsphere.client.lane import Lane
from collectors.vsphere.client.login import Service
from collectors.vsphere.client.tls import Context, context_of
from collectors.vsphere.client.wire import Wire
from exporter.config.model import Target
from exporter.contract import Deadline, Meter
from exporter.errors import CollectorError

Answer = TypeVar("Answer")
_LOG_OUT_SECONDS = 1.5


class Endpoint:
    """Connections and session of one target. Lanes are used by one thread each."""

    def __init__(self, target: Target, meter: Meter) -> None:
        self.address = Address.of(target.address)
        self._target = target
        self._meter = meter
        self._lock = threading.Lock()
        self._context: Context | None = None
        self._version = ""
        self._cookie = ""
        self._generation = 0
        self._closed = False
        self._wires: dict[str, Wire] = {}
        self._lanes: dict[str, Lane] = {}
        self.service: Service | None = None
        self.certificate: bytes = b""

    def ask(self, lane: str, deadline: Deadline, question: Callable[[Lane], Answer]) -> Answer:
        """Answer a question over a lane, with a session that is made if there is none.

        A session that the endpoint has forgotten is made anew once, and the question asked again. Raises the core's
        errors.
        """
        for again in (False, True):
            generation = self._ready(lane, deadline)
            try:
                return question(self._lanes[lane])
            except SessionLost:
                self._forget(generation)
                if again:
                    raise
        raise AssertionError  # pragma: no cover  the second turn returns or raises

    def _ready(self, lane: str, deadline: Deadline) -> int:
        with self._lock:
            if not self._cookie:
                self._log_in(lane, deadline)
            wire = self._wire(lane, deadline)
            if lane not in self._lanes or self._lanes[lane].generation != self._generation:
                wire.cookie = self._cookie
                assert self.service is not None  # noqa: S101  a session tells what it belongs to
                self._lanes[lane] = Lane(wire, self.service, self._version, self._generation)
            return self._generation

    def _log_in(self, lane: str, deadline: Deadline) -> None:
        if self._context is None:
            self._context = context_of(self._target.tls, self._saw)
        if not self._version:
            self._version = login.api_version(self.address, self._context, deadline.remaining_seconds)
        wire = self._wire(lane, deadline)
        wire.cookie = ""
        self.service = login.content(wire)
        login.log_in(wire, self._target.auth)
        self._cookie = wire.cookie
        self._generation += 1

    def _wire(self, lane: str, deadline: Deadline) -> Wire:
        assert self._context is not None  # noqa: S101  made before the first wire
        if lane not in self._wires:
            self._wires[lane] = Wire(
                self.address, self._context, self._version, self._meter, deadline.remaining_seconds
            )
        self._wires[lane].until(deadline.remaining_seconds)
        return self._wires[lane]

    def _saw(self, certificate: bytes) -> None:
        self.certificate = certificate

    def _forget(self, generation: int) -> None:
        with self._lock:
            if generation == self._generation:
                # What an upgrade or another host behind the name has changed is asked anew, files are read anew.
                self._cookie, self._version, self._context = "", "", None
                for wire in self._wires.values():
                    wire.stub.DropConnections()
                self._wires.clear()

    def cut(self, lane: str) -> None:
        """Make a hung call of the lane fail."""
        wire = self._wires.get(lane)
        if wire is not None:
            wire.cut()

    def close(self) -> None:
        """Log out and close every connection; quick, and harmless when repeated."""
        with self._lock:
            cookie, self._cookie = self._cookie, ""
            wires = list(self._wires.values())
            self._wires.clear()
            self._lanes.clear()
        for wire in wires:
            wire.cut()
        if cookie and wires:
            wires[0].cookie = cookie
            wires[0].until(_LOG_OUT_SECONDS)
            with suppress(CollectorError):
                login.log_out(wires[0])
        for wire in wires:
            wire.close()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that was shown last, "" without TLS."""
        return hashlib.sha256(self.certificate).hexdigest() if self.certificate else ""

    @property
    def verified(self) -> bool:
        """Whether the endpoint's certificate is checked."""
        tls = self._target.tls
        return tls.pin_sha256 is not None or (self._context is not None and self._context.verify_mode != ssl.CERT_NONE)
