"""Parts of an answer as the types they should have. What is something else is unknown, and a sentence says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from collectors.vsphere.client.decode import Ref

Oddities = list[str]
"""What was there and made no sense, a sentence each."""

Facts = Mapping[str, Any]

_SHOWN = 80


def number(facts: Facts, name: str, odd: Oddities, *, least: float = 0) -> float | None:
    """A finite number of at least `least`; None where it is unset."""
    found = facts.get(name)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not isfinite(found) or found < least:
        odd.append(f"{name} is {_shortened(found)}")
        return None
    return found


def whole(facts: Facts, name: str, odd: Oddities) -> int | None:
    """A whole number, also a negative one: a key."""
    found = facts.get(name)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        odd.append(f"{name} is {_shortened(found)}")
        return None
    return found


def flag(facts: Facts, name: str, odd: Oddities) -> bool | None:
    """A truth value; None where it is unset."""
    found = facts.get(name)
    if found is None or found == "" or isinstance(found, bool):
        return found or (False if found is False else None)
    odd.append(f"{name} is {_shortened(found)}")
    return None


def text(facts: Facts, name: str, odd: Oddities) -> str:
    """A text, "" where it is unset."""
    found = facts.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    odd.append(f"{name} is {_shortened(found)}")
    return ""


def reference(facts: Facts, name: str) -> Ref | None:
    """A reference to a managed object; None where it is unset or none."""
    found = facts.get(name)
    return found if isinstance(found, Ref) else None


def part(facts: Facts, name: str, odd: Oddities) -> Facts:
    """A structure within; empty where it is unset."""
    found = facts.get(name)
    if found is None or found == "" or isinstance(found, Mapping):
        return found or {}
    odd.append(f"{name} is {_shortened(found)}")
    return {}


def parts(facts: Facts, name: str, odd: Oddities) -> Iterator[Facts]:
    """The structures of a list; none where it is unset. An empty list comes as an empty text."""
    found = facts.get(name)
    if found is None or found == "":
        return
    if not isinstance(found, list):
        odd.append(f"{name} is {_shortened(found)}")
        return
    for each in found:
        if isinstance(each, Mapping):
            yield each
        else:
            odd.append(f"{name} holds {_shortened(each)}")


def _shortened(found: object) -> str:
    shown = repr(found)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
