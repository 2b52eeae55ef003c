"""What went wrong with single objects during a collection, counted by the words of the problem vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collectors.libvirt.client.errors import Gone
from exporter.errors import AuthenticationFailed, CollectorError, TimedOut, Unreachable, Unsupported
from exporter.model import Problem

OBJECT_INACCESSIBLE = "object_inaccessible"
MONITOR_STUCK = "monitor_stuck"
VALUE_REJECTED = "value_rejected"
MOST_EXAMPLES = 5


@dataclass(slots=True)
class _Found:
    """Objects with one problem; an example of each kind of failure in the order in which they were met."""

    count: int = 0
    examples: dict[str, str] = field(default_factory=dict)
    known: set[tuple[str, str]] = field(default_factory=set)


class Findings:
    """Counts problems and keeps the first sentence of each kind."""

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}

    def note(self, problem: str, example: str, *, thing: str = "", kind: str = "") -> None:
        """One more object with this problem.

        What is called `thing` is counted once for each `kind` of failure: a guest whose five disks do not answer has
        one problem, not five.
        """
        found = self._found.setdefault(problem, _Found())
        if thing and (thing, kind) in found.known:
            return
        found.known.add((thing, kind))
        found.count += 1
        found.examples.setdefault(kind, example)

    @contextmanager
    def about(self, thing: str, *, kind: str = "", part: str = "") -> Iterator[None]:
        """Let a failure of one object cost that object only; with a `kind` of call, only what that call would tell.

        What has vanished meanwhile or is not supported is no problem; a lost connection concerns everything. `part`
        names the part of the thing that was asked about.
        """
        known = thing if kind else ""
        try:
            yield
        except (Unreachable, AuthenticationFailed):
            raise
        except (Gone, Unsupported):
            pass
        except CollectorError as error:
            problem = MONITOR_STUCK if isinstance(error, TimedOut) else error.problem or OBJECT_INACCESSIBLE
            self.note(problem, f"{thing}{part and f', {part}'}: {error}", thing=known, kind=kind)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in alphabetical order."""
        return tuple(
            Problem(name, found.count, "; ".join(list(found.examples.values())[:MOST_EXAMPLES]))
            for name, found in sorted(self._found.items())
        )

    @property
    def any(self) -> bool:
        """Whether anything went wrong."""
        return bool(self._found)
