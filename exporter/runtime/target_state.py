"""What the supervisor remembers of one target: its groups, its two lanes, its breaker. State only; it starts nothing.

All of it is touched by the supervisor's thread alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from exporter.catalogue.family import INVENTORY, SNAPSHOTS, STORAGE, VITALS
from exporter.config.model import Target
from exporter.model import EndpointFacts
from exporter.report import OUTCOMES, GroupReport, Requests, TargetReport
from exporter.runtime.breaker import FAILURES, Breaker
from exporter.runtime.messages import Done
from exporter.runtime.seat import Seat
from exporter.secrets import SecretSource

DELIVERED = frozenset({"success", "partial"})
OVERLAPPING = "overlapping_target"
KEEPS_UP = frozenset({"skipped", "held"})
DOWN = FAILURES | {"auth_failed"}
START_ORDER = (INVENTORY, STORAGE, SNAPSHOTS)
COUNTED_BY = {VITALS: ("hosts", "guests", "clusters"), STORAGE: ("storages",), SNAPSHOTS: ("snapshots",)}
"""Which group's observation counts which objects; another group sees only some of them."""


def shown_address(address: str) -> str:
    """The address without user, password and query, for labels and pages."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}".partition("?")[0].partition("#")[0]


@dataclass(slots=True)
class GroupState:
    """A group's figures."""

    interval_seconds: float
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    last_outcome: str | None = None
    last_error: str = ""
    last_success_at: float | None = None
    last_attempt_at: float | None = None
    duration_seconds: float | None = None
    problems: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    """Attempts that failed since the last one that delivered."""
    failures_before: int = 0
    """The same, as it stood before the last attempt."""

    def count(self, outcome: str) -> None:
        """Count a tick's outcome; those that made no attempt leave the last one standing."""
        self.outcomes[outcome] += 1
        if outcome not in KEEPS_UP:
            self.last_outcome = outcome
            self.failures_before = self.failures
            self.failures = 0 if outcome in DELIVERED else self.failures + 1


