"""One lane's way to one host: questions in, rows out. A connection that was lost is made anew, unseen by the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.hyperv.client.account import Account
from collectors.hyperv.client.rows import Query, Row
from collectors.hyperv.client.settings import Settings
from exporter.contract import Meter


@dataclass(slots=True)
class Counts:
    """What was asked of a host so far."""

    requests: int = 0
    enumerations: int = 0
    pulls: int = 0
    received_bytes: int = 0
    connections: int = 0


class Connection:
    """Questions to one host, by one thread at a time; `cut` and `close` may come from any.

    Every question ends by `until` on the monotonic clock and raises the core's errors: `NotThere` where the host lacks
    the class or its namespace, `AccessDenied` with the namespace where the account may not.
    """

    def __init__(self, settings: Settings, account: Account, meter: Meter) -> None:
        self.settings = settings
        self.counts = Counts()
        self._account, self._meter = account, meter

    def rows(self, query: Query, until: float) -> list[Row]:
        """Every row of a query, with those of its columns that the build has."""
        raise NotImplementedError

    def missing(self, query: Query) -> frozenset[str]:
        """Columns of a query that this build lacks; known once `rows` has answered it."""
        raise NotImplementedError

    def invoke(
        self,
        namespace: str,
        class_name: str,
        method: str,
        arguments: Mapping[str, str | Sequence[str]],
        until: float,
    ) -> Row:
        """What a method returns, `ReturnValue` included. Only methods that `calls.METHODS` lists."""
        raise NotImplementedError

    def identify(self, until: float) -> Row:
        """`ProductVendor`, `ProductVersion`, `ProtocolVersion`; asked without an account where the host allows that."""
        raise NotImplementedError

    @property
    def verified(self) -> bool:
        """Whether the host has proved who it is."""
        raise NotImplementedError

    @property
    def tls_not_after(self) -> float | None:
        """When the certificate that was shown last ends, Unix seconds; None without TLS."""
        raise NotImplementedError

    @property
    def clock_offset_seconds(self) -> float | None:
        """The host's clock less ours by the Date of its last answer (whole seconds); None where it sends none."""
        raise NotImplementedError

    def cut(self) -> None:
        """Have the question under way fail now."""
        raise NotImplementedError

    def close(self) -> None:
        """Close for good; quick, and harmless when repeated."""
        raise NotImplementedError


def connect(settings: Settings, account: Account, meter: Meter) -> Connection:
    """A connection that is made when it is first used."""
    return Connection(settings, account, meter)
