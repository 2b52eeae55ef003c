"""Values of counters, as a vendor has them: a number, parts, samples, or a raw count that wraps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})
"""The one empty mapping of all things that have nothing to tell in it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A native counter that is the sum of parts (virtual CPU N, instance N), each counted by the vendor, in base units.

    `complete` is False when a part that exists did not answer: the sum is then absent for this cycle. `epoch` names the
    life of the vendor's counters (a boot, a host); when it changes the parts start afresh and the sum does not fall.
    """

    values: Mapping[str, float]
    complete: bool = True
    epoch: str = ""


Sampled = tuple[float | None, ...]


@dataclass(frozen=True, slots=True, init=False)
class Samples:
    """A rate in base units per second, as every sample since the last collection; the core integrates it.

    `timestamps` are the ends of the sampled intervals in Unix seconds, ascending; `series` holds per instance as many
    values, None where the endpoint has none (-1, null). `interval_seconds` is the length of one sample.

    Given plain values instead of a mapping, they are those of the one instance "". There are tens of thousands of these
    in a large estate, and a mapping of one would be most of each.
    """

    timestamps: tuple[float, ...]
    told: Mapping[str, Sampled] | Sampled
    interval_seconds: float

    def __init__(
        self, timestamps: tuple[float, ...], series: Mapping[str, Sampled] | Sampled, interval_seconds: float
    ) -> None:
        put = object.__setattr__
        put(self, "timestamps", timestamps)
        put(self, "told", series)
        put(self, "interval_seconds", interval_seconds)

    @property
    def series(self) -> Mapping[str, Sampled]:
        """The values by instance."""
        told = self.told
        return {"": told} if isinstance(told, tuple) else told


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A raw counter that wraps at `bits`, per part, before conversion; `unit` is one count in base units."""

    values: Mapping[str, int]
    bits: int = 32
    unit: float = 1.0


Counter = float | int | Parts | Samples | Wrapping
"""A counter's value: a number is one monotone vendor value and passes through as it is."""
