"""What a session remembers between collections: the inventory, and how far samples were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.layout import DiskSize, Layout

Properties = Mapping[str, Any]


@dataclass(slots=True)
class Memory:
    """Written by one lane each; what the lanes share is replaced as a whole."""

    slow: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    """Slow facts of every object of the inventory, by path."""
    read_at: float | None = None
    """When the slow facts were read in full, on our monotonic clock."""
    counters: dict[str, int] = field(default_factory=dict)
    """Ids of performance counters at this endpoint by name, `cpu.ready.summation`."""
    sampled: dict[Ref, float] = field(default_factory=dict)
    """End of the newest sample that was read, by object."""
    uuids: dict[Ref, str] = field(default_factory=dict)
    """The last known instance UUID of a guest that does not tell it now."""
    sizes: dict[Ref, tuple[object, dict[int, DiskSize]]] = field(default_factory=dict)
    """Sizes of a guest's disks by their keys, with the state of its files that they are true for."""
    layouts: dict[Ref, tuple[object, Layout]] = field(default_factory=dict)
    """Files of guests with snapshots or overlays, with the state that they are true for."""

    def of_kind(self, *kinds: str) -> dict[Ref, dict[str, Any]]:
        """The objects of some kinds."""
        return {ref: facts for ref, facts in self.slow.items() if ref.kind in kinds}
