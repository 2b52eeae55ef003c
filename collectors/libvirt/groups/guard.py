"""Between the groups and an endpoint: what needs a guest's monitor is asked only where monitors answer.

A question that meets a monitor that does not answer hangs for ever. Guests whose monitor is stuck keep what libvirt
knows without it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar, cast

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.endpoint import How, Listing, Questions, Stats
from collectors.libvirt.findings import MONITOR_STUCK, Findings
from collectors.libvirt.groups.budget import Budget, Monitors
from collectors.libvirt.groups.rescue import Rescue
from collectors.libvirt.mapping.unmonitored import unmonitored
from exporter.contract import Deadline
from exporter.errors import TimedOut

FREE = Stats.STATE | Stats.INTERFACE
"""Groups that never enter a monitor (VCPU asks it for halt polling, BALLOON for the process's memory)."""
FREE_WHILE_STUCK = FREE | Stats.VCPU | Stats.BALLOON
"""With NOWAIT also these, where another call holds the monitor: then they are answered in part and at once."""
DESCRIPTIONS_TAKE_A_JOB = 11_000_000
"""Since libvirt 11.0 reading a guest's XML waits up to 30 s for a monitor that is occupied."""
NO_NEWS = (0, 0, 0)

T = TypeVar("T")


def guarded(
    questions: Questions, budget: Budget, findings: Findings, deadline: Deadline, rescue: Rescue | None = None
) -> Questions:
    """The questions for one collection, with the budget kept and stuck monitors noted.

    With `rescue` they raise `LeftBehind` for a call that a monitor does not answer.
    """
    return cast("Questions", _Guard(questions, budget, findings, deadline, rescue))


class _Guard:
    """Answers like the endpoint behind it, except where a monitor is concerned."""

    def __init__(
        self, questions: Questions, budget: Budget, findings: Findings, deadline: Deadline, rescue: Rescue | None
    ) -> None:
        self._questions = questions
        self._budget = budget
        self._findings = findings
        self._deadline = deadline
        self._rescue = rescue
        self._active: dict[str, Domain] = {}
        self._monitors = Monitors()
        self._noted: set[str] = set()

    def __getattr__(self, question: str) -> Any:
        return getattr(self._questions, question)

    def domains(self, which: Listing = Listing.ALL) -> list[Domain]:
        """The list, from which this learns whose monitors there are."""
        listed = self._questions.domains(which)
        if which == Listing.ALL:
            self._active = {domain.uuid: domain for domain in listed if domain.active}
        return listed

    def bulk(self, domains: Collection[Domain], groups: Stats, how: How = How.PLAIN) -> list[Record]:
        """A record per domain, shorter where the monitor may not be asked, none where nothing would be left of it."""
        if not groups & ~FREE or not any(domain.active for domain in domains):
            return self._questions.bulk(domains, groups, how)
        with self._place(domains) as monitors:
            if monitors is not None:
                avoided = self._avoided(monitors)
                asked = [each for each in domains if each.uuid not in avoided]
                records = self._watched(asked, lambda: self._ask(asked, groups, how))
                passed_by = set() if self._questions.waits() else monitors.occupied
                occupied = [each for each in domains if each.uuid in avoided & passed_by]
                others = [each for each in domains if each.uuid in avoided - passed_by]
                records += self._ask(occupied, groups & FREE_WHILE_STUCK, how)
                return records + self._ask_nobody(others, groups, how)
        return self._ask_nobody(domains, groups, how)

    def disk_errors(self, domain: Domain) -> Mapping[str, int] | None:
        """Raises `TimedOut` where the monitor may not be asked."""
        return self._ask_one(domain, "disk errors", lambda: self._questions.disk_errors(domain))

    def job(self, domain: Domain) -> Mapping[str, object] | None:
        """Raises `TimedOut` where the monitor may not be asked."""
        return self._ask_one(domain, "job", lambda: self._questions.job(domain))

    def xml(self, domain: Domain) -> str:
        """Raises `TimedOut` where the daemon would wait for the monitor."""
        if domain.active and (self._questions.node().libvirt_version or 0) >= DESCRIPTIONS_TAKE_A_JOB:
            self._active.setdefault(domain.uuid, domain)
            monitors = self._look({domain.uuid})
            if domain.uuid in monitors.stuck:
                raise TimedOut(_silence(monitors, domain.uuid))
        return self._questions.xml(domain)

    def _ask_one(self, domain: Domain, what: str, question: Callable[[], T]) -> T:
        with self._place([domain]) as monitors:
            if monitors is None or domain.uuid in self._avoided(monitors):
                raise TimedOut(f"its {what} are not asked for while monitors do not answer")
            return self._watched([domain], question)

    def _watched(self, domains: Collection[Domain], question: Callable[[], T]) -> T:
        # A call that waits for somebody else's to end is held by a guest that is counted for the other.
        watched = self._rescue is not None and domains and not self._questions.waits()
        with self._rescue.watching(domains) if self._rescue and watched else nullcontext():
            return question()

    def _avoided(self, monitors: Monitors) -> set[str]:
        """Guests that are not asked for what their monitor knows."""
        if self._questions.waits():
            return monitors.stuck | monitors.occupied
        return monitors.stuck | self._budget.hopeless(monitors)

    def _ask(self, domains: Collection[Domain], groups: Stats, how: How) -> list[Record]:
        return self._questions.bulk(domains, groups, how) if domains and groups else []

    def _ask_nobody(self, domains: Collection[Domain], groups: Stats, how: How) -> list[Record]:
        """Records of what the daemon itself knows and sees of the guests' processes."""
        records = self._ask(domains, groups & FREE, how)
        if Stats.VCPU not in groups:
            return records
        return [Record(each.domain, {**each.stats, **self._process(each.domain)}) for each in records]

    def _process(self, domain: Domain) -> Mapping[str, object]:
        with self._findings.about(f"guest {domain.name!r}"):
            return unmonitored(self._questions.info(domain), self._questions.vcpus(domain))
        return {}

    @contextmanager
    def _place(self, domains: Collection[Domain]) -> Iterator[Monitors | None]:
        known, wanted = self._monitors.control.keys(), {domain.uuid for domain in domains if domain.active}
        # Everybody's once, as two stuck guests anywhere are the limit; then those that matter for this call.
        suspects = self._monitors.occupied | self._budget.left
        self._look({uuid for uuid in self._active if uuid in wanted or uuid not in known} | suspects)
        with self._budget.place(self._monitors, self._look) as monitors:
            stuck = self._monitors.stuck | self._budget.hopeless(self._monitors)
            if monitors is None and not stuck:
                self._note("", "two calls wait for monitors, so no other is asked until one of them returns")
            for uuid in stuck:
                self._note(uuid, f"{_silence(self._monitors, uuid)}; what only it knows is left out")
            yield monitors

    def _look(self, guests: Collection[str] | None) -> Monitors:
        """What the monitors of these guests do, of all with None."""
        seen, guests = {}, self._active if guests is None else guests
        for uuid in guests:
            if (domain := self._active.get(uuid)) is not None:
                # One round trip each: far away, many guests take longer than a collection has.
                self._deadline.check(f"looking at the monitors of {len(guests)} guests, one request each")
                seen[uuid] = self._control(domain)
        self._monitors = self._monitors.updated(Monitors(seen))
        return self._monitors

    def _control(self, domain: Domain) -> Sequence[int]:
        # A guest that has just been switched off has none; about one that may not be asked nothing is known.
        with self._findings.about(f"guest {domain.name!r}"):
            return self._questions.control(domain) or NO_NEWS
        return NO_NEWS

    def _note(self, guest: str, sentence: str) -> None:
        if guest not in self._noted:
            self._noted.add(guest)
            name = f"guest {self._active[guest].name!r}: " if guest else ""
            self._findings.note(MONITOR_STUCK, name + sentence)


def _silence(monitors: Monitors, guest: str) -> str:
    if guest not in monitors.occupied:
        return "its monitor is broken"
    return f"its monitor has not answered for {monitors.control[guest][2] / 1000:.0f} s"
