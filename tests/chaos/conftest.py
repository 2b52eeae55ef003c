"""A daemon over scripted targets, and the promises that must hold whatever some of them do."""

import time
from dataclasses import dataclass

from tests.backends.daemon import Daemon, Page, document
from tests.scripted.build import ENV, World

FAST = {"vitals": "1s", "storage": "5s", "snapshots": "5s", "inventory": "5s"}
MISSED = ("skipped", "held", "timed_out", "unreachable", "bug", "malformed", "auth_failed")
COLLECTIONS = "hypervisor_target_collections_total"
COUNTER = "hypervisor_guest_cpu_seconds_total"


def daemon_of(targets, *, timeout: str = "800ms", flags=(), **rest) -> Daemon:
    """A daemon with vitals every second."""
    profiles = {"default": {"intervals": FAST, "timeout": timeout}}
    return Daemon(document(targets, profiles=profiles, **rest), env=ENV, flags=flags)


def counted(page: Page, target: str, outcome: str, group: str = "vitals") -> float:
    return page.value(COLLECTIONS, target=target, group=group, outcome=outcome) or 0.0


@dataclass
class Watch:
    """What is true of healthy targets from now on."""

    daemon: Daemon
    names: list[str]

    def __post_init__(self) -> None:
        self.since = time.monotonic()
        self.before = self.daemon.page()
        self.counters = self._counters(self.before)

    def check(self) -> None:
        """Every healthy target was collected at every tick, shows its guests, and none of its counters fell."""
        page = self.daemon.page()
        elapsed = time.monotonic() - self.since
        for name in self.names:
            done = counted(page, name, "success") - counted(self.before, name, "success")
            assert done >= elapsed - 2, f"{name}: {done} of {elapsed:.1f} vitals"
            for outcome in MISSED:
                missed = counted(page, name, outcome) - counted(self.before, name, outcome)
                assert missed == 0, f"{name}: {missed} {outcome}"
            assert page.value("hypervisor_target_up", target=name) == 1
        now = self._counters(page)
        fallen = {
            series: (value, now.get(series)) for series, value in self.counters.items() if now.get(series, -1) < value
        }
        assert fallen == {}
        self.counters = now

    def goes_on(self) -> bool:
        """Whether every healthy target was collected since this began."""
        page = self.daemon.page()
        return all(counted(page, name, "success") > counted(self.before, name, "success") + 1 for name in self.names)

    def _counters(self, page: Page) -> dict[tuple[str, str], float]:
        return {
            (labels["target"], labels["guest_id"]): value
            for labels, value in page.find(COUNTER)
            if labels["target"] in self.names
        }


def healthy(world: World, count: int) -> list[dict]:
    """Targets that show a healthy world."""
    return [world.target(f"healthy-{number}") for number in range(count)]
