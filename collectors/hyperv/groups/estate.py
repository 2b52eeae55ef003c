"""What was read of hosts and guests put together: one copy of each guest, sums of hosts, the cluster, blind spots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from collectors.hyperv.client.errors import HYPERV_ADMINISTRATORS, PERFORMANCE_MONITOR_USERS, REMOTE_ENABLE
from collectors.hyperv.client.rows import Namespace
from collectors.hyperv.findings import AMBIGUOUS, BLIND_SPOT, IMPLAUSIBLE_WAIT, UNJOINED
from collectors.hyperv.groups.hosts import Told as Answered
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.cluster import choose, cluster_vitals, silent_cluster
from collectors.hyperv.mapping.found import Found, Joined, join, own_name
from collectors.hyperv.mapping.guest import HostView, Told, guest_vitals, vcpus, wait_counted
from collectors.hyperv.mapping.host import (
    HostFacts,
    Standing,
    absent_host,
    allocation,
    booted_at,
    clock,
    host_vitals,
)
from collectors.hyperv.memory import Slow, Topology
from collectors.hyperv.reach import Reading
from exporter.model import Allocation, Cluster, Guest, Host, HostState

_WAIT_UNITS = {"100ns": 1e-7, "ns": 1e-9}
_ROLE_ABSENT = "role_absent"
_NO_SLOW = Slow(HostFacts(), {}, 0.0)


@dataclass(slots=True)
class _At:
    """One host that has answered, and its guests."""

    node: str
    reading: Reading
    slow: Slow
    view: HostView
    joined: Joined
    clock: float
    counters_read: bool


class Estate:
    """The hosts of a target as one collection saw them."""

    def __init__(self, around: Surroundings, told: Answered) -> None:
        self._around, self._told = around, told
        self._memory = around.memory
        self._topology = around.memory.topology or Topology()
        self._ids = self._memory.ids()
        self._at = {node: self._host_at(node, reading) for node, reading in told.readings.items()}

    def _host_at(self, node: str, reading: Reading) -> _At:
        slow = self._memory.slow.get(node, _NO_SLOW)
        odd: list[str] = []
        standing = self._standing(node)
        name = slow.facts.name or node or own_name(reading.answers)
        view = HostView(
            self._ids.get(node) or slow.facts.id or node or name.lower(),
            name,
            standing.cluster,
            standing.cluster_id,
            slow.facts.memory_bytes,
        )
        joined = join(reading.answers, slow.settings, odd)
        self._around.odd(odd, view.name)
        counters = tables.VIRTUAL_PROCESSORS in reading.answers and tables.STORAGE_DEVICES in reading.answers
        return _At(node, reading, slow, view, joined, clock(reading.answers) or self._around.now, counters)

    @property
    def _member(self) -> Standing:
        return Standing(cluster=self._topology.name, cluster_id=self._topology.id)

    def _standing(self, node: str) -> Standing:
        known = self._topology.owner(node)
        if known is None or not self._topology.answered:
            return self._member
        state = known.host_state if known.contacted else HostState.CONNECTED
        return replace(self._member, state=state, maintenance=known.maintenance)

    # Guests.

    def seen(self) -> tuple[tuple[Host, ...], tuple[Guest, ...]]:
        """Hosts, and one copy of every guest."""
        chosen = self._chosen()
        guests = {node: self._guests(at, chosen[node]) for node, at in self._at.items()}
        for at in self._at.values():
            self._find_trouble(at)
        hosts = [self._host(at, guests[node]) for node, at in self._at.items() if at.view.id]
        hosts += self._silent_hosts()
        everyone = tuple(guest for found in guests.values() for guest in found)
        self._remember(chosen)
        return tuple(hosts), everyone

    def _chosen(self) -> dict[str, list[Found]]:
        """Guests by node, each on one of them: a guest that moves, or has just left, is listed by two."""
        copies: dict[str, list[tuple[str, Found]]] = {}
        for node, at in self._at.items():
            for found in at.joined.guests:
                copies.setdefault(found.id, []).append((node, found))
        chosen: dict[str, list[Found]] = {node: [] for node in self._at}
        for places in copies.values():
            node, found = places[0 if len(places) == 1 else choose(places, self._topology.owners.node(places[0][1]))]
            chosen[node].append(found)
        return chosen

    def _guests(self, at: _At, chosen: Sequence[Found]) -> list[Guest]:
        for found in chosen:
            self._around.odd(found.odd, found.name)
        return guest_vitals(chosen, at.view, self._told_of(at, chosen))

    def _told_of(self, at: _At, chosen: Sequence[Found]) -> list[Told]:
        options = self._around.options
        unit = _WAIT_UNITS[options.cpu_wait_unit]
        told = []
        for found in chosen:
            boot, plausible = None, True
            if found.has_partition:
                plausible = self._wait_plausible(at, found, unit)
                if found.uptime:
                    boot = self._memory.boots.told(f"guest {found.id}", at.clock - found.uptime)
            counters = at.counters_read and found.id not in at.joined.ambiguous
            told.append(Told(boot, plausible, counters, unit, options.notes, options.guest_os))
        return told

    def _wait_plausible(self, at: _At, found: Found, unit: float) -> bool:
        """Whether the wait that was added can be seconds at all: its unit is not documented."""
        counted, count = wait_counted(found), vcpus(found)
        if counted is None or not count:
            return True
        read_at = at.reading.clocks[tables.VIRTUAL_PROCESSORS].monotonic
        good = self._memory.waits.plausible((found.id, at.view.id), counted * unit, count, (read_at, at.clock))
        if not good:
            self._around.findings.tell(
                IMPLAUSIBLE_WAIT,
                1,
                f"{found.name} would have waited longer than its {count:.0f} processors can: try cpu_wait_unit",
            )
        return good

    def _remember(self, chosen: dict[str, list[Found]]) -> None:
        found = {each.id: node for node, guests in chosen.items() for each in guests}
        if self._around.findings.unread:
            found = {**self._memory.guests, **found}
        self._memory.guests = found
        hosts = (f"host {at.view.id}" for at in self._at.values())
        self._memory.boots.keep({*hosts, *(f"guest {identity}" for identity in found)})
        self._memory.waits.known = {key: told for key, told in self._memory.waits.known.items() if key[0] in found}

    # What does not fit together.

    def _find_trouble(self, at: _At) -> None:
        findings, joined = self._around.findings, at.joined
        self._memory.blind.pop(at.node, None)
        if tables.COMPUTER_SYSTEMS in at.reading.lacking:
            findings.tell(_ROLE_ABSENT, 1, f"{at.view.name} has no virtual machine management: is Hyper-V installed?")
        for identity in sorted(joined.ambiguous):
            name = next(each.name for each in joined.guests if each.id == identity)
            findings.tell(AMBIGUOUS, 1, f"two guests of {at.view.name} that run are called {name!r}: rename one")
        unjoined = (*joined.unjoined, *joined.unjoined_adapters)
        if at.reading.answers.get(tables.OPERATING_SYSTEM) == []:
            self._blind(at, 1, "shows no Windows that it runs", f"{REMOTE_ENABLE} on {Namespace.CIMV2}")
        elif unjoined and not joined.guests and tables.COMPUTER_SYSTEMS in at.reading.answers:
            count = len(joined.unjoined) or len(unjoined)
            self._blind(at, count, "runs guests and shows none", HYPERV_ADMINISTRATORS)
        elif at.reading.answers.get(tables.COMPUTER_SYSTEMS) == []:
            self._blind(at, 1, "shows no systems, not even itself", HYPERV_ADMINISTRATORS)
        elif silent := _without_counters(at):
            self._blind(at, silent, "shows no counters of guests that run", PERFORMANCE_MONITOR_USERS)
        elif unjoined and joined.guests:
            findings.tell(UNJOINED, len(unjoined), f"counters of {unjoined[0]!r} belong to no guest")
        disks = [each for each in joined.unjoined_disks if not each.lower().endswith(".iso")]
        if disks and joined.guests:
            findings.tell(UNJOINED, len(disks), f"counters of the disk {disks[0]!r} belong to no guest")

    def _blind(self, at: _At, count: int, what: str, right: str) -> None:
        self._around.findings.unread = True
        self._memory.blind[at.node] = right
        sentence = f"{at.view.name or 'the host'} {what}: the account probably lacks {right}"
        self._around.findings.tell(BLIND_SPOT, count, sentence)

    # Hosts.

    def _host(self, at: _At, guests: Sequence[Guest]) -> Host:
        odd: list[str] = []
        boot = self._memory.boots.told(f"host {at.view.id}", booted_at(at.reading.answers, odd))
        facts = at.slow.facts if at.slow.facts.name else replace(at.slow.facts, name=at.view.name)
        host = host_vitals(facts, at.view.id, at.reading.answers, self._standing(at.node), odd, boot=boot)
        self._around.odd(odd, at.view.name)
        if tables.COMPUTER_SYSTEMS not in at.reading.answers or self._memory.blind.get(at.node) is not None:
            # What is promised to guests that cannot be seen is unknown, and must not be counted as nothing.
            return replace(host, allocation=Allocation())
        return replace(host, allocation=allocation(guests, at.slow.settings, host.memory.capacity_bytes))

    def _silent_hosts(self) -> list[Host]:
        """Nodes that are down or did not answer, as far as they were ever reached."""
        found = []
        for node in self._topology.nodes:
            key = node.name.lower()
            slow = self._memory.slow.get(key)
            if key in self._at or slow is None:
                continue
            state = HostState.DISCONNECTED if not node.contacted else HostState.NOT_RESPONDING
            standing = Standing(
                state, node.maintenance, up=False, cluster=self._topology.name, cluster_id=self._topology.id
            )
            found.append(absent_host(slow.facts, self._ids[key], standing))
        return found

    # The cluster.

    def clusters(self, hosts: Sequence[Host]) -> tuple[Cluster, ...]:
        """The cluster, if the target is one."""
        known = self._topology
        if not known.is_cluster:
            return ()
        if not known.answered:
            return (silent_cluster((known.id, known.name), known.nodes),)
        odd: list[str] = []
        cluster = cluster_vitals((known.id, known.name), known.nodes, hosts, known.groups, odd)
        self._around.odd(odd, known.name)
        return (cluster,)


def _without_counters(at: _At) -> int:
    """How many guests that run have no counters of their processors; 0 if some guest has."""
    if tables.VIRTUAL_PROCESSORS not in at.reading.answers:
        return 0
    running = [each for each in at.joined.guests if each.has_partition and each.id not in at.joined.ambiguous]
    return 0 if any(each.processors for each in running) else len(running)
