"""What the slow lane remembers of upkeep: hosts' certificates, licences' ends, custom attributes, managers' ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.vsphere.client.decode import Ref


@dataclass(slots=True)
class Upkeep:
    """Written by the slow lane; vitals read `attributes`, which is replaced as a whole."""

    managers: Mapping[str, Ref] = field(default_factory=dict)
    """Managers of the endpoint by the property of its content that names them."""
    managers_of: int = 0
    """Generation of the session in which they were asked for."""
    examined_at: dict[Ref, float] = field(default_factory=dict)
    """When a host's hardware was last read, on our monotonic clock."""
    certificates: dict[Ref, tuple[float, float | None]] = field(default_factory=dict)
    """When a host's certificate was read, on our monotonic clock, and when it ends."""
    ends: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Ends of licences that are made of what remains, by name and id."""
    attributes: Mapping[Ref, Mapping[str, str]] = field(default_factory=dict)
    """Custom attributes of guests and hosts that the operator has asked for."""
