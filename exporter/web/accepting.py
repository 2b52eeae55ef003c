"""Takes connections from a listening socket, a few at a time, and survives running out of descriptors.

What becomes of a connection is the server's part.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

AT_A_TIME = 64
"""Connections that are accepted before others have their turn."""
REST_SECONDS = 0.5
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_TELL_EVERY_SECONDS = 60.0


class Acceptor:
    """`seat` gets every new connection with its address; `make_room` closes one and says whether there was any."""

    def __init__(
        self, bound: socket.socket, seat: Callable[[socket.socket, Any], None], make_room: Callable[[], bool]
    ) -> None:
        self._bound, self._seat, self._make_room = bound, seat, make_room
        self._loop = asyncio.get_running_loop()
        self._told_at = float("-inf")
        self._closed = False
        self._listen()

    def close(self) -> None:
        """Accept nothing more."""
        self._closed = True
        self._loop.remove_reader(self._bound)
        self._bound.close()

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._bound, self._ready)

    def _ready(self) -> None:
        for _ in range(AT_A_TIME):
            try:
                peer, address = self._bound.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._exhausted(error)
                    return
                continue  # the client left before it was accepted: accept(2) lists a dozen ways
            self._seat(peer, address)

    def _exhausted(self, error: OSError) -> None:
        """Connections keep waiting, so without a rest the loop would do nothing but fail to accept them."""
        if time.monotonic() > self._told_at + _TELL_EVERY_SECONDS:
            self._told_at = time.monotonic()
            log.warning("connections cannot be accepted: %s; the one idle longest makes room", error.strerror)
        if not self._make_room():
            self._loop.remove_reader(self._bound)
            self._loop.call_later(REST_SECONDS, self._listen)
