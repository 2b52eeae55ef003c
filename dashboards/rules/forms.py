"""What rules are made of: records, alerts and groups, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """What a person is to do: get up, look today, know."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule; its name says `level:metric:operation`."""

    name: str
    expr: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. `level` is the thing it is about and names the labels that it keeps; texts are Prometheus templates.

    `holds` says that it reads series that outlive a target that is down, so that it does not resolve with it.
    """

    name: str
    expr: str
    severity: Severity
    level: str
    summary: str
    description: str
    for_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    holds: bool = False
    dashboard: str = "fleet"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in this order."""

    name: str
    rules: tuple[Record | Alert, ...]
    interval_seconds: float | None = None
