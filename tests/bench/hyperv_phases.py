"""Where the CPU time of a collection of a Hyper-V host goes. Each second counts once, for the innermost part.

Functions are watched from outside, by their names; one that has another name now is told.
"""

from __future__ import annotations

import importlib
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

ORDER = ("request", "seal", "parse", "map", "integrate", "render", "compress")
_PLACES = {
    "request": ("collectors.hyperv.client.connection:Connection.rows",),
    "seal": (
        "winrm.encryption:Encryption.prepare_encrypted_request",
        "winrm.encryption:Encryption.parse_encrypted_response",
    ),
    "parse": (
        "collectors.hyperv.client.asking:flat",
        "collectors.hyperv.client.asking:answer",
        "collectors.hyperv.client.asking:page",
    ),
    "map": ("collectors.hyperv.session:HypervSession.collect",),
    "integrate": ("exporter.runtime.ledger:Ledger.settle",),
    "compress": ("exporter.runtime.pipeline:compress",),
    "render": ("exporter.runtime.pipeline:Pipeline.page",),
}
_ANSWERS = "collectors.hyperv.client.asking:flat"


class Phases:
    """Watches until the process ends; `keep` is given every answer."""

    def __init__(self, keep: Callable[[bytes], object]) -> None:
        self.unknown: list[str] = []
        self._keep = keep
        self._spent: dict[str, float] = defaultdict(float)
        self._within: list[str] = []
        self._since = 0.0
        for phase, places in _PLACES.items():
            for place in places:
                self._watch(place, phase)

    def take(self) -> dict[str, float]:
        """CPU seconds by part since the last time."""
        taken = {phase: self._spent[phase] for phase in ORDER}
        self._spent.clear()
        return taken

    def _watch(self, place: str, phase: str) -> None:
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        try:
            owner: Any = importlib.import_module(module)
            for each in owners:
                owner = getattr(owner, each)
            call = getattr(owner, name)
        except (ImportError, AttributeError):
            self.unknown.append(place)
            return

        @wraps(call)
        def watched(*arguments: Any, **named: Any) -> Any:
            if place == _ANSWERS:
                self._keep(arguments[0])
            self._turn(phase)
            try:
                return call(*arguments, **named)
            finally:
                self._turn(None)

        setattr(owner, name, watched)

    def _turn(self, phase: str | None) -> None:
        now = time.process_time()
        if self._within:
            self._spent[self._within[-1]] += now - self._since
        if phase is None:
            self._within.pop()
        else:
            self._within.append(phase)
        self._since = now
