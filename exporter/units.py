"""Vendors' units to base units, one function per unit, named after the vendor's unit.

Every function takes None for unknown and gives None back: unknown stays absent and never becomes 0.
"""

from __future__ import annotations

from typing import overload


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


@overload
def nanoseconds(value: float) -> float: ...
@overload
def nanoseconds(value: None) -> None: ...
def nanoseconds(value: float | None) -> float | None:
    """Nanoseconds to seconds. Divides: 1e-9 is no binary fraction, and a product would not round to the nearest."""
    return None if value is None else value / 1e9


def milliseconds(value: float | None) -> float | None:
    """Milliseconds to seconds."""
    return None if value is None else value / 1e3


def kibibytes(value: float | None) -> float | None:
    """KiB (1,024 bytes) to bytes."""
    return _scaled(value, 1024)


def mebibytes(value: float | None) -> float | None:
    """MiB (1,048,576 bytes) to bytes."""
    return _scaled(value, 1024**2)


def megahertz(value: float | None) -> float | None:
    """MHz to hertz."""
    return _scaled(value, 1e6)


def percent(value: float | None) -> float | None:
    """Percent (0 to 100) to a ratio (0 to 1)."""
    return None if value is None else value / 100
