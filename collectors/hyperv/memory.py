"""What a session remembers between collections: who is who, slow facts, files of disks, starts of guests."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.hyperv.client.rows import Row
from collectors.hyperv.mapping.cluster import Node, Owners
from collectors.hyperv.mapping.host import HostFacts
from collectors.hyperv.mapping.settings import GuestSettings
from collectors.hyperv.mapping.storage import Volume
from collectors.hyperv.mapping.vhd import DiskFileFacts

STEADY_SECONDS = 60.0
"""A start that is worked out from an uptime trembles; by less than this it has not moved."""

ALONE = ""
"""The key of the one host of a target that is no cluster."""


@dataclass(frozen=True, slots=True)
class Topology:
    """What the target is: one host, or a cluster and its nodes."""

    id: str = ""
    name: str = ""
    nodes: tuple[Node, ...] = ()
    owners: Owners = field(default_factory=lambda: Owners(()))
    groups: Sequence[Row] | None = None
    learned_at: float = float("-inf")
    """On our monotonic clock."""
    answered: bool = True
    """Whether the cluster itself could be asked just now."""

    @property
    def is_cluster(self) -> bool:
        """Whether there is a cluster at all."""
        return bool(self.id)

    def owner(self, node: str) -> Node | None:
        """The node of that name."""
        return next((each for each in self.nodes if each.name.lower() == node), None)


@dataclass(frozen=True, slots=True)
class Slow:
    """Slow facts of one host; replaced as a whole. `read_at` is on our monotonic clock."""

    facts: HostFacts
    settings: Mapping[str, GuestSettings]
    read_at: float


class Steady:
    """Instants that are worked out anew each time, kept as they were first told unless they really move."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def told(self, key: str, at: float | None) -> float | None:
        """The instant as it was told before, or as it is now."""
        if at is None:
            return None
        known = self._known.get(key)
        if known is None or abs(known - at) > STEADY_SECONDS:
            self._known[key] = known = at
        return known

    def keep(self, keys: Collection[str]) -> None:
        """Forget all others."""
        for gone in self._known.keys() - set(keys):
            del self._known[gone]


@dataclass(slots=True)
class Waits:
    """How far CPUWaitTimePerDispatch had been counted, to see whether it can be what it is taken for."""

    known: dict[tuple[str, str], tuple[float, float, float]] = field(default_factory=dict)

    def plausible(self, key: tuple[str, str], seconds: float, vcpus: float, at: tuple[float, float]) -> bool:
        """Whether so many seconds of waiting can have been added since the last time.

        `at` is the instant on our monotonic clock and on the host's: whichever has gone further.
        """
        before = self.known.get(key)
        self.known[key] = (seconds, *at)
        if before is None:
            return True
        return seconds - before[0] <= 1.05 * vcpus * max(at[0] - before[1], at[1] - before[2], 0.0)


@dataclass(slots=True)
class Memory:
    """Written by one lane each, unless said otherwise; what the lanes share is replaced as a whole."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    topology: Topology | None = None
    slow: dict[str, Slow] = field(default_factory=dict)
    """By node's name in lower case, ALONE for a single host; either lane puts in new ones."""
    guests: dict[str, str] = field(default_factory=dict)
    """Where each guest was last seen, by node."""
    again_at: dict[str, float] = field(default_factory=dict)
    """When settings were last read again because something did not fit, by node; monotonic."""
    denied: dict[tuple[str, str], str] = field(default_factory=dict)
    """Rights that the account was refused something for, by node and right: the namespace. For `check --connect`."""
    blind: dict[str, str] = field(default_factory=dict)
    """Nodes that show less than there is, and the right that the account seems to lack."""
    unseen_cluster: bool = False
    """Whether a host shows shared volumes of a cluster, and no cluster."""
    boots: Steady = field(default_factory=Steady)
    waits: Waits = field(default_factory=Waits)
    files: dict[str, DiskFileFacts] = field(default_factory=dict)
    """Facts of disks' files by `vhd.key_of` their path; replaced as a whole."""
    unreadable: dict[str, float] = field(default_factory=dict)
    """Files that could not be read, and when that was tried last, on our monotonic clock."""
    volumes: tuple[Volume, ...] = ()
    clock_offset: float | None = None

    def ids(self) -> dict[str, str]:
        """Ids of hosts by node; a UUID that two nodes carry is nobody's."""
        found = {node: slow.facts for node, slow in self.slow.items()}
        counts: dict[str, int] = {}
        for facts in found.values():
            counts[facts.id] = counts.get(facts.id, 0) + 1
        return {node: facts.id if counts[facts.id] == 1 else node or facts.id for node, facts in found.items()}

    def learn(self, node: str, slow: Slow) -> None:
        """Keep slow facts of a node; facts that could not be read this time stay as they were."""
        with self.lock:
            self.slow = {**self.slow, node: slow}

    def forget_others(self, nodes: Collection[str]) -> None:
        """Nodes that were evicted are gone for good."""
        with self.lock:
            self.slow = {node: slow for node, slow in self.slow.items() if node in nodes}


def now() -> float:
    """Our monotonic clock."""
    return time.monotonic()
