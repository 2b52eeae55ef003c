"""A lane's connection between collections. Two lanes of a target never share one.

libvirt clients before 10.4 can lose a wake-up when two threads share a connection, and a hung call cannot be taken
back: a collection takes the connection away with it, and whoever comes while it hangs opens another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

from collectors.libvirt.client.asking import Tell, tell_nobody
from collectors.libvirt.client.connection import NOBODY, Allowed, Connection
from collectors.libvirt.client.credentials import Access
from collectors.libvirt.client.endpoint import Endpoint
from collectors.libvirt.client.wire import Wire, Wires
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, CollectorError, Unreachable

PROBE_SECONDS = 1.5
"""A daemon that is well opens a connection and tells its version in milliseconds, however busy its workers are."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A connection between two collections."""

    connection: Connection
    endpoint: Endpoint
    wire: Wire


@dataclass(frozen=True, slots=True)
class Lent:
    """What a collection is lent.

    `cut` makes the call fail that hangs in the connection, if its socket is known; `aside` opens a connection of its
    own for whoever looks at that call from outside.
    """

    endpoint: Endpoint
    cut: Callable[[], bool]
    aside: Callable[[], AbstractContextManager[Endpoint]]


@dataclass(eq=False, slots=True)
class _Use:
    """A collection that is under way, and the socket that its present call waits for."""

    wire: Wire | None = None
    given_up: bool = False


class Lane:
    """Lends one endpoint at a time and keeps its connection for the next collection."""

    def __init__(
        self,
        uri: str,
        meter: Meter,
        access: Access = NOBODY,
        writing: Allowed | None = None,
        *,
        wires: Wires | None = None,
        tell: Tell = tell_nobody,
    ) -> None:
        self._uri = uri
        self._access = access
        self._writing = writing
        self._meter = meter
        self._wires = wires or Wires(uri)
        self._tell = tell
        self._lock = threading.Lock()
        self._idle: _Held | None = None
        self._uses: list[_Use] = []
        self._closed = False

    @contextmanager
    def endpoint(self) -> Iterator[Endpoint]:
        """An endpoint that answers, connected anew where the last connection has died."""
        with self._lent() as held:
            yield held.endpoint

    @contextmanager
    def lent(self) -> Iterator[Lent]:
        """The same, with the means to leave a call behind that hangs in it."""
        with self._lent() as held:
            yield Lent(held.endpoint, held.wire.cut, self._aside)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The bare connection, for calls about single objects."""
        with self._lent() as held:
            yield held.connection

    @contextmanager
    def _lent(self) -> Iterator[_Held]:
        with self._using() as use:
            held = self._take(use) or self._open(use)
            try:
                yield held
            except (Unreachable, AuthenticationFailed):
                held.connection.close()
                raise
            except BaseException:
                self._give_back(held)
                raise
            self._give_back(held)

    def unblock(self) -> None:
        """Make calls that hang fail, if it is the daemon that hangs.

        As long as it answers others, a call waits for a guest or a disk; failing here would not end it there, and one
        that nobody waits for any more is one that nobody counts. Called from any thread but libvirt's event loop.
        """
        with self._lock:
            hanging = [use for use in self._uses if use.wire is not None]
        if not hanging or self._daemon_answers():
            return
        with self._lock:
            still = [use for use in hanging if use in self._uses]
            for use in still:
                use.given_up = True
        for use in still:
            if use.wire is not None:
                use.wire.cut()

    def close(self) -> None:
        """Disconnect what is idle; a connection in use is closed by its user when the call comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, None
        if idle is not None:
            idle.connection.close()

    @contextmanager
    def _aside(self) -> Iterator[Endpoint]:
        """An endpoint over a new connection that nobody else gets."""
        with self._using() as use:
            held = self._open(use)
            try:
                yield held.endpoint
            finally:
                held.connection.close()

    @contextmanager
    def _using(self) -> Iterator[_Use]:
        use = _Use()
        with self._lock:
            self._uses.append(use)
        try:
            yield use
        finally:
            with self._lock:
                self._uses.remove(use)

    def _take(self, use: _Use) -> _Held | None:
        with self._lock:
            idle, self._idle = self._idle, None
            use.wire = idle.wire if idle is not None else None
        if idle is None or idle.connection.answers():
            return idle
        idle.connection.close()
        return None

    def _open(self, use: _Use) -> _Held:
        with self._wires.opening() as use.wire:
            if use.given_up:
                raise Unreachable("the daemon does not answer any more")
            connection = Connection.open(self._uri, self._meter, self._access, self._writing)
        return _Held(connection, Endpoint(connection, self._tell), use.wire)

    def _give_back(self, held: _Held) -> None:
        with self._lock:
            keep = not self._closed and self._idle is None
            if keep:
                self._idle = held
        if not keep:
            held.connection.close()

    def _daemon_answers(self) -> bool:
        """Whether a new connection is opened and told something in time: calls that need none of the busy workers."""
        answered = threading.Event()

        def ask() -> None:
            with suppress(CollectorError):
                connection = Connection.open(self._uri, self._meter, self._access)
                if connection.answers():
                    answered.set()
                connection.close()

        with self._wires.opening() as wire:
            asking = threading.Thread(target=ask, name="libvirt-probe", daemon=True)
            asking.start()
            asking.join(PROBE_SECONDS)
            if asking.is_alive():
                wire.cut()
        asking.join(PROBE_SECONDS)
        return answered.is_set()
