"""What rules are made of: records, alerts and groups, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """The thing an alert is about."""

    EXPORTER = "exporter"
    TARGET = "target"
    HOST = "host"
    GUEST = "guest"
    STORAGE = "storage"
    CLUSTER = "cluster"

    @property
    def keeps_target(self) -> bool:
        """Whether its series say which target they are of; storage and clusters may be seen by several."""
        return self in (Level.TARGET, Level.HOST, Level.GUEST)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Its labels that are also choices of the dashboards."""
        return _CHOSEN[self]


_CHOSEN: Mapping[Level, tuple[str, ...]] = {
    Level.EXPORTER: (),
    Level.TARGET: ("platform", "target"),
    Level.HOST: ("platform", "target", "host"),
    Level.GUEST: ("platform", "target", "guest"),
    Level.STORAGE: ("platform", "storage"),
    Level.CLUSTER: ("platform", "compute_cluster"),
}


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
    """An alert. Texts are Prometheus' templates; `level` says which labels they may name.

    `holds` says that it reads series that outlive a target that is down, so that it does not resolve with it.
    """

    name: str
    expr: str
    severity: Severity
    level: Level
    summary: str
    description: str
    for_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    holds: bool = False
    dashboard: str = "fleet"
    """The page to go on with, opened on the thing that the alert is about."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in this order."""

    name: str
    rules: tuple[Record | Alert, ...]
    interval_seconds: float | None = None
