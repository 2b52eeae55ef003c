"""A target's session: two lanes with connections of their own, what is remembered between collections."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.settings import Address, Settings
from collectors.hyperv.groups import inventory, snapshots, storage, vitals
from collectors.hyperv.groups.surroundings import FAST, SLOW, Surroundings
from collectors.hyperv.memory import Memory
from collectors.hyperv.options import HypervOptions
from collectors.hyperv.reach import Reach
from collectors.hyperv.rights import missing_rights
from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.config.model import Target
from exporter.contract import Context, Deadline, MissingRight
from exporter.errors import Unsupported
from exporter.model import EndpointFacts, Observation

_GROUPS: Mapping[str, Callable[[Surroundings], Observation]] = {
    VITALS: vitals.collect,
    INVENTORY: inventory.collect,
    STORAGE: storage.collect,
    SNAPSHOTS: snapshots.collect,
}


class HypervSession:
    """Vitals come over one lane, everything else over another."""

    def __init__(self, target: Target, context: Context) -> None:
        self._options = HypervOptions.model_validate(dict(target.options))
        self._target = target.name
        self._entrance = Address.of(target.address)
        settings = Settings(
            address=self._entrance,
            auth=target.auth,
            tls=target.tls,
            transport=self._options.transport,
            allow_unencrypted=self._options.allow_unencrypted,
        )
        self._reach = Reach(settings, Account(target.auth), context.meter)
        self._memory = Memory()
        self._running: dict[str, str] = {}
        """The group that each lane has begun last: an order to unblock that comes late is not meant for another."""

    def collect(self, group: str, deadline: Deadline) -> Observation:
        """One group of the target; see `exporter.contract.Session`."""
        if group not in _GROUPS:
            raise Unsupported(f"hyperv has no group {group!r}")
        lane = self._lane(group)
        self._running[lane] = group
        self._reach.begin(lane)
        deadline.check("beginning to ask")
        around = Surroundings(self._reach, lane, self._memory, self._options, self._target, deadline)
        observation = _GROUPS[group](around)
        deadline.check("making an observation of what was read")
        return dataclasses.replace(observation, endpoint=self._with_tls(observation, lane))

    def _with_tls(self, observation: Observation, lane: str) -> EndpointFacts:
        connection = self._reach.link(lane, self._entrance)
        encrypted = self._entrance.scheme == "https"
        return dataclasses.replace(
            observation.endpoint,
            tls_verified=connection.verified if encrypted else None,
            tls_not_after_timestamp_seconds=connection.tls_not_after,
        )

    def missing_rights(self, deadline: Deadline) -> Sequence[MissingRight]:
        """Rights that something is absent without; see `exporter.contract.Examining`."""
        deadline.check("looking for missing rights")
        return missing_rights(self._memory)

    def unblock(self, group: str) -> None:
        """Have the group's call fail if it hangs; see `exporter.contract.Unblocking`."""
        lane = self._lane(group)
        if self._running.get(lane) == group:
            self._reach.cut(lane)

    def close(self) -> None:
        """Close every connection."""
        self._reach.close()

    @staticmethod
    def _lane(group: str) -> str:
        return FAST if group == VITALS else SLOW


def open_session(target: Target, context: Context) -> HypervSession:
    """A session that has made no call yet."""
    return HypervSession(target, context)
