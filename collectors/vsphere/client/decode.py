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
from collectors.vsphere.client.xml import VIM

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


_TRUE = {"true", "1"}
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
    name: str
    many: bool
    convert: Convert | None
    kind: str


@functools.lru_cache(maxsize=4096)
def _fields(kind: str) -> Mapping[str, _Field] | None:
    """The fields of a data type by their elements' tags; None for a type that pyVmomi does not know."""
    types = support()
    try:
        found = types.GuessWsdlType(kind)
        return {f"{VIM}{each.name}": _field(types, each) for each in found._GetPropertyList()}  # noqa: SLF001
    except (KeyError, AttributeError):
        return None


def _field(types: Any, known: Any) -> _Field:
    kind = known.type
    many = issubclass(kind, list)
    item = getattr(kind, "Item", str) if many else kind
    convert = _OF_PYTHON.get(item.__name__)
    if convert is None and (issubclass(item, str) or issubclass(item, type)):
        convert = str
    try:
        name = types.GetWsdlName(item)
    except (KeyError, AttributeError):
        name = ""
    return _Field(known.name, many, convert, name)


def value(element: Element, kind: str = "", depth: int = 0) -> Any:
    """What an element holds. `kind` is the type's name where the element does not tell; None for nil.

    Raises ValueError where it makes no sense. A leaf of a structure that makes none is None, and the rest holds.
    """
    named = element.get(_TYPE)
    if named is not None:
        kind = named.rpartition(":")[2]
    if element.get(_NIL) in _TRUE:
        return None
    convert = _PRIMITIVE.get(kind)
    if convert is not None:
        return convert(element.text or "")
    if len(element):
        if depth > _DEEPEST:
            raise ValueError("structures lie too deep")
        if kind.startswith(_ARRAY):
            return _array(element, kind.removeprefix(_ARRAY), depth)
        return _struct(element, kind, depth)
    held = element.get("type")
    if held is not None:
        return Ref(held, element.text or "")
    return element.text or _nothing(kind, named is not None)


def _nothing(kind: str, named: bool) -> Any:
    """What an empty element of a type holds: an array or a structure without anything, or an empty text."""
    if kind.startswith(_ARRAY):
        return []
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
        field = fields.get(each.tag)
        if field is None:
            name = each.tag.rpartition("}")[2]
            one = _leaf(each, "", depth + 1)
            many = name in found
        else:
            name, many, convert, item = field
            one = _known(each, convert, item, depth + 1)
        if many:
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


def _known(element: Element, convert: Convert | None, kind: str, depth: int) -> Any:
    """A field's value. Nearly all are leaves of a known type with a text, and most of the time goes by here."""
    if convert is not None and (text := element.text):
        try:
            return convert(text)
        except ValueError:
            if not len(element):
                return None
    return _leaf(element, kind, depth)


def _leaf(element: Element, kind: str, depth: int) -> Any:
    try:
        return value(element, kind, depth)
    except ValueError:
        return None  # one senseless leaf of a structure is unknown, the rest holds
