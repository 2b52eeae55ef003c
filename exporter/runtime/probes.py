"""Probes: somebody waits until a target's groups are fresh. Requests at the same time share the same collections.

Only bookkeeping; the supervisor, on whose thread all of this runs, starts the collections.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Probe:
    """One request: the groups it still waits for, and whom to tell."""

    target: str
    missing: set[str]
    answer: Future[None]


class Probes:
    """Every request under way."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Probe]] = {}
        self._over: list[Probe] = []

    def add(self, target: str, groups: set[str], answer: Future[None]) -> Probe:
        """Note a request for groups that are being collected."""
        probe = Probe(target, groups, answer)
        self._waiting.setdefault(target, []).append(probe)
        return probe

    def finished(self, target: str, group: str) -> None:
        """A collection has ended, in whatever way."""
        for probe in list(self._waiting.get(target, ())):
            probe.missing.discard(group)
            if not probe.missing:
                self.end(probe)

    def end(self, probe: Probe) -> None:
        """Everything is there, or the time is over: whoever waits shall look at what there is."""
        waiting = self._waiting.get(probe.target, [])
        if probe in waiting:
            waiting.remove(probe)
            self._over.append(probe)
        if not waiting:
            self._waiting.pop(probe.target, None)

    def about_to_answer(self) -> set[str]:
        """Targets whose probes are over and not answered yet."""
        return {probe.target for probe in self._over}

    def answer(self) -> None:
        """Tell those whose time has come. Called when everything that is known of the targets can be seen."""
        over, self._over = self._over, []
        for probe in over:
            if not probe.answer.done():
                probe.answer.set_result(None)

    def end_all(self, target: str) -> None:
        """The target is gone, or cannot be asked: nobody waits for it any longer."""
        for probe in list(self._waiting.get(target, ())):
            self.end(probe)
