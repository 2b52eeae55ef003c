"""What the web part asks: expositions, health, the status page's facts. Implements `exporter.web.source`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future

from exporter import __version__
from exporter.config.model import Config
from exporter.config.redact import redacted_yaml
from exporter.exposition.negotiation import Format
from exporter.glance import glance
from exporter.runtime.reporting import GroupRow, Reporting, TargetRow
from exporter.runtime.store import Store
from exporter.runtime.stores import Stores
from exporter.runtime.supervisor import Supervisor
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.source import EstateStatus, GroupStatus, Member, ProbeTarget, TargetStatus, UnknownTarget

READY_AT_LATEST_SECONDS = 60.0
DEAD_AFTER_SECONDS = 30.0


class Estate:
    """Answers from memory; every method may be called from any thread."""

    def __init__(
        self, stores: Stores, reporting: Reporting, supervisor: Supervisor, selfmetrics: SelfMetrics, config: Config
    ) -> None:
        self._stores, self._reporting, self._supervisor, self._selfmetrics = stores, reporting, supervisor, selfmetrics
        self._began = time.monotonic()
        self.config = config
        self.stopping = False

    def exposition(self, wanted: Format, targets: Sequence[str] | None) -> Member:
        """Everything, with the process's and the server's own metrics; or the given targets' families alone."""
        if targets is None:
            return self._stores.scheduled.member(wanted, None, tail=self._selfmetrics.render(wanted))
        return self._some(self._stores.scheduled, wanted, targets)

    def probed(self, wanted: Format, target: str) -> Member:
        """The families of one target, in either mode."""
        row = self._reporting.snapshot.targets.get(target)
        store = self._stores.scheduled if row is None or row.scheduled else self._stores.probed
        return self._some(store, wanted, [target])

    def probe(self, name: str, timeout_seconds: float) -> Future[None]:
        """Collect a target now, in either mode; done when it is fresh or the time is over."""
        if name not in self._reporting.snapshot.targets:
            raise UnknownTarget(name)
        return self._supervisor.probe(name, timeout_seconds)

    def probe_targets(self) -> tuple[ProbeTarget, ...]:
        """What /sd lists."""
        return tuple(ProbeTarget(t.name, dict(t.labels)) for t in self.config.targets if t.mode == "probe")

    @staticmethod
    def _some(store: Store, wanted: Format, targets: Sequence[str]) -> Member:
        try:
            return store.member(wanted, targets)
        except KeyError as error:
            raise UnknownTarget(str(error.args[0])) from error

    def ready(self) -> str | None:
        """Ready once the vitals of every scheduled target were attempted, or a minute after the start."""
        if self.stopping:
            return "stopping"
        snapshot = self._reporting.snapshot
        if not snapshot.configured:
            return "the configuration is not loaded yet"
        if time.monotonic() - self._began >= READY_AT_LATEST_SECONDS:
            return None
        missing = [row.name for row in snapshot.targets.values() if row.scheduled and not row.attempted]
        return f"vitals not attempted yet: {', '.join(missing[:10])}" if missing else None

    def healthy(self) -> str | None:
        """Healthy while the supervisor's loop turns; no target's failure ever changes that."""
        silent = time.monotonic() - self._supervisor.beat_at
        return f"the supervisor has been silent for {silent:.0f} s" if silent > DEAD_AFTER_SECONDS else None

    def config_text(self) -> str:
        """The effective configuration, secrets hidden."""
        return redacted_yaml(self.config)

    def status(self) -> EstateStatus:
        """Facts of the first page."""
        now = time.time()
        rows = self._reporting.snapshot.targets.values()
        digests = ((row.name, text) for row in rows for text in row.digests)
        return EstateStatus(__version__, tuple(_target(row, now) for row in rows), glance(digests))


def _target(row: TargetRow, now: float) -> TargetStatus:
    return TargetStatus(
        name=row.name,
        platform=row.platform,
        address=row.address,
        up=row.up,
        last_error=row.last_error or None,
        groups=tuple(_group(group, now) for group in row.groups),
    )


def _group(row: GroupRow, now: float) -> GroupStatus:
    age = None if row.last_success_at is None else max(0.0, now - row.last_success_at)
    return GroupStatus(row.group, row.outcome, age, row.duration_seconds, row.interval_seconds)
