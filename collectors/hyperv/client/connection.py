"""One lane's way to one host: questions in, rows out. A connection that was lost is made anew, unseen by the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.asking import Asking, identify, open_enumerations
from collectors.hyperv.client.columns import Columns
from collectors.hyperv.client.envelopes import Argument
from collectors.hyperv.client.errors import ContextLost, Lost
from collectors.hyperv.client.rows import Query, Row, Rows
from collectors.hyperv.client.settings import Settings
from collectors.hyperv.client.wire import Counts, Wire
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, Unreachable
from exporter.remote.certificate import not_after
from exporter.remote.tls import Trust

Found = TypeVar("Found")
_TURNS = 3
"""How often a question is asked whose connection is lost each time."""


class Connection:
    """Questions to one host, by one thread at a time; `cut` and `close` may come from any.

    Every question ends by `until` on the monotonic clock and raises the core's errors: `NotThere` where the host lacks
    the class or its namespace, `AccessDenied` with the namespace where the account may not.
    """

    def __init__(self, settings: Settings, account: Account, meter: Meter, columns: Columns) -> None:
        _refuse_in_the_clear(settings)
        self.settings = settings
        self.counts = Counts()
        self._account, self._meter, self._columns = account, meter, columns
        self._trust = Trust(settings.tls)
        self._left = open_enumerations()
        self._guard = threading.Lock()
        """Over what follows; not held while a question is asked."""
        self._wire: Wire | None = None
        self._busy = self._closed = False
        self._certificate = b""
        self._clock_offset: float | None = None

    def rows(self, query: Query, until: float) -> Rows:
        """Every row of a query, with those of its columns that the build has."""
        return self._asked(until, lambda asking: asking.rows(query))

    def missing(self, query: Query) -> frozenset[str]:
        """Columns of a query that this build lacks; known once `rows` has answered it."""
        return self._columns.lacking(query) & frozenset(query.columns)

    def invoke(
        self, namespace: str, class_name: str, method: str, arguments: Mapping[str, Argument], until: float
    ) -> Row:
        """What a method returns, `ReturnValue` included. Only methods that `calls.METHODS` lists, else `ValueError`."""
        return self._asked(until, lambda asking: asking.method(namespace, class_name, method, arguments))

    def identify(self, until: float) -> Row:
        """`ProductVendor`, `ProductVersion` ("OS: 0.0.0 SP: 0.0 Stack: 3.0": not the build), `ProtocolVersion`.

        Asked without a login: tells a host that is down from one that refuses us.
        """
        wire = Wire(self.settings, self._account, self._meter, trust=self._trust, counts=self.counts)
        wire.until(until)
        try:
            return identify(wire)
        except Lost as error:
            raise Unreachable(str(error)) from error
        finally:
            self._certificate = wire.certificate or self._certificate

    @property
    def verified(self) -> bool:
        """Whether the host has proved who it is."""
        return self.settings.address.scheme != "http" and self._trust.verifies

    @property
    def tls_not_after(self) -> float | None:
        """When the certificate that was shown last ends, Unix seconds; None without TLS."""
        return not_after(self._certificate)

    @property
    def clock_offset_seconds(self) -> float | None:
        """The host's clock less ours, by its last answer, to half a second; None where it does not tell the time."""
        return self._clock_offset

    def cut(self) -> None:
        """Have the question under way fail now."""
        with self._guard:
            if self._wire is not None and self._busy:
                self._wire.cut()

    def close(self) -> None:
        """Close for good; quick, and harmless when repeated."""
        with self._guard:
            self._closed = True
            if self._wire is not None and self._busy:
                self._wire.cut()
            elif self._wire is not None:
                self._wire.close()

    def _asked(self, until: float, question: Callable[[Asking], Found]) -> Found:
        for turn in range(1, _TURNS + 1):
            wire = self._take(until)
            try:
                return question(Asking(wire, self._columns, self.counts, self._left))
            except Lost as error:
                if not isinstance(error, ContextLost):
                    wire.usable = False
                if turn == _TURNS:
                    raise Unreachable(str(error)) from error
            finally:
                self._give_back(wire)
        raise AssertionError  # pragma: no cover  the last turn returns or raises

    def _take(self, until: float) -> Wire:
        with self._guard:
            if self._closed:
                raise Unreachable(f"the connection with {self.settings.address} is closed")
            if self._wire is None or not self._wire.idle:
                self._drop()
                self._wire = Wire(self.settings, self._account, self._meter, trust=self._trust, counts=self.counts)
            self._busy = True
            wire = self._wire
        wire.until(until)
        return wire

    def _give_back(self, wire: Wire) -> None:
        with self._guard:
            self._busy = False
            self._certificate = wire.certificate or self._certificate
            if wire.clock_offset_seconds is not None:
                self._clock_offset = wire.clock_offset_seconds
            if self._closed or not wire.usable:
                self._drop()

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None


def connect(settings: Settings, account: Account, meter: Meter, columns: Columns | None = None) -> Connection:
    """A connection that is made when it is first used. `columns` is shared by the connections of one host."""
    return Connection(settings, account, meter, columns if columns is not None else Columns())


def _refuse_in_the_clear(settings: Settings) -> None:
    """Keep passwords from being sent where all can read them."""
    if settings.address.scheme != "http" or settings.allow_unencrypted:
        return
    if settings.transport == "basic":
        raise AuthenticationFailed(
            f"{settings.address}: basic over http shows the password to all on the way: use https, or another transport"
        )
    if settings.transport == "certificate":
        raise AuthenticationFailed(f"{settings.address}: a client certificate is shown over https only")
