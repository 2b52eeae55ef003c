"""Requests as clients send them, and what of them is remembered."""

from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from tests.backends.winrm.shapes import SCHEMA_URI

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"


@dataclass(frozen=True)
class Asked:
    """One message as a client sent it: what an allow-list is held against."""

    operation: str
    namespace: str = ""
    class_name: str = ""
    query: str = ""
    method: str = ""
    arguments: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass
class Message:
    """A request's parts."""

    action: str
    uri: str
    message_id: str
    body: ET.Element
    selectors: dict[str, str]
    max_envelope: int
    timeout_seconds: float

    @property
    def operation(self) -> str:
        if self.action.startswith((ENUMERATION, TRANSFER)):
            return self.action.rpartition("/")[2]
        return "Invoke"

    @property
    def namespace(self) -> str:
        return self.uri.removeprefix(SCHEMA_URI).rpartition("/")[0]

    @property
    def resource(self) -> str:
        return self.uri.rpartition("/")[2]


def read(request: bytes) -> Message:
    """The parts of a SOAP text; raises ET.ParseError or ValueError."""
    root = ET.fromstring(request)
    header, body = root.find(f"{S}Header"), root.find(f"{S}Body")
    if header is None or body is None:
        raise ValueError("no SOAP envelope")

    def said(name: str) -> str:
        return (header.findtext(name) or "").strip()

    selectors = {each.get("Name", ""): each.text or "" for each in header.iter(f"{W}Selector")}
    envelope = int(said(f"{W}MaxEnvelopeSize") or 512_000)
    timeout = float(said(f"{W}OperationTimeout").strip("PTS") or 60)  # MaxTimeoutms; clients send PT20.000S
    action, uri, message_id = said(f"{A}Action"), said(f"{W}ResourceURI"), said(f"{A}MessageID")
    return Message(action, uri, message_id, body, selectors, envelope, timeout)
