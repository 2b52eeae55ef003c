"""Custom attributes that an operator has asked for, as the words of labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.vsphere.mapping.checked import Facts, Oddities, parts, text, whole
from exporter.model import Counter, Parts

PATH, FIELDS = "customValue", "field"
ATTRIBUTES = "custom_attributes"
"""Key among what only vSphere tells of a thing."""
SEPARATOR = "\0"
LONGEST = 256


def names_of(manager: Facts, wanted: Collection[str], odd: Oddities) -> dict[int, str]:
    """The names of the wanted attributes by the keys that objects hold; one name may have a key for each type."""
    keyed = ((whole(each, "key", odd), text(each, "name", odd)) for each in parts(manager, FIELDS, odd))
    return {key: name for key, name in keyed if key is not None and name in wanted}


def attributes_of(facts: Facts, names: Mapping[int, str], odd: Oddities) -> dict[str, str]:
    """An object's wanted attributes that have a value."""
    found: dict[str, str] = {}
    for each in parts(facts, PATH, odd):
        key = whole(each, "key", odd)
        name = names.get(key) if key is not None else None
        value = " ".join(text(each, "value", odd).split())
        if name is not None and value:
            found[name] = value
    return found


def tags(attributes: Mapping[str, str]) -> str:
    """They as `,name=value,name=value,` in alphabetical order, "" where there is none.

    A comma within would look like the next pair and becomes a blank. What would make the label longer than 256
    characters is left out as a whole.
    """
    label = ""
    for name, value in sorted(attributes.items()):
        tag = " ".join(f"{name}={value}".replace(",", " ").split())
        if len(label) + len(tag) + 2 <= LONGEST:
            label = f"{label or ','}{tag},"
    return label


def described(attributes: Mapping[str, str]) -> Counter | None:
    """They as rows of an info, name and value."""
    rows = {SEPARATOR.join(each): 1.0 for each in sorted(attributes.items())}
    return Parts(rows) if rows else None
