"""What went wrong with single objects during a collection, counted by the words of the problem vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from collectors.libvirt.client.errors import Gone
from exporter.errors import AuthenticationFailed, CollectorError, TimedOut, Unreachable, Unsupported
from exporter.model import Problem

OBJECT_INACCESSIBLE = "object_inaccessible"
MONITOR_STUCK = "monitor_stuck"


class Findings:
    """Counts problems and keeps the first sentence of each."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def note(self, problem: str, example: str) -> None:
        """One more object with this problem."""
        count, first = self._found.get(problem, (0, example))
        self._found[problem] = count + 1, first

    @contextmanager
    def about(self, thing: str) -> Iterator[None]:
        """Let a failure of one object cost that object only.

        What has vanished meanwhile or is not supported is no problem; a lost connection concerns everything.
        """
        try:
            yield
        except (Unreachable, AuthenticationFailed):
            raise
        except (Gone, Unsupported):
            pass
        except TimedOut as error:
            self.note(MONITOR_STUCK, f"{thing}: {error}")
        except CollectorError as error:
            self.note(error.problem or OBJECT_INACCESSIBLE, f"{thing}: {error}")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in alphabetical order."""
        return tuple(Problem(name, count, example) for name, (count, example) in sorted(self._found.items()))

    @property
    def any(self) -> bool:
        """Whether anything went wrong."""
        return bool(self._found)
