"""Load over time as functions that can be integrated on paper: waves of a day, a week and minutes, and batch jobs.

A counter is a weighted sum of their integrals, so its growth over any interval is exact, whenever it is asked for and
in whichever order. Instants are Unix seconds, to the millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, floor, sin, tau

ORIGIN = 1_735_689_600.0
"""2025-01-01T00:00:00Z: where integrals begin. Nothing is simulated before it."""
MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86_400.0, 604_800.0
TEXTURE = 23 * MINUTE
PERIODS = (DAY, WEEK, TEXTURE)
PHASES = 32
BATCHES = 8
BATCH_PERIOD, BATCH_SECONDS = 4 * HOUR, 30 * MINUTE

Basis = tuple[float, float, float, float, float]
"""Seconds since the origin, and the integrals of a wave of each period and of batch jobs, all in seconds."""
Weights = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a thing has its peaks: a phase of each wave, in 32nds, and which half hour of every four is its batch."""

    day: int
    week: int
    texture: int
    batch: int


def to_the_millisecond(instant: float) -> float:
    """The instant as curves see it: two that differ are far enough apart for every counter to grow."""
    return floor(instant * 1000) / 1000


def wave(period: float, phase: int, instant: float) -> float:
    """The integral since the origin of a wave between 0 and 1 (half of it on average), in seconds."""
    since, shift, speed = instant - ORIGIN, tau * phase / PHASES, tau / period
    return since / 2 + (cos(shift) - cos(speed * since + shift)) / (2 * speed)


def level(period: float, phase: int, instant: float) -> float:
    """The wave itself, 0 to 1."""
    return (1 + sin(tau / period * (instant - ORIGIN) + tau * phase / PHASES)) / 2


def pulses(period: float, offset: float, length: float, instant: float) -> float:
    """Seconds since the origin that lay within a pulse of `length`, which begins `offset` after each period's start."""
    full, rest = divmod(instant - ORIGIN - offset, period)
    return full * length + min(rest, length)


def in_pulse(period: float, offset: float, length: float, instant: float) -> bool:
    """Whether the instant lies within a pulse."""
    return (instant - ORIGIN - offset) % period < length


def batch(number: int, instant: float) -> float:
    """The integral of the batch job of this number, of eight that follow each other."""
    return pulses(BATCH_PERIOD, number * BATCH_SECONDS, BATCH_SECONDS, instant)


def in_batch(number: int, instant: float) -> bool:
    """Whether the batch job of this number runs."""
    return in_pulse(BATCH_PERIOD, number * BATCH_SECONDS, BATCH_SECONDS, instant)


def basis(rhythm: Rhythm, instant: float) -> Basis:
    """All integrals of a rhythm at an instant."""
    return (
        instant - ORIGIN,
        wave(DAY, rhythm.day, instant),
        wave(WEEK, rhythm.week, instant),
        wave(TEXTURE, rhythm.texture, instant),
        batch(rhythm.batch, instant),
    )


class Moment:
    """All waves at one instant, worked out once for every thing of a fleet."""

    __slots__ = ("at", "batches", "days", "levels", "since", "textures", "weeks")

    def __init__(self, instant: float) -> None:
        self.at = to_the_millisecond(instant)
        self.since = self.at - ORIGIN
        self.days, self.weeks, self.textures = (
            tuple(wave(period, phase, self.at) for phase in range(PHASES)) for period in PERIODS
        )
        self.batches = tuple(batch(number, self.at) for number in range(BATCHES))
        self.levels = tuple(level(DAY, phase, self.at) for phase in range(PHASES))

    def basis(self, rhythm: Rhythm) -> Basis:
        """As the function of this name, looked up."""
        return (
            self.since,
            self.days[rhythm.day],
            self.weeks[rhythm.week],
            self.textures[rhythm.texture],
            self.batches[rhythm.batch],
        )


moment = lru_cache(maxsize=16)(Moment)


@dataclass(frozen=True, slots=True)
class Train:
    """Spans of one length that come back every period: when a guest is somewhere. Starts at `first` (Unix seconds)."""

    first: float
    period: float
    length: float

    def begins(self, instant: float) -> float:
        """The start of the newest span that has begun."""
        return self.first + floor((instant - self.first) / self.period) * self.period

    def covers(self, instant: float) -> bool:
        """Whether the instant lies within a span."""
        return instant - self.begins(instant) < self.length

    def basis(self, rhythm: Rhythm, instant: float) -> Basis:
        """As `basis`, counting only what lies within spans, and no batches: only differences mean something."""
        count = floor((instant - self.first) / self.period)
        begun = self.first + count * self.period
        last = basis(rhythm, min(instant, begun + self.length))
        start = basis(rhythm, begun)
        whole = (
            count * self.length,
            self._waves(DAY, rhythm.day, count),
            self._waves(WEEK, rhythm.week, count),
            self._waves(TEXTURE, rhythm.texture, count),
        )
        a, b, c, d = (total + now - then for total, now, then in zip(whole, last[:4], start[:4], strict=True))
        return a, b, c, d, 0.0

    def _waves(self, period: float, phase: int, count: int) -> float:
        """The integral of a wave over the first `count` spans, all of which are over."""
        speed = tau / period
        first = speed * (self.first - ORIGIN) + tau * phase / PHASES
        swing = _cosines(first, speed * self.period, count) - _cosines(
            first + speed * self.length, speed * self.period, count
        )
        return count * self.length / 2 + swing / (2 * speed)


def _cosines(first: float, step: float, count: int) -> float:
    """cos(first) + cos(first + step) + ... for so many summands; below zero, those before the first, less."""
    half = sin(step / 2)
    if abs(half) < 1e-9:
        return count * cos(first)
    return sin(count * step / 2) / half * cos(first + (count - 1) * step / 2)


def saw(period: float, offset: float, instant: float) -> float:
    """Rises evenly from 0 to 1 and falls back at once, every period."""
    return ((instant - ORIGIN - offset) / period) % 1.0


def peak(weights: Sequence[float]) -> float:
    """The most that a weighted sum of the waves can be."""
    return sum(weights)
