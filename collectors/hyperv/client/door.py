"""The door of a host for the libraries that know how to enter: what `requests` sends goes over one socket of ours.

That socket has deadlines, a largest answer, our verification of certificates, and is never made anew by itself: what
was agreed on it (keys, who we are) ends with it. Imported when a host is first asked, as `requests` is.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPResponse, IncompleteRead
from types import SimpleNamespace
from typing import Any, cast

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from collectors.hyperv.client.errors import Lost
from exporter.remote.body import read_body
from exporter.remote.connection import Connection

_ENDS = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError, IncompleteRead)
"""How a connection ends before or within an answer."""


Heard = Callable[[int, Mapping[str, str]], None]
"""Is told of each answer: bytes received, and headers."""


class Door(BaseAdapter):
    """Sends every request of a session over one connection."""

    def __init__(
        self, where: str, make: Callable[[], Connection], heard: Callable[[int, Mapping[str, str]], None]
    ) -> None:
        super().__init__()
        self._where, self._make, self._heard = where, make, heard
        self._connection: Connection | None = None
        self._entering = False
        """Whether a word of who we are was said on this connection."""

    @property
    def idle(self) -> bool:
        """Whether the connection can take a request."""
        return self._connection is not None and self._connection.idle

    @property
    def used(self) -> bool:
        """Whether there is a connection, or was."""
        return self._connection is not None

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request and its answer; see `requests.adapters.BaseAdapter`. Raises `Lost` where the socket has ended."""
        connection = self._open()
        self._entering = self._entering or "Authorization" in request.headers
        body = request.body.encode() if isinstance(request.body, str) else cast("bytes | None", request.body)
        try:
            connection.request(request.method or "POST", request.path_url, body, dict(request.headers))
            response = connection.getresponse()
            sock = connection.shown_by
            content, received = read_body(response, self._where)
        except _ENDS as error:
            raise self._lost(type(error).__name__) from error
        if not content and response.length is None and "Content-Length" not in response.headers:
            raise self._lost("within the headers")  # which http.client takes for an answer of nothing
        if response.will_close:
            connection.shut()
        answer = _response(request, response, content, sock)
        answer.connection = cast("Any", self)  # the libraries send their next step by it
        self._heard(received, answer.headers)
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.shut()

    def _lost(self, how: str) -> Lost:
        return Lost(f"{self._where} closes the connection without a whole answer ({how})")

    def _open(self) -> Connection:
        if self._connection is None or (self._connection.sock is None and not self._entering):
            self._connection = self._make()
            self._connection.connect()
            return self._connection  # tickets of TLS 1.3 may lie there unread: it would not look idle
        if not self._connection.idle:
            raise Lost(f"{self._where} has closed the connection")
        return self._connection


def _response(
    request: requests.PreparedRequest, response: HTTPResponse, content: bytes, sock: object
) -> requests.Response:
    headers = urllib3.HTTPHeaderDict(response.getheaders())
    made = requests.Response()
    made.status_code, made.reason = response.status, response.reason
    made.headers = CaseInsensitiveDict(headers.itermerged())
    made.url, made.request = request.url or "", request
    made._content = content  # noqa: SLF001  has been read, within its limits
    made.raw = urllib3.HTTPResponse(
        cast("Any", _Read(sock)), headers=headers, status=response.status, preload_content=False
    )
    return made


class _Read:
    """What is left of an answer once it is read: the socket, which the libraries ask for its certificate."""

    closed = False

    def __init__(self, sock: object) -> None:
        self.fp = SimpleNamespace(raw=SimpleNamespace(_sock=sock))

    def read(self, *_: object) -> bytes:
        return b""

    def close(self) -> None:
        self.closed = True
