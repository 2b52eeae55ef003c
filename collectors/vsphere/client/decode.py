"""XML of the API to plain data: str, int, float, bool, Unix seconds, `Ref`, lists, and dicts of these by field name.

pyVmomi's decoder gives up a whole answer for one enumeration value or type it does not know, and takes six times as
long. Here an unknown value is a string and an unknown type a dict; pyVmomi's metadata only tell which fields are lists
and which are numbers.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from collectors.vsphere.client.versions import support

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ARRAY = "ArrayOf"


KIND = "_kind"
"""Key of a structure's type, where the answer names it: a device is a `VirtualDisk` or a `VirtualVmxnet3`."""


class Ref(NamedTuple):
    """A reference to a managed object."""

    kind: str
    id: str


def seconds(text: str) -> float:
    """An xsd:dateTime as Unix seconds; without a zone it is UTC."""
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()


def _flag(text: str) -> bool:
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return text in {"true", "1"}


Convert = Callable[[str], Any]

_PRIMITIVE: Mapping[str, Convert] = {
    "string": str,
    "anyURI": str,
    "base64Binary": str,
    "boolean": _flag,
    "byte": int,
    "short": int,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "dateTime": seconds,
}
_OF_PYTHON: Mapping[str, Convert] = {
    "bool": _flag,
    "byte": int,
    "short": int,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "datetime": seconds,
}


class _Field(NamedTuple):
    many: bool
    convert: Convert | None
    kind: str


@functools.cache
def _fields(kind: str) -> Mapping[str, _Field] | None:
    """The fields of a data type by name; None for a type that pyVmomi does not know."""
    types = support()
    try:
        found = types.GuessWsdlType(kind)
        return {each.name: _field(types, each.type) for each in found._GetPropertyList()}  # noqa: SLF001
    except (KeyError, AttributeError):
        return None


def _field(types: Any, kind: Any) -> _Field:
    many = issubclass(kind, list)
    item = getattr(kind, "Item", str) if many else kind
    convert = _OF_PYTHON.get(item.__name__)
    if convert is None and (issubclass(item, str) or issubclass(item, type)):
        convert = str
    try:
        name = types.GetWsdlName(item)
    except (KeyError, AttributeError):
        name = ""
    return _Field(many, convert, name)


def value(element: Element, kind: str = "") -> Any:
    """What an element holds. `kind` is the type's name where the element does not tell. Raises ValueError."""
    kind = element.get(_TYPE, kind).rpartition(":")[2]
    convert = _PRIMITIVE.get(kind)
    if convert is not None:
        return convert(element.text or "")
    if not len(element):
        text = element.text or ""
        held = element.get("type")
        return Ref(held, text) if held is not None else text
    if kind.startswith(_ARRAY):
        return _array(element, kind.removeprefix(_ARRAY))
    return _struct(element, kind)


def _array(element: Element, item: str) -> list[Any]:
    lowered = item[:1].lower() + item[1:]
    return [value(each, lowered if lowered in _PRIMITIVE else item) for each in element]


def _struct(element: Element, kind: str) -> dict[str, Any]:
    fields = _fields(kind)
    found: dict[str, Any] = {} if element.get(_TYPE) is None else {KIND: kind}
    for each in element:
        name = each.tag.rpartition("}")[2]
        field = fields.get(name) if fields is not None else None
        one = _one(each, field)
        if field.many if field is not None else name in found:
            held = found.get(name)
            if not isinstance(held, list):
                found[name] = held = [] if held is None else [held]
            held.append(one)
        else:
            found[name] = one
    return found


def _one(element: Element, field: _Field | None) -> Any:
    if field is None:
        return value(element)
    if field.convert is None or len(element) or element.get("type") is not None:
        return value(element, field.kind)
    try:
        return field.convert(element.text or "")
    except ValueError:
        return None  # one senseless leaf of a structure is unknown, the rest holds
