"""Reaching hosts: a connection for each host and lane, with a back-off of its own; several nodes at once in a cluster.

Threads are started here alone, at most eight, and end with the call.
"""

from __future__ import annotations

import dataclasses
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple, TypeVar

from collectors.hyperv.client.account import Account, Credentials
from collectors.hyperv.client.columns import Columns
from collectors.hyperv.client.connection import Connection, connect
from collectors.hyperv.client.errors import AccessDenied, NotThere
from collectors.hyperv.client.rows import Row
from collectors.hyperv.client.settings import Address, Settings
from collectors.hyperv.mapping.values import Table
from exporter.contract import Deadline, Meter
from exporter.errors import (
    AuthenticationFailed,
    CollectorError,
    Forbidden,
    Malformed,
    TimedOut,
    Unreachable,
    Unsupported,
)

MOST_THREADS = 8
NODE_SECONDS = 10.0
"""The most that one node of a cluster may take of a collection."""
_BACK_OFF_SECONDS, _LONGEST_BACK_OFF_SECONDS = 30.0, 300.0
_LOCKED_SECONDS = 1800.0
_WORTH_GOING_ON_SECONDS = 1.0
_QUERY_SHARE, _LEAST_QUERY_SECONDS = 0.4, 5.0
"""WMI's counters stall for up to 3 s every quarter of an hour, on every host."""
_RESERVE = 0.1
"""Share of the time that is kept for making an observation of the answers."""
_MOST_SLOW_TABLES = 2

Answer = TypeVar("Answer")


class Moment(NamedTuple):
    """The middle between a question and its answer in Unix seconds, and the answer on the monotonic clock."""

    middle: float
    monotonic: float


@dataclass(slots=True)
class Reading:
    """What one host has answered."""

    answers: dict[Table, Sequence[Row]] = field(default_factory=dict)
    lacking: set[Table] = field(default_factory=set)
    """Classes that the host does not have: a role or a build."""
    failures: dict[Table, CollectorError] = field(default_factory=dict)
    error: CollectorError | None = None
    """Why reading ended early."""
    clocks: dict[Table, Moment] = field(default_factory=dict)
    """Our clocks around each answer."""

    def merge(self, other: Reading) -> None:
        """Add what was read later."""
        self.answers |= other.answers
        self.lacking |= other.lacking
        self.failures |= other.failures
        self.clocks |= other.clocks
        self.error = self.error or other.error


def read(
    connection: Connection, wanted: Iterable[Table], until: float, *, stopped: Callable[[], bool] = lambda: False
) -> Reading:
    """Ask one host for some tables, one after the other; what fails costs that table alone.

    A table that hangs costs its share of the time; at the second one, or when told to stop, reading ends. Raises
    nothing.
    """
    reading, slow = Reading(), 0
    share = max(_LEAST_QUERY_SECONDS, _QUERY_SHARE * (until - time.monotonic()))
    for table in wanted:
        if reading.error is not None:
            reading.failures[table] = reading.error
            continue
        try:
            _ask(connection, table, min(until, time.monotonic() + share), reading)
        except (NotThere, Unsupported):
            reading.lacking.add(table)
        except (Forbidden, Malformed) as error:
            reading.failures[table] = error
        except TimedOut as error:
            reading.failures[table] = error
            slow += 1
            if stopped() or slow >= _MOST_SLOW_TABLES or until - time.monotonic() < _WORTH_GOING_ON_SECONDS:
                reading.error = error
        except CollectorError as error:
            reading.failures[table] = reading.error = error
    return reading


def _ask(connection: Connection, table: Table, until: float, reading: Reading) -> None:
    before = time.time()
    reading.answers[table] = connection.rows(table.query, until)
    reading.clocks[table] = Moment((before + time.time()) / 2, time.monotonic())


@dataclass(slots=True)
class _Link:
    connection: Connection
    failures: int = 0
    not_before: float = 0.0
    why: str = ""
    refused: Credentials | None = None
    """As whom the host did not let us in: another password is tried at once."""


class Resting(Unreachable):
    """A host that has failed lately is not asked now."""


