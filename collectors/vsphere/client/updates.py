"""What has changed in the inventory: a filter of a property collector, asked without waiting.

The filter belongs to its session and dies with it. The first answers after it was made tell everything there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client.decode import Ref, value
from collectors.vsphere.client.faults import Refused, SessionLost
from collectors.vsphere.client.xml import VIM, read
from exporter.errors import CollectorError, Malformed

PAGE_OBJECTS = 250
"""Objects of one answer; an endpoint may send fewer (100 is usual)."""
ENTER, MODIFY, LEAVE = "enter", "modify", "leave"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_PRUNED = "InvalidCollectorVersion"


@dataclass(frozen=True, slots=True)
class Change:
    """A property's new value by its path, which may lie above or below the path that was asked for; None: unset."""

    path: str
    value: Any = None


@dataclass(slots=True)
class Update:
    """What happened to an object: `enter` and `modify` with changes, `leave`; `lost` are paths and why not."""

    ref: Ref
    kind: str
    changes: list[Change] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Changes:
    """An answer. `truncated`: there is more to be asked for at once."""

    version: str = ""
    truncated: bool = False
    updates: list[Update] = field(default_factory=list)
    everything: frozenset[Ref] | None = None
    """The objects that there are, in the answer that completes what a new filter tells."""


_REPORT_MISSING = "<reportMissingObjectsInResults>true</reportMissingObjectsInResults>"


def existing(specification: str) -> str:
    """A specification of very objects that leaves out those that are gone, where the call would else be refused."""
    return specification + _REPORT_MISSING


def create_filter(collector: str, specification: str) -> str:
    """The body of CreateFilter. Changes are told by the paths of the filter, not by something within."""
    return (
        f'<CreateFilter xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>'
        f"<spec>{specification}</spec><partialUpdates>false</partialUpdates></CreateFilter>"
    )


def parse_filter(body: bytes) -> str:
    """The id of the filter that was created. Raises `Malformed`."""
    found = next(read(body, "CreateFilter").iter(f"{VIM}returnval"), None)
    if found is None or not found.text:
        raise Malformed("the answer to CreateFilter names no filter", where="CreateFilter")
    return found.text


def destroy_filter(identity: str) -> str:
    """The body of DestroyPropertyFilter."""
    return (
        f'<DestroyPropertyFilter xmlns="urn:vim25"><_this type="PropertyFilter">{escape(identity)}</_this>'
        "</DestroyPropertyFilter>"
    )


def check(collector: str, version: str, most: int = PAGE_OBJECTS) -> str:
    """The body of WaitForUpdatesEx that answers at once."""
    known = f"<version>{escape(version)}</version>" if version else ""
    return (
        f'<WaitForUpdatesEx xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>{known}'
        f"<options><maxWaitSeconds>0</maxWaitSeconds><maxObjectUpdates>{most}</maxObjectUpdates></options>"
        "</WaitForUpdatesEx>"
    )


def parse(body: bytes) -> Changes | None:
    """The changes out of the envelope of an answer, None where there are none. Raises `Malformed`."""
    root = read(body, "WaitForUpdatesEx")
    found = next(root.iter(f"{VIM}returnval"), None)
    if found is None or not len(found):
        return None
    changes = Changes(found.findtext(f"{VIM}version") or "", found.findtext(f"{VIM}truncated") in {"true", "1"})
    for one in found.iterfind(f"{VIM}filterSet/{VIM}objectSet"):
        changes.updates.append(_update(one))
    return changes


def _update(element: Element) -> Update:
    head = element.find(f"{VIM}obj")
    ref = Ref("", "") if head is None else Ref(head.get("type", ""), head.text or "")
    update = Update(ref, element.findtext(f"{VIM}kind") or MODIFY)
    for each in element.iterfind(f"{VIM}changeSet"):
        path = each.findtext(f"{VIM}name") or ""
        held = each.find(f"{VIM}val")
        # A removal from a list (`op` remove) names the element that is gone; it has no value either.
        try:
            update.changes.append(Change(path, None if held is None or _empty(held) else value(held)))
        except ValueError:
            update.lost.append((path, "malformed"))
    for each in element.iterfind(f"{VIM}missingSet"):
        update.lost.append((each.findtext(f"{VIM}path") or "", _why(each)))
    return update


def _empty(held: Element) -> bool:
    return held.get(f"{_INSTANCE}nil") in {"true", "1"}


def _why(missing: Element) -> str:
    fault = missing.find(f"{VIM}fault/{VIM}fault")
    return "unknown" if fault is None else fault.get(f"{_INSTANCE}type", "").rpartition(":")[2] or "unknown"


Post = Callable[[str, str], bytes]
"""Sends the body of an operation about objects of our session."""


class Watch:
    """A filter and how far its changes were read. `make` creates the filter and returns its id."""

    def __init__(self, post: Post, collector: str, make: Callable[[], str]) -> None:
        self._post, self._collector, self._make = post, collector, make
        self._filter = ""
        self._stale: list[str] = []
        """Filters that are ours no more and wait for their end."""
        self._version = ""
        self._entered: set[Ref] | None = set()
        """What has been told of since the filter was made; None once that was everything."""

    def changes(self) -> Changes:
        """The next answer. After an answer was lost, everything is told anew. Raises the core's errors."""
        try:
            if not self._filter:
                self._begin()
            found = self._next()
        except SessionLost:
            raise
        except CollectorError:
            self._start_over()  # what the endpoint takes for told may never have arrived
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

    def _begin(self) -> None:
        while self._stale:
            self._post("DestroyPropertyFilter", destroy_filter(self._stale[-1]))
            self._stale.pop()
        self._filter = self._make()

    def _next(self) -> Changes:
        try:
            found = self._asked()
        except Refused as error:
            if error.fault.name != _PRUNED:
                raise
            self._start_over()
            self._begin()
            found = self._asked()
        if found is None:
            return Changes(self._version)
        self._version = found.version
        return found

    def _asked(self) -> Changes | None:
        return parse(self._post("WaitForUpdatesEx", check(self._collector, self._version)))

    def _start_over(self) -> None:
        if self._filter:
            self._stale.append(self._filter)
        self._filter, self._version, self._entered = "", "", set()
