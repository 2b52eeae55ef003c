"""A lane's connection between collections. Two lanes of a target never share one.

libvirt clients before 10.4 can lose a wake-up when two threads share a connection, and a hung call cannot be taken
back: a collection takes the connection away with it, and whoever comes while it hangs opens another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.libvirt.client.connection import NOBODY, Allowed, Connection
from collectors.libvirt.client.credentials import Access
from collectors.libvirt.client.endpoint import Endpoint
from exporter.contract import Meter
from exporter.errors import AuthenticationFailed, Unreachable


class Lane:
    """Lends one endpoint at a time and keeps its connection for the next collection."""

    def __init__(self, uri: str, meter: Meter, access: Access = NOBODY, writing: Allowed | None = None) -> None:
        self._uri = uri
        self._access = access
        self._writing = writing
        self._meter = meter
        self._lock = threading.Lock()
        self._idle: tuple[Connection, Endpoint] | None = None
        self._closed = False

    @contextmanager
    def endpoint(self) -> Iterator[Endpoint]:
        """An endpoint that answers, connected anew where the last connection has died."""
        with self._lent() as (_, endpoint):
            yield endpoint

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The bare connection, for calls about single objects."""
        with self._lent() as (connection, _):
            yield connection

    @contextmanager
    def _lent(self) -> Iterator[tuple[Connection, Endpoint]]:
        connection, endpoint = self._take() or self._open()
        try:
            yield connection, endpoint
        except (Unreachable, AuthenticationFailed):
            connection.close()
            raise
        except BaseException:
            self._give_back(connection, endpoint)
            raise
        self._give_back(connection, endpoint)

    def close(self) -> None:
        """Disconnect what is idle; a connection in use is closed by its user when the call comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, None
        if idle is not None:
            idle[0].close()

    def _take(self) -> tuple[Connection, Endpoint] | None:
        with self._lock:
            idle, self._idle = self._idle, None
        if idle is None or idle[0].answers():
            return idle
        idle[0].close()
        return None

    def _open(self) -> tuple[Connection, Endpoint]:
        connection = Connection.open(self._uri, self._meter, self._access, self._writing)
        return connection, Endpoint(connection)

    def _give_back(self, connection: Connection, endpoint: Endpoint) -> None:
        with self._lock:
            keep = not self._closed and self._idle is None
            if keep:
                self._idle = (connection, endpoint)
        if not keep:
            connection.close()
