"""Objects of the API as `govc object.save` writes them: an ObjectContent each, with types named where Go needs them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

HEAD = (
    '<ObjectContent xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
)


class Ref(NamedTuple):
    """A reference to a managed object."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class Struct(NamedTuple):
    """A structure as XML; `kind` is "" where its place tells the type."""

    kind: str
    body: str


class Array(NamedTuple):
    """The value of a property that is a list."""

    kind: str
    items: Iterable[Any]


def stamp(seconds: float) -> str:
    """Unix seconds as the API writes them."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fields(**values: Any) -> Struct:
    """A structure without its type's name; None leaves a field out, a list repeats it."""
    return Struct("", "".join([_element(name, value) for name, value in values.items() if value is not None]))


def struct(kind: str, **values: Any) -> Struct:
    """A structure that names its type, as its place allows several."""
    return Struct(kind, fields(**values).body)


def content(ref: Ref, properties: Mapping[str, Any]) -> str:
    """The whole file of an object."""
    sets = [
        f"<propSet><name>{name}</name>{_value(value)}</propSet>"
        for name, value in properties.items()
        if value is not None
    ]
    return f'{HEAD}<obj type="{ref.kind}">{ref.id}</obj>{"".join(sets)}</ObjectContent>'


def refs(found: Iterable[Ref]) -> Array:
    """The value of a property that is a list of references."""
    return Array("ManagedObjectReference", found)


def _element(name: str, value: Any) -> str:
    kind = type(value)
    if kind is str:
        return f"<{name}>{escape(value)}</{name}>"
    if kind is int:
        return f"<{name}>{value}</{name}>"
    if kind is Struct:
        named = f' xsi:type="{value.kind}"' if value.kind else ""
        return f"<{name}{named}>{value.body}</{name}>"
    if kind is bool:
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    if kind is Ref:
        return f'<{name} type="{value.kind}">{value.id}</{name}>'
    return "".join([_element(name, each) for each in value])


def _value(value: Any) -> str:
    kind = type(value)
    if kind is Ref:
        return f'<val type="{value.kind}" xsi:type="ManagedObjectReference">{value.id}</val>'
    if kind is Struct:
        return f'<val xsi:type="{value.kind}">{value.body}</val>'
    if kind is Array:
        item = value.kind[:1].lower() + value.kind[1:] if value.kind in {"String", "Int"} else value.kind
        return f'<val xsi:type="ArrayOf{value.kind}">{"".join([_element(item, each) for each in value.items])}</val>'
    name = {str: "string", bool: "boolean", int: "int"}[kind]
    return f'<val xsi:type="xsd:{name}">{_element("v", value)[3:-4]}</val>'
