"""The socket of one host and its connections, a thread each."""

import socket
import socketserver
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.backends.winrm.connection import Connection

if TYPE_CHECKING:
    from tests.backends.winrm.server import Site


class Listener(socketserver.ThreadingTCPServer):
    """The socket of one host; remembers its connections so that they can be cut."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, site: "Site", address: tuple[str, int], context: ssl.SSLContext | None) -> None:
        self.site, self._context = site, context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Connection)

    def finish_request(self, request: socket.socket, client_address: Any) -> None:
        """In the connection's own thread: TLS, then HTTP."""
        if self._context is not None:
            request.settimeout(self.site.idle_seconds)
            try:
                request = self._context.wrap_socket(request, server_side=True)
            except OSError:
                self.site.counts["tls_failures"] += 1
                return
        with self._lock:
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
            with suppress(OSError):
                request.close()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        self.site.counts["errors"] += 1

    def cut(self) -> None:
        """End every connection."""
        with self._lock:
            for request in self._open:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)
