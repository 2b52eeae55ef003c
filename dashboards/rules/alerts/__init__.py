"""Alerts by what they are about."""

from __future__ import annotations

from dashboards.rules.alerts import capacity, snapshots
from dashboards.rules.forms import Group
from dashboards.rules.settings import Settings


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every group of alerts."""
    return tuple(
        Group(f"hypervisor-{name}.alerts", part.alerts(settings))
        for name, part in (("snapshots", snapshots), ("capacity", capacity))
    )
