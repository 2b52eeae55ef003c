"""What has changed in the inventory: a filter of a property collector, asked without waiting.

The collector belongs to its session and dies with it. The first answers after it was made tell everything there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client import flat, items
from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes, of_shape
from collectors.vsphere.client.xml import VIM, read
from exporter.errors import Malformed

PAGE_OBJECTS = 250
"""Objects of one answer; an endpoint may send fewer (100 is usual)."""
ENTER, MODIFY, LEAVE = "enter", "modify", "leave"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"


class Change(NamedTuple):
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


def destroy(collector: str) -> str:
    """The body of DestroyPropertyCollector. Its filters, and a call that still waits for it, end with it."""
    return (
        f'<DestroyPropertyCollector xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>'
        "</DestroyPropertyCollector>"
    )


def check(collector: str, version: str, most: int = PAGE_OBJECTS) -> str:
    """The body of WaitForUpdatesEx that answers at once."""
    known = f"<version>{escape(version)}</version>" if version else ""
    return (
        f'<WaitForUpdatesEx xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>{known}'
        f"<options><maxWaitSeconds>0</maxWaitSeconds><maxObjectUpdates>{most}</maxObjectUpdates></options>"
        "</WaitForUpdatesEx>"
    )


_BETWEEN = rb"<op>\w+</op>"
_LEAF, _LISTED = flat.leaf(b"changeSet", _BETWEEN), flat.listed(b"changeSet", _BETWEEN)
_VERSION = re.compile(rb"<version>([^<&]*)</version>")
_FILTER = re.compile(rb'<filterSet><filter(?: type="\w+")?>[^<&]*</filter>')
_BEGIN = re.compile(rb'<objectSet><kind>(\w+)</kind><obj type="(\w+)">([^<&]+)</obj>')
_TRUNCATED = re.compile(rb"<truncated>(\w+)</truncated>")
_END, _CLOSING, _FILTER_END = b"</objectSet>", b"</val></changeSet>", b"</filterSet>"


def parse(body: bytes, shapes: Shapes = NO_SHAPES) -> Changes | None:
    """The changes out of the envelope of an answer, None where there are none. Raises `Malformed`."""
    try:
        return parse_flat(body, shapes)
    except flat.Unusual:
        return parse_tree(body, shapes)


def parse_flat(body: bytes, shapes: Shapes) -> Changes:
    """The same out of a text of the usual shape. Raises `flat.Unusual`."""
    text = flat.Text(body)
    version = _VERSION.match(body, text.at)
    if version is None:
        raise flat.Unusual
    changes, at = Changes(version[1].decode()), version.end()
    while (begin := _FILTER.match(body, at)) is not None:
        at = begin.end()
        while (begin := _BEGIN.match(body, at)) is not None:
            kind, *ref = begin.groups()
            update = Update(flat.reference(*ref), flat.name_of(kind))
            changes.updates.append(update)
            at = _flat_update(text, begin.end(), update, shapes)
        if not body.startswith(_FILTER_END, at):
            raise flat.Unusual
        at += len(_FILTER_END)
    truncated = _TRUNCATED.match(body, at)
    if truncated is not None:
        changes.truncated, at = truncated[1] in {b"true", b"1"}, truncated.end()
    text.ends(at)
    return changes


def _flat_update(text: flat.Text, at: int, update: Update, shapes: Shapes) -> int:
    """What is told of one object; where it ends."""
    body, changes = text.body, update.changes
    while not body.startswith(_END, at):
        found = _LEAF.match(body, at)
        if found is None:
            at = _flat_other(text, at, update, shapes)
            continue
        path, refers, kind, held = found.groups()
        name, at = flat.name_of(path), found.end()
        if kind is None:
            changes.append(Change(name))
            continue
        if (not held and flat.needs_tree(kind)) or name in shapes:
            at = _flat_other(text, found.start(), update, shapes)
            continue
        try:
            changes.append(Change(name, flat.plain(refers, kind, held)))
        except ValueError:
            update.lost.append((name, "malformed"))
    return at + len(_END)


def _flat_other(text: flat.Text, at: int, update: Update, shapes: Shapes) -> int:
    """A change that is no leaf, or one that cannot be read; where it ends."""
    head = _LISTED.match(text.body, at)
    if head is not None and (found := items.read(text, head, shapes.get(flat.name_of(head[1])), _CLOSING)) is not None:
        make, end = found
        _keep(head[1].decode(), make, update)
        return end
    if text.body.startswith(b"<missingSet>", at):
        element, end = text.element(at, b"missingSet")
        update.lost.append((element.findtext(f"{VIM}path") or "", _why(element)))
        return end
    element, end = text.element(at, b"changeSet")
    _change(element, update, shapes)
    return end


def parse_tree(body: bytes, shapes: Shapes = NO_SHAPES) -> Changes | None:
    """The same, whatever the text looks like."""
    root = read(body, "WaitForUpdatesEx")
    found = next(root.iter(f"{VIM}returnval"), None)
    if found is None or not len(found):
        return None
    changes = Changes(found.findtext(f"{VIM}version") or "", found.findtext(f"{VIM}truncated") in {"true", "1"})
    for one in found.iterfind(f"{VIM}filterSet/{VIM}objectSet"):
        changes.updates.append(_update(one, shapes))
    return changes


def _update(element: Element, shapes: Shapes) -> Update:
    head = element.find(f"{VIM}obj")
    ref = Ref("", "") if head is None else Ref(head.get("type", ""), head.text or "")
    update = Update(ref, element.findtext(f"{VIM}kind") or MODIFY)
    for each in element.iterfind(f"{VIM}changeSet"):
        _change(each, update, shapes)
    for each in element.iterfind(f"{VIM}missingSet"):
        update.lost.append((each.findtext(f"{VIM}path") or "", _why(each)))
    return update


def _change(element: Element, update: Update, shapes: Shapes) -> None:
    path, held = element.findtext(f"{VIM}name") or "", element.find(f"{VIM}val")
    # A removal from a list (`op` remove) names the element that is gone; it has no value either.
    _keep(path, lambda: None if held is None or _empty(held) else of_shape(held, shapes.get(path)), update)


def _keep(path: str, make: Callable[[], Any], update: Update) -> None:
    try:
        update.changes.append(Change(path, make()))
    except ValueError:
        update.lost.append((path, "malformed"))


def _empty(held: Element) -> bool:
    return held.get(f"{_INSTANCE}nil") in {"true", "1"}


def _why(missing: Element) -> str:
    fault = missing.find(f"{VIM}fault/{VIM}fault")
    return "unknown" if fault is None else fault.get(f"{_INSTANCE}type", "").rpartition(":")[2] or "unknown"
