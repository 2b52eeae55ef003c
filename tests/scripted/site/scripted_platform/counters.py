"""Counters that grow linearly with the clock, in the model's four forms, so that rates are known by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from exporter.model import Counter, Parts, Samples, Wrapping
from scripted_platform.script import Script

WINDOW_SAMPLES = 60


@dataclass(frozen=True)
class Clock:
    """The instant of one collection: seconds since the script began, and the endpoint's wall clock."""

    seconds: float
    wall: float


def start(script: Script, *names: object) -> float:
    """Where a counter stood when the script began: a whole number between 1,000 and 2,000, from the seed."""
    return _start(script.seed, names)


@lru_cache(maxsize=1_000_000)
def _start(seed: int, names: tuple[object, ...]) -> float:
    return float(random.Random(f"{seed}/{names}").randint(1000, 2000))


def linear(script: Script, clock: Clock, rate: float, *names: object) -> float:
    """A counter with one value."""
    return start(script, *names) + rate * clock.seconds


def counter(script: Script, clock: Clock, form: str, rate: float, parts: int, *names: object) -> Counter:
    """A counter in the wanted form; its parts share the rate."""
    if form == "samples":
        return samples(script, clock, rate, *names)
    if form == "wrapping":
        # Begins just below 2^32, so that it soon goes round.
        raw = (1 << 32) - 2000 + linear(script, clock, rate, *names)
        return Wrapping({"0": int(raw) % (1 << 32)})
    if form == "parts":
        return Parts({str(part): linear(script, clock, rate / parts, *names, part) for part in range(parts)})
    return linear(script, clock, rate, *names)


def samples(script: Script, clock: Clock, rate: float, *_names: object, gaps: bool = False) -> Samples:
    """The last minute's samples on a grid of the wall clock; with `gaps` every other one is missing."""
    newest = int(clock.wall / script.sample_seconds)
    grid = range(newest - WINDOW_SAMPLES + 1, newest + 1)
    values = tuple(None if gaps and step % 2 else rate for step in grid)
    return Samples(tuple(step * script.sample_seconds for step in grid), {"0": values}, script.sample_seconds)


def without_part(seen: Counter | None, part: str) -> Mapping[str, float]:
    """The other parts."""
    return {name: value for name, value in seen.values.items() if name != part} if isinstance(seen, Parts) else {}
