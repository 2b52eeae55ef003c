"""XML of libvirt, parsed with suspicion: a daemon is trusted half-way, so nothing that can expand is accepted."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from exporter.errors import Malformed

_UNITS = {
    "": 1024, "b": 1, "bytes": 1, "k": 1024, "KiB": 1024, "KB": 10**3, "M": 1024**2, "MiB": 1024**2, "MB": 10**6,
    "G": 1024**3, "GiB": 1024**3, "GB": 10**9, "T": 1024**4, "TiB": 1024**4, "TB": 10**12,
}  # fmt: skip
UNLIMITED_BYTES = 2**53 * 1024
"""VIR_DOMAIN_MEMORY_PARAM_UNLIMITED is 2^53 - 1 KiB."""


def parse(text: str, what: str) -> Element:
    """The root element. Raises `Malformed` naming `what`. libvirt writes no document type, so none is accepted."""
    if "<!DOCTYPE" in text:
        raise Malformed(f"{what}: the XML declares a document type", where=what)
    try:
        return ET.fromstring(text)  # noqa: S314 - entities cannot be declared without a document type
    except ET.ParseError as error:
        raise Malformed(f"{what}: {error}", where=what) from error


def text_of(element: Element, path: str) -> str:
    """Text of the first element at the path, without surrounding blanks; "" where there is none."""
    return (element.findtext(path) or "").strip()


def number_of(element: Element, path: str) -> int | None:
    """Whole number at the path, or None."""
    text = text_of(element, path)
    return int(text) if text.lstrip("-").isdecimal() else None


def attribute(element: Element, path: str, name: str) -> str:
    """Attribute of the first element at the path; "" where either is missing."""
    found = element.find(path)
    return "" if found is None else found.get(name, "")


def sized(element: Element, path: str) -> float | None:
    """Bytes of a memory size with its unit (KiB if it names none); None where missing or unlimited."""
    found, value = element.find(path), number_of(element, path)
    if found is None or value is None:
        return None
    factor = _UNITS.get(found.get("unit", ""))
    return None if factor is None or value * factor >= UNLIMITED_BYTES - 1024 else float(value * factor)