class TargetState:
    """One configured target: what is known of it, and its seat in a worker. `scheduled` is False in probe mode."""

    def __init__(self, target: Target, groups: tuple[str, ...]) -> None:
        self.target = target
        self.groups = {group: GroupState(target.profile.interval(group)) for group in groups}
        self.breaker = Breaker(target.profile.interval(VITALS))
        self.seat: Seat | None = None
        self.next_seat: Seat | None = None
        """Where the target is moving to; it is used from its first vitals there."""
        self.apart = False
        """Whether the target did harm and has not yet delivered enough good vitals since."""
        self.good_vitals = 0
        self.up: bool | None = None
        self.began = False
        self.attempted = False
        self.failures_since_up = 0
        self.last_error = ""
        self.endpoint = EndpointFacts()
        self.objects: dict[str, int] = {}
        self.requests: dict[str, Requests] = {}
        self.host_labels: tuple[tuple[str, str], ...] = ()
        self.clusters: frozenset[str] = frozenset()
        """Ids of the clusters that the newest vitals have seen."""
        self.overlapping = 0
        """How many of them another target watches too; `exporter.runtime.overlaps` tells."""
        self.offsets: dict[str, Mapping[str, Mapping[Hashable, float]]] = {}
        """Where sums stand above the vendor's own, by group; handed to every new seat."""
        self.digests: dict[str, bytes] = {}
        """What people are shown of the newest page of each group."""

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def scheduled(self) -> bool:
        """Whether the clock collects the target; in probe mode only a probe does."""
        return self.target.mode == "scheduled"

    def fingerprint(self) -> str:
        """A mark that changes when what the target logs in with does: its password, its certificate or its key."""
        auth, tls = self.target.auth, self.target.tls
        password = auth.password if auth is not None else None
        files = [SecretSource("file", path) for path in (tls.cert_file, tls.key_file) if path is not None]
        return " ".join(source.fingerprint() for source in (password, *files) if source is not None)

    def slow_groups(self) -> list[str]:
        """Groups of the slow lane in the order in which a new target runs them: slow facts first."""
        rank = {group: place for place, group in enumerate(START_ORDER)}
        return sorted((group for group in self.groups if group != VITALS), key=lambda group: rank.get(group, 9))

    def stale_groups(self, wall: float) -> list[str]:
        """Groups that were last attempted longer ago than their interval, or never."""
        return [
            name
            for name, group in self.groups.items()
            if group.last_attempt_at is None or not 0 <= wall - group.last_attempt_at <= group.interval_seconds
        ]

    def seats(self) -> list[Seat]:
        """Every worker's place that the target has now."""
        return [seat for seat in (self.seat, self.next_seat) if seat is not None]

    def may_ask(self, group: str, now: float) -> bool:
        """While a target is in doubt only vitals probe it; the other groups wait until it has answered."""
        if group != VITALS and self.attempted and self.breaker.state != "closed":
            return False
        return self.breaker.allows(now, self.fingerprint())

    def record(self, done: Done, wall: float, now: float) -> None:
        """Learn how a collection that was in time has ended."""
        group = self.groups[done.group]
        group.count(done.outcome)
        group.last_attempt_at = wall
        group.duration_seconds = done.duration_seconds
        group.last_error = done.sentence
        group.problems = dict(done.problems)
        if done.outcome in DELIVERED:
            group.last_success_at = wall
        if done.page is not None:
            self._learn(done)
        self._judge(done.group, done.outcome, done.sentence, now)

    def record_timeout(self, group: str, seconds: float, wall: float, now: float) -> None:
        """Learn that a collection has not returned in time."""
        state = self.groups[group]
        state.count("timed_out")
        state.last_attempt_at = wall
        state.duration_seconds = seconds
        state.last_error = f"no answer within {seconds:.3g} s; the call is left to itself and its answer ignored"
        self._judge(group, "timed_out", state.last_error, now)

    def add_requests(self, done: Done) -> None:
        """Count what a collection has cost the endpoint, in time or late."""
        for operation, cost in done.requests.items():
            self.requests[operation] = self.requests.get(operation, Requests()) + cost

    def _learn(self, done: Done) -> None:
        page = done.page
        assert page is not None  # noqa: S101  the caller has looked
        self.groups[done.group].problems.update({name: count for name, (count, _) in page.problems.items()})
        counted = COUNTED_BY.get(done.group, ())
        self.objects.update({kind: count for kind, count in page.objects.items() if kind in counted})
        self.host_labels = page.single_host or self.host_labels
        if done.group == VITALS:
            self.clusters = frozenset(page.clusters)
        self.digests[done.group] = page.digest
        self.offsets[done.group] = page.offsets
        new = page.endpoint
        known = {name: getattr(new, name) for name in EndpointFacts.__slots__ if getattr(new, name) not in (None, "")}
        self.endpoint = replace(self.endpoint, **known)

    def _judge(self, group: str, outcome: str, sentence: str, now: float) -> None:
        """Move the breaker. Vitals decide about the target; another group only when its credentials are refused."""
        if group != VITALS and outcome != "auth_failed":
            return
        self.breaker.record(outcome, now, self.fingerprint())
        self.attempted = True
        self.good_vitals = 0 if outcome in DOWN else self.good_vitals + 1
        if outcome in DOWN:
            self.up = False
            self.failures_since_up += 1
        else:
            self.up = True
        self.last_error = sentence

    def _problems(self, group: str) -> dict[str, int]:
        overlap = {OVERLAPPING: self.overlapping} if group == VITALS and self.overlapping else {}
        return {**self.groups[group].problems, **overlap}

    def report(self) -> TargetReport:
        """The target as the families about targets see it."""
        return TargetReport(
            address=shown_address(self.target.address),
            labels=self.target.labels,
            up=self.up,
            product=self.endpoint.product,
            version=self.endpoint.version,
            api_version=self.endpoint.api_version,
            groups={
                name: GroupReport(
                    interval_seconds=group.interval_seconds,
                    outcomes=dict(group.outcomes),
                    last_success_timestamp_seconds=group.last_success_at,
                    duration_seconds=group.duration_seconds,
                    problems=self._problems(name),
                )
                for name, group in self.groups.items()
            },
            objects=dict(self.objects),
            requests=dict(self.requests),
            clock_offset_seconds=self.endpoint.clock_offset_seconds,
            tls_verified=self.endpoint.tls_verified,
            tls_not_after_timestamp_seconds=self.endpoint.tls_not_after_timestamp_seconds,
            breaker_state=self.breaker.state,
        )