class Reach:
    """Every connection of a target. A lane's connections are used by that lane's call, `cut` and `close` by any."""

    def __init__(self, entrance: Settings, account: Account, meter: Meter) -> None:
        self.entrance = entrance
        self._account, self._meter = account, meter
        self._lock = threading.Lock()
        self._links: dict[tuple[str, str], _Link] = {}
        self._columns: dict[str, Columns] = {}
        """What each host's classes lack, learned once for both lanes."""
        self._closed = False
        self._cut: set[str] = set()
        """Lanes whose collection was told to fail."""

    def begin(self, lane: str) -> None:
        """A new collection: what told the one before to fail does not concern it."""
        with self._lock:
            self._cut.discard(lane)

    def is_cut(self, lane: str) -> bool:
        """Whether the lane's collection was told to fail."""
        return lane in self._cut

    def link(self, lane: str, address: Address) -> Connection:
        """The lane's connection to a host; made when it is first used."""
        return self._link(lane, address).connection

    def _link(self, lane: str, address: Address) -> _Link:
        key = (lane, str(address).lower())
        with self._lock:
            if self._closed:
                raise Unreachable(f"the session with {self.entrance.address} is closed")
            if key not in self._links:
                settings = dataclasses.replace(self.entrance, address=address)
                columns = self._columns.setdefault(key[1], Columns())
                self._links[key] = _Link(connect(settings, self._account, self._meter, columns))
            return self._links[key]

    def every(
        self,
        lane: str,
        nodes: Mapping[str, Address],
        deadline: Deadline,
        ask: Callable[[str, Connection, float], Answer],
        *,
        rests: bool = True,
    ) -> tuple[dict[str, Answer], dict[str, CollectorError]]:
        """Ask several hosts at once; answers and errors by node.

        With `rests`, a node (its key is not "") that has just failed is left alone for a while; of a single host the
        core decides.
        """
        if not nodes:
            return {}, {}
        alone = "" in nodes
        until = time.monotonic() + min((1 - _RESERVE) * deadline.remaining_seconds, inf if alone else NODE_SECONDS)

        def one(node: str) -> Answer | CollectorError:
            try:
                return self.ask(
                    lane, nodes[node], lambda connection: ask(node, connection, until), rests=rests and not alone
                )
            except CollectorError as error:
                return error

        if len(nodes) == 1:
            found = {node: one(node) for node in nodes}
        else:
            with ThreadPoolExecutor(min(MOST_THREADS, len(nodes)), f"hyperv-{lane}") as pool:
                found = dict(zip(nodes, pool.map(one, nodes), strict=True))
        answers = {node: each for node, each in found.items() if not isinstance(each, CollectorError)}
        errors = {node: each for node, each in found.items() if isinstance(each, CollectorError)}
        return answers, errors

    def rests(self, lane: str, address: Address) -> bool:
        """Whether a host has failed so lately that it is left alone."""
        with self._lock:
            link = self._links.get((lane, str(address).lower()))
        return link is not None and time.monotonic() < link.not_before

    def ask(self, lane: str, address: Address, ask: Callable[[Connection], Answer], *, rests: bool = True) -> Answer:
        """Ask one host, and remember how it went. With `rests`, one that has just failed is not asked."""
        link = self._link(lane, address)
        if self.is_cut(lane):
            raise TimedOut(f"the collection was stopped before {address} was asked")
        if rests and (left := link.not_before - time.monotonic()) > 0 and not self._is_somebody_else(link):
            raise Resting(f"{link.why} (left alone for {left:.0f} s more)")
        try:
            answer = ask(link.connection)
        except (Unreachable, TimedOut, AuthenticationFailed) as error:
            self._failed(link, error)
            raise
        trouble = answer.error if isinstance(answer, Reading) else None
        if trouble is not None:
            self._failed(link, trouble)
        else:
            link.failures, link.not_before, link.refused = 0, 0.0, None
        return answer

    def _failed(self, link: _Link, error: CollectorError) -> None:
        link.refused = None
        if isinstance(error, AuthenticationFailed):
            with suppress(CollectorError):
                link.refused = self._account.credentials(link.connection.settings)
        _failed(link, error)

    def _is_somebody_else(self, link: _Link) -> bool:
        """Whether the secret has changed since the host refused it."""
        if link.refused is None:
            return False
        try:
            return self._account.credentials(link.connection.settings) != link.refused
        except CollectorError:
            return False

    def cut(self, lane: str) -> None:
        """Have whatever the lane asks fail now."""
        with self._lock:
            self._cut.add(lane)
            links = [link for (of, _), link in self._links.items() if of == lane]
        for link in links:
            link.connection.cut()

    def close(self) -> None:
        """Close every connection; quick, and harmless when repeated."""
        with self._lock:
            self._closed = True
            links = list(self._links.values())
        for link in links:
            link.connection.close()

    def connections(self) -> Sequence[Connection]:
        """Every connection there is."""
        with self._lock:
            return [link.connection for link in self._links.values()]


def _failed(link: _Link, error: CollectorError) -> None:
    link.failures += 1
    link.why = str(error)
    if isinstance(error, AuthenticationFailed):
        pause = _LOCKED_SECONDS
    else:
        longest = min(_BACK_OFF_SECONDS * 2 ** (link.failures - 1), _LONGEST_BACK_OFF_SECONDS)
        # The first failure may be a moment's: full jitter from none at all.
        pause = random.uniform(0, longest)  # noqa: S311  no secret
    link.not_before = time.monotonic() + pause


def denied(reading: Reading) -> Sequence[AccessDenied]:
    """What the account may not on this host."""
    return [error for error in reading.failures.values() if isinstance(error, AccessDenied)]
