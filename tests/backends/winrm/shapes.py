"""Instances as XML, in the two shapes that Windows has: `SELECT *` and with named properties.

Held against genuine answers by tests/integration/test_winrm_double_captures.py.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from tests.backends.winrm.cim import CimClass, Embedded, Property, Reference

SCHEMA_URI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CIM = 'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'
WSMAN = 'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
QUOTES = {'"': "&quot;", "'": "&apos;"}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Values = Mapping[str, Any]


def text(value: Any) -> str:
    """A value as the text of an element; characters that XML 1.0 does not know become question marks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return FORBIDDEN.sub("?", escape(str(value), QUOTES))


def instance(cim_class: CimClass, values: Values) -> str:
    """The shape of `SELECT *` and Get: prefixed children in the namespace of the class."""
    name = values.get("__CLASS") or cim_class.name
    uri = SCHEMA_URI + cim_class.namespace + "/" + name
    inner = "".join(_property(kind, values.get(kind.name), "p:", "cim:") for kind in cim_class.properties.values())
    return f'<p:{name} {XSI} xmlns:p="{uri}" {CIM} xsi:type="p:{name}_Type">{inner}</p:{name}>'


def out_parameter(parameter: str, cim_class: CimClass, values: Values) -> str:
    """An instance within a method's answer: the parameter in the method's namespace, its children in the class's."""
    name = cim_class.name
    uri = f"{SCHEMA_URI}{cim_class.namespace}/{name}"
    inner = "".join(_property(kind, values.get(kind.name), "p1:", "cim:") for kind in cim_class.properties.values())
    return f'<p:{parameter} xmlns:p1="{uri}" xsi:type="p1:{name}_Type">{inner}</p:{parameter}>'


def fragment(properties: Iterable[Property], values: Values) -> str:
    """The shape of a query with named properties: no class, no prefixes, dates without theirs either."""
    inner = "".join(_property(kind, values.get(kind.name), "", "") for kind in properties)
    return f"<w:XmlFragment {XSI} {WSMAN}>{inner}</w:XmlFragment>"


def _property(kind: Property, value: Any, prefix: str, cim: str) -> str:
    tag = prefix + kind.name
    if kind.array:  # a null array and an empty one leave nothing behind
        return "".join(f"<{tag}>{_content(kind, item, cim)}</{tag}>" for item in value or ())
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    return f"<{tag}>{_content(kind, value, cim)}</{tag}>"


def _content(kind: Property, value: Any, cim: str) -> str:
    if isinstance(value, Reference):
        return reference(value)
    if isinstance(value, Embedded):
        uri = f"{SCHEMA_URI}{value.namespace}/{value.class_name}"
        return "".join(f'<p:{name} xmlns:p="{uri}">{text(held)}</p:{name}>' for name, held in value.row.items())
    if isinstance(value, datetime):
        return f"<{cim}Datetime>{date(value)}</{cim}Datetime>"
    if isinstance(value, timedelta):
        return f"<{cim}Interval>{interval(value)}</{cim}Interval>"
    if kind.type == "d" and value == "":
        return ""
    return text(value)


def date(value: datetime) -> str:
    """A date with up to six digits of a second, trailing zeros cut: `2013-04-15T16:28:47.73517Z`."""
    whole = value.strftime("%Y-%m-%dT%H:%M:%S")
    part = f".{value.microsecond:06d}".rstrip("0").rstrip(".")
    zone = value.strftime("%z") or "+0000"
    return whole + part + ("Z" if value.tzinfo in (None, UTC) else f"{zone[:3]}:{zone[3:]}")


def interval(value: timedelta) -> str:
    """An interval as WinRM writes them: `P0DT0H1M40S`."""
    minutes, seconds = divmod(value.seconds, 60)
    return f"P{value.days}DT{minutes // 60}H{minutes % 60}M{seconds}S"


def reference(to: Reference) -> str:
    """An endpoint reference, the content of a REF property."""
    selectors = "".join(f'<w:Selector Name="{name}">{text(value)}</w:Selector>' for name, value in to.selectors.items())
    return (
        f'<a:Address xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">{ANONYMOUS}</a:Address>'
        f'<a:ReferenceParameters xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" {WSMAN}>'
        f"<w:ResourceURI>{SCHEMA_URI}{to.namespace}/{to.class_name}</w:ResourceURI>"
        f"<w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters>"
    )


def cim_xml(class_name: str, row: Values) -> str:
    """The text of an embedded-instance string: `<INSTANCE CLASSNAME=…>`, which is then escaped as any text is."""
    inner = "".join(_cim_xml_property(name, value) for name, value in row.items())
    return f'<INSTANCE CLASSNAME="{class_name}">{inner}</INSTANCE>'


def _cim_xml_property(name: str, value: Any) -> str:
    kinds = {bool: "boolean", int: "uint64", datetime: "datetime"}
    kind = kinds.get(type(value), "string")
    if value is None:
        return f'<PROPERTY NAME="{name}" TYPE="{kind}"></PROPERTY>'
    shown = str(value).upper() if isinstance(value, bool) else escape(str(value), QUOTES)
    if isinstance(value, datetime):
        shown = value.strftime("%Y%m%d%H%M%S.%f+000")
    return f'<PROPERTY NAME="{name}" TYPE="{kind}"><VALUE>{shown}</VALUE></PROPERTY>'
