"""What is received: envelopes of WS-Management into rows of text, or a fault. Untrusted: names of guests are in there.

An answer has a largest size, no document type, and so no entities; its tree is let go as soon as its rows are made.
Windows writes rows in two shapes, elements of the class for `SELECT *` and bare fragments for named columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

from collectors.hyperv.client.rows import Instance, Reference, Row, Rows, Value
from exporter.errors import Malformed

LARGEST_BYTES = 2 << 20
"""Of one answer. A host may send as much as we ask for, 500 kB, and does not exceed it."""

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NIL, _TYPE = f"{_XSI}nil", f"{_XSI}type"
_TIMES = {"Datetime", "Interval", "Date", "Time"}
"""What wraps the text of a time: in namespace cim within elements of a class, in none within fragments."""
_LARGEST_DEPTH = 64
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
"""Atomic: looking for it in an answer without one must not read on to the answer's end."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_REPLACEMENT = "\ufffd"


class Answer(NamedTuple):
    """An envelope: what it relates to, and the one element of its body; a release is answered with none."""

    relates_to: str
    content: ET.Element | None


class Page(NamedTuple):
    """Some rows, and the context to ask for more with; "" where that is the one it was asked with."""

    rows: Rows
    context: str
    ended: bool


def answer(content: bytes, operation: str) -> Answer:
    """The envelope that was sent. Raises `Malformed`."""
    root = read(content, operation)
    body = root.find(f"{S}Body")
    if root.tag != f"{S}Envelope" or body is None:
        raise Malformed(f"the answer to {operation} is no message of WS-Management: is it WinRM's port?", operation)
    return Answer((root.findtext(f"{S}Header/{A}RelatesTo") or "").strip(), body[0] if len(body) else None)


def page(content: ET.Element, operation: str) -> Page:
    """The rows in the answer to Enumerate or Pull. Raises `Malformed`.

    Windows writes items and their end in the namespace of the message, others in either: both are read.
    """
    if content.tag not in {f"{N}EnumerateResponse", f"{N}PullResponse"}:
        raise Malformed(f"the answer to {operation} holds no enumeration", operation)
    rows: list[Row] = []
    names = _Names()
    context, ended = "", False
    for part in content:
        name = _local(part.tag)
        if name == "Items":
            rows.extend(_row(item, names) for item in part)
            part.clear()
        elif name == "EnumerationContext":
            context = (part.text or "").strip()
            ended = ended or not context
        elif name == "EndOfSequence":
            ended = True
    ended = ended or (not context and content.tag == f"{N}EnumerateResponse")
    return Page(Rows([rows]), context, ended)


