"""A filter of a property collector and how far its changes were read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collectors.vsphere.client import updates
from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes
from collectors.vsphere.client.faults import Refused, SessionLost
from collectors.vsphere.client.updates import ENTER, LEAVE, Changes
from exporter.errors import CollectorError

_PRUNED = "InvalidCollectorVersion"

Post = Callable[[str, str], bytes]
"""Sends the body of an operation about objects of our session."""


class Asking(NamedTuple):
    """How one lane asks. `make` creates the filter of a collector and returns its id."""

    post: Post
    make: Callable[[str], str]
    shapes: Shapes = NO_SHAPES


class Watch:
    """A filter of a collector of its own, and how far its changes were read: by either lane, one after the other."""

    def __init__(self, collector: str) -> None:
        self._collector = collector
        self._filter = ""
        self._stale: list[str] = []
        """Filters that are ours no more and wait for their end."""
        self._version = ""
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
        except CollectorError:
            self.start_over()  # what the endpoint takes for told may never have arrived
            raise
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
            asking.post("DestroyPropertyFilter", updates.destroy_filter(self._stale[-1]))
            self._stale.pop()
        self._filter = asking.make(self._collector)

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
        answer = asking.post("WaitForUpdatesEx", updates.check(self._collector, self._version))
        return updates.parse(answer, asking.shapes)

    def start_over(self) -> None:
        """Forget how far changes were read: the next answers tell everything."""
        if self._filter:
            self._stale.append(self._filter)
        self._filter, self._version, self._entered = "", "", set()
