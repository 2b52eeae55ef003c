"""What every group's collection is given."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.vsphere.client.lane import Lane
from collectors.vsphere.findings import Findings
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline

LEAST_RESERVE, MOST_RESERVE = 0.1, 0.4
"""Shares of a deadline."""
LEAST_RESERVE_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One collection: whom to ask, what is remembered, what goes wrong, and until when."""

    lane: Lane
    memory: Memory
    findings: Findings
    deadline: Deadline
    options: VsphereOptions
    now: float
    """The endpoint's clock at the begin of the collection, Unix seconds."""
    patience_seconds: float = 75.0
    """How long what could not be read anew is still told."""

    def asking_until(self) -> Deadline:
        """When to stop asking: what was read has to become an observation before the deadline."""
        left = self.deadline.remaining_seconds
        needed = max(LEAST_RESERVE * left, LEAST_RESERVE_SECONDS, 3 * self.memory.making_seconds)
        reserve = min(needed, MOST_RESERVE * left)
        return Deadline.after(left - reserve)
