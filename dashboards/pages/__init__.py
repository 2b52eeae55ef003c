"""The dashboards, in the order of an operator's questions: from all of it down to one guest."""

from __future__ import annotations

from dashboards.lib.forms import Dashboard
from dashboards.pages import capacity, cluster, contention, exporter, fleet, guest, host, snapshots, storage
from dashboards.rules.settings import Settings


def dashboards(settings: Settings) -> tuple[Dashboard, ...]:
    """Every dashboard; thresholds come from the alerts' settings."""
    return tuple(
        page.dashboard(settings)
        for page in (fleet, cluster, host, guest, storage, snapshots, capacity, contention, exporter)
    )
