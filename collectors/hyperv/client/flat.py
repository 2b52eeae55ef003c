"""Answers to Enumerate and Pull as the regular text that they nearly always are, cut into rows without a tree.

Every row of a page looks like its first one: the same properties in the same order, each a plain text, a time or nil.
One expression made after that row then cuts all of them within the C of `re`, in a quarter of the time that a tree
takes. What is told here accounts for every `<` between an envelope's begin and its end; whatever else differs from the
usual shape (an entity, a comment, an array, an instance, another prefix, a control character) is read as XML, by
`parsing`, which is also what tests compare this with.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from collectors.hyperv.client.parsing import LARGEST_BYTES, Page
from collectors.hyperv.client.rows import Alike, Rows

_KNOWN = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
"""Prefixes as Windows declares them; any other declaration is unusual."""
_NEEDED = frozenset("sanw")


def _declaration(*prefixes: str) -> str:
    return "|".join(f' xmlns:{each}="{re.escape(_KNOWN[each])}"' for each in prefixes)


_HEAD = re.compile(
    r'(?:<\?xml version="1\.0" encoding="[Uu][Tt][Ff]-8"\?>)?\s*'
    rf'<s:Envelope((?: xml:lang="[-A-Za-z]+")?)((?:{_declaration(*_KNOWN)}){{1,5}})>'
    r"<s:Header>((?:<a:(\w+)>[^<]*</a:\4>)*)</s:Header>"
    r"<s:Body><n:(Enumerate|Pull)Response>"
    r"(?:<n:EnumerationContext>([^<]*)</n:EnumerationContext>)?"
    rf"<([nw]):Items>(?=(<w:XmlFragment((?:{_declaration('xsi', 'w')}){{0,2}})>))",
    re.ASCII,
)
_TAIL = re.compile(r"</([nw]):Items>(<[nw]:EndOfSequence/>)?</n:(\w+)Response></s:Body></s:Envelope>\s*", re.ASCII)
_RELATES_TO = re.compile("<a:RelatesTo>([^<]*)<")
_CLOSING = "</w:XmlFragment>"
_PROPERTY = re.compile(r'<([A-Za-z_]\w*)(?:>(?:(<Datetime>)[^<]*</Datetime>|[^<]*)</\1>| xsi:nil="true"/>)', re.ASCII)
_CONTROL = bytes([*range(9), 11, 12, *range(13, 32)])
"""Carriage returns too: XML makes line feeds of them."""
_MOST_COLUMNS = 64
"""None of our queries has as many; an expression of thousands of names would be somebody's mischief."""
_NO_TEXT = ("\ufffe", "\uffff")


_ENDS, _ENDS_OF_TIME = ("<{0}>", "</{0}>"), ("<{0}><Datetime>", "</Datetime></{0}>")
_TEXT, _TIME = "([^<]*+)".join(_ENDS), r"([^<\s]*+)".join(_ENDS_OF_TIME)
_TEXT_OR_NIL = '<{0}(?:>([^<]*+)</{0}>| xsi:nil="true"/>)'


class Flat(NamedTuple):
    """A page of rows, and the message that it answers."""

    relates_to: str
    page: Page


class _Shape:
    """What all rows look like."""

    def __init__(self, opening: str, columns: tuple[tuple[str, bool], ...]) -> None:
        self.names = tuple(name for name, _ in columns)
        self.tags = 2 + sum(4 if is_time else 2 for _, is_time in columns)
        """How often a row has `<` if nothing in it is nil."""
        ends = [_ENDS_OF_TIME if is_time else _ENDS for _, is_time in columns]
        self.length = len(opening) + len(_CLOSING) + sum(
            len((before + after).format(name)) for (name, _), (before, after) in zip(columns, ends, strict=True)
        )  # fmt: skip
        """Characters of a row in which nothing is nil, without its values."""
        usual = [_TIME if is_time else _TEXT for _, is_time in columns]
        self.usual = _row_of(opening, self.names, usual)
        """A row in which nothing is nil."""
        self.had_nil = False
        """Whether to look for nil at once: that is quicker where there is any, and the same in either case."""
        self._opening, self._columns = opening, columns

    @functools.cached_property
    def row(self) -> re.Pattern[str]:
        """A row in which anything but times may be nil; made when it is first needed."""
        either = [_TIME if is_time else _TEXT_OR_NIL for _, is_time in self._columns]
        return _row_of(self._opening, self.names, either)


