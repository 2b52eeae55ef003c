"""The slow facts of the inventory: read in full, then kept. They feed the descriptions of vitals."""

from __future__ import annotations

from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.paths import SLOW
from exporter.model import Observation


def refresh(around: Surroundings) -> None:
    """Read every slow fact anew."""
    found: dict[Ref, dict[str, Any]] = {}
    for page in around.lane.every(SLOW):
        around.deadline.check("reading the inventory")
        found |= page.objects
        around.findings.lost(page.lost)
    around.memory.slow = found


def collect(around: Surroundings) -> Observation:
    """The inventory of one endpoint."""
    refresh(around)
    return Observation(collected_at=around.now, problems=around.findings.problems, partial=around.findings.any)
