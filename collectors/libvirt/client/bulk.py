"""Statistics of many domains in one call, and what becomes of the flags that a daemon does not know."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.asking import Asking, Tell, domain_of, tell_nobody
from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.errors import Refused
from collectors.libvirt.client.flags import How, Stats

_DISPENSABLE = {
    How.BACKING: "layers below disks are absent",
    How.NOWAIT: "a guest whose monitor is asked by somebody else is left out, as libvirt would wait for it",
}
"""Flags that younger daemons know, by what it means to do without. In the order in which they are given up."""

_Answer = list[tuple[Any, dict[str, object]]]


class Bulk(Asking):
    """Asks virDomainListGetStats."""

    def __init__(self, connection: Connection, tell: Tell = tell_nobody) -> None:
        super().__init__(connection, tell)
        self._without = How.PLAIN

    def waits(self) -> bool:
        """Whether bulk calls wait for a guest that is busy (30 s each), because the daemon does not know NOWAIT."""
        return How.NOWAIT in self._without

    def bulk(self, domains: Collection[Domain], groups: Stats, how: How = How.PLAIN) -> list[Record]:
        """Statistics of several domains in one call; those that have vanished are left out by the daemon.

        Never waits for a guest that is busy, where the daemon knows how (libvirt 4.5): its record is shorter then.
        """
        handles, wanted = [domain.handle for domain in domains], (how | How.NOWAIT) & ~self._without
        answer: _Answer | None
        try:
            answer = self._stats(handles, groups, wanted)
        except Refused:
            answer = self._plainer(handles, groups, wanted)
            if answer is None:
                raise
        return [Record(domain_of(handle), stats) for handle, stats in answer]

    def _stats(self, handles: list[Any], groups: Stats, how: How) -> _Answer:
        answer: _Answer = self._ask(self._host, "domainListGetStats", handles, int(groups), int(how))
        return answer

    def _plainer(self, handles: list[Any], groups: Stats, how: How) -> _Answer | None:
        """The answer to a call with fewer flags; what had to be left out for it is not tried again.

        None where that is refused as well: then it was not for a flag, and none is given up.
        """
        for without in _fewer(how):
            try:
                answer = self._stats(handles, groups, how & ~without)
            except Refused:
                continue
            self._without |= without
            for flag, meaning in _DISPENSABLE.items():
                if flag in without:
                    self._tell(f"libvirt does not know the flag {flag.name} of bulk statistics here: {meaning}")
            return answer
        return None


def _fewer(how: How) -> Iterator[How]:
    """What to leave out: each flag alone, then all."""
    present = [flag for flag in _DISPENSABLE if flag in how]
    yield from present
    if len(present) > 1:
        yield How.BACKING | How.NOWAIT
