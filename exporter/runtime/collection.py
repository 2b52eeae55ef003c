"""One target inside a worker: its session, its pipelines, and how a collection becomes an envelope.

The one place where collectors' errors are caught. Used by workers' lanes and by the command `once`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

from exporter.catalogue.family import VITALS
from exporter.config.model import Limits, Target
from exporter.contract import Context, Deadline, Meter, MissingRight, Platform, Session
from exporter.errors import CollectorError, Unsupported
from exporter.logs import Bugs
from exporter.model import Observation
from exporter.platforms import Installed
from exporter.runtime.ledger import Offsets
from exporter.runtime.messages import Collect, Done, Key
from exporter.runtime.page import Page
from exporter.runtime.pipeline import Pipeline, families_of

FAST, SLOW = "fast", "slow"


def lane_of(group: str) -> str:
    """The lane that runs a group: vitals never wait for a long listing."""
    return FAST if group == VITALS else SLOW


def groups_of(target: Target, platform: Platform) -> tuple[str, ...]:
    """The groups that are collected of a target: the platform's, and the opt-in ones that its profile turns on."""
    return (*platform.groups, *(group for group in platform.opt_in_groups if group in target.profile.group_include))


class CollectedTarget:
    """A target's session and the state that turns its observations into pages. One thread per lane may use it."""

    def __init__(
        self,
        key: Key,
        target: Target,
        found: Installed,
        limits: Limits,
        *,
        once: bool = False,
        offsets: Mapping[str, Offsets] | None = None,
    ) -> None:
        self.key = key
        self.target = target
        self.platform = found.platforms[target.platform]
        self._found = found
        self._limits, self._once, self._offsets = limits, once, offsets or {}
        self._log = logging.getLogger(f"target.{target.name}")
        self._meter = Meter()
        self._session: Session | None = None
        self._pipelines: dict[str, Pipeline] = {}
        self._bugs = Bugs(self._log)

    def open(self) -> None:
        """Make the session; no call to the endpoint is made yet."""
        if self._session is None:
            self._session = self.platform.open(self.target, Context(self._meter, self._log))

    def close(self) -> None:
        """Log out; a session that fails at that is only a line in the log."""
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except Exception:  # noqa: BLE001  closing is a courtesy; nothing depends on it
                self._log.debug("closing the session failed", exc_info=True)

    def unblock(self, group: str) -> None:
        """Have the call of a group that is past its deadline return, where the platform can do that."""
        unblock = getattr(self._session, "unblock", None)
        if unblock is not None:
            try:
                unblock(group)
            except Exception:  # noqa: BLE001  the call stays parked, which the supervisor sees
                self._log.debug("unblocking a call failed", exc_info=True)

    def missing_rights(self, deadline: Deadline) -> Sequence[MissingRight] | None:
        """The rights that the account lacks; None where the platform cannot tell. Raises `CollectorError`."""
        examine = getattr(self._session, "missing_rights", None)
        return None if examine is None else tuple(examine(deadline))

    def collect(self, job: Collect) -> Done:
        """Collect a group and render its page; whatever happens becomes an outcome."""
        begun = time.monotonic()
        page: Page | None = None
        sentence, problems = "", {}
        try:
            page = self._page(job)
            outcome = "partial" if page.partial else "success"
        except CollectorError as error:
            outcome, sentence = error.outcome, str(error)
            problems = {error.problem: 1} if error.problem else {}
        except BaseException as error:  # noqa: BLE001  a bug of any kind, SystemExit too, costs this collection alone
            outcome, sentence = "bug", f"{type(error).__name__}: {error}"
            self._bugs.report("a bug in the collector; please report it", error)
        duration = time.monotonic() - begun
        return Done(self.key, job.group, job.run, outcome, duration, sentence, problems, self._meter.take(), page)

    def _page(self, job: Collect) -> Page:
        self.open()
        session = self._session
        assert session is not None  # noqa: S101  open() has just made it
        try:
            observation = session.collect(job.group, Deadline(job.deadline_at))
        except Unsupported:
            observation = Observation(time.time())  # nothing to show, and nothing is wrong
        return self._pipeline(job.group).page(observation, whole=job.whole, shed=job.shed)

    def _pipeline(self, group: str) -> Pipeline:
        known = self._pipelines.get(group)
        if known is None:
            families = families_of(self.target, self.platform, group, self._found.families)
            known = Pipeline(
                self.target,
                self.platform,
                group,
                families,
                self._limits,
                integrate=not self._once,
                offsets=self._offsets.get(group),
            )
            self._pipelines[group] = known
        return known
