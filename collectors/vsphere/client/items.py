"""Lists of references and of plain structures in an answer of the usual shape, read from their bytes as in `flat.py`.

None where an item is anything else: the property is then cut out and read as XML.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from collectors.vsphere.client.decode import Ref, Shape, fields_of
from collectors.vsphere.client.flat import Text, Unusual, reference, word
from collectors.vsphere.client.xml import VIM

_REFERENCE = re.compile(
    rb'<ManagedObjectReference type="(\w+)"(?: (?:xsi|_XMLSchema-instance):type="(?:\w+:)?ManagedObjectReference")?>'
    rb"([^<&]+)</ManagedObjectReference>"
)
_STRUCTURE = re.compile(rb"<(\w+)>((?:<(\w+)>(?:[^<&]*|(?:<(\w+)>[^<&]*</\4>)+)</\3>)*+)</\1>")
"""Leaves, and structures of leaves that nobody wants."""
_FIELD = re.compile(rb"<(\w+)>(?:([^<&]*)|((?:<(\w+)>[^<&]*</\4>)+))</\1>")
_REFERENCES = b"ManagedObjectReference"


def read(
    text: Text, head: re.Match[bytes], shape: Shape | None, closing: bytes
) -> tuple[Callable[[], Any], int] | None:
    """What makes the value of a list whose begin was matched, and where its property ends."""
    at, kind = head.end(), head[2]
    if shape is None:
        known = _references(text.body, at, closing) if kind == _REFERENCES else None
        return None if known is None else (lambda: known[0], known[1])
    plain = _structures(text.body, at, closing, kind, shape.fields)
    if plain is not None:
        return lambda: shape.make(plain[0]), plain[1]
    try:
        found, end = text.listed(head, shape, closing)
    except Unusual:
        return None
    return lambda: shape.made(found), end


def _references(body: bytes, at: int, closing: bytes) -> tuple[list[Ref], int] | None:
    """References up to where a list ends, and the end."""
    found = []
    while (each := _REFERENCE.match(body, at)) is not None:
        found.append(reference(each[1], each[2]))
        at = each.end()
    return (found, at + len(closing)) if body.startswith(closing, at) else None


def _structures(
    body: bytes, at: int, closing: bytes, kind: bytes, wanted: frozenset[str]
) -> tuple[list[dict[str, Any]], int] | None:
    """Structures of a type with the fields that are wanted, up to where a list ends, and the end."""
    leaves, found = _leaves(kind, wanted), []
    while leaves is not None and (each := _STRUCTURE.match(body, at)) is not None:
        one = _structure(each[2], leaves)
        if one is None:
            return None
        found.append(one)
        at = each.end()
    return (found, at + len(closing)) if found and body.startswith(closing, at) else None


_Leaves = Mapping[bytes, tuple[str, Callable[[bytes], Any] | None]]


def _structure(inner: bytes, leaves: _Leaves) -> dict[str, Any] | None:
    one: dict[str, Any] = {}
    for tag, text, *_ in _FIELD.findall(inner):
        known = leaves.get(tag)
        if known is None:
            continue
        name, convert = known
        if convert is None or not text:
            return None
        try:
            one[name] = convert(text)
        except ValueError:
            one[name] = None  # as of any structure: one senseless leaf is unknown, the rest holds
    return one


@functools.lru_cache(maxsize=64)
def _leaves(kind: bytes, wanted: frozenset[str]) -> _Leaves | None:
    """Fields that are wanted by their tags: name, and how a text is converted; None for one that is no leaf."""
    fields = fields_of(kind.decode())
    if fields is None:
        return None
    found: dict[bytes, tuple[str, Callable[[bytes], Any] | None]] = {}
    for name in wanted:
        field = fields.get(f"{VIM}{name}")
        plain = None if field is None or field.many else field.convert
        found[name.encode()] = name, None if plain is None else _of_bytes(plain)
    return found


def _of_bytes(convert: Callable[[str], Any]) -> Callable[[bytes], Any]:
    if convert is str:
        return word
    return convert if convert in {int, float} else lambda text: convert(text.decode())
