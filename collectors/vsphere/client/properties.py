"""Properties of many objects in one call: requests as text, answers decoded page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from collectors.vsphere.client.decode import Ref, value
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


def parse(body: bytes) -> Page:
    """A page out of the envelope of an answer; empty where nothing matched. Raises `Malformed`."""
    root = read(body, "RetrievePropertiesEx")
    page = Page()
    result = next(root.iter(f"{VIM}returnval"), None)
    for each in result if result is not None else ():
        if each.tag == f"{VIM}objects":
            _object(each, page)
        elif each.tag == f"{VIM}token":
            page.token = each.text or ""
    return page


def _object(element: Element, page: Page) -> None:
    head = element.find(f"{VIM}obj")
    if head is None:
        return
    ref = Ref(head.get("type", ""), head.text or "")
    known: dict[str, Any] = {}
    for each in element:
        if each.tag == f"{VIM}propSet" and len(each):
            _property(each, ref, known, page)
        elif each.tag == f"{VIM}missingSet" and len(each):
            page.lost.append((ref, each[0].text or "", _why(each)))
    page.objects[ref] = known


def _property(element: Element, ref: Ref, known: dict[str, Any], page: Page) -> None:
    path = element[0].text or ""
    try:
        held = value(element[1]) if len(element) > 1 else None
    except ValueError:
        page.lost.append((ref, path, "malformed"))
        return
    if held is not None:  # an unset property may come as one without a value
        known[path] = held


def _why(missing: Element) -> str:
    fault = missing.find(f"{VIM}fault/{VIM}fault")
    kind = "" if fault is None else fault.get("{http://www.w3.org/2001/XMLSchema-instance}type", "")
    return kind.rpartition(":")[2] or "unknown"
