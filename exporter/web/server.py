"""The HTTP server: one thread, one loop, and a bound on everything a client could take for itself.

What a request means is the app's part. TLS would wrap an accepted socket in `Server._accept`, where each connection's
stream is made, so a handshake is one more thing that has to be over before the header's time is.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.netutil import add_accept_handler

from exporter.web.connection import BoundedStream
from exporter.web.listening import listen, told

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may use."""

    connections: int = 512
    """Open connections; one more is closed at once, and welcome again when a place is free."""
    header_bytes: int = 16 * 1024
    header_seconds: float = 10.0
    """From the first byte of a header (of a new connection: from its start) to the last; a body has as long again."""
    body_bytes: int = 64 * 1024
    idle_seconds: float = 75.0
    """Between two requests on a connection; Prometheus comes back every 15 to 60 s."""
    stall_seconds: float = 60.0
    """Without taking a byte of an answer that waits for the client."""
    helpers: int = 2
    """Threads for what would hold up the loop: inflating, rendering a page."""


class Server:
    """Serves an app (a `tornado.web.Application`) on several addresses from a thread named "web".

    `start` and `stop` are called from any other thread, once each.
    """

    def __init__(
        self, app: HTTPServerConnectionDelegate, addresses: Sequence[str], limits: Limits | None = None
    ) -> None:
        self._app = app
        self._wanted = tuple(addresses)
        self._limits = limits or Limits()
        self._connections: set[BoundedStream] = set()
        self._closed = asyncio.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._ask_to_stop: Callable[[float], None] = lambda _: None
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as HOST:PORT with the real port; filled by `start`."""

    def start(self) -> None:
        """Listen and return once requests are answered. Raises BadAddress and ListenError, and then nothing listens."""
        sockets = listen(self._wanted)
        self.addresses = tuple(told(bound) for bound in sockets)
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(sockets, started), name="web", daemon=True)
        self._thread.start()
        started.result()

    def stop(self, grace_seconds: float) -> None:
        """Stop listening, let the requests that are being answered end within the time given, close the rest."""
        if self._thread is not None:
            self._ask_to_stop(grace_seconds)
            self._thread.join(grace_seconds + 5)

    def _run(self, sockets: Sequence[socket.socket], started: Future[None]) -> None:
        try:
            asyncio.run(self._serve(sockets, started))
        except Exception as error:
            log.exception("the web server ended")
            if not started.done():
                started.set_exception(error)
        finally:
            for bound in sockets:
                bound.close()

    async def _serve(self, sockets: Sequence[socket.socket], started: Future[None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._limits.helpers, "web-helper"))
        asked: asyncio.Future[float] = loop.create_future()
        self._ask_to_stop = lambda grace: _tell(loop, asked, grace)
        protocol = HTTPServer(
            _Watched(self._app, self._await_header),
            max_header_size=self._limits.header_bytes,
            max_body_size=self._limits.body_bytes,
            body_timeout=self._limits.header_seconds,
            idle_connection_timeout=2 * self._limits.idle_seconds,  # ours comes first
        )
        closers = [add_accept_handler(bound, lambda *peer: self._accept(protocol, *peer)) for bound in sockets]
        sweeper = asyncio.create_task(self._sweep())
        started.set_result(None)
        grace_seconds = await asked
        for close, bound in zip(closers, sockets, strict=True):
            close()
            bound.close()
        await self._drain(loop.time() + grace_seconds)
        sweeper.cancel()
        if ending := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(ending, timeout=1)  # answers notice that their client is gone

    def _accept(self, protocol: HTTPServer, peer: socket.socket, address: Any) -> None:
        if len(self._connections) >= self._limits.connections:
            peer.close()
            return
        stream = BoundedStream(peer, self._limits.body_bytes + self._limits.header_bytes, self._forget)
        stream.await_header(self._limits.header_seconds, self._limits.header_seconds)
        self._connections.add(stream)
        protocol.handle_stream(stream, address)

    def _forget(self, stream: BoundedStream) -> None:
        self._connections.discard(stream)
        self._closed.set()

    def _await_header(self, stream: BoundedStream) -> None:
        """A connection is ready for its next request."""
        if self._stopping:
            stream.close()
        elif not stream.new:
            stream.await_header(self._limits.idle_seconds, self._limits.header_seconds)

    async def _sweep(self) -> None:
        """Close the connections whose time is over; looking often enough costs less than a timer for each."""
        limits = self._limits
        period = min(1.0, limits.header_seconds / 4, limits.idle_seconds / 4, limits.stall_seconds / 4)
        while True:
            await asyncio.sleep(period)
            for stream in tuple(self._connections):
                if stream.overdue(limits.stall_seconds):
                    stream.close()

    async def _drain(self, deadline: float) -> None:
        """Close what is idle, wait for the rest until the deadline, then close that too."""
        self._stopping = True
        for stream in tuple(self._connections):
            if stream.idle:
                stream.close()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._connections:
                    self._closed.clear()
                    await self._closed.wait()
        for stream in tuple(self._connections):
            stream.close()


def _tell(loop: asyncio.AbstractEventLoop, asked: asyncio.Future[float], grace_seconds: float) -> None:
    def answer() -> None:
        if not asked.done():
            asked.set_result(grace_seconds)

    if not loop.is_closed():
        loop.call_soon_threadsafe(answer)


class _Watched(HTTPServerConnectionDelegate):
    """The app, with word of when a connection waits for a header and when it has one."""

    def __init__(self, app: HTTPServerConnectionDelegate, await_header: Callable[[BoundedStream], None]) -> None:
        self._app = app
        self._await_header = await_header

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        stream = cast("BoundedStream", cast("HTTP1Connection", request_conn).stream)
        self._await_header(stream)
        return _WatchedRequest(self._app.start_request(server_conn, request_conn), stream)

    def on_close(self, server_conn: object) -> None:
        self._app.on_close(server_conn)


class _WatchedRequest(HTTPMessageDelegate):
    def __init__(self, request: HTTPMessageDelegate, stream: BoundedStream) -> None:
        self._request = request
        self._stream = stream

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._stream.header_complete()
        return self._request.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._request.data_received(chunk)

    def finish(self) -> None:
        self._request.finish()

    def on_connection_close(self) -> None:
        self._request.on_connection_close()
