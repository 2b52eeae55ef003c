"""A property collector with one filter, and how far its changes were read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collectors.vsphere.client import updates
from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes
from collectors.vsphere.client.faults import Refused, SessionLost
from collectors.vsphere.client.updates import ENTER, LEAVE, PAGE_OBJECTS, Changes
from exporter.errors import CollectorError, TimedOut

_PRUNED = "InvalidCollectorVersion"
LEAST_OBJECTS = 25

Post = Callable[[str, str], bytes]
"""Sends the body of an operation about objects of our session."""


class Asking(NamedTuple):
    """How one lane asks, makes a collector and its filter, and ends a collector with all that belongs to it."""

    post: Post
    make: Callable[[], str]
    watch: Callable[[str], str]
    end: Callable[[str], None]
    shapes: Shapes = NO_SHAPES


class Watch:
    """A collector with a filter, and how far its changes were read: by either lane, one after the other.

    After an answer was lost it begins anew with another collector. The call that nobody waits for may go on at the
    endpoint for seconds, and what it is told there of the same collector would never be told to us.
    """

    def __init__(self) -> None:
        self._collector = self._filter = ""
        self._stale: list[str] = []
        """Collectors that are ours no more and wait for their end."""
        self._version = ""
        self._most = PAGE_OBJECTS
        """Objects of one answer: fewer after one came too late, as then all is told anew."""
        self._entered: set[Ref] | None = set()
        """What has been told of since the filter was made; None once that was everything."""

    def changes(self, asking: Asking) -> Changes:
        """The next answer. After an answer was lost, everything is told anew. Raises the core's errors."""
        try:
            if not self._filter:
                self._begin(asking)
            found = self._next(asking)
        except SessionLost:
            raise
        except CollectorError as error:
            if isinstance(error, TimedOut):
                self._most = max(LEAST_OBJECTS, self._most // 2)
            self.start_over()  # what the endpoint takes for told may never have arrived
            raise
        self._most = min(PAGE_OBJECTS, self._most + LEAST_OBJECTS)
        self._keep_count(found)
        return found

    def _keep_count(self, found: Changes) -> None:
        if self._entered is None:
            return
        self._entered |= {update.ref for update in found.updates if update.kind == ENTER}
        self._entered -= {update.ref for update in found.updates if update.kind == LEAVE}
        if not found.truncated:
            found.everything, self._entered = frozenset(self._entered), None

    def _begin(self, asking: Asking) -> None:
        while self._stale:
            asking.end(self._stale[-1])
            self._stale.pop()
        self._collector = asking.make()
        self._filter = asking.watch(self._collector)

    def _next(self, asking: Asking) -> Changes:
        try:
            found = self._asked(asking)
        except Refused as error:
            if error.fault.name != _PRUNED:
                raise
            self.start_over()
            self._begin(asking)
            found = self._asked(asking)
        if found is None:
            return Changes(self._version)
        self._version = found.version
        return found

    def _asked(self, asking: Asking) -> Changes | None:
        answer = asking.post("WaitForUpdatesEx", updates.check(self._collector, self._version, self._most))
        return updates.parse(answer, asking.shapes)

    def start_over(self) -> None:
        """Forget how far changes were read: the next answers tell everything."""
        if self._collector:
            self._stale.append(self._collector)
        self._collector = self._filter = self._version = ""
        self._entered = set()
