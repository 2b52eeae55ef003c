"""Reading the XML of an endpoint."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from exporter.errors import Malformed

VIM = "{urn:vim25}"
_DOCTYPE = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
"""Atomic: looking for it in an answer without one must not read on to the answer's end."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_REPLACEMENT = "\ufffd"


def read(body: bytes, operation: str) -> ET.Element:
    """The root of a document. Raises `Malformed`.

    Names of objects may hold what XML cannot, control characters and lone surrogates: these are replaced (U+FFFD), so
    that one name does not cost a page. A document with a type definition is none that an endpoint sends.
    """
    if body.startswith(_UTF16) or _DOCTYPE.match(body):
        raise Malformed(f"the answer to {operation} declares a document type: is it a vCenter?", where=operation)
    try:
        return _parsed(body)
    except (ET.ParseError, ValueError, LookupError) as error:
        cleaned = _cleaned(body)
        if cleaned == body:
            raise Malformed(f"the answer to {operation} is no XML: {error}", where=operation) from error
    try:
        return _parsed(cleaned)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Malformed(f"the answer to {operation} is no XML: {error}", where=operation) from error


def _parsed(body: bytes) -> ET.Element:
    return ET.fromstring(body)  # noqa: S314  without a DOCTYPE there are no entities to expand


def _cleaned(body: bytes) -> bytes:
    text = _FORBIDDEN.sub(_REPLACEMENT, body.decode("utf-8", "replace"))
    return _REFERENCE.sub(_reference, text).encode()


def _reference(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2])
    if code > 0x10FFFF or (code < 0x20 and code not in {9, 10, 13}) or _FORBIDDEN.match(chr(code)):
        return _REPLACEMENT
    return found[0]
