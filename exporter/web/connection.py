"""A connection that knows whether it is waiting for a header, and until when it may wait; with TLS or without.

The crowd sets the times and closes what is overdue; of HTTP nothing is known here but the answer to a header too long.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError, UnsatisfiableReadError

log = logging.getLogger(__name__)

_SEND_BUFFER_BYTES = 256 * 1024
"""Fixed: left alone, the kernel lets it grow up to the maximum of tcp_wmem for every slow reader."""
_READ_BYTES = 4096
"""Requests are small. A connection that ended in a reset holds its last read until it is garbage collected."""
_DISCARDED_BYTES = 512 * 1024
_HEADER_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nServer: hypervisor-exporter\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: 35\r\n\r\n"
    b"the header of the request is long.\n"
)


class BoundedStream(IOStream):
    """A client's stream. `closed_by` is called once, when it is closed from whichever side."""

    def __init__(self, peer: socket.socket, buffer_bytes: int, closed_by: Callable[[BoundedStream], None]) -> None:
        self._closed_by = closed_by
        self._deadline = 0.0
        self._header_seconds = 0.0
        self._header_began = False
        self._answer_began: float | None = None
        self.moved = time.monotonic()
        """When something last came of it: it was opened, its header was complete, or it took a part of an answer."""
        self.address = ""
        self.new = True
        """Whether it has not sent a complete header yet."""
        self.idle = True
        """Whether there is no request to answer."""
        super().__init__(peer, max_buffer_size=buffer_bytes, read_chunk_size=_READ_BYTES)

    def await_header(self, idle_seconds: float, header_seconds: float) -> None:
        """Allow `idle_seconds` until a header's first byte, and then `header_seconds` until it is complete."""
        self.idle = True
        self._header_began = False
        self._header_seconds = header_seconds
        self.moved = time.monotonic()
        self._deadline = self.moved + idle_seconds

    def header_complete(self) -> None:
        """A request is to be answered: from now on only a client that does not take the answer is overdue."""
        self.new = self.idle = False
        self.moved = time.monotonic()
        self._answer_began = None

    async def leave(self, seconds: float) -> None:
        """The last answer is written and the rest of the request unwanted: let the client read, then close.

        Closed at once, with unread bytes waiting, the kernel would send a reset, and the client might lose the answer.
        """
        self.idle = True
        self._deadline = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        self.close()

    def overdue(self, stall_seconds: float, answer_seconds: float) -> bool:
        """Whether it has used up its time: `stall_seconds` to take a byte of the answer, `answer_seconds` for all."""
        now = time.monotonic()
        if self.idle:
            return now > self._deadline
        if self._answer_began is not None and now > self._answer_began + answer_seconds:
            return True
        if not self.writing():
            self.moved = now
        return now > self.moved + stall_seconds

    def certificate(self) -> dict[str, Any] | None:
        """The client's verified certificate, where it gave one."""
        return None

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """A header; not from a client that has left, though more of its requests may be waiting in the buffer."""
        if self.closed():
            raise StreamClosedError
        return super().read_until_regex(regex, max_bytes)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        count = super().read_from_fd(buf)
        if count and self.idle and not self._header_began:
            self._header_began = True
            if not self.new:
                self._deadline = time.monotonic() + self._header_seconds
        return count

    def write_to_fd(self, data: memoryview) -> int:
        count = super().write_to_fd(data)
        if count:
            self.moved = time.monotonic()
            self._answer_began = self._answer_began or self.moved
        return count

    def close(self, exc_info: Any = False) -> None:
        if isinstance(exc_info, UnsatisfiableReadError) and self.idle and not self.closed():
            self._refuse_header()
        super().close(exc_info)

    def close_fd(self) -> None:
        super().close_fd()
        self._closed_by(self)

    def _refuse_header(self) -> None:
        with suppress(OSError):  # the client may be gone, or read nothing
            self.socket.send(_HEADER_TOO_LARGE)
            scrap = bytearray(64 * 1024)
            for _ in range(_DISCARDED_BYTES // len(scrap)):
                if not self.socket.recv_into(scrap):
                    break


class BoundedTlsStream(BoundedStream, SSLIOStream):
    """The same with TLS; the handshake is part of the first header and has to be over in its time."""

    def certificate(self) -> dict[str, Any] | None:
        return self.socket.getpeercert() if not self.closed() else None

    def close(self, exc_info: Any = False) -> None:
        if isinstance(exc_info, ssl.SSLError) and self.new:
            log.debug("no TLS with %s: %s", self.address, exc_info.reason or exc_info)
        super().close(exc_info)


def open_stream(
    peer: socket.socket,
    context: ssl.SSLContext | None,
    buffer_bytes: int,
    closed_by: Callable[[BoundedStream], None],
) -> BoundedStream:
    """A stream over an accepted socket. Nothing is waited for. Raises OSError where the client is gone already."""
    peer.setblocking(False)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if context is None:
        return BoundedStream(peer, buffer_bytes, closed_by)
    wrapped = context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False)
    return BoundedTlsStream(wrapped, buffer_bytes, closed_by)
