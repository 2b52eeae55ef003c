"""A target's session: two lanes over one login, what is remembered between collections, which group asks what."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from collectors.vsphere import privileges
from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.endpoint import Endpoint
from collectors.vsphere.client.lane import Lane
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups import inventory, snapshots, storage, vitals
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.paths import FOLDER
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.config.model import Target
from exporter.contract import Context, Deadline, MissingRight
from exporter.errors import Unsupported
from exporter.model import Observation

_GROUPS: Mapping[str, Callable[[Surroundings], Observation]] = {
    VITALS: vitals.collect,
    INVENTORY: inventory.collect,
    STORAGE: storage.collect,
    SNAPSHOTS: snapshots.collect,
}


class VsphereSession:
    """Vitals come over one lane, everything else over another; both share one session of the endpoint."""

    def __init__(self, target: Target, context: Context) -> None:
        self._context = context
        self._options = VsphereOptions.model_validate(dict(target.options))
        self._patience = target.profile.ttl(VITALS)
        self._memory = Memory()
        self._endpoint = Endpoint(target, context.meter)
        self._running: dict[str, str] = {}
        """The group that each lane has begun last: an order to unblock that comes late is not meant for another."""

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """One group of the endpoint; see `exporter.contract.Session`."""
        if group not in _GROUPS:
            raise Unsupported(f"vsphere has no group {group!r}")
        self._running[self._lane(group)] = group
        return self._endpoint.ask(self._lane(group), deadline, lambda lane: self._collect(group, lane, deadline))

    def _collect(self, group: str, lane: Lane, deadline: Deadline) -> Observation:
        before = self._context.now()
        now = lane.now()
        offset = now - (before + self._context.now()) / 2
        around = Surroundings(lane, self._memory, Findings(), deadline, self._options, now, self._patience)
        observation = _GROUPS[group](around)
        endpoint = dataclasses.replace(
            observation.endpoint,
            clock_offset_seconds=offset,
            tls_verified=self._endpoint.verified,
            tls_not_after_timestamp_seconds=self._endpoint.tls_not_after,
        )
        return dataclasses.replace(observation, endpoint=endpoint)

    def missing_rights(self, deadline: Deadline) -> Sequence[MissingRight]:
        """What the account may not do and should; see `exporter.contract.Examining`."""

        def question(lane: Lane) -> Sequence[MissingRight]:
            facts = self._memory.slow
            objects = privileges.asked(Ref(FOLDER, lane.service.root), facts)
            account, missing = lane.lacking(objects, tuple(privileges.NEEDED))
            missing += lane.lacking(objects[:1], tuple(privileges.OPTIONAL))[1]
            return privileges.told(missing, objects, facts, account)

        return self._endpoint.ask("slow", deadline, question)

    def unblock(self, group: str) -> None:
        """Have the group's call fail if it hangs; see `exporter.contract.Unblocking`."""
        if self._running.get(self._lane(group)) == group:
            self._endpoint.cut(self._lane(group))

    def close(self) -> None:
        """Log out and disconnect."""
        self._endpoint.close()

    @staticmethod
    def _lane(group: str) -> str:
        return "fast" if group == VITALS else "slow"


def open_session(target: Target, context: Context) -> VsphereSession:
    """A session that has made no call yet."""
    return VsphereSession(target, context)
