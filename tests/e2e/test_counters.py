"""What a real Prometheus makes of counters while virtual CPUs, samples, guests, workers and the daemon come and go.

Every expected number is worked out from the script: a host's busy time in the same page tells how much time lies
between two observations, so that most sums are exact however late a scrape was.
"""

import time
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.need import need
from tests.backends.processes import until
from tests.backends.prometheus import BINARIES, Prometheus, scrape
from tests.scripted.build import ENV, World, fail, gaps, lose_vcpu, migrate, reboot, scripted, slow

pytestmark = [pytest.mark.backend, pytest.mark.timeout(240)]

CPU = "hypervisor_guest_cpu_seconds_total"
READY = "hypervisor_guest_cpu_ready_seconds_total"
BUSY = "hypervisor_host_cpu_busy_seconds_total"
RECEIVED = "hypervisor_guest_network_receive_bytes_total"
READ = "hypervisor_guest_disk_read_bytes_total"
DONE = "hypervisor_target_collections_total"

BUSY_RATE = 2.0
VCPUS, CPU_RATE = 4, 4.0  # each virtual CPU is always busy
BYTES_RATE = 5e8  # 32 bits go round every 8.6 s
LATE = 1.5  # seconds between one collection and the next, at most
RATE_WINDOW = 10
BEFORE = 2.5  # seconds: so that a window holds a scrape from before what it is about
STEEPEST = 1.5  # times the true rate: what rate() may show, for scrapes and collections do not keep step

QUIET, UNTIL, LONGER = 6.0, 12.0, 16.0
"""Seconds after the beginning: things begin to change, some end, others end."""

FORMS = {
    "steady": "native",
    "incomplete": "parts",
    "unplugged": "parts",
    "replugged": "parts",
    "rebooted": "parts",
    "moved": "parts",
    "migrating": "native",
    "fallen": "parts",
    "sampled": "samples",
    "gapped": "samples",
    "skipping": "samples",
    "wrapping": "native",
}
MADE = ("sampled", "gapped", "skipping")


def story(begin: float) -> dict[str, list]:
    """What goes wrong with the first guest of each target, in seconds of its script."""
    change, end, later = begin + QUIET, begin + UNTIL, begin + LONGER
    return {
        "incomplete": [lose_vcpu(at=change, until=change + 3, how="unknown")],
        "unplugged": [lose_vcpu(at=change, how="gone")],
        "replugged": [lose_vcpu(at=change, until=end, how="gone")],
        "rebooted": [reboot(at=change), reboot(at=end)],
        "migrating": [migrate(at=change, until=end), migrate(at=end, arrived=True)],
        "moved": [migrate(at=change, until=end), migrate(at=end, arrived=True), reboot(at=end)],
        "gapped": [gaps(at=change, until=later)],
        "skipping": [
            slow(at=change, until=change + 1.9, group="vitals", seconds=2.2, stubborn=True),
            fail(at=end, until=end + 2, group="vitals", error="Unreachable"),
        ],
    }


@dataclass(frozen=True)
class Window:
    """What Prometheus knows between two instants."""

    server: Prometheus
    begin: float
    end: float

    @property
    def length(self) -> int:
        return round(self.end - self.begin)

    def ask(self, expr: str, at: float | None = None) -> float:
        found = self.server.query(expr, time=self.end if at is None else at)
        assert len(found) == 1, (expr, found)
        return found[0].value

    def grown(self, target: str, family: str = CPU) -> float:
        return self.ask(series(target, family)) - self.ask(series(target, family), self.begin)

    def consumed(self, target: str, family: str = CPU) -> float:
        """What Prometheus takes the growth for: after a fall the counter has begun at 0."""
        (found,) = self.server.query_range(series(target, family), self.begin, self.end, 0.5)
        values = [value for _, value in found.points]
        return sum(after - before if after >= before else after for before, after in pairwise(values))

    def seconds(self, target: str) -> float:
        """Between the observations that were current at the two instants, by the target's own clock."""
        return self.grown(target, BUSY) / BUSY_RATE

    def resets(self, target: str, family: str = CPU) -> float:
        return self.ask(f"resets({series(target, family)}[{self.length}s])")

    def samples(self, target: str, family: str = CPU) -> float:
        return self.ask(f"count_over_time({series(target, family)}[{self.length}s])")

    def steepest(self, target: str, family: str = CPU) -> float:
        """The highest rate that any panel could show."""
        return self.ask(f"max_over_time(rate({series(target, family)}[{RATE_WINDOW}s])[{self.length}s:1s])")


