"""What a request has to pass before a route sees it: size, rate, certificate, password. And the refusals.

Decided when the header is complete, before any of a body is read. How many are answered at once is answer.py's part.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from exporter.web.connection import BoundedStream
from exporter.web.links import known_form
from exporter.web.live import LiveWebConfig
from exporter.web.passwords import Credentials, credentials
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.tls import names_in

LINGER_SECONDS = 1.0
MOST_WAITING = 16
"""Passwords that wait to be checked; a flood of guesses must not put off a scrape for ever."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no."""

    status: HTTPStatus
    sentence: str
    headers: Mapping[str, str] = field(default_factory=dict)


_UNKNOWN = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "a user's name and password are needed",
    {"WWW-Authenticate": 'Basic realm="hypervisor-exporter", charset="UTF-8"'},
)
_BUSY = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many passwords wait to be checked", {"Retry-After": "1"})
_STRANGER = Refusal(HTTPStatus.FORBIDDEN, "the client certificate's names are not among the allowed ones")
_UNMEASURED = Refusal(HTTPStatus.LENGTH_REQUIRED, "a body needs a Content-Length; nothing here reads one anyway")
_TOO_LARGE = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large; nothing here reads one anyway")


class Gate:
    """Applies the web configuration in force to every request."""

    def __init__(self, live: LiveWebConfig, metrics: SelfMetrics, paths: tuple[str, ...], prefix: str = "") -> None:
        self._live, self._metrics, self._prefix = live, metrics, prefix
        self._paths = frozenset(paths)
        self._checking = ThreadPoolExecutor(1, "web-password")
        self._waiting = 0

    def at_once(self, stream: BoundedStream, headers: HTTPHeaders, most_bytes: int) -> Refusal | None:
        """Everything but the password."""
        if "Transfer-Encoding" in headers:
            return _UNMEASURED
        length = headers.get("Content-Length", "0")
        if length.isdecimal() and (len(length) > 18 or int(length) > most_bytes):
            return _TOO_LARGE
        now = self._live.now
        if wait_seconds := now.bucket.take():
            after = str(max(1, math.ceil(wait_seconds)))
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "the rate limit is reached", {"Retry-After": after})
        allowed = now.config.tls.client_allowed_sans if now.config.tls else None
        if allowed and not allowed & names_in(stream.certificate()):
            return _STRANGER
        return None

    def password(self, headers: HTTPHeaders) -> Refusal | Credentials | None:
        """None to pass, a refusal, or credentials that `checked` has to look at."""
        passwords = self._live.now.passwords
        if not passwords.needed:
            return None
        given = credentials(headers.get("Authorization"))
        if given is None:
            return _UNKNOWN
        verdict = passwords.remembered(given)
        if verdict is None:
            return _BUSY if self._waiting >= MOST_WAITING else given
        return None if verdict else _UNKNOWN

    async def checked(self, given: Credentials) -> Refusal | None:
        """Whether the password is right, found out in another thread."""
        self._waiting += 1
        try:
            passwords = self._live.now.passwords
            right = await asyncio.get_running_loop().run_in_executor(self._checking, passwords.check, given)
        finally:
            self._waiting -= 1
        return None if right else _UNKNOWN

    def routed(self, start_line: RequestStartLine) -> RequestStartLine:
        """The start line as routes know it."""
        return start_line._replace(path=known_form(start_line.path, self._prefix, self._paths))

    def headers(self) -> Mapping[str, str]:
        """Headers that the configuration adds to every answer."""
        return self._live.now.config.headers

    def count(self, start_line: RequestStartLine, refusal: Refusal, began: float) -> None:
        """Count a refused request; an unknown path is `other`."""
        path = self.routed(start_line).path.partition("?")[0]
        label = path if path in self._paths else "other"
        self._metrics.count(label, refusal.status, time.monotonic() - began)

    def close(self) -> None:
        """Check no more passwords."""
        self._checking.shutdown(wait=False, cancel_futures=True)


class Gated(HTTPServerConnectionDelegate):
    """An app behind a gate."""

    def __init__(self, app: HTTPServerConnectionDelegate, gate: Gate, body_bytes: int) -> None:
        self._app, self._gate, self._body_bytes = app, gate, body_bytes

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        app = self._app.start_request(server_conn, request_conn)
        return _GatedRequest(app, cast("HTTP1Connection", request_conn), self._gate, self._body_bytes)

    def on_close(self, server_conn: object) -> None:
        self._app.on_close(server_conn)


class _GatedRequest(HTTPMessageDelegate):
    def __init__(self, app: HTTPMessageDelegate, connection: HTTP1Connection, gate: Gate, body_bytes: int) -> None:
        self._app, self._connection, self._gate, self._body_bytes = app, connection, gate, body_bytes
        self._stream = cast("BoundedStream", connection.stream)
        self._start_line = RequestStartLine("", "", "")
        self._passed = False
        self._refusal: Refusal | None = None
        self._began = 0.0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._stream.header_complete()
        self._start_line = cast("RequestStartLine", start_line)
        self._began = time.monotonic()
        verdict = self._gate.at_once(self._stream, headers, self._body_bytes) or self._gate.password(headers)
        if isinstance(verdict, Credentials):
            return self._after(verdict, headers)
        return self._go_on(verdict, headers)

    async def _after(self, given: Credentials, headers: HTTPHeaders) -> None:
        waits = self._go_on(await self._gate.checked(given), headers)
        if waits is not None:
            await waits

    def _go_on(self, refusal: Refusal | None, headers: HTTPHeaders) -> Awaitable[None] | None:
        if refusal is None:
            self._passed = True
            return self._app.headers_received(self._gate.routed(self._start_line), headers)
        self._refusal = refusal
        if "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0":
            self._answer({"Connection": "close"})
            return self._stream.leave(LINGER_SECONDS)
        return None  # `finish` comes next

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._app.data_received(chunk) if self._passed else None

    def finish(self) -> None:
        if self._passed:
            self._app.finish()
        elif self._refusal is not None:
            self._answer({})
            self._connection.finish()

    def on_connection_close(self) -> None:
        if self._passed:
            self._app.on_connection_close()

    def _answer(self, extra: Mapping[str, str]) -> None:
        refusal = cast("Refusal", self._refusal)
        body = f"{refusal.sentence}\n".encode()
        headers = HTTPHeaders(
            {
                "Server": "hypervisor-exporter",
                "Content-Type": "text/plain; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Content-Length": str(len(body)),
                **refusal.headers,
                **self._gate.headers(),
                **extra,
            }
        )
        status = ResponseStartLine("HTTP/1.1", refusal.status.value, refusal.status.phrase)
        chunk = None if self._start_line.method == "HEAD" else body
        self._connection.write_headers(status, headers, chunk)
        self._gate.count(self._start_line, refusal, self._began)
