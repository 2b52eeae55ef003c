"""Carrying over: a partial observation keeps the things it could not read, as they were last seen, for a time.

Lives beside the ledger, one per (target, group). A complete observation is taken as it is: what is missing is gone.
It is kept until the next one, unless its collector remembers by itself: of a large estate it is tens of megabytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from exporter.model import Observation


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


KINDS = ("hosts", "guests", "storages", "clusters")


_Known = Mapping[str, Mapping[str, tuple[float, _Identified]]]
"""By kind and id: when a thing was really seen, and what it was like."""

_NOTHING: _Known = {kind: {} for kind in KINDS}


class Carry:
    """Remembers every thing and when it was last really seen; it is kept for `ttl_seconds` from then."""

    def __init__(self, ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._complete: tuple[float, Observation] | None = None
        """The last observation if it was complete: as it is, since what it holds is looked for only after a gap."""
        self._known = _NOTHING

    def complete(self, observation: Observation, now: float) -> tuple[Observation, int]:
        """The observation with what it could not read, and how many things were added; `now` is monotonic."""
        if observation.remembered:
            self._complete, self._known = None, _NOTHING
            return observation, 0
        if not observation.partial:
            self._complete = (now, observation)
            return observation, 0
        known = self._known if self._complete is None else _all_of(*self._complete)
        present = _all_of(now, observation)
        kept = {
            kind: {
                identity: before
                for identity, before in known[kind].items()
                if identity not in present[kind] and now - before[0] < self._ttl_seconds
            }
            for kind in KINDS
        }
        self._complete, self._known = None, {kind: {**present[kind], **kept[kind]} for kind in KINDS}
        changes: dict[str, Any] = {
            kind: (*getattr(observation, kind), *(thing for _, thing in things.values()))
            for kind, things in kept.items()
            if things
        }
        carried = sum(map(len, kept.values()))
        return (replace(observation, **changes), carried) if changes else (observation, 0)


def _all_of(at: float, observation: Observation) -> _Known:
    return {kind: {thing.id: (at, thing) for thing in getattr(observation, kind)} for kind in KINDS}
