"""What every group's collection is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.client.writing import Writing
from collectors.libvirt.findings import Findings
from collectors.libvirt.memory import Memory
from collectors.libvirt.options import Settings
from exporter.contract import Deadline


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One collection: whom to ask, what is remembered, what goes wrong, and until when."""

    endpoint: Questions
    memory: Memory
    findings: Findings
    deadline: Deadline
    now: Callable[[], float]
    target: str
    compute_cluster: str = ""
    settings: Settings = Settings()  # noqa: RUF009  it is frozen
    writing: Writing | None = None
    """Where an operator asked for what needs it."""
