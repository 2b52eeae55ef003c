"""XML of libvirt, parsed with suspicion: a daemon is trusted half-way, so nothing that can expand is accepted."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.parsers import expat

from exporter.errors import Malformed

_UNITS = {
    "": 1024, "b": 1, "bytes": 1, "k": 1024, "KiB": 1024, "KB": 10**3, "M": 1024**2, "MiB": 1024**2, "MB": 10**6,
    "G": 1024**3, "GiB": 1024**3, "GB": 10**9, "T": 1024**4, "TiB": 1024**4, "TB": 10**12,
}  # fmt: skip
UNLIMITED_BYTES = 2**53 * 1024
"""VIR_DOMAIN_MEMORY_PARAM_UNLIMITED is 2^53 - 1 KiB."""
LONGEST_QUOTE = 40


LARGEST = 2**64 - 1
"""libvirt's numbers have 64 bits; what is larger was not written by it."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")

Oddities = list[str]
"""Sentences about values that were there and made no sense: each costs itself and is told to the operator."""


def parse(text: str, what: str, root: str = "") -> Element:
    """The root element, which must be a `root` where that is given. Raises `Malformed` naming `what`.

    libvirt writes no document type, so none is accepted: with it, entities could be declared that expand without end.
    """
    try:
        if "<!DOCTYPE" in text:
            _refuse_document_type(text, what)
        found = ET.fromstring(text)  # noqa: S314 - entities cannot be declared without a document type
    except (ET.ParseError, expat.ExpatError, ValueError) as error:
        raise Malformed(f"{what}: what libvirt says of it is no XML ({error})", where=what) from error
    if root and found.tag != root:
        raise Malformed(f"{what} is described by <{found.tag}>, not by <{root}>", where=what)
    return found


def _refuse_document_type(text: str, what: str) -> None:
    """Raise for a declaration; the words may also stand in somebody's description, where they mean nothing."""

    def refuse(*_: object) -> None:
        raise Malformed(f"{what}: the XML declares a document type", where=what)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text, True)


def text_of(element: Element, path: str) -> str:
    """Text of the first element at the path, without surrounding blanks; "" where there is none."""
    return (element.findtext(path) or "").strip()


def whole(text: str) -> int | None:
    """A whole number that libvirt can have written, or None."""
    text = text.strip()
    number = int(text) if _WHOLE.fullmatch(text) else None
    return None if number is None or abs(number) > LARGEST else number


def number_of(element: Element, path: str, odd: Oddities | None = None) -> int | None:
    """Whole number at the path, or None; one that is there and is none is put into `odd`."""
    text = text_of(element, path)
    number = whole(text)
    if number is None and odd is not None and element.find(path) is not None:
        odd.append(f"{path} is {shortened(text)}, no number that libvirt writes")
    return number


def attribute(element: Element, path: str, name: str) -> str:
    """Attribute of the first element at the path; "" where either is missing."""
    found = element.find(path)
    return "" if found is None else found.get(name, "")


def sized(element: Element, path: str, odd: Oddities) -> float | None:
    """Bytes of a memory size with its unit (KiB if it names none); None where missing, unlimited or odd."""
    found, value = element.find(path), number_of(element, path, odd)
    if found is None or value is None:
        return None
    factor = _UNITS.get(found.get("unit", ""))
    if factor is None or value < 0:
        odd.append(f"{path} is {value} {shortened(found.get('unit', ''))}, no size that libvirt writes")
        return None
    return None if value * factor >= UNLIMITED_BYTES - 1024 else float(value * factor)


def shortened(text: str) -> str:
    """The text in quotes, at most forty characters of it."""
    return repr(text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…")
