"""The open connections: how many there may be, whose time is over, and who has to leave when a newcomer finds no place.

Used by the server's loop alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from exporter.web.connection import BoundedStream


class Crowd:
    """At most `most` connections."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._streams: set[BoundedStream] = set()
        self._peers: Counter[str] = Counter()
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[BoundedStream]:
        return iter(tuple(self._streams))

    def admit(self, stream: BoundedStream, address: str) -> None:
        """Take in a newcomer; in a full house somebody leaves for it."""
        while len(self._streams) >= self._most and self.make_room():
            pass
        stream.address = address
        self._streams.add(stream)
        self._peers[address] += 1

    def make_room(self) -> bool:
        """Close one connection: of the peer with the most, the one that has been idle or unfinished longest.

        Of those that never finished a request and those that have, and may come back as Prometheus does, the larger
        part gives: a flood of one kind costs the other nothing. One that is being answered leaves only where nothing
        else is left. A newcomer is never refused: it may be Prometheus.
        """
        if not self._streams:
            return False
        ((crowded, _),) = self._peers.most_common(1)
        theirs = [stream for stream in self._streams if stream.address == crowded]
        unproven = [stream for stream in theirs if stream.idle and stream.new]
        regular = [stream for stream in theirs if stream.idle and not stream.new]
        larger = unproven if len(unproven) >= len(regular) else regular
        min(larger or theirs, key=lambda stream: stream.moved).close()
        return True

    def forget(self, stream: BoundedStream) -> None:
        """It is closed."""
        if stream in self._streams:
            self._streams.remove(stream)
            self._peers[stream.address] -= 1
            if not self._peers[stream.address]:
                del self._peers[stream.address]
        self._left.set()

    def sweep(self, stall_seconds: float, answer_seconds: float) -> None:
        """Close the connections whose time is over; looking often enough costs less than a timer for each."""
        for stream in self:
            if stream.overdue(stall_seconds, answer_seconds):
                stream.close()

    async def drain(self, deadline: float) -> None:
        """Close what is idle, wait for the rest until the loop's time is `deadline`, then close that too."""
        for stream in self:
            if stream.idle:
                stream.close()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                while self._streams:
                    self._left.clear()
                    await self._left.wait()
        for stream in self:
            stream.close()
