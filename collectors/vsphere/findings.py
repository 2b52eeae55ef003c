"""What went wrong with single objects during a collection, counted by the words of the problem vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from collectors.vsphere.client.decode import Ref
from exporter.model import Problem

MALFORMED = "malformed_object"
MISSING_RIGHT = "missing_right"
INACCESSIBLE = "object_inaccessible"
SAMPLES_MISSING = "samples_missing"
LATE = "samples_late"
STATISTICS_LATE = "statistics_late"
OBJECTS_LATE = "objects_late"
INVENTORY_LATE = "inventory_late"
_BY_FAULT = {"NoPermission": MISSING_RIGHT, "malformed": MALFORMED}


class Findings:
    """Counts objects by problem, each object once, and keeps the first example."""

    def __init__(self) -> None:
        self._known: dict[str, set[object]] = {}
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self.unread = False
        """Whether something that was to be read now was not: the core keeps what is missing in the observation.

        A property that cannot be read at all, for want of a right, is no reason to keep what has been deleted.
        """

    def note(self, problem: str, thing: object, example: str) -> None:
        """One more thing with this problem."""
        self._known.setdefault(problem, set()).add(thing)
        self._examples.setdefault(problem, example)

    def count(self, problem: str, number: int, example: str) -> None:
        """So many more of a problem that leaves nothing out that was to be read."""
        self._counts[problem] += number
        self._examples.setdefault(problem, example)

    def lost(self, lost: Iterable[tuple[Ref, str, str]]) -> None:
        """Properties that a page could not tell: object, path and why."""
        for ref, path, why in lost:
            self.note(_BY_FAULT.get(why, INACCESSIBLE), ref, f"{ref.kind} {ref.id}: {path} ({why})")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in alphabetical order."""
        counts = self._counts + Counter({name: len(things) for name, things in self._known.items()})
        return tuple(Problem(name, count, self._examples[name]) for name, count in sorted(counts.items()))
