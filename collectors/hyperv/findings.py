"""What went wrong with single objects during a collection, counted by the words of the problem vocabulary."""

from __future__ import annotations

import threading
from collections import Counter

from exporter.model import Problem

MALFORMED = "malformed_object"
MISSING_RIGHT = "missing_right"
INACCESSIBLE = "object_inaccessible"
AMBIGUOUS = "ambiguous_name"
UNJOINED = "unjoined_instance"
BLIND_SPOT = "blind_spot"
IMPLAUSIBLE_WAIT = "implausible_cpu_wait"
NODE_UNREAD = "node_unread"


class Findings:
    """Counts objects by problem, each object once, and keeps the first example. Threads of nodes may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, set[object]] = {}
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self.unread = False
        """Whether something that was to be read could not be."""

    def note(self, problem: str, thing: object, example: str) -> None:
        """One more thing with this problem; what was to be read of it is missing."""
        with self._lock:
            self.unread = True
            self._known.setdefault(problem, set()).add(thing)
            self._examples.setdefault(problem, example)

    def tell(self, problem: str, number: int, example: str) -> None:
        """So many more of a problem that leaves nothing out that could be read."""
        if number:
            with self._lock:
                self._counts[problem] += number
                self._examples.setdefault(problem, example)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in alphabetical order."""
        counts = self._counts + Counter({name: len(things) for name, things in self._known.items()})
        return tuple(Problem(name, count, self._examples[name]) for name, count in sorted(counts.items()))
