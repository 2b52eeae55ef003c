"""The HTTP server: one thread, one loop, and a bound on everything a client could take for itself.

What a request means is the app's part, who may ask the gate's; here connections come, are served and end.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate

from exporter.threads import show_name
from exporter.web.accepting import Acceptor
from exporter.web.connection import BoundedStream, open_stream
from exporter.web.crowd import Crowd
from exporter.web.gate import Gate, Gated
from exporter.web.listening import listen, told
from exporter.web.live import CHECK_SECONDS, LiveWebConfig

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, and all of them together, may use."""

    connections: int = 512
    """Open connections; for one more, the one that has been idle or unfinished longest is closed."""
    header_bytes: int = 16 * 1024
    header_seconds: float = 10.0
    """From the first byte of a header (of a new connection: from its start) to the last; a body has as long again."""
    body_bytes: int = 64 * 1024
    idle_seconds: float = 75.0
    """Between two requests on a connection; Prometheus comes back every 15 to 60 s."""
    stall_seconds: float = 60.0
    """Without taking a byte of an answer that waits for the client."""
    answer_seconds: float = 300.0
    """For taking a whole answer: while it is being sent, the pages it is made of stay in memory, however old."""
    helpers: int = 2
    """Threads for what would hold up the loop: inflating, rendering a page, reading a certificate."""


class Server:
    """Serves an app (a `tornado.web.Application`) on several addresses from a thread named "web".

    `start` and `stop` are called from any other thread, once each. With `from_systemd` it also serves the sockets that
    systemd handed to the process.
    """

    def __init__(
        self,
        app: HTTPServerConnectionDelegate,
        addresses: Sequence[str],
        gate: Gate,
        live: LiveWebConfig,
        *,
        limits: Limits | None = None,
        from_systemd: bool = False,
    ) -> None:
        self._app, self._gate, self._live = app, gate, live
        self._wanted, self._from_systemd = tuple(addresses), from_systemd
        self._limits = limits or Limits()
        self._crowd = Crowd(self._limits.connections)
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._ask_to_stop: Callable[[float], None] = lambda _: None
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as HOST:PORT with the real port; filled by `start`."""

    def start(self) -> None:
        """Listen and return once requests are answered. Raises BadAddress and ListenError, and then nothing listens."""
        sockets = listen(self._wanted, from_systemd=self._from_systemd)
        self.addresses = tuple(told(bound) for bound in sockets)
        # Tornado warns of every failed handshake; anybody can cause as many as they like.
        logging.getLogger("tornado.general").setLevel(logging.ERROR)
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
        show_name()
        try:
            asyncio.run(self._serve(sockets, started))
        except Exception as error:
            log.exception("the web server ended")
            if not started.done():
                started.set_exception(error)
        finally:
            self._gate.close()
            for bound in sockets:
                bound.close()

    async def _serve(self, sockets: Sequence[socket.socket], started: Future[None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._limits.helpers, "web-helper", show_name))
        asked: asyncio.Future[float] = loop.create_future()
        self._ask_to_stop = lambda grace: _tell(loop, asked, grace)
        protocol = HTTPServer(
            _Watched(Gated(self._app, self._gate, self._limits.body_bytes), self._await_header),
            max_header_size=self._limits.header_bytes,
            max_body_size=self._limits.body_bytes,
            body_timeout=self._limits.header_seconds,
            idle_connection_timeout=2 * self._limits.idle_seconds,  # ours comes first
        )
        acceptors = [
            Acceptor(bound, lambda *peer: self._seat(protocol, *peer), self._crowd.make_room) for bound in sockets
        ]
        chores = [asyncio.create_task(self._sweep()), asyncio.create_task(self._watch())]
        started.set_result(None)
        grace_seconds = await asked
        for acceptor in acceptors:
            acceptor.close()
        self._stopping = True
        await self._crowd.drain(loop.time() + grace_seconds)
        for chore in chores:
            chore.cancel()
        if ending := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(ending, timeout=1)  # answers notice that their client is gone

    def _seat(self, protocol: HTTPServer, peer: socket.socket, address: Any) -> None:
        limits = self._limits
        try:
            context = self._live.now.context
            stream = open_stream(peer, context, limits.body_bytes + limits.header_bytes, self._crowd.forget)
        except (OSError, ValueError):  # the client is gone already
            peer.close()
            return
        stream.await_header(limits.header_seconds, limits.header_seconds)
        self._crowd.admit(stream, str(address[0]) if address else "")
        protocol.handle_stream(stream, address)

    def _await_header(self, stream: BoundedStream) -> None:
        """A connection is ready for its next request."""
        if self._stopping:
            stream.close()
        elif not stream.new:
            stream.await_header(self._limits.idle_seconds, self._limits.header_seconds)

    async def _sweep(self) -> None:
        limits = self._limits
        times = (limits.header_seconds, limits.idle_seconds, limits.stall_seconds, limits.answer_seconds)
        period = min(1.0, min(times) / 4)
        while True:
            await asyncio.sleep(period)
            self._crowd.sweep(limits.stall_seconds, limits.answer_seconds)

    async def _watch(self) -> None:
        """Look after renewed certificates, in a helper: a file system that hangs must not hang the loop."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._live.look)
            except Exception:
                log.exception("the web configuration cannot be watched")


def _tell(loop: asyncio.AbstractEventLoop, asked: asyncio.Future[float], grace_seconds: float) -> None:
    def answer() -> None:
        if not asked.done():
            asked.set_result(grace_seconds)

    with suppress(RuntimeError):  # the loop is closed: it has stopped by itself
        loop.call_soon_threadsafe(answer)


class _Watched(HTTPServerConnectionDelegate):
    """The app, with word of when a connection waits for a header."""

    def __init__(self, app: HTTPServerConnectionDelegate, await_header: Callable[[BoundedStream], None]) -> None:
        self._app = app
        self._await_header = await_header

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        self._await_header(cast("BoundedStream", cast("HTTP1Connection", request_conn).stream))
        return self._app.start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        self._app.on_close(server_conn)