def series(target: str, family: str) -> str:
    thing = 'host="guest-host-1"' if family == BUSY else 'guest="guest-1"'
    return f'{family}{{target="{target}",{thing}}}'


@dataclass(frozen=True)
class Told:
    """The three acts: the faults, a worker that is killed, the daemon that is started again."""

    faults: Window
    worker: Window
    daemon: Window


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    need(BINARIES)
    folder = tmp_path_factory.mktemp("counters")
    worlds = {name: world(folder, name, form) for name, form in FORMS.items()}
    profile = {"intervals": {"vitals": "1s"}, "timeout": "800ms"}
    targets = [world.target(name) for name, world in worlds.items()]
    with Daemon(document(targets, profiles={"default": profile}, workers=1), env=ENV) as daemon:
        collected(daemon, 1)
        with Prometheus([scrape("counters", daemon.address)]) as server:
            server.wait_for("count(hypervisor_target_up == 1)", lambda found: found and found[0].value == len(FORMS))
            yield Told(
                Window(server, *act_of_faults(daemon, worlds)),
                Window(server, *act_of_worker(daemon)),
                Window(server, *act_of_daemon(daemon)),
            )


def world(folder, name: str, form: str) -> World:
    return scripted(
        folder,
        name=name,
        hosts=2,
        guests=2,
        vcpus=VCPUS,
        cpu_counter=form,
        cpu_rate=CPU_RATE,
        busy_rate=BUSY_RATE,
        network_counter="wrapping",
        network_rate=BYTES_RATE,
        sample_seconds=0.5,
    )


def act_of_faults(daemon, worlds) -> tuple[float, float]:
    begin = now_scraped(daemon)
    for name, each in worlds.items():
        each.change(faults=story(each.seconds).get(name, []))
    passed(begin + QUIET, daemon)
    worlds["fallen"].restart_clock()  # every counter of this endpoint begins anew, and nothing says so
    passed(begin + LONGER, daemon)
    collected(daemon, 3)
    return begin, now_scraped(daemon)


def act_of_worker(daemon) -> tuple[float, float]:
    begin = time.time() - BEFORE
    (worker,) = daemon.workers()
    worker.kill()
    collected(daemon, 4)
    return begin, now_scraped(daemon)


def act_of_daemon(daemon) -> tuple[float, float]:
    begin = time.time() - BEFORE
    assert daemon.terminate(10)
    daemon.stop()
    daemon.start()  # at the same address
    collected(daemon, 4)
    return begin, now_scraped(daemon)


def collected(daemon, times: int) -> None:
    """Wait until every target was collected so many times from now on."""

    def successes() -> dict[str, float]:
        found = daemon.page().find(DONE, group="vitals", outcome="success")
        return {labels["target"]: value for labels, value in found}

    before = successes()
    until(
        lambda: all(value >= before[target] + times for target, value in successes().items()),
        40,
        f"{times} collections of every target",
        daemon.child,
    )


def now_scraped(daemon) -> float:
    """An instant at which Prometheus has the current page: it scrapes every second."""
    at = time.time()
    passed(at + 1.5, daemon)
    return at + 1.2


def passed(at: float, daemon) -> None:
    until(lambda: time.time() >= at, at - time.time() + 5, f"instant {at}", daemon.child)


# The faults. Only what really began anew may fall, and no panel may show more than the truth.

REAL_RESTARTS = {"rebooted": 2, "moved": 1}
"""Boots, and an arrival at a host that counts from zero."""


@pytest.mark.parametrize("target", FORMS)
def test_no_counter_falls_and_none_jumps(told, target):
    for family, rate in ((CPU, CPU_RATE), (READY, 0.05), (RECEIVED, BYTES_RATE)):
        restarts = REAL_RESTARTS.get(target, 0) if family == CPU else 0
        assert told.faults.resets(target, family) == restarts, family
        assert 0 < told.faults.steepest(target, family) <= rate * STEEPEST, family


def test_a_passed_through_counter_is_exact(told):
    assert told.faults.seconds("steady") > LONGER
    assert told.faults.grown("steady") == pytest.approx(CPU_RATE * told.faults.seconds("steady"), rel=1e-9)


def test_a_passed_through_counter_that_falls_is_shown_as_it_is(told):
    assert told.faults.resets("fallen", READ) == 1


def test_parts_that_fall_lose_one_interval_and_no_more(told):
    window = told.faults
    lost = CPU_RATE * (window.end - window.begin) - window.grown("fallen")
    assert -CPU_RATE * LATE <= lost <= CPU_RATE * 2 * LATE


