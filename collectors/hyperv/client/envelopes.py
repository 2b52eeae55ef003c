"""What is sent: the envelopes of WS-Management (DSP0226, MS-WSMV), as bytes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from collectors.hyperv.client.calls import METHODS
from collectors.hyperv.client.rows import Query, Reference

ENVELOPE_BYTES = 512_000
"""The largest answer that we ask for; a host sends what its own MaxEnvelopeSizekb allows of that."""
MOST_ROWS = 32_000
"""Of one answer, Windows' own limit; without any number Pull gives one row a time."""
_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
_ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
_LARGEST_TIMEOUT_SECONDS = 60.0
"""Windows' MaxTimeoutms."""
_UNSENDABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd")
"""What XML cannot hold."""


Argument: TypeAlias = str | Sequence[str] | Reference
"""Of a method: a value, an array, or another instance in the same namespace."""


class Envelope(NamedTuple):
    """A message to send; an answer relates to its id."""

    operation: str
    message_id: str
    content: bytes


class Door(NamedTuple):
    """Where an envelope goes, and how long the host may take for its answer."""

    to: str
    seconds: float


def enumerate_(door: Door, query: Query, columns: Sequence[str], most: int = MOST_ROWS) -> Envelope:
    """Ask for some columns of a class, all of them where none is named; the first rows may come with the answer."""
    condition = f" WHERE {query.where}" if query.where else ""
    wql = f"SELECT {','.join(columns) or '*'} FROM {query.class_name}{condition}"  # noqa: S608  WQL cannot change
    body = (
        f"<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>{most}</w:MaxElements>"
        f'<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">{_text(wql)}</w:Filter></n:Enumerate>'
    )
    return _envelope(door, "Enumerate", f"{_ENUMERATION}Enumerate", of_namespace(query.namespace), body)


def pull(door: Door, namespace: str, context: str) -> Envelope:
    """Ask for more rows."""
    body = (
        f"<n:Pull><n:EnumerationContext>{_text(context)}</n:EnumerationContext>"
        f"<n:MaxElements>{MOST_ROWS}</n:MaxElements></n:Pull>"
    )
    return _envelope(door, "Pull", f"{_ENUMERATION}Pull", of_namespace(namespace), body)


def release(door: Door, namespace: str, context: str) -> Envelope:
    """Say that no more rows are wanted: what is not released counts towards a quota until it times out."""
    body = f"<n:Release><n:EnumerationContext>{_text(context)}</n:EnumerationContext></n:Release>"
    return _envelope(door, "Release", f"{_ENUMERATION}Release", of_namespace(namespace), body)


def invoke(door: Door, namespace: str, class_name: str, method: str, arguments: Mapping[str, Argument]) -> Envelope:
    """Call a method of a class's only instance. Raises `ValueError` for a method that is not on the list."""
    if (class_name, method) not in METHODS:
        raise ValueError(f"{class_name}.{method} is not on the list of methods that may be called")
    uri = f"{_WMI}{namespace}/{class_name}"
    given = "".join(_argument(name, value, f"{_WMI}{namespace}/") for name, value in arguments.items())
    body = f"<p:{method}_INPUT xmlns:p={quoteattr(uri)}>{given}</p:{method}_INPUT>"
    selectors = (
        "<w:SelectorSet>"
        f'<w:Selector Name="CreationClassName">{class_name}</w:Selector>'
        '<w:Selector Name="SystemCreationClassName">Msvm_ComputerSystem</w:Selector>'
        "</w:SelectorSet>"
    )
    return _envelope(door, method, f"{uri}/{method}", uri, body, selectors=selectors)


def identify() -> Envelope:
    """Ask a host what it is; answers to this relate to no id."""
    content = (
        f'{_HEAD} xmlns:s="{_SOAP}" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
    )
    return Envelope("Identify", "", content.encode())


def of_namespace(namespace: str) -> str:
    """The resource of a query in WQL."""
    return f"{_WMI}{namespace}/*"


def _argument(name: str, value: Argument, classes: str) -> str:
    if isinstance(value, Reference):
        return f"<p:{name}>{_reference(value, classes)}</p:{name}>"
    each = (value,) if isinstance(value, str) else value
    return "".join(f"<p:{name}>{_text(one)}</p:{name}>" for one in each)


def _reference(value: Reference, classes: str) -> str:
    keys = "".join(f"<w:Selector Name={quoteattr(key)}>{_text(of)}</w:Selector>" for key, of in value.selectors.items())
    return (
        f"<a:Address>{_ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{_text(classes + value.class_name)}</w:ResourceURI><w:SelectorSet>{keys}</w:SelectorSet>"
        "</a:ReferenceParameters>"
    )


def _text(value: str) -> str:
    return escape(value.translate(_UNSENDABLE))


def _envelope(door: Door, operation: str, action: str, resource: str, body: str, *, selectors: str = "") -> Envelope:
    message_id = f"uuid:{str(uuid.uuid4()).upper()}"
    seconds = min(max(door.seconds, 0.5), _LARGEST_TIMEOUT_SECONDS)
    content = (
        f"{_HEAD}{_NAMES}><s:Header>"
        f"<a:To>{_text(door.to)}</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{_text(resource)}</w:ResourceURI>'
        f'<a:ReplyTo><a:Address s:mustUnderstand="true">{_ANONYMOUS}</a:Address></a:ReplyTo>'
        f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{ENVELOPE_BYTES}</w:MaxEnvelopeSize>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>'
        '<m:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
        f"<w:OperationTimeout>PT{seconds:.3f}S</w:OperationTimeout>"
        f"{selectors}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return Envelope(operation, message_id, content.encode())


_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?><s:Envelope'
_ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_NAMES = (
    f' xmlns:s="{_SOAP}"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    ' xmlns:m="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)
