"""Recording rules by what they are about; one group, so that each reads what the ones before it found just now."""

from __future__ import annotations

from dashboards.rules.forms import Group
from dashboards.rules.recording import clusters, guests, hosts, snapshots, storage, targets
from dashboards.rules.settings import Settings


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every recording rule."""
    parts = (targets, hosts, guests, storage, snapshots, clusters)
    return (Group("hypervisor.rules", tuple(record for part in parts for record in part.records(settings))),)
