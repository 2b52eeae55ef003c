"""What every group's collection is given."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.vsphere.client.lane import Lane
from collectors.vsphere.findings import Findings
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline


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
