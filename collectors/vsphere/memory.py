"""What a session remembers between collections: the inventory, how far samples were read, what is to be read first."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.performance import Sampled
from collectors.vsphere.mapping.host import Promise
from collectors.vsphere.mapping.layout import DiskSize, Layout
from collectors.vsphere.upkeep import Upkeep

Properties = Mapping[str, Any]
Held = Mapping[Ref, float | None]
"""Bytes by datastore; None for one where it is not known."""


@dataclass(slots=True)
class Portion:
    """How much is asked in one query of samples, counted in metrics: grows slowly, halves when it was too much."""

    metrics: int = 800
    ceiling: int = 4_000
    """What was refused is not asked for again soon."""
    refused_at: float = 0.0
    """When the ceiling was last set, on the endpoint's clock."""


MOST_OBJECTS = 500
"""Of one page of properties."""


@dataclass(slots=True)
class Turn:
    """How far one kind of question about many objects has come."""

    behind: tuple[Ref, ...] = ()
    """Objects that the last collection did not come to."""
    read_at: dict[Ref, float] = field(default_factory=dict)
    """When an object was last read, on our monotonic clock."""
    page_objects: int = MOST_OBJECTS
    """How many objects are asked for in one call: fewer while that takes too long."""


@dataclass(slots=True)
class Memory:
    """Written by one lane each; what the lanes share is replaced as a whole."""

    slow: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    """Slow facts of every object of the inventory, by path."""
    followed: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    """The same as vitals alone know them, from what the endpoint tells of changes."""
    following: threading.Lock = field(default_factory=threading.Lock)
    """Over reading a page of changes and making it part of what follows: either lane may, one at a time."""
    page_seconds: float = 0.0
    """What it took either lane to read the last page of changes."""
    gone: list[Ref] = field(default_factory=list)
    """Objects that the slow lane has heard to be gone: vitals forget them."""
    whole: bool = False
    """Whether the slow facts were read to their end at least once."""
    last: dict[Ref, dict[str, Any]] = field(default_factory=dict)
    """What a guest told before it became inaccessible, by path."""
    lost: dict[Ref, dict[str, str]] = field(default_factory=dict)
    """Paths of slow facts that cannot be read, and why."""
    counters: dict[str, int] = field(default_factory=dict)
    """Ids of performance counters at this endpoint by name, `cpu.ready.summation`."""
    counters_of: int = 0
    """Generation of the session in which they were learned: an upgrade may number them anew."""
    sampled: dict[Ref, float] = field(default_factory=dict)
    """End of the newest sample that was read, by object."""
    asked_at: dict[Ref, float] = field(default_factory=dict)
    """When samples were last asked for with success, on our monotonic clock."""
    resting: set[Ref] = field(default_factory=set)
    """Objects that were off or out of reach when samples were last read: what they miss is no gap."""
    sick: dict[Ref, tuple[float, str, str]] = field(default_factory=dict)
    """Objects that are not asked for samples until an instant of the endpoint's clock: the problem, and why."""
    recent: dict[Ref, Sampled] = field(default_factory=dict)
    """The newest samples of hosts: their gauges hold until there are others."""
    portion: Portion = field(default_factory=Portion)
    statistics: Turn = field(default_factory=Turn)
    """Quick statistics, by vitals."""
    filesystems: Turn = field(default_factory=Turn)
    """File systems of guests, by storage."""
    trees: Turn = field(default_factory=Turn)
    """Trees of snapshots, by the group of that name."""
    held: dict[Ref, Held] = field(default_factory=dict)
    """What a guest's snapshots hold on datastores, as it was last read."""
    quick: Mapping[Ref, Properties] = field(default_factory=dict)
    """Quick statistics as they were last read: those of objects that are behind hold for a while."""
    unsampled: bool = False
    """Whether there were objects whose samples the last collection did not come to."""
    making_seconds: float = 0.0
    """What it took the last time to make an observation of the answers."""
    uuids: dict[Ref, str] = field(default_factory=dict)
    """The last known instance UUID of a guest that does not tell it now."""
    promised: dict[Ref, Promise] = field(default_factory=dict)
    """What guests took of their hosts when they were last seen, where some count there and get no series."""

    sizes: dict[Ref, tuple[object, dict[int, DiskSize]]] = field(default_factory=dict)
    """Sizes of a guest's disks by their keys, with the state of its files that they are true for."""
    layouts: dict[Ref, tuple[object, Layout]] = field(default_factory=dict)
    """Files of guests with snapshots or overlays, with the state that they are true for."""
    upkeep: Upkeep = field(default_factory=Upkeep)

    def of_kind(self, *kinds: str) -> dict[Ref, dict[str, Any]]:
        """The objects of some kinds."""
        return {ref: facts for ref, facts in self.slow.items() if ref.kind in kinds}

    def forget(self, ref: Ref) -> None:
        """The object is gone for good."""
        known: Sequence[dict[Ref, Any]] = (
            self.last,
            self.lost,
            self.sampled,
            self.asked_at,
            self.statistics.read_at,
            self.filesystems.read_at,
            self.trees.read_at,
            self.held,
            self.sick,
            self.recent,
            self.uuids,
            self.promised,
        )
        for each in known:
            each.pop(ref, None)
        self.resting.discard(ref)
