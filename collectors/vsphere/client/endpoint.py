"""The one session with an endpoint that both lanes share, made anew when the endpoint has forgotten it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from collectors.vsphere.address import Address
from collectors.vsphere.client import login
from collectors.vsphere.client.cookies import Cookies
from collectors.vsphere.client.faults import Refused, SessionLost
from collectors.vsphere.client.lane import Lane, Shared
from collectors.vsphere.client.login import Credentials, Service
from collectors.vsphere.client.wire import Wire
from exporter.config.model import Target
from exporter.contract import Deadline, Meter
from exporter.errors import AuthenticationFailed, CollectorError, Forbidden, Malformed, TimedOut, Unreachable
from exporter.remote.certificate import not_after
from exporter.remote.tls import Trust, fingerprint

Answer = TypeVar("Answer")
_LOG_OUT_SECONDS = 1.0
_MOST_LEFT = 8
_REFUSED_SECONDS = 60.0
"""How long a refused password is not tried again: both lanes ask at the same time, and the core hears of it later."""


@dataclass(frozen=True, slots=True)
class _Session:
    generation: int
    cookies: str
    version: str
    service: Service
    shared: Shared = field(default_factory=Shared)


class _Left(NamedTuple):
    cookies: str
    version: str
    manager: str


@dataclass(frozen=True, slots=True)
class _Refusal:
    account: Credentials
    at: float
    sentence: str


class Endpoint:
    """Connections and session of one target. Lanes are used by one thread each, `cut` and `close` by any."""

    def __init__(self, target: Target, meter: Meter) -> None:
        self.address = Address.of(target.address)
        self._target, self._meter = target, meter
        self._trust = Trust(target.tls)
        self._changed = threading.Condition()
        """Over everything below; never held during a call. Waited for by the lane that does not log in."""
        self._wires: dict[str, Wire] = {}
        self._lanes: dict[str, Lane] = {}
        self._session: _Session | None = None
        self._generation = 0
        self._entering = self._closed = False
        self._refusal: _Refusal | None = None
        self._left: deque[_Left] = deque(maxlen=_MOST_LEFT)
        """Sessions that we no longer use and that may still be there."""

    def ask(self, lane: str, deadline: Deadline, question: Callable[[Lane], Answer]) -> Answer:
        """Answer a question over a lane, with a session that is made if there is none.

        A session that the endpoint has forgotten is made anew once, and the question asked again. Raises the core's
        errors.
        """
        wire = self._wire(lane)
        wire.begin(deadline.remaining_seconds)
        for again in (False, True):
            session = self._entered(wire)
            try:
                return question(self._lane(lane, wire, session))
            except SessionLost:
                self._forget(session)
                if again:
                    raise
        raise AssertionError  # pragma: no cover  the second turn returns or raises

    def cut(self, lane: str) -> None:
        """Make whatever the lane waits for fail."""
        with self._changed:
            wire = self._wires.get(lane)
            if wire is not None:
                wire.cut()
            self._changed.notify_all()

    def close(self) -> None:
        """Log out and close every connection; quick, and harmless when repeated."""
        with self._changed:
            self._closed = True
            if self._session is not None:
                self._left.append(_Left(self._session.cookies, self._session.version, self._session.service.sessions))
            self._session = None
            for wire in self._wires.values():
                wire.close()
            self._changed.notify_all()
        self._log_out()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that was shown last, "" without TLS."""
        return fingerprint(self._certificate) if self._certificate else ""

    @property
    def tls_not_after(self) -> float | None:
        """When the certificate that was shown last ends, Unix seconds; None without TLS."""
        return not_after(self._certificate)

    @property
    def verified(self) -> bool:
        """Whether the endpoint has proved who it is."""
        return self.address.scheme != "http" and self._trust.verifies

    @property
    def _certificate(self) -> bytes:
        return next((wire.certificate for wire in tuple(self._wires.values()) if wire.certificate), b"")

    def _wire(self, lane: str) -> Wire:
        with self._changed:
            if self._closed:
                raise Unreachable(f"the session with {self.address} is closed")
            if lane not in self._wires:
                self._wires[lane] = Wire(self.address, self._trust, self._meter)
            return self._wires[lane]

    def _lane(self, name: str, wire: Wire, session: _Session) -> Lane:
        known = self._lanes.get(name)
        if known is None or known.generation != session.generation:
            wire.version, wire.cookies = session.version, Cookies(session.cookies)
            known = self._lanes[name] = Lane(wire, session.service, session.version, session.generation, session.shared)
        return known

    def _entered(self, wire: Wire) -> _Session:
        """The session; made by one lane while the other waits."""
        with self._changed:
            while self._session is None and self._entering:
                self._changed.wait(wire.remaining_seconds)
            if self._session is not None:
                return self._session
            self._entering = True
        made: _Session | None = None
        try:
            made = self._enter(wire)
        finally:
            with self._changed:
                self._entering = False
                if made is not None and self._closed:
                    self._left.append(_Left(made.cookies, made.version, made.service.sessions))
                elif made is not None:
                    self._session, self._generation = made, made.generation
                self._changed.notify_all()
            if self._closed:
                self._log_out()
        return made

    def _enter(self, wire: Wire) -> _Session:
        account = login.credentials(self.address, self._target.auth)
        self._refuse_again(account)
        self._log_out(wire)
        # What an upgrade or another host behind the name has changed is asked anew.
        wire.version, wire.cookies = "", Cookies()
        version = wire.version = login.api_version(wire)
        service = login.content(wire)
        try:
            login.log_in(wire, service.sessions, account)
        except AuthenticationFailed as error:
            self._refusal = _Refusal(account, time.monotonic(), str(error))
            raise
        except (TimedOut, Unreachable, Malformed):
            if wire.cookies.session:  # the endpoint may have let us in without our hearing of it
                self._left.append(_Left(wire.cookies.header, version, service.sessions))
            raise
        self._refusal = None
        return _Session(self._generation + 1, wire.cookies.header, version, service)

    def _refuse_again(self, account: Credentials) -> None:
        known = self._refusal
        if known is not None and time.monotonic() - known.at < _REFUSED_SECONDS and known.account == account:
            raise AuthenticationFailed(known.sentence)

    def _forget(self, session: _Session) -> None:
        with self._changed:
            if self._session is session:
                self._session = None
                # It may still be there: only its views were lost, or another host behind the name does not know it.
                self._left.append(_Left(session.cookies, session.version, session.service.sessions))

    def _log_out(self, wire: Wire | None = None) -> None:
        """Leave the sessions that are no longer ours, over a wire or one of its own; a courtesy that may fail."""
        while self._left:
            left = self._left.popleft()
            if wire is not None:
                known = self._logged_out(wire, left)
            else:
                own = Wire(self.address, self._trust, self._meter)
                own.begin(_LOG_OUT_SECONDS)
                known = self._logged_out(own, left)
                own.close()
            if not known:
                self._left.append(left)
                return

    @staticmethod
    def _logged_out(wire: Wire, left: _Left) -> bool:
        """Whether the endpoint has heard of it; it may also know the session no more."""
        rest, begun = wire.remaining_seconds, time.monotonic()
        wire.version, wire.cookies = left.version, Cookies(left.cookies)
        wire.until(min(rest, _LOG_OUT_SECONDS))
        try:
            login.log_out(wire, left.manager)
        except (SessionLost, Refused, Forbidden):
            return True
        except CollectorError:
            return False
        finally:
            wire.until(rest - (time.monotonic() - begun))
        return True
