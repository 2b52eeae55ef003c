"""Alerts by what they are about."""

from __future__ import annotations

from dashboards.rules.alerts import clusters, exporter, guests, hosts, snapshots, storage
from dashboards.rules.forms import Group
from dashboards.rules.settings import Settings


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every group of alerts."""
    return tuple(
        Group(f"hypervisor-{name}.alerts", part.alerts(settings))
        for name, part in (
            ("exporter", exporter),
            ("host", hosts),
            ("guest", guests),
            ("storage", storage),
            ("snapshots", snapshots),
            ("cluster", clusters),
        )
    )
