"""What a panel would get from Prometheus, arranged as Grafana arranges it: lines, bars or rows of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.backends import grafana
from tests.backends.prometheus import Prometheus

MIN_STEP = 75.0
"""A quarter more than the interval of the estate's vitals."""


@dataclass
class Line:
    """One series; `points` are Unix seconds and values, one of them where only now was asked for."""

    name: str
    labels: Mapping[str, str]
    points: list[tuple[float, float]] = field(default_factory=list)

    @property
    def last(self) -> float:
        return self.points[-1][1]

    @property
    def highest(self) -> float:
        return max(value for _, value in self.points)


@dataclass(frozen=True)
class View:
    """What is looked at: a Prometheus, the last instant, the seconds before it, and the choices at the top."""

    prometheus: Prometheus
    now: float
    span: float
    step: float
    choices: Mapping[str, grafana.Choice]
    interval: float


def lines(panel: Mapping[str, Any], view: View) -> list[Line]:
    """Every series of the panel's queries."""
    found = []
    for target in panel["targets"]:
        expr = grafana.filled(target["expr"], view.choices, interval=view.interval)
        if target["instant"]:
            asked = [(each.labels, [(view.now, each.value)]) for each in view.prometheus.query(expr, view.now)]
        else:
            start = view.now - view.span // view.step * view.step
            series = view.prometheus.query_range(expr, start, view.now, view.step)
            asked = [(each.labels, each.points) for each in series]
        found += [Line(named(target["legendFormat"], labels), labels, points) for labels, points in asked]
    return found


def named(legend: str, labels: Mapping[str, str]) -> str:
    """A series' name in the legend."""
    if legend == "__auto":
        return ", ".join(value for label, value in labels.items() if label != "__name__") or "Value"
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found.group(1), ""), legend.rstrip())


def rows(panel: Mapping[str, Any], view: View) -> list[dict[str, Any]]:
    """The table after Grafana's merge: rows are one where all labels agree that every query has."""
    frames = []
    single = len(panel["targets"]) == 1
    for target in panel["targets"]:
        expr = grafana.filled(target["expr"], view.choices, interval=view.interval)
        value = "Value" if single else f"Value #{target['refId']}"
        frames.append([{**each.labels, value: each.value} for each in view.prometheus.query(expr, view.now)])
    told = [frame for frame in frames if frame]
    common = set.intersection(*({label for row in frame for label in row} for frame in told)) if told else set()
    if single:
        return frames[0]
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for frame in told:
        for row in frame:
            merged.setdefault(tuple(row.get(label) for label in sorted(common)), {}).update(row)
    return list(merged.values())
