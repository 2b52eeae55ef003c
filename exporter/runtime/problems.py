"""What is wrong with an observation, by name: what the collector reported and what was found since."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.normalise import Normalised

VALUE_REJECTED = "value_rejected"


def problems_of(
    normalised: Normalised, found: Mapping[str, int], rejected: int, example: str
) -> dict[str, tuple[int, str]]:
    """Name of a problem to the number of objects and a sentence; `rejected` samples could not be shown."""
    problems: dict[str, tuple[int, str]] = {}

    def add(name: str, count: int, sentence: str = "") -> None:
        if count:
            before, known = problems.get(name, (0, ""))
            problems[name] = (before + count, known or sentence)

    for problem in normalised.observation.problems:
        add(problem.name, problem.count, problem.example)
    for name, count in (*normalised.problems.items(), *found.items()):
        add(name, count)
    add(VALUE_REJECTED, rejected, example)
    return problems
