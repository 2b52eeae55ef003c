"""Recording rules by what they are about; the order of the groups is that in which they build upon each other."""

from __future__ import annotations

from dashboards.rules.forms import Group
from dashboards.rules.recording import clusters, guests, hosts, snapshots, storage, targets
from dashboards.rules.settings import Settings


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every group of recording rules."""
    return tuple(
        Group(f"hypervisor-{name}.rules", part.records(settings))
        for name, part in (
            ("targets", targets),
            ("hosts", hosts),
            ("guests", guests),
            ("storage", storage),
            ("snapshots", snapshots),
            ("clusters", clusters),
        )
    )
