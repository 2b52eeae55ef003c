"""Reading the XML of an endpoint."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from exporter.errors import Malformed

VIM = "{urn:vim25}"


def read(body: bytes, operation: str) -> ET.Element:
    """The root of a document. Raises `Malformed`; a document with a type definition is none that an endpoint sends."""
    if b"<!DOCTYPE" in body[:4096]:
        raise Malformed(f"the answer to {operation} declares a document type: is it a vCenter?", where=operation)
    try:
        return ET.fromstring(body)  # noqa: S314  without a DOCTYPE there are no entities to expand
    except ET.ParseError as error:
        raise Malformed(f"the answer to {operation} is no XML: {error}", where=operation) from error
