"""Where the CPU time of a collection goes: request, decode, map, integrate, render, compress. Each second counts once.

Functions are watched from outside, by the names of what they are in. One that has another name now is told, not missed:
its time is then counted where it is called from.
"""

from __future__ import annotations

import importlib
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

PHASES = {
    "request": (
        "collectors.vsphere.client.wire:Wire.get",
        "collectors.vsphere.client.wire:Wire.send",
        "collectors.vsphere.client.wire:Wire.post",
        "collectors.vsphere.client.performance:query",
        "collectors.vsphere.client.properties:specification",
        "collectors.vsphere.client.properties:of_objects",
    ),
    "decode": (
        "collectors.vsphere.client.performance:parse",
        "collectors.vsphere.client.properties:parse",
        "collectors.vsphere.client.updates:parse",
    ),
    "integrate": ("exporter.runtime.ledger:Ledger.settle",),
    "compress": ("exporter.runtime.pipeline:compress",),
    "render": ("exporter.runtime.pipeline:Pipeline.page",),
    "map": ("collectors.vsphere.session:VsphereSession.collect",),
}
ORDER = ("request", "decode", "map", "integrate", "render", "compress")
FOLLOW = "collectors.vsphere.groups.inventory:follow"
ENVELOPES = PHASES["decode"]


def process_seconds(pid: int) -> float:
    """CPU seconds of a process so far, of all its threads, also those that have ended."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid() makes it


class Phases:
    """Watches until the process ends; `take` gives seconds by phase since the last time, `bytes_decoded` with them."""

    def __init__(self, keep: Callable[[bytes], object] | None = None) -> None:
        self.unknown: list[str] = []
        self.follow = self.bytes_decoded = 0.0
        """CPU seconds within following the inventory, whatever phases they belong to."""
        self._keep = keep
        self._spent: dict[str, float] = defaultdict(float)
        self._within: list[str] = []
        self._since = 0.0
        for phase, places in PHASES.items():
            for place in places:
                self._replace(place, lambda call, phase=phase, place=place: self._watched(call, phase, place))
        self._replace(FOLLOW, self._following)

    def take(self) -> dict[str, float]:
        taken = {phase: self._spent[phase] for phase in ORDER}
        self._spent.clear()
        self.follow = self.bytes_decoded = 0.0
        return taken

    def _replace(self, place: str, watched: Callable[[Any], Any]) -> None:
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        try:
            owner: Any = importlib.import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            setattr(owner, name, watched(getattr(owner, name)))
        except (ImportError, AttributeError):
            self.unknown.append(place)

    def _watched(self, call: Callable[..., Any], phase: str, place: str) -> Callable[..., Any]:
        @wraps(call)
        def watched(*arguments: Any, **named: Any) -> Any:
            if place in ENVELOPES:
                self.bytes_decoded += len(arguments[0])
                if self._keep is not None:
                    self._keep(arguments[0])
            self._enter(phase)
            try:
                return call(*arguments, **named)
            finally:
                self._leave()

        return watched

    def _following(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def following(*arguments: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return call(*arguments, **named)
            finally:
                self.follow += time.process_time() - begun

        return following

    def _enter(self, phase: str) -> None:
        now = time.process_time()
        if self._within:
            self._spent[self._within[-1]] += now - self._since
        self._within.append(phase)
        self._since = now

    def _leave(self) -> None:
        now = time.process_time()
        self._spent[self._within.pop()] += now - self._since
        self._since = now
