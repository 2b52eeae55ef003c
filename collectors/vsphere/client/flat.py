"""Answers about properties as the regular text that they nearly always are, read from their bytes without a tree.

What is told here was matched byte by byte between an envelope's head and its end. Values that are structures are cut
out and read as XML, each by itself. Whatever else differs from the usual shape (a comment, an entity, another prefix or
order, a control character) is `Unusual`: then the whole answer is read as XML.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from collectors.vsphere.client.decode import PRIMITIVE, Ref, Shape
from collectors.vsphere.client.decode import reference as shared


class Unusual(Exception):
    """The text has to be read as XML."""


_INSTANCE = rb"http://www\.w3\.org/2001/XMLSchema-instance"
_TYPED = (  # as vCenter and ESXi write it, and as encoders do that declare the prefix where they use it
    rb'(?: xsi:type| xmlns:_XMLSchema-instance="' + _INSTANCE + rb'" _XMLSchema-instance:type)="(?:\w+:)?(\w+)"'
)
_HEAD = re.compile(
    rb'(?:<\?xml version="1\.0" encoding="[Uu][Tt][Ff]-8"\?>)?\s*'
    rb'<(\w+):Envelope((?:\s+xmlns:\w+="[^"<&]*")*)\s*>\s*<\1:Body>\s*<(\w+)Response xmlns="urn:vim25">\s*<returnval>'
)
_TAIL = re.compile(rb"</returnval>\s*</(\w+)Response>\s*</(\w+):Body>\s*</\2:Envelope>\s*")
_XSI = b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_HELD = rb'(?:<val(?: type="(\w+)")?' + _TYPED + rb">([^<&]*)</val>)?"
_ITEM = re.compile(rb'<(\w+) (?:xsi|_XMLSchema-instance):type="(?:\w+:)?(\w+)">')
_DECLARED = b' xmlns:_XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance"'
_CONTROL = bytes([*range(9), 11, 12, *range(13, 32)])
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")


def leaf(name: bytes, between: bytes = b"") -> re.Pattern[bytes]:
    """A property by its path with one plain value, or none: path, type of what it refers to, its own type, text."""
    return re.compile(rb"<" + name + rb"><name>([\w.]+)</name>" + between + _HELD + rb"</" + name + rb">")


def listed(name: bytes, between: bytes = b"") -> re.Pattern[bytes]:
    """The begin of a property that is a list: its path, the type of its items."""
    kind = _TYPED.replace(rb"(\w+)", rb"ArrayOf(\w+)")
    return re.compile(rb"<" + name + rb"><name>([\w.]+)</name>" + between + rb"<val" + kind + rb">")


class Text:
    """The text of an answer to an operation: `at` is where its content begins."""

    def __init__(self, body: bytes) -> None:
        """Raises `Unusual`."""
        head = _HEAD.match(body)
        if head is None or _XSI not in head[2] or not _clean(body):
            raise Unusual
        self.body, self.at = body, head.end()
        self._operation, self._prefix = head[3], head[1]
        self._open = b'<part xmlns="urn:vim25"' + head[2] + _DECLARED + b">"

    def ends(self, at: int) -> None:
        """Raises `Unusual` where anything but the end of the answer stands here."""
        tail = _TAIL.fullmatch(self.body, at)
        if tail is None or tail[1] != self._operation or tail[2] != self._prefix:
            raise Unusual

    def element(self, at: int, name: bytes) -> tuple[ET.Element, int]:
        """The element of this name that begins here, and where it ends. Raises `Unusual`."""
        if not self.body.startswith(b"<" + name + b">", at):
            raise Unusual
        end = self._closed(at, name)
        (found,) = self._parsed([self.body[at:end]])
        return found, end

    def items(self, at: int, without: frozenset[bytes]) -> tuple[list[ET.Element], int]:
        """The items of a list that stand here one after the other, but for some types, and where they end."""
        body, parts = self.body, []
        while (head := _ITEM.match(body, at)) is not None:
            end = self._closed(at, head[1])
            if head[2] not in without:
                parts.append(body[at:end])
            at = end
        return self._parsed(parts), at

    def listed(self, head: re.Match[bytes], shape: Shape, closing: bytes) -> tuple[list[ET.Element], int]:
        """The items of a property whose begin was matched, and where it ends. Raises `Unusual`."""
        items, at = self.items(head.end(), shape.passed_over)
        if not self.body.startswith(closing, at):
            raise Unusual
        return items, at + len(closing)

    def _closed(self, at: int, name: bytes) -> int:
        """Where an element ends, if none of its name lies within it; if one does, what comes next makes no sense."""
        closing = b"</" + name + b">"
        end = self.body.find(closing, at)
        if end < 0:
            raise Unusual
        return end + len(closing)

    def _parsed(self, parts: list[bytes]) -> list[ET.Element]:
        try:
            found = list(ET.fromstring(b"".join((self._open, *parts, b"</part>"))))  # noqa: S314  no entities: no DOCTYPE
        except (ET.ParseError, ValueError) as error:
            raise Unusual from error
        if len(found) != len(parts):
            raise Unusual
        return found


def _clean(body: bytes) -> bool:
    """Whether a text has no comments and the like, and no characters that XML cannot hold or changes."""
    if b"<!" in body or body.find(b"<?", 2) >= 0 or len(body.translate(None, _CONTROL)) != len(body):
        return False
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return not any(each in body for each in _NO_CHARACTERS)


# Values.


def plain(refers: bytes | None, kind: bytes, text: bytes) -> Any:
    """The value of a leaf, as `decode.value` has it. Raises ValueError where it makes no sense."""
    convert = _CONVERT.get(kind)
    if convert is not None:
        return convert(text)
    return word(text) if refers is None else reference(refers, text)


def needs_tree(kind: bytes) -> bool:
    """Whether nothing at all between the tags may be an empty list or structure."""
    return kind not in _CONVERT


@functools.lru_cache(maxsize=1024)
def word(text: bytes) -> str:
    """A text, the same object where it comes again soon: states, names of systems."""
    return text.decode()


@functools.lru_cache(maxsize=1024)
def name_of(text: bytes) -> str:
    """The path of a property, or the name of a type: the same object as in the code."""
    return sys.intern(text.decode())


@functools.lru_cache(maxsize=4096)
def reference(kind: bytes, text: bytes) -> Ref:
    """As `decode.reference`."""
    return shared(kind.decode(), text.decode())


def _converted(name: str) -> Callable[[bytes], Any]:
    convert = PRIMITIVE[name]
    if convert is str:
        return word
    return convert if convert in {int, float} else lambda text: convert(text.decode())


_CONVERT: Mapping[bytes, Callable[[bytes], Any]] = {name.encode(): _converted(name) for name in PRIMITIVE}
