"""The second list of calls, for the read-write connection that exists only where an operator asks for what needs it.

None of them changes a guest: libvirt counts among the writing ones what makes a guest or a disk work. Before them an
object is looked up, because objects belong to the connection that named them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from collectors.libvirt.answers import Domain, Pool
from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.errors import AgentSilent, Failed, Refused
from collectors.libvirt.client.lane import Lane
from collectors.libvirt.client.patience import Patience
from collectors.libvirt.client.pools import POOLS
from exporter.errors import AuthenticationFailed, Forbidden, Unreachable, Unsupported

WRITING = {
    "virConnect": {
        "getLibVersion": "virConnectGetLibVersion",
        "lookupByUUIDString": "virDomainLookupByUUIDString",
        "storagePoolLookupByUUIDString": "virStoragePoolLookupByUUIDString",
    },
    "virDomain": {"guestInfo": "virDomainGetGuestInfo"},
    "virStoragePool": {"refresh": "virStoragePoolRefresh"},
}

RIGHT = "read-write connection"
_SYSTEM, _FILESYSTEMS = 2, 16
AGENT_SECONDS = 10.0
"""libvirt itself gives up after 5 s if the agent does not greet; after that it waits for ever."""
REFRESH_SECONDS = 30.0


class Writing:
    """Questions that need a read-write connection, each with the time it may take.

    Raises `TimedOut` for one that has not returned by then, `Occupied` where it may not be asked.
    """

    def __init__(self, lane: Lane, patience: Patience) -> None:
        self._lane = lane
        self._patience = patience
        self._without_system: set[str] = set()

    def told(self, domain: Domain, seconds: float) -> Mapping[str, object]:
        """What the guest agent says: `fs.count`, `fs.N.mountpoint`, `fs.N.total-bytes`, …, `os.pretty-name`, …"""
        return self._patience.ask(f"guest {domain.uuid}", lambda: self._told(domain.uuid), seconds)

    def refresh(self, pool: Pool, seconds: float) -> None:
        """Let libvirt look at the pool and all its volumes; on dead storage that hangs."""
        self._patience.ask(POOLS, lambda: self._refresh(pool.uuid), seconds)

    def close(self) -> None:
        """Disconnect what is idle."""
        self._lane.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A refusal concerns what was asked for beyond reading, never the target."""
        try:
            with self._lane.connection() as connection:
                yield connection
        except (AuthenticationFailed, Unreachable) as error:
            raise Forbidden(f"without a read-write connection: {error}", right=RIGHT) from error

    def _told(self, uuid: str) -> Mapping[str, object]:
        with self._connection() as connection:
            domain: Any = connection.call(connection.handle, "lookupByUUIDString", uuid)
            answer: Mapping[str, object]
            if uuid not in self._without_system:
                try:
                    answer = connection.call(domain, "guestInfo", _SYSTEM | _FILESYSTEMS, 0)
                except AgentSilent:
                    raise
                except (Failed, Refused, Unsupported):
                    # An agent before QEMU 2.10 does not know its system, and libvirt then tells nothing of all.
                    self._without_system.add(uuid)
                else:
                    return answer
            answer = connection.call(domain, "guestInfo", _FILESYSTEMS, 0)
            return answer

    def _refresh(self, uuid: str) -> None:
        with self._connection() as connection:
            pool: Any = connection.call(connection.handle, "storagePoolLookupByUUIDString", uuid)
            connection.call(pool, "refresh", 0)
