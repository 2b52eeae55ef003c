"""What every group's collection is given."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.hyperv.address import node_address
from collectors.hyperv.client.connection import Connection
from collectors.hyperv.client.settings import Address
from collectors.hyperv.findings import MALFORMED, Findings
from collectors.hyperv.mapping.values import Table
from collectors.hyperv.memory import Memory
from collectors.hyperv.options import HypervOptions
from collectors.hyperv.reach import Reach, Reading, read
from exporter.contract import Deadline

FAST, SLOW = "fast", "slow"
"""Lanes: vitals go over one, all other groups over the other."""


@dataclass(slots=True)
class Surroundings:
    """One collection: whom to ask, what is remembered, what goes wrong, and until when."""

    reach: Reach
    lane: str
    memory: Memory
    options: HypervOptions
    target: str
    deadline: Deadline
    rests: bool = True
    """Whether nodes that have just failed are left alone: not if all have, for of that the core has decided."""
    findings: Findings = field(default_factory=Findings)

    @property
    def is_fast(self) -> bool:
        """Whether this is a collection of vitals."""
        return self.lane == FAST

    @property
    def now(self) -> float:
        """The endpoint's clock, where it was ever told; else ours."""
        return time.time() + (self.memory.clock_offset or 0.0)

    def address(self, node: str) -> Address:
        """Where a node of the cluster answers."""
        entrance = self.reach.entrance.address
        named = {name.lower(): address for name, address in self.options.node_addresses.items()}
        if (found := named.get(node.lower())) is not None:
            return node_address(entrance, found, node)
        return node_address(entrance, self.options.node_address, node)

    def read(self, connection: Connection, wanted: Iterable[Table], until: float) -> Reading:
        """Ask one host for some tables; see `reach.read`."""
        return read(connection, wanted, until, stopped=lambda: self.reach.is_cut(self.lane))

    def odd(self, oddities: Sequence[str], what: str) -> None:
        """Count what made no sense of one thing."""
        if oddities:
            self.findings.tell(MALFORMED, 1, f"{what}: {oddities[0]}")

    def hosts(self) -> Mapping[str, Address]:
        """The hosts that are asked, by node."""
        topology = self.memory.topology
        if topology is None or not topology.is_cluster:
            return {"": self.reach.entrance.address}
        return {node.name.lower(): self.address(node.name) for node in topology.nodes if node.contacted}
