"""Properties of many objects in one call: requests as text, answers decoded page by page."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client import flat, items
from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes, of_shape
from collectors.vsphere.client.xml import VIM, read

PAGE_OBJECTS = 500


@dataclass(slots=True)
class Page:
    """Some objects with their properties by path; `lost` has what could not be decoded or read."""

    objects: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    lost: list[tuple[Ref, str, str]] = field(default_factory=list)
    """Object, path and why: a fault's name, or "malformed"."""
    token: str = ""


def _sets(paths: Mapping[str, Sequence[str]]) -> str:
    return "".join(
        f"<propSet><type>{kind}</type><all>false</all>{''.join(map('<pathSet>{}</pathSet>'.format, of_kind))}</propSet>"
        for kind, of_kind in paths.items()
    )


def specification(view: str, paths: Mapping[str, Sequence[str]]) -> str:
    """What to read: by type the property paths of every object in a container view."""
    return (
        f'{_sets(paths)}<objectSet><obj type="ContainerView">{escape(view)}</obj><skip>true</skip>'
        '<selectSet xsi:type="TraversalSpec"><name>view</name><type>ContainerView</type><path>view</path>'
        "<skip>false</skip></selectSet></objectSet>"
    )


def of_objects(objects: Sequence[Ref], paths: Mapping[str, Sequence[str]]) -> str:
    """What to read of these very objects."""
    these = "".join(
        f'<objectSet><obj type="{each.kind}">{escape(each.id)}</obj><skip>false</skip></objectSet>' for each in objects
    )
    return _sets(paths) + these


def retrieve(collector: str, specification: str, most: int = PAGE_OBJECTS) -> str:
    """The body of RetrievePropertiesEx."""
    return (
        f'<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>'
        f"<specSet>{specification}</specSet><options><maxObjects>{most}</maxObjects></options></RetrievePropertiesEx>"
    )


def go_on(collector: str, token: str) -> str:
    """The body of ContinueRetrievePropertiesEx."""
    return (
        f'<ContinueRetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">{escape(collector)}</_this>'
        f"<token>{escape(token)}</token></ContinueRetrievePropertiesEx>"
    )


def parse(body: bytes, shapes: Shapes = NO_SHAPES) -> Page:
    """A page out of the envelope of an answer; empty where nothing matched. Raises `Malformed`."""
    try:
        return parse_flat(body, shapes)
    except flat.Unusual:
        return parse_tree(body, shapes)


_LEAF, _LISTED = flat.leaf(b"propSet"), flat.listed(b"propSet")
_TOKEN = re.compile(rb"<token>([^<&]*)</token>")
_BEGIN = re.compile(rb'<objects><obj type="(\w+)">([^<&]+)</obj>')
_END, _CLOSING = b"</objects>", b"</val></propSet>"


def parse_flat(body: bytes, shapes: Shapes) -> Page:
    """The same out of a text of the usual shape. Raises `flat.Unusual`."""
    page, text = Page(), flat.Text(body)
    at = text.at
    token = _TOKEN.match(body, at)
    if token is not None:
        page.token, at = token[1].decode(), token.end()
    while (begin := _BEGIN.match(body, at)) is not None:
        ref = flat.reference(*begin.groups())
        known = page.objects[ref] = {}
        at = begin.end()
        while not body.startswith(_END, at):
            found = _LEAF.match(body, at)
            if found is None:
                at = _flat_other(text, at, (ref, known, page), shapes)
                continue
            path, refers, kind, held = found.groups()
            at = found.end()
            if kind is None:
                continue
            name = flat.name_of(path)
            if (not held and flat.needs_tree(kind)) or name in shapes:
                at = _flat_other(text, found.start(), (ref, known, page), shapes)
                continue
            try:
                known[name] = flat.plain(refers, kind, held)
            except ValueError:
                page.lost.append((ref, name, "malformed"))
        at += len(_END)
    text.ends(at)
    return page


def _flat_other(text: flat.Text, at: int, of: tuple[Ref, dict[str, Any], Page], shapes: Shapes) -> int:
    """A property that is no leaf, or one that could not be read; where it ends."""
    ref, known, page = of
    head = _LISTED.match(text.body, at)
    if head is not None and (found := items.read(text, head, shapes.get(flat.name_of(head[1])), _CLOSING)) is not None:
        make, end = found
        _keep(head[1].decode(), make, ref, known, page)
        return end
    if text.body.startswith(b"<missingSet>", at):
        element, end = text.element(at, b"missingSet")
        page.lost.append((ref, element[0].text or "", _why(element)))
        return end
    element, end = text.element(at, b"propSet")
    _property(element, ref, known, page, shapes)
    return end


def _keep(path: str, make: Callable[[], Any], ref: Ref, known: dict[str, Any], page: Page) -> None:
    try:
        held = make()
    except ValueError:
        page.lost.append((ref, path, "malformed"))
        return
    if held is not None:  # an unset property may come as one without a value
        known[sys.intern(path)] = held


def parse_tree(body: bytes, shapes: Shapes = NO_SHAPES) -> Page:
    """The same, whatever the text looks like."""
    root = read(body, "RetrievePropertiesEx")
    page = Page()
    result = next(root.iter(f"{VIM}returnval"), None)
    for each in result if result is not None else ():
        if each.tag == f"{VIM}objects":
            _object(each, page, shapes)
        elif each.tag == f"{VIM}token":
            page.token = each.text or ""
    return page


def _object(element: Element, page: Page, shapes: Shapes) -> None:
    head = element.find(f"{VIM}obj")
    if head is None:
        return
    ref = Ref(head.get("type", ""), head.text or "")
    known: dict[str, Any] = {}
    for each in element:
        if each.tag == f"{VIM}propSet" and len(each):
            _property(each, ref, known, page, shapes)
        elif each.tag == f"{VIM}missingSet" and len(each):
            page.lost.append((ref, each[0].text or "", _why(each)))
    page.objects[ref] = known


def _property(element: Element, ref: Ref, known: dict[str, Any], page: Page, shapes: Shapes) -> None:
    path = element[0].text or ""
    if len(element) > 1:
        _keep(path, lambda: of_shape(element[1], shapes.get(path)), ref, known, page)


def _why(missing: Element) -> str:
    fault = missing.find(f"{VIM}fault/{VIM}fault")
    kind = "" if fault is None else fault.get("{http://www.w3.org/2001/XMLSchema-instance}type", "")
    return kind.rpartition(":")[2] or "unknown"
