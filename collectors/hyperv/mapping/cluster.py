"""A failover cluster: its nodes, who owns which guest, its roles and its quorum."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.rows import Instance, Row, every, many
from collectors.hyperv.mapping.found import Found
from collectors.hyperv.mapping.values import Oddities, guid, whole, word
from exporter.model import Cluster, Host, HostState

GROUPS = "groups:"
_UP, _DOWN, _PAUSED, _JOINING = 0, 1, 2, 3
_DRAINING = {1, 2}
"""NodeDrainStatus: 1 in progress, 2 completed, 3 failed."""
_GROUP_STATES = {0: "online", 1: "offline", 2: "failed", 3: "partial_online", 4: "pending"}
_GUEST_PREFIX = "virtual machine "


@dataclass(frozen=True, slots=True)
class Node:
    """One node as the cluster sees it."""

    name: str
    state: int | None = None
    drain: int | None = None

    @property
    def contacted(self) -> bool:
        """Whether it is worth asking: a node that is down is not."""
        return self.state != _DOWN

    @property
    def maintenance(self) -> bool:
        """Whether it is paused, or its guests are leaving or have left."""
        return self.state == _PAUSED or self.drain in _DRAINING

    @property
    def host_state(self) -> HostState:
        """In the model's word."""
        if self.state == _DOWN:
            return HostState.DISCONNECTED
        if self.maintenance:
            return HostState.MAINTENANCE
        return HostState.CONNECTED if self.state in {_UP, _JOINING} else HostState.NOT_RESPONDING


def nodes_of(rows: Iterable[Row], odd: Oddities) -> list[Node]:
    """Every node, by name."""
    found = [
        Node(name, whole(row, "State", odd), whole(row, "NodeDrainStatus", odd))
        for row in rows
        if (name := word(row, "Name"))
    ]
    return sorted(found, key=lambda node: node.name.lower())


class Owners:
    """The node that owns each guest's role."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by_id: dict[str, str] = {}
        by_name: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            node = word(row, "OwnerNode").lower()
            if identity := _guest_of(row):
                self._by_id[identity] = node
            for name in {_plain(word(row, "Name")), word(row, "OwnerGroup").lower()} - {""}:
                by_name[name].add(node)
        self._by_name = {name: next(iter(found)) for name, found in by_name.items() if len(found) == 1}

    def node(self, guest: Found) -> str:
        """The owner's name in lower case, "" where it is not known; a name that several roles bear tells nothing."""
        return self._by_id.get(guest.id) or self._by_name.get(guest.name.lower(), "")


def _plain(name: str) -> str:
    return name.lower().removeprefix(_GUEST_PREFIX)


def _guest_of(row: Row) -> str:
    """The guest's GUID among the private properties, which come as an instance or as pairs; "" without it."""
    for value in every(row, "PrivateProperties"):
        if isinstance(value, Instance):
            names = {name.lower(): name for name in value.row}
            for key in ("vmid", "value"):
                if key in names and (found := guid(" ".join(many(value.row, names[key])))):
                    return found
    return ""


def choose(copies: Sequence[tuple[str, Found]], owner: str) -> int:
    """Which of several copies of a guest is it: the owner's, else one that runs, else the one changed last.

    `copies` are the node's name in lower case and the guest as it is there.
    """

    def rank(index: int) -> tuple[bool, bool, float]:
        node, found = copies[index]
        return (node == owner, bool(found.condition.state.running), found.changed_at or 0.0)

    return max(range(len(copies)), key=rank)


def cluster_vitals(
    identity: tuple[str, str], nodes: Sequence[Node], hosts: Sequence[Host], groups: Sequence[Row] | None, odd: Oddities
) -> Cluster:
    """The cluster, from its own word and sums over the nodes that are known."""
    known = [each for each in hosts if each.up]
    complete = len(known) == sum(node.contacted for node in nodes)
    return Cluster(
        id=identity[0],
        name=identity[1],
        ha="failover",
        hosts=len(nodes),
        hosts_up=sum(node.state in {_UP, _PAUSED} for node in nodes),
        cpu_capacity_cpus=_sum([each.cpu.capacity_cpus for each in known]) if complete else None,
        memory_capacity_bytes=_sum([each.memory.capacity_bytes for each in known]) if complete else None,
        ha_enabled=True,
        # The service that answered ends on every node without a quorum.
        quorate=True,
        extra=_group_states(groups, odd),
    )


def _group_states(groups: Sequence[Row] | None, odd: Oddities) -> Mapping[str, int]:
    if groups is None:
        return {}
    states = Tally(dict.fromkeys(_GROUP_STATES.values(), 0))
    for row in groups:
        code = whole(row, "State", odd)
        states[_GROUP_STATES.get(-1 if code is None else code, "unknown")] += 1
    return {GROUPS + state: count for state, count in sorted(states.items())}


def silent_cluster(identity: tuple[str, str], nodes: Sequence[Node]) -> Cluster:
    """A cluster whose service answers on none of the nodes that can be reached: it has lost its quorum."""
    return Cluster(identity[0], identity[1], ha="failover", hosts=len(nodes), ha_enabled=True, quorate=False)


def identity_of(rows: Sequence[Row]) -> tuple[str, str]:
    """Id and name of the cluster, ("", "") where there is none. Names of two domains' clusters may be the same."""
    if not rows:
        return "", ""
    name = word(rows[0], "Name")
    return (word(rows[0], "Fqdn") or name).lower(), name


def _sum(values: Sequence[float | None]) -> float | None:
    return None if None in values else sum(each for each in values if each is not None)