class _Names(dict[str, str]):
    """Names of properties without their namespaces, each worked out once for an answer."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag[tag.rfind("}") + 1 :]
        return name


def _row(item: ET.Element, names: _Names) -> Row:
    """The properties of an instance: this loop is most of what an answer costs, beside the parser."""
    row: Row = {}
    for each in item:
        text: Value = each.text
        if text is None or len(each):
            text = _value(each, 0)
        row[names[each.tag]] = text
    return row if len(row) == len(item) else _row_with_care(item, 0)


def row_of(item: ET.Element) -> Row:
    """The properties of a single instance, or what a method returns."""
    return _row(item, _Names())


def _row_with_care(item: ET.Element, depth: int) -> Row:
    """As `_row`, with repeated elements as arrays."""
    row: Row = {}
    arrays: dict[str, list[Value]] = {}
    for each in item:
        name, value = _local(each.tag), _value(each, depth)
        if name in arrays:
            arrays[name].append(value)
        elif name in row:
            arrays[name] = [row[name], value]
        else:
            row[name] = value
    for name, values in arrays.items():
        row[name] = tuple(values)
    return row


def _value(element: ET.Element, depth: int) -> Value:
    if len(element) == 0:
        found = element.text
        if found:
            return found
        return None if element.get(_NIL) in {"true", "1"} else ""
    if depth >= _LARGEST_DEPTH:
        raise Malformed("an answer nests instances deeper than any host does")
    first = element[0]
    if len(element) == 1 and len(first) == 0 and _local(first.tag) in _TIMES:
        return (first.text or "").strip()
    parameters = element.find(f"{A}ReferenceParameters")
    if parameters is None:
        parameters = element.find(f"{A}EndpointReference/{A}ReferenceParameters")
    if parameters is not None:
        return _reference_of(parameters)
    return Instance(_class_of(element), _row_with_care(element, depth + 1))


def _reference_of(parameters: ET.Element) -> Reference:
    resource = (parameters.findtext(f"{W}ResourceURI") or "").strip()
    selectors = {each.get("Name", ""): _selected(each) for each in parameters.iterfind(f"{W}SelectorSet/{W}Selector")}
    return Reference(resource.rpartition("/")[2], selectors)


def _selected(selector: ET.Element) -> str:
    """A key is text, or a reference of which the last key is what tells instances apart."""
    parameters = selector.find(f"{A}EndpointReference/{A}ReferenceParameters")
    if parameters is None:
        return selector.text or ""
    return next(reversed(_reference_of(parameters).selectors.values()), "")


def _class_of(element: ET.Element) -> str:
    """By the type that it declares, or by the namespace of its properties, which ends with the class."""
    declared = element.get(_TYPE, "").rpartition(":")[2].removesuffix("_Type")
    return declared or str(element[0].tag).rpartition("}")[0].rpartition("/")[2]


def _local(tag: str) -> str:
    return tag[tag.rfind("}") + 1 :]


def instances(text: str, where: str) -> Iterator[Instance]:
    """The instances in a string of CIM-XML, as methods return them (DSP0201). Raises `Malformed`."""
    for each in read(text.encode("utf-8", "replace"), where).iter("INSTANCE"):
        row: Row = {}
        for found in each:
            name, value = found.get("NAME", ""), found.find("VALUE")
            if found.tag == "PROPERTY.ARRAY":
                row[name] = tuple((one.text or "") for one in found.iterfind("VALUE.ARRAY/VALUE"))
            elif found.tag == "PROPERTY":
                row[name] = None if value is None else (value.text or "")
        yield Instance(each.get("CLASSNAME", ""), row)


def read(content: bytes, where: str) -> ET.Element:
    """The root of a document. Raises `Malformed`.

    Names of guests may hold what XML cannot, control characters and lone surrogates: these are replaced (U+FFFD), so
    that one name does not cost an answer. A document with a type definition is none that a host sends.
    """
    if len(content) > LARGEST_BYTES:
        raise Malformed(f"the answer to {where} has more than {LARGEST_BYTES >> 20} MiB", where)
    if content.startswith(_UTF16) or _DOCTYPE.match(content):
        raise Malformed(f"the answer to {where} declares a document type or is UTF-16: is it WinRM's port?", where)
    try:
        return _parsed(content)
    except (ET.ParseError, ValueError, LookupError, RecursionError) as error:
        cleaned = _cleaned(content)
        if cleaned == content:
            raise Malformed(f"the answer to {where} is no XML: {error}", where) from error
    try:
        return _parsed(cleaned)
    except (ET.ParseError, ValueError, LookupError, RecursionError) as error:
        raise Malformed(f"the answer to {where} is no XML: {error}", where) from error


def _parsed(content: bytes) -> ET.Element:
    return ET.fromstring(content)  # noqa: S314  without a document type there are no entities to expand


def _cleaned(content: bytes) -> bytes:
    text = _FORBIDDEN.sub(_REPLACEMENT, content.decode("utf-8", "replace"))
    return _REFERENCE.sub(_reference, text).encode()


def _reference(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2])
    if code > 0x10FFFF or (code < 0x20 and code not in {9, 10, 13}) or _FORBIDDEN.match(chr(code)):
        return _REPLACEMENT
    return found[0]
