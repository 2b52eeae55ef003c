"""Windows' enumerations in the words of the model."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from collectors.hyperv.client.rows import Row, Value, many
from collectors.hyperv.mapping.values import Oddities, whole, whole_or_first
from exporter.model import GuestState

_STATES = {
    2: GuestState.RUNNING,
    3: GuestState.STOPPED,
    4: GuestState.SHUTTING_DOWN,
    9: GuestState.PAUSED,
    10: GuestState.STARTING,
    32768: GuestState.PAUSED,
    32769: GuestState.SUSPENDED,
    32770: GuestState.STARTING,
    32773: GuestState.SHUTTING_DOWN,
    32774: GuestState.SHUTTING_DOWN,
    32776: GuestState.PAUSED,
    32777: GuestState.STARTING,
}
"""Msvm_ComputerSystem.EnabledState."""

_STORAGE_LOW = 5
_CRITICAL = 25
_OPERATIONS = {
    32768: "creating_snapshot",
    32769: "applying_snapshot",
    32770: "deleting_snapshot",
    32771: "waiting_to_start",
    32772: "merging_disks",
    32773: "exporting",
    32774: "migrating",
}
"""Msvm_ComputerSystem.OperationalStatus, its second element."""
_ROLES = {2: "replica", 3: "test", 4: "replica"}
"""Msvm_ComputerSystem.ReplicationMode; 0 is none, 1 the primary, 4 the replica of a replica."""
_BEATS = {2: True, 3: True, 6: False, 7: False, 12: False, 13: False}
"""Msvm_SummaryInformation.Heartbeat: ok, degraded, error, no contact, contact lost; 15 is paused."""
_HEALTH = {1: "normal", 2: "warning", 3: "critical"}
"""ReplicationHealth; 0 is not applicable."""
ALWAYS_STARTED = 4
"""AutomaticStartupAction; 2 is nothing, 3 starts the guest if it was running when its host stopped."""


class Condition(NamedTuple):
    """What one guest is doing."""

    state: GuestState
    operation: str
    """What Hyper-V does with it: merging disks, migrating; "" for nothing."""
    io_error: bool
    role: str
    has_partition: bool
    """Whether it has memory and processors of its host now."""

    @property
    def migrating(self) -> bool:
        """Whether it moves to another host."""
        return self.operation == "migrating"


CONDITION = ("EnabledState", "OperationalStatus", "HealthState", "ReplicationMode")
"""Properties of Msvm_ComputerSystem that tell a guest's condition."""


def condition(sent: tuple[Value, ...], odd: Oddities) -> Condition:
    """The condition of a guest from the values of `CONDITION`, which are the same for many guests."""
    try:
        found, sentences = _known_condition(sent)
    except TypeError:  # a reference or an instance, which cannot be remembered, and has no place here
        found, sentences = _condition(sent)
    odd += sentences
    return found


def _condition(sent: tuple[Value, ...]) -> tuple[Condition, Sequence[str]]:
    row, odd = dict(zip(CONDITION, sent, strict=True)), list[str]()
    code, health, mode = (whole(row, name, odd) for name in ("EnabledState", "HealthState", "ReplicationMode"))
    statuses = many(row, "OperationalStatus")
    low = bool(statuses) and whole_or_first(statuses[0]) == _STORAGE_LOW
    state = _STATES.get(code, GuestState.UNKNOWN) if code is not None else GuestState.UNKNOWN
    told = Condition(
        state=state,
        operation=_operation(statuses),
        io_error=low or health == _CRITICAL,
        role=_ROLES.get(mode or 0, "primary"),
        has_partition=state.holds_memory,
    )
    return told, odd


_known_condition = functools.lru_cache(maxsize=512)(_condition)


def operation(row: Row) -> str:
    """What Hyper-V does with a guest, "" for nothing."""
    return _operation(many(row, "OperationalStatus"))


def _operation(statuses: tuple[str, ...]) -> str:
    codes = (whole_or_first(each) for each in statuses)
    return next((_OPERATIONS[code] for code in codes if code in _OPERATIONS), "")


def beats(heartbeat: float | None) -> bool | None:
    """Whether a guest's heart beats; None where it is paused, or has no such service."""
    return None if heartbeat is None else _BEATS.get(int(heartbeat))


def replication(row: Row, odd: Oddities) -> str | None:
    """Health of replication; None where there is none."""
    return _HEALTH.get(whole(row, "ReplicationHealth", odd) or 0)
