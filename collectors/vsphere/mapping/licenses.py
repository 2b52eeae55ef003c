"""Licences of an endpoint: what they allow, how much of it is taken, when they end. Keys stay where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collectors.vsphere.mapping.checked import Facts, Oddities, number, parts, text
from exporter.model import Counter, Parts

PATH = "licenses"
MOST = 200
INFO, CAPACITY, USED, EXPIRATION = "license_info", "license_capacity", "license_used", "license_expiration"
"""Keys among what only vSphere tells of an endpoint."""
SEPARATOR = "\0"
_ID_LETTERS = 5
_REMAINING = {"expirationMinutes": 60.0, "expirationHours": 3600.0}
"""Properties that tell how long an evaluation still lasts, in units of so many seconds; the finer one first."""


@dataclass(frozen=True, slots=True)
class License:
    """A licence. `id` are the last letters of its key; `slack_seconds` is how exactly its end is known."""

    id: str
    name: str
    edition: str
    unit: str
    capacity: float | None
    used: float | None
    expiration: float | None
    slack_seconds: float = 0.0


def licenses_of(manager: Facts, now: float, odd: Oddities) -> list[License]:
    """The licences, each once. Without an end a licence lasts; a capacity of 0 is none that is counted."""
    found: dict[tuple[str, str], License] = {}
    for each in parts(manager, PATH, odd):
        identity, name = text(each, "licenseKey", odd)[-_ID_LETTERS:], text(each, "name", odd)
        expiration, slack = _end(each, now, odd)
        found.setdefault(
            (name, identity),
            License(
                id=identity,
                name=name,
                edition=text(each, "editionKey", odd),
                unit=text(each, "costUnit", odd),
                capacity=number(each, "total", odd) or None,
                used=number(each, "used", odd),
                expiration=expiration,
                slack_seconds=slack,
            ),
        )
    return list(found.values())


def _end(license_: Facts, now: float, odd: Oddities) -> tuple[float | None, float]:
    told = {str(each.get("key")): each for each in parts(license_, "properties", odd)}
    if "expirationDate" in told:
        return number(told["expirationDate"], "value", odd), 0.0
    for name, unit in _REMAINING.items():
        if name in told and (left := number(told[name], "value", odd)) is not None:
            return now + left * unit, unit
    return None, 0.0


def steadied(
    licenses: list[License], before: Mapping[tuple[str, str], float]
) -> Iterator[tuple[License, float | None]]:
    """Each with its end: one that is made of what remains stays until it has moved by more than it is exact."""
    for each in licenses:
        known = before.get((each.name, each.id))
        steady = (
            known is not None and each.expiration is not None and abs(known - each.expiration) <= each.slack_seconds
        )
        yield each, known if steady else each.expiration


def told_of(licenses: list[tuple[License, float | None]]) -> dict[str, Counter | None]:
    """What licences tell, by the name of the value; within it by name and id, with edition and unit where described."""
    values: dict[str, dict[str, float]] = {INFO: {}, CAPACITY: {}, USED: {}, EXPIRATION: {}}
    for each, end in licenses:
        key = SEPARATOR.join((each.name, each.id))
        values[INFO][SEPARATOR.join((key, each.edition, each.unit))] = 1
        for name, value in ((CAPACITY, each.capacity), (USED, each.used), (EXPIRATION, end)):
            if value is not None:
                values[name][key] = value
    return {name: Parts(of_name) for name, of_name in values.items()}