def _row_of(opening: str, names: Sequence[str], parts: Sequence[str]) -> re.Pattern[str]:
    within = (part.format(name) for name, part in zip(names, parts, strict=True))
    return re.compile(f"{re.escape(opening)}{''.join(within)}{_CLOSING}")


def flat(content: bytes) -> Flat | None:
    """The rows of an answer; None where it has to be read as XML. Raises nothing."""
    text = _text_of(content)
    head = _HEAD.match(text)
    if head is None:
        return None
    _, declared, header, _, operation, context, items, opening, within = head.groups()
    end = text.rfind(_CLOSING) + len(_CLOSING)
    tail = _TAIL.fullmatch(text, end)
    if tail is None or tail[1] != items or tail[3] != operation or not _are_declared(declared, within):
        return None
    shape = _shape(text, head.end() + len(opening), opening)
    values = None if shape is None else _cut(text, head.end(), end, shape)
    relates_to = _RELATES_TO.search(header)
    if shape is None or values is None:
        return None
    context = (context or "").strip() if context is not None else None
    # As `parsing.page` has it.
    ended = tail[2] is not None or context == "" or (context is None and operation == "Enumerate")
    rows = Rows([Alike(shape.names, values)])
    return Flat(relates_to[1].strip() if relates_to else "", Page(rows, context or "", ended))


def _text_of(content: bytes) -> str:
    """The text, "" where it cannot be one."""
    if len(content) > LARGEST_BYTES:
        return ""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""


def _is_plain(text: str) -> bool:
    """Whether there is nothing in it that XML forbids, changes or expands."""
    encoded = text.encode()
    if len(encoded.translate(None, _CONTROL)) != len(encoded) or "&" in text:
        return False
    # One bracket is found sooner than all three.
    return not ("]" in text and "]]>" in text) and (text.isascii() or not any(each in text for each in _NO_TEXT))


@functools.lru_cache(maxsize=256)
def _are_declared(envelope: str, row: str) -> bool:
    """Whether all prefixes are, and none twice in one element."""
    outer, inner = (re.findall(r" xmlns:(\w+)=", each) for each in (envelope, row))
    once = len(set(outer)) == len(outer) and len(set(inner)) == len(inner)
    return once and set(outer) >= _NEEDED and "xsi" in {*outer, *inner}


def _cut(text: str, begin: int, end: int, shape: _Shape) -> Sequence[tuple[str | None, ...]] | None:
    """The rows between two places, if they are rows from the first to the last character that means anything."""
    if not shape.had_nil:
        found = shape.usual.findall(text, begin, end)
        values = found if len(shape.names) > 1 else [(each,) for each in found]
        sent = "".join(map("".join, values))
        # Rows that together are as long as all there is leave nothing out; what is not a value is known to be plain.
        if len(values) * shape.length + len(sent) == end - begin:
            return values if _is_plain(f"{text[:begin]}{sent}{text[end:]}") else None
    if not _is_plain(text):
        return None
    # No list by findall, which cannot tell what is nil from what is empty.
    values = [each.groups() for each in shape.row.finditer(text, begin, end)]
    nils = sum(row.count(None) for row in values)
    shape.had_nil = shape.had_nil or nils > 0
    return values if text.count("<", begin, end) == len(values) * shape.tags - nils else None


def _shape(text: str, at: int, opening: str) -> _Shape | None:
    """The shape of the first row."""
    columns: list[tuple[str, bool]] = []
    while len(columns) <= _MOST_COLUMNS and (found := _PROPERTY.match(text, at)) is not None:
        columns.append((found[1], found[2] is not None))
        at = found.end()
    return _shape_of(opening, tuple(columns)) if columns and text.startswith(_CLOSING, at) else None


@functools.lru_cache(maxsize=256)
def _shape_of(opening: str, columns: tuple[tuple[str, bool], ...]) -> _Shape | None:
    """`columns` are the names of properties, and whether they are times: those are never nil here."""
    names = {name for name, _ in columns}
    return _Shape(opening, columns) if len(names) == len(columns) else None  # else an array
