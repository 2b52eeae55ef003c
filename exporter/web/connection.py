"""A connection that knows whether it is waiting for a header, and until when it may wait.

The server sets the times and closes what is overdue; nothing here knows HTTP.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tornado.iostream import IOStream

_SEND_BUFFER_BYTES = 256 * 1024
"""Fixed, because the kernel would let every slow reader have 4 MiB."""


class BoundedStream(IOStream):
    """A client's stream. `closed_by` is called once, when it is closed from whichever side."""

    def __init__(self, peer: socket.socket, buffer_bytes: int, closed_by: Callable[[BoundedStream], None]) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        super().__init__(peer, max_buffer_size=buffer_bytes, read_chunk_size=min(buffer_bytes, 64 * 1024))
        self._closed_by = closed_by
        self._deadline = 0.0
        self._moved = 0.0
        self._header_seconds = 0.0
        self._header_began = False
        self.new = True
        """Whether it has not sent a complete header yet."""
        self.idle = True
        """Whether there is no request to answer."""

    def await_header(self, idle_seconds: float, header_seconds: float) -> None:
        """Allow `idle_seconds` until a header's first byte, and then `header_seconds` until it is complete."""
        self.idle = True
        self._header_began = False
        self._header_seconds = header_seconds
        self._deadline = time.monotonic() + idle_seconds

    def header_complete(self) -> None:
        """A request is to be answered: from now on only a client that does not take the answer is overdue."""
        self.new = self.idle = False
        self._moved = time.monotonic()

    def overdue(self, stall_seconds: float) -> bool:
        """Whether the connection has used up its time; `stall_seconds` is the time to take a byte of the answer."""
        now = time.monotonic()
        if self.idle:
            return now > self._deadline
        if not self.writing():
            self._moved = now
        return now > self._moved + stall_seconds

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
            self._moved = time.monotonic()
        return count

    def close_fd(self) -> None:
        super().close_fd()
        self._closed_by(self)
