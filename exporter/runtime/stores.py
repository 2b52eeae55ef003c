"""Two stores: of the targets that `/metrics` shows, and of those that only a probe collects and only `/probe` shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exporter.catalogue.family import Family
from exporter.config.model import Target
from exporter.runtime.store import Store


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores by the mode of their targets."""

    scheduled: Store
    probed: Store

    @classmethod
    def empty(cls, families: Iterable[Family]) -> Stores:
        """Two stores with nothing in them."""
        families = tuple(families)
        return cls(Store(families), Store(families))

    def of(self, target: Target) -> Store:
        """The store that a target belongs to."""
        return self.scheduled if target.mode == "scheduled" else self.probed

    def expire(self, now: float) -> list[tuple[str, str]]:
        """Let go of pages past their time to live, by target and group."""
        return [*self.scheduled.expire(now), *self.probed.expire(now)]

    def next_expiry(self) -> float:
        """The monotonic instant at which the next page expires unless it is replaced; infinite without pages."""
        return min(self.scheduled.next_expiry(), self.probed.next_expiry())

    @property
    def series(self) -> int:
        """Series of all targets."""
        return self.scheduled.series + self.probed.series