def test_a_virtual_cpu_that_is_gone_stays_in_the_sum_and_grows_no_more(told):
    window = told.faults
    share = CPU_RATE / VCPUS
    lost = CPU_RATE * window.seconds("unplugged") - window.grown("unplugged")
    assert lost == pytest.approx(share * (window.seconds("unplugged") - QUIET), abs=share * 2 * LATE)
    lost = CPU_RATE * window.seconds("replugged") - window.grown("replugged")
    assert lost == pytest.approx(share * (UNTIL - QUIET), abs=share * LATE)
    assert window.samples("unplugged") == window.samples("unplugged", BUSY)  # absent at no time


def test_an_incomplete_sum_is_absent_meanwhile_and_then_complete(told):
    window = told.faults
    absent = window.samples("incomplete", BUSY) - window.samples("incomplete")
    assert 1 <= absent <= 4
    assert window.grown("incomplete") == pytest.approx(CPU_RATE * window.seconds("incomplete"), rel=1e-9)


def test_a_boot_loses_the_time_around_it_and_no_more(told):
    window = told.faults
    lost = CPU_RATE * window.seconds("rebooted") - window.consumed("rebooted")
    assert -CPU_RATE * LATE <= lost <= CPU_RATE * 2 * LATE  # two boots


def test_a_guest_that_moves_is_followed_from_copy_to_copy(told):
    window = told.faults
    assert window.grown("migrating") == pytest.approx(CPU_RATE * window.seconds("migrating"), rel=1e-9)
    lost = CPU_RATE * window.seconds("moved") - window.consumed("moved")
    assert -CPU_RATE * LATE <= lost <= CPU_RATE * LATE  # the other host counts from zero
    assert window.samples("moved") == window.samples("moved", BUSY)
    placed = f'count(count_over_time(hypervisor_guest_info{{target="moved",guest="guest-1"}}[{window.length}s]))'
    assert window.ask(placed) == 2


def test_overlapping_answers_are_counted_once(told):
    window = told.faults
    assert window.grown("sampled") % (CPU_RATE * 0.5) == pytest.approx(0, abs=1e-6)
    assert window.grown("sampled") == pytest.approx(CPU_RATE * window.seconds("sampled"), abs=CPU_RATE * 0.6)


def test_samples_that_the_endpoint_lacks_are_not_guessed(told):
    window = told.faults
    lost = CPU_RATE * window.seconds("gapped") - window.grown("gapped")
    assert lost == pytest.approx(CPU_RATE / 2 * (LONGER - QUIET), abs=CPU_RATE * LATE)


def test_polls_that_were_late_or_failed_lose_nothing(told):
    window = told.faults
    assert window.samples("skipping") < window.samples("sampled")
    assert window.ask(f'{DONE}{{target="skipping",group="vitals",outcome="timed_out"}}') >= 1
    assert window.ask(f'{DONE}{{target="skipping",group="vitals",outcome="unreachable"}}') >= 1
    assert window.grown("skipping") == pytest.approx(CPU_RATE * window.seconds("skipping"), abs=CPU_RATE * 0.6)


def test_a_counter_of_32_bits_goes_round_and_on(told):
    window = told.faults
    expected = BYTES_RATE * window.seconds("wrapping")
    assert expected > 2 * 2**32
    assert window.grown("wrapping", RECEIVED) == pytest.approx(expected, abs=2)


# A new worker, a new daemon: made counters begin at 0, native ones where the vendor stands.


@pytest.mark.parametrize("act", ["worker", "daemon"])
@pytest.mark.parametrize("target", MADE)
def test_a_made_counter_begins_once_anew_and_without_a_backlog(told, act, target):
    window = getattr(told, act)
    for family, rate in ((CPU, CPU_RATE), (RECEIVED, BYTES_RATE)):
        assert window.resets(target, family) == 1
        assert window.ask(series(target, family)) <= rate * (window.end - window.begin)
        assert window.steepest(target, family) <= rate * STEEPEST


@pytest.mark.parametrize("act", ["worker", "daemon"])
@pytest.mark.parametrize("target", ["steady", "incomplete", "migrating"])
def test_a_native_counter_goes_on_exactly(told, act, target):
    window = getattr(told, act)
    assert window.resets(target) == 0
    assert window.grown(target) == pytest.approx(CPU_RATE * window.seconds(target), rel=1e-9)
    assert window.steepest(target) <= CPU_RATE * STEEPEST


@pytest.mark.parametrize("target", ["unplugged", "rebooted", "moved"])
def test_what_a_ledger_has_bridged_is_no_backlog_for_the_next_one(told, target):
    assert told.worker.steepest(target) <= CPU_RATE * STEEPEST
