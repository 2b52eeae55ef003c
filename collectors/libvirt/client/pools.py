"""Questions about storage pools, each with the time it may take, over a connection that nothing else uses.

libvirt locks a pool while it looks at a file of it. On dead storage that hangs, and with it whoever names the pools or
asks this one, among the few workers that libvirtd keeps for calls that always return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.client.lane import Lane
from collectors.libvirt.client.patience import Patience

POOLS = "the storage pools"
"""One thing, however many there are: a pool that hangs lets the list of all of them hang."""
POOL_SECONDS = 30.0

T = TypeVar("T")


class Pools:
    """Asks one question at a time; none while an earlier one has not come back."""

    def __init__(self, lane: Lane, patience: Patience) -> None:
        self._lane = lane
        self._patience = patience

    def ask(self, question: Callable[[Questions], T], seconds: float) -> T:
        """The answer, or the question's own error. Raises `TimedOut` after `seconds`, `Occupied` at once."""

        def ask() -> T:
            with self._lane.endpoint() as endpoint:
                return question(endpoint)

        return self._patience.ask(POOLS, ask, min(seconds, POOL_SECONDS))

    def unblock(self) -> None:
        """Have a call fail that hangs because the daemon does."""
        self._lane.unblock()

    def close(self) -> None:
        """Disconnect what is idle."""
        self._lane.close()
