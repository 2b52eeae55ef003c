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
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ARRAY = "ArrayOf"
_DEEPEST = 64
"""Structures within structures; the API has no ten."""

KIND = "_kind"
"""Key of a structure's type, where the answer names it: a device is a `VirtualDisk` or a `VirtualVmxnet3`."""


class Ref(NamedTuple):
    """A reference to a managed object."""

    kind: str
    id: str


def seconds(text: str) -> float:
    """An xsd:dateTime as Unix seconds; without a zone it is UTC."""
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).timestamp()
    except OverflowError as error:
        raise ValueError(text) from error


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _flag(text: str) -> bool:
    try:
        return _FLAGS[text.strip()]
    except KeyError as error:
        raise ValueError(text) from error


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


@functools.lru_cache(maxsize=4096)
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


def value(element: Element, kind: str = "", depth: int = 0) -> Any:
    """What an element holds. `kind` is the type's name where the element does not tell; None for nil.

    Raises ValueError where it makes no sense. A leaf of a structure that makes none is None, and the rest holds.
    """
    named = element.get(_TYPE)
    if named is not None:
        kind = named.rpartition(":")[2]
    convert = _PRIMITIVE.get(kind)
    if element.get(_NIL) in {"true", "1"}:
        return None
    if convert is not None:
        return convert(element.text or "")
    if depth > _DEEPEST:
        raise ValueError("structures lie too deep")
    if kind.startswith(_ARRAY):
        return _array(element, kind.removeprefix(_ARRAY), depth)
    if len(element):
        return _struct(element, kind, depth)
    held = element.get("type")
    if held is not None:
        return Ref(held, element.text or "")
    return element.text or _nothing(kind, named is not None)


def _nothing(kind: str, named: bool) -> Any:
    """What an empty element of a type holds: a structure without fields, or an empty text."""
    if _fields(kind) is None:
        return ""
    return {KIND: kind} if named else {}


def _array(element: Element, item: str, depth: int) -> list[Any]:
    lowered = item[:1].lower() + item[1:]
    kind = lowered if lowered in _PRIMITIVE else item
    return [value(each, kind, depth + 1) for each in element]


def _struct(element: Element, kind: str, depth: int) -> dict[str, Any]:
    fields = _fields(kind) or {}
    found: dict[str, Any] = {} if element.get(_TYPE) is None else {KIND: kind}
    for each in element:
        name = each.tag.rpartition("}")[2]
        field = fields.get(name)
        one = _one(each, field, depth + 1)
        if field.many if field is not None else name in found:
            _add(found, name, one)
        else:
            found[name] = one
    return found


def _add(found: dict[str, Any], name: str, one: Any) -> None:
    """One more of a repeated field, or all of them where they come as an array."""
    held = found.get(name)
    if not isinstance(held, list):
        found[name] = held = [] if held is None else [held]
    if isinstance(one, list):
        held.extend(one)
    elif one is not None:
        held.append(one)


def _one(element: Element, field: _Field | None, depth: int) -> Any:
    try:
        if field is None:
            return value(element, "", depth)
        if field.convert is None or element.attrib or len(element):
            return value(element, field.kind, depth)
        return field.convert(element.text or "")
    except ValueError:
        return None  # one senseless leaf of a structure is unknown, the rest holds
