"""State of a domain and why it is in it: numbers of virDomainState and of the reason enumerations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from exporter.model import GuestState

RUNNING, PAUSED, OFF, CRASHED, PM_SUSPENDED = 1, 3, 5, 6, 7
PAUSED_FOR_MIGRATION, PAUSED_FOR_IO_ERROR = 2, 5

_STATES = {
    0: GuestState.UNKNOWN,
    1: GuestState.RUNNING,
    2: GuestState.RUNNING,  # blocked on a resource: Xen's word for idle
    3: GuestState.PAUSED,
    4: GuestState.SHUTTING_DOWN,
    5: GuestState.STOPPED,
    6: GuestState.CRASHED,
    7: GuestState.SUSPENDED,
}

_REASONS = {
    1: (
        "unknown", "booted", "migrated", "restored", "from_snapshot", "unpaused", "migration_canceled", "save_canceled",
        "wakeup", "crashed", "postcopy", "postcopy_failed",
    ),
    3: (
        "unknown", "user", "migration", "save", "dump", "ioerror", "watchdog", "from_snapshot", "shutting_down",
        "snapshot", "crashed", "starting_up", "postcopy", "postcopy_failed", "api_error",
    ),
    4: ("unknown", "user"),
    5: ("unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from_snapshot", "daemon"),
    6: ("unknown", "panicked"),
}  # fmt: skip

_MIGRATING = {(1, 10), (1, 11), (3, PAUSED_FOR_MIGRATION), (3, 12), (3, 13)}
_RUNS_HERE = {1, 2, 3}


@dataclass(frozen=True, slots=True)
class State:
    """What a domain's state says about a guest."""

    state: GuestState
    reason: str
    migrating: bool | None
    io_error: bool
    holds_memory: bool | None


@lru_cache(maxsize=256)
def guest_state(state: int, reason: int) -> State:
    """State and reason of a domain (`state.state`, `state.reason`; virDomainGetState).

    Paused for migration is the incoming copy, which waits so until it takes over; the outgoing one is seen in that
    state for an instant only. That a running guest is being copied elsewhere does not show in its state: then
    `migrating` is unknown, not False. Suspended by power management, a guest keeps its memory.
    """
    known = (state, reason) in _MIGRATING
    return State(
        state=GuestState.MIGRATING if (state, reason) == (PAUSED, PAUSED_FOR_MIGRATION) else _state(state),
        reason=_reason(state, reason),
        migrating=True if known else None if state in _RUNS_HERE else False,
        io_error=(state, reason) == (PAUSED, PAUSED_FOR_IO_ERROR),
        holds_memory=True if state == PM_SUSPENDED else None,
    )


def _state(number: int) -> GuestState:
    return _STATES.get(number, GuestState.UNKNOWN)


def _reason(state: int, reason: int) -> str:
    words = _REASONS.get(state, ())
    return words[reason] if 0 <= reason < len(words) else "unknown"
