"""Carrying over: a partial observation keeps the things it could not read, as they were last seen, for a time.

Lives beside the ledger, one per (target, group). A complete observation is taken as it is: what is missing is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from exporter.model import Observation


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


KINDS = ("hosts", "guests", "storages", "clusters")


class Carry:
    """Remembers every thing and when it was last really seen; it is kept for `ttl_seconds` from then."""

    def __init__(self, ttl_seconds: float) -> None:
        self._ttl_seconds = ttl_seconds
        self._seen: dict[str, dict[str, tuple[float, _Identified]]] = {kind: {} for kind in KINDS}

    def complete(self, observation: Observation, now: float) -> tuple[Observation, int]:
        """The observation with what it could not read, and how many things were added; `now` is monotonic."""
        carried = 0
        changes: dict[str, Any] = {}
        for kind in KINDS:
            things: Sequence[_Identified] = getattr(observation, kind)
            current = {thing.id: (now, thing) for thing in things}
            if observation.partial:
                kept = {
                    identity: known
                    for identity, known in self._seen[kind].items()
                    if identity not in current and now - known[0] < self._ttl_seconds
                }
                if kept:
                    carried += len(kept)
                    changes[kind] = (*things, *(thing for _, thing in kept.values()))
                current |= kept
            self._seen[kind] = current
        return (replace(observation, **changes), carried) if changes else (observation, 0)
