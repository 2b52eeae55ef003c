"""XML of the API to plain data: str, int, float, bool, Unix seconds, `Ref`, lists, and dicts of these by field name.

pyVmomi's decoder gives up a whole answer for one enumeration value or type it does not know, and takes six times as
long. Here an unknown value is a string and an unknown type a dict; pyVmomi's metadata only tell which fields are lists
and which are numbers.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from collectors.vsphere.client.versions import support
from collectors.vsphere.client.xml import VIM

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ARRAY = "ArrayOf"
DEEPEST = 128
"""Structures within structures: the API has no ten, but for the layers of a disk, of which 32 are supported."""

KIND = "_kind"
"""Key of a structure's type, where the answer names it: a device is a `VirtualDisk` or a `VirtualVmxnet3`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a list is read that is too large to be kept: items of some types are passed over, the others go into `make`.

    `make` is given plain data with some fields and raises ValueError where they make no sense.
    """

    without: frozenset[str]
    """Types of items."""
    fields: frozenset[str]
    """Names of the fields that are told, of items and of what lies within them."""
    make: Callable[[Any], Any]
    passed_over: frozenset[bytes] = field(init=False, repr=False)
    tags: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "passed_over", frozenset(map(str.encode, self.without)))
        object.__setattr__(self, "tags", frozenset(VIM + name for name in self.fields))

    def made(self, items: Iterable[Element], kind: str = "") -> Any:
        """What is made of the items of a list that are not passed over. Raises ValueError."""
        return self.make([value(each, kind, 1, self.tags) for each in items])


Shapes = Mapping[str, Shape]
"""By the path of a property."""
NO_SHAPES: Shapes = MappingProxyType({})


class TooDeep(ValueError):
    """Structures lie within structures without end: nothing of the property can be believed."""


class Ref(NamedTuple):
    """A reference to a managed object."""

    kind: str
    id: str


@functools.lru_cache(maxsize=4096)
def reference(kind: str, identity: str) -> Ref:
    """A reference, the same object wherever it comes again: most refer to the same few hosts, pools and datastores."""
    return Ref(sys.intern(kind), identity)


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

PRIMITIVE: Mapping[str, Convert] = {
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


class Field(NamedTuple):
    name: str
    many: bool
    convert: Convert | None
    kind: str


@functools.lru_cache(maxsize=4096)
def fields_of(kind: str) -> Mapping[str, Field] | None:
    """The fields of a data type by their elements' tags; None for a type that pyVmomi does not know."""
    types = support()
    try:
        found = types.GuessWsdlType(kind)
        return {f"{VIM}{each.name}": _field(types, each) for each in found._GetPropertyList()}  # noqa: SLF001
    except (KeyError, AttributeError):
        return None


def _field(types: Any, known: Any) -> Field:
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
    return Field(known.name, many, convert, name)


def value(element: Element, kind: str = "", depth: int = 0, only: frozenset[str] | None = None) -> Any:
    """What an element holds. `kind` is the type's name where the element does not tell; None for nil.

    Raises ValueError where it makes no sense. A leaf of a structure that makes none is None, and the rest holds. Of
    structures the fields with the tags `only` are told.
    """
    named = element.get(_TYPE)
    if named is not None:
        kind = named.rpartition(":")[2]
    if element.get(_NIL) in _TRUE:
        return None
    convert = PRIMITIVE.get(kind)
    if convert is not None:
        return convert(element.text or "")
    if len(element):
        if depth > DEEPEST:
            raise TooDeep(f"structures lie more than {DEEPEST} deep")
        if kind.startswith(_ARRAY):
            return _array(element, kind.removeprefix(_ARRAY), depth, only)
        return _struct(element, kind, depth, only)
    held = element.get("type")
    if held is not None:
        return reference(held, element.text or "")
    return element.text or _nothing(kind, named is not None)


def of_shape(element: Element, shape: Shape | None) -> Any:
    """What an element holds, of a shape if it has one. Raises ValueError."""
    if shape is None:
        return value(element)
    kind = element.get(_TYPE, "").rpartition(":")[2]
    if not kind.startswith(_ARRAY):
        held = value(element, only=shape.tags)
        return None if held is None else shape.make(held)
    kept = [each for each in element if each.get(_TYPE, "").rpartition(":")[2] not in shape.without]
    return shape.made(kept, kind.removeprefix(_ARRAY))


def _nothing(kind: str, named: bool) -> Any:
    """What an empty element of a type holds: an array or a structure without anything, or an empty text."""
    if kind.startswith(_ARRAY):
        return []
    if fields_of(kind) is None:
        return ""
    return {KIND: kind} if named else {}


def _array(element: Element, item: str, depth: int, only: frozenset[str] | None) -> list[Any]:
    lowered = item[:1].lower() + item[1:]
    kind = lowered if lowered in PRIMITIVE else item
    return [value(each, kind, depth + 1, only) for each in element]


def _struct(element: Element, kind: str, depth: int, only: frozenset[str] | None) -> dict[str, Any]:
    fields = fields_of(kind) or {}
    found: dict[str, Any] = {} if element.get(_TYPE) is None else {KIND: kind}
    for each in element:
        tag = each.tag
        if only is not None and tag not in only:
            continue
        field = fields.get(tag)
        if field is None:
            name = tag.rpartition("}")[2]
            one = _leaf(each, "", depth + 1, only)
            many = name in found
        else:
            name, many, convert, item = field
            one = _known(each, convert, item, depth + 1, only)
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


def _known(element: Element, convert: Convert | None, kind: str, depth: int, only: frozenset[str] | None) -> Any:
    """A field's value. Nearly all are leaves of a known type with a text, and most of the time goes by here."""
    if convert is not None and (text := element.text):
        try:
            return convert(text)
        except ValueError:
            if not len(element):
                return None
    return _leaf(element, kind, depth, only)


def _leaf(element: Element, kind: str, depth: int, only: frozenset[str] | None) -> Any:
    try:
        return value(element, kind, depth, only)
    except TooDeep:
        raise
    except ValueError:
        return None  # one senseless leaf of a structure is unknown, the rest holds
