"""A target's session: two lanes, what is remembered between collections, and which group asks what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from collectors.libvirt.address import connection_uri
from collectors.libvirt.client.credentials import Access
from collectors.libvirt.client.endpoint import Endpoint
from collectors.libvirt.client.lane import Lane
from collectors.libvirt.client.patience import Patience
from collectors.libvirt.client.pools import Pools
from collectors.libvirt.client.wire import Wires
from collectors.libvirt.client.writing import WRITING, Writing
from collectors.libvirt.drivers import BETTER_PLATFORM, advice
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups import agent, inventory, snapshots, storage, vitals
from collectors.libvirt.groups.budget import MOST, Budget
from collectors.libvirt.groups.guard import guarded
from collectors.libvirt.groups.pools import patient
from collectors.libvirt.groups.rescue import LeftBehind, Rescue
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.groups.verified import verified
from collectors.libvirt.mapping.host import version
from collectors.libvirt.memory import Memory
from collectors.libvirt.options import Settings
from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.config.model import Target
from exporter.contract import Context, Deadline
from exporter.errors import Unsupported
from exporter.model import Observation, Problem

_GROUPS: Mapping[str, Callable[[Surroundings], Observation]] = {
    VITALS: vitals.collect,
    STORAGE: storage.collect,
    SNAPSHOTS: snapshots.collect,
    INVENTORY: inventory.collect,
    agent.AGENT: agent.collect,
}

OLDEST = 6_000_000
"""The oldest libvirt that is supported: 6.0.0."""


class LibvirtSession:
    """Vitals come over one connection, pools over another, everything else over a third; each is opened when needed."""

    def __init__(self, target: Target, context: Context) -> None:
        self._target = target
        self._context = context
        self._memory = Memory()
        self._told: set[str] = set()
        self._settings = Settings.of(target)
        self._advice = advice(target.address)
        if self._advice:
            self._tell(self._advice)
        uri = connection_uri(target.address)
        access = Access(target.auth, target.tls)
        wires = Wires(uri)
        # Calls that hang are counted together, whatever they wait for.
        patience = Patience(elsewhere=lambda: self._budget.stuck)
        self._budget = Budget(elsewhere=lambda: patience.hanging)
        self._fast = Lane(uri, context.meter, access, wires=wires, tell=self._tell)
        self._slow = Lane(uri, context.meter, access, wires=wires, tell=self._tell)
        self._pools = Pools(Lane(uri, context.meter, access, wires=wires, tell=self._tell), patience)
        self._writing: Writing | None = None
        if self._settings.refresh_pools or agent.AGENT in target.profile.group_include:
            self._writing = Writing(Lane(uri, context.meter, access, WRITING, wires=wires), patience)

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """One group of the host; see `exporter.contract.Session`."""
        if group not in _GROUPS:
            raise Unsupported(f"libvirt has no group {group!r}")
        # A call that is left behind takes a place until its guest answers, and without a place no call is made.
        for _ in range(MOST):
            try:
                return self._advised(self._collect(group, deadline))
            except LeftBehind as error:
                deadline.check(f"{error}")
        return self._advised(self._collect(group, deadline))

    def _advised(self, seen: Observation) -> Observation:
        """With a word to who watches another platform's host through libvirt: `check` shows problems, not the log."""
        advised, self._advice = self._advice, ""
        if not advised:
            return seen
        return replace(seen, problems=(*seen.problems, Problem(BETTER_PLATFORM, 1, advised)))

    def _collect(self, group: str, deadline: Deadline) -> Observation:
        findings = Findings()
        with self._lane(group).lent() as lent:
            self._look_at_version(lent.endpoint)
            rescue = Rescue(lent.aside, lent.cut, self._budget, deadline.remaining_seconds)
            questions = patient(verified(lent.endpoint), self._pools, findings, deadline)
            return _GROUPS[group](
                Surroundings(
                    endpoint=guarded(questions, self._budget, findings, deadline, rescue),
                    memory=self._memory,
                    findings=findings,
                    deadline=deadline,
                    now=self._context.now,
                    target=self._target.name,
                    compute_cluster=self._target.compute_cluster or "",
                    settings=self._settings,
                    writing=self._writing,
                )
            )

    def unblock(self, group: str) -> None:
        """Have the group's call fail if it hangs because the daemon does; see `exporter.contract.Unblocking`."""
        self._lane(group).unblock()
        if group == STORAGE:
            self._pools.unblock()

    def close(self) -> None:
        """Disconnect; a call that hangs is left to its thread."""
        self._fast.close()
        self._slow.close()
        self._pools.close()
        if self._writing is not None:
            self._writing.close()

    def _look_at_version(self, endpoint: Endpoint) -> None:
        """Say that a daemon is older than what this platform was tried with."""
        known = endpoint.node().libvirt_version
        if known is not None and known < OLDEST:
            self._tell(
                f"libvirt {version(known)} is older than {version(OLDEST)}: "
                "what it does not know is absent, nothing was tried with it"
            )

    def _tell(self, sentence: str) -> None:
        """Say it to the operator once in the life of this session."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._context.log.warning("%s", sentence)

    def _lane(self, group: str) -> Lane:
        return self._fast if group == VITALS else self._slow


def open_session(target: Target, context: Context) -> LibvirtSession:
    """A session that has made no call yet."""
    return LibvirtSession(target, context)
