"""Between the groups and an endpoint: what needs a guest's monitor is asked only where monitors answer.

A question that meets a monitor that does not answer hangs for ever. Guests whose monitor is stuck keep what libvirt
knows without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.endpoint import How, Listing, Questions, Stats
from collectors.libvirt.findings import MONITOR_STUCK, Findings
from collectors.libvirt.groups.budget import Budget, Monitors
from collectors.libvirt.mapping.unmonitored import unmonitored
from exporter.errors import TimedOut

FREE = Stats.STATE | Stats.INTERFACE
"""Groups that never enter a monitor (VCPU asks it for halt polling, BALLOON for the process's memory)."""
FREE_WHILE_STUCK = FREE | Stats.VCPU | Stats.BALLOON
"""With NOWAIT also these, where another call holds the monitor: then they are answered in part and at once."""
DESCRIPTIONS_TAKE_A_JOB = 11_000_000
"""Since libvirt 11.0 reading a guest's XML waits up to 30 s for a monitor that is occupied."""
NO_NEWS = (0, 0, 0)


def guarded(questions: Questions, budget: Budget, findings: Findings) -> Questions:
    """The questions for one collection, with the budget kept and stuck monitors noted."""
    return cast("Questions", _Guard(questions, budget, findings))


class _Guard:
    """Answers like the endpoint behind it, except where a monitor is concerned."""

    def __init__(self, questions: Questions, budget: Budget, findings: Findings) -> None:
        self._questions = questions
        self._budget = budget
        self._findings = findings
        self._active: dict[str, Domain] = {}
        self._monitors = Monitors()
        self._noted: set[str] = set()
        self._has_monitors = True

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
                occupied, broken = monitors.stuck & monitors.occupied, monitors.stuck - monitors.occupied
                return [
                    *self._ask([each for each in domains if each.uuid not in monitors.stuck], groups, how),
                    *self._ask([each for each in domains if each.uuid in occupied], groups & FREE_WHILE_STUCK, how),
                    *self._ask_nobody([each for each in domains if each.uuid in broken], groups, how),
                ]
        return self._ask_nobody(domains, groups, how)

    def disk_errors(self, domain: Domain) -> Mapping[str, int] | None:
        """Raises `TimedOut` where the monitor may not be asked."""
        with self._place([domain]) as monitors:
            if monitors is None or domain.uuid in monitors.stuck:
                raise TimedOut("its disk errors are not asked for while monitors do not answer")
            return self._questions.disk_errors(domain)

    def job(self, domain: Domain) -> Mapping[str, object] | None:
        """Raises `TimedOut` where the monitor may not be asked."""
        with self._place([domain]) as monitors:
            if monitors is None or domain.uuid in monitors.stuck:
                raise TimedOut("its job is not asked for while monitors do not answer")
            return self._questions.job(domain)

    def xml(self, domain: Domain) -> str:
        """Raises `TimedOut` where the daemon would wait for the monitor."""
        if domain.active and (self._questions.node().libvirt_version or 0) >= DESCRIPTIONS_TAKE_A_JOB:
            self._active.setdefault(domain.uuid, domain)
            monitors = self._look({domain.uuid})
            if domain.uuid in monitors.stuck:
                raise TimedOut(_silence(monitors, domain.uuid))
        return self._questions.xml(domain)

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
        self._look({uuid for uuid in self._active if uuid in wanted or uuid not in known} | self._monitors.occupied)
        with self._budget.place(self._monitors, self._look) as monitors:
            stuck = self._monitors.stuck if monitors is None else monitors.stuck
            if monitors is None and not stuck:
                self._note("", "two calls wait for monitors, so no other is asked until one of them returns")
            for uuid in stuck:
                self._note(uuid, f"{_silence(self._monitors, uuid)}; what only it knows is left out")
            yield monitors

    def _look(self, guests: Collection[str]) -> Monitors:
        seen = {}
        for uuid in guests:
            if (domain := self._active.get(uuid)) is not None and self._has_monitors:
                seen[uuid] = self._control(domain)
        self._monitors = self._monitors.updated(Monitors(seen))
        return self._monitors

    def _control(self, domain: Domain) -> Sequence[int]:
        # A guest that has just been switched off has none; about one that may not be asked nothing is known.
        with self._findings.about(f"guest {domain.name!r}"):
            answer = self._questions.control(domain)
            self._has_monitors = answer is not None
            return answer or NO_NEWS
        return NO_NEWS

    def _note(self, guest: str, sentence: str) -> None:
        if guest not in self._noted:
            self._noted.add(guest)
            name = f"guest {self._active[guest].name!r}: " if guest else ""
            self._findings.note(MONITOR_STUCK, name + sentence)


def _silence(monitors: Monitors, guest: str) -> str:
    seconds = monitors.silent_seconds(guest)
    return f"its monitor has not answered for {seconds:.0f} s" if seconds else "its monitor is broken"
