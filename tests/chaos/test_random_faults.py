"""Random faults, reproducible by their seed: whatever they are, healthy targets and the daemon keep their promises.

Thirty seeds by default; `CHAOS_SEEDS=200` runs two hundred, `CHAOS_SEEDS=40-49` these ten, `CHAOS_SEEDS=17-17` one.
"""

import math
import os
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from tests.backends.daemon import Daemon, document
from tests.backends.processes import until
from tests.chaos.conftest import COUNTER, Watch
from tests.chaos.faults import LAST_SECONDS, batches, case, chosen, violent
from tests.scripted.build import ENV, scripted

pytestmark = pytest.mark.timeout(240)

SEEDS = os.environ.get("CHAOS_SEEDS") or "30"
INTERVALS = {"vitals": "1s", "storage": "2s", "snapshots": "2s", "inventory": "3s"}
GRACE_SECONDS = 6
GUESTS, RATE = 3, 0.5  # of a healthy target, and of a healthy guest's CPU time
RETURN_SECONDS = 90
MOST_BYTES_OF_A_PROCESS, MOST_BYTES = 300 << 20, 800 << 20
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
MADE = ("samples", "wrapping")  # these begin at 0 in a new worker
HEALTHY = ("native", "native", "parts", *MADE)
WORKER_GONE = ("a worker is replaced", "a worker died", "the target returns to a shared worker", "hangs for good")


@dataclass
class Scraper:
    """Scrapes without a pause in both formats, reads every page strictly, and notes what is wrong with it."""

    daemon: Daemon
    made: set[str]
    most_age_seconds: float
    wrong: list[str] = field(default_factory=list)
    pages: int = 0
    most_bytes: int = 0
    most_bytes_of_a_process: int = 0
    seen: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    """When and at what value each counter of a healthy target was seen last."""
    began: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    falls: int = 0

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        print(
            f"{self.pages} pages, {self.falls} falls, at most {self.most_bytes >> 20} MiB, "
            f"{self.most_bytes_of_a_process >> 20} MiB in one process; wrong: {self.wrong}"
        )

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            for look in (self._text, self._openmetrics, self._health, self._memory):
                try:
                    look()
                except Exception as error:  # noqa: BLE001  told by the test's own thread
                    self.wrong.append(f"{look.__name__}: {type(error).__name__}: {error}")

    def _text(self) -> None:
        answer = self.daemon.get("/metrics")
        assert answer.status == 200, answer
        now = time.monotonic()
        shown = {
            (labels["target"], labels["guest_id"]): value for labels, value in self._samples(text_format(answer.text))
        }
        for key, value in shown.items():
            self._grows(key, value, now)
        assert self.seen.keys() == shown.keys(), f"missing: {self.seen.keys() - shown.keys()}"
        assert len(shown) == len(HEALTHY) * GUESTS

    def _openmetrics(self) -> None:
        answer = self.daemon.get("/metrics", Accept=OPENMETRICS)
        assert "application/openmetrics-text" in str(answer.headers)
        list(self._samples(openmetrics(answer.text)))

    def _samples(self, families):
        """The counters of healthy targets; of all samples it is checked that they are numbers, and there once."""
        self.pages += 1
        known = set()
        for family in families:
            for sample in family.samples:
                series = (sample.name, *sorted(sample.labels.items()))
                assert series not in known, f"twice on one page: {series}"
                known.add(series)
                assert math.isfinite(sample.value), f"{series} is {sample.value}"
                if sample.name == COUNTER and sample.labels["target"].startswith("healthy-"):
                    yield sample.labels, sample.value

    def _grows(self, key: tuple[str, str], value: float, now: float) -> None:
        """As fast as the script says: an old value is late by at most `most_age_seconds`, and none is early."""
        if key in self.seen and value < self.seen[key][1]:
            self.falls += 1
            assert key[0] in self.made, f"{key} fell from {self.seen[key][1]} to {value}"
            # No backlog: what a new worker shows was counted since the last value of the old one.
            assert value <= RATE * (now - self.seen[key][0] + self.most_age_seconds), f"{key} began at {value}"
            self.began[key] = now, value
        at, first = self.began.setdefault(key, (now, value))
        self.seen[key] = now, value
        ahead = (value - first) / RATE - (now - at)
        assert abs(ahead) <= self.most_age_seconds, f"{key} is {ahead:.1f} s ahead of its rate"

    def _health(self) -> None:
        assert (answer := self.daemon.get("/-/healthy")).status == 200, answer

    def _memory(self) -> None:
        sizes = []
        for process in [psutil.Process(self.daemon.child.pid), *self.daemon.workers()]:
            with suppress(psutil.Error):  # a worker that has just died
                sizes.append(process.memory_info().rss)
        self.most_bytes = max(self.most_bytes, sum(sizes))
        self.most_bytes_of_a_process = max(self.most_bytes_of_a_process, *sizes)


@contextmanager
def told(seeds, cases):
    """On failure say which seeds and faults it were, and how to see them again."""
    lines = [str(each) for each in cases]
    lines.append(f"again: CHAOS_SEEDS={seeds[0]}-{seeds[-1]} pytest tests/chaos/test_random_faults.py")
    lines.append(f"one alone: CHAOS_SEEDS={seeds[0]}-{seeds[0]} ...")
    print("\n".join(lines))
    try:
        yield
    except BaseException as error:
        error.add_note("\n".join(lines))
        raise


@pytest.mark.parametrize("seeds", batches(chosen(SEEDS)), ids=lambda seeds: f"seeds-{seeds[0]}-{seeds[-1]}")
def test_whatever_goes_wrong_elsewhere_the_promises_hold(tmp_path, seeds):
    cases = [case(seed) for seed in seeds]
    with told(seeds, cases):
        run(tmp_path, cases, worse=violent(seeds[0]))


def run(tmp_path, cases, *, worse):
    estate = {"guests": GUESTS, "cpu_rate": RATE, "sample_seconds": 0.5}
    good = [scripted(tmp_path, name=f"good-{n}", cpu_counter=form, **estate) for n, form in enumerate(HEALTHY)]
    names = [f"healthy-{number}" for number in range(len(good))]
    made = {name for name, form in zip(names, HEALTHY, strict=True) if form in MADE}
    worlds = {each.name: each.world(tmp_path) for each in cases}
    secret = tmp_path / "secret"
    secret.write_text("before")
    # Workers are filled in turn: every one of them holds healthy targets and bad ones.
    targets = [world.target(name) for name, world in zip(names, good, strict=True)]
    targets += [world.target(name, auth="account") for name, world in worlds.items()]
    # A worker that is brought down by one target is missed by the others for some ticks: their data is shown meanwhile.
    ttl = {"vitals": "15s"} if worse else {}
    profile = {"intervals": INTERVALS, "timeout": "800ms", "ttl": ttl}
    auths = {"account": {"username": "u", "password": {"file": str(secret)}}}
    config = document(targets, profiles={"default": profile}, auths=auths, workers=3)
    with Daemon(config, env=ENV, flags=[f"--shutdown.grace={GRACE_SECONDS}s"]) as daemon:
        for name in [*names, *worlds]:
            daemon.wait_for("hypervisor_target_up", 1, target=name)
        watch = Watch(daemon, names)
        # What is made may begin anew, in a new worker; the scraper looks at how.
        watch.counters = {series: value for series, value in watch.counters.items() if series[0] not in made}
        with Scraper(daemon, made, most_age_seconds=12.0 if worse else 3.0) as scraper:
            for each in cases:
                worlds[each.name].restart_clock()
                worlds[each.name].change(faults=list(each.faults))
            begun = time.monotonic()
            until(lambda: time.monotonic() > begun + LAST_SECONDS + 1, LAST_SECONDS + 5, "end", daemon.child)
            for world in worlds.values():
                world.change(faults=[])
            secret.write_text("after")  # ends a lock after refused credentials
            if not worse:
                watch.check()
            until(lambda: returned(daemon, cases, names), RETURN_SECONDS, Waiting(daemon, cases, names), daemon.child)
        assert scraper.wrong == []
        assert scraper.pages > 20
        assert scraper.most_bytes < MOST_BYTES
        assert scraper.most_bytes_of_a_process < MOST_BYTES_OF_A_PROCESS
        log = daemon.log()
        assert scraper.falls == 0 or any(sentence in log for sentence in WORKER_GONE)
        assert "a bug in the supervisor" not in log
        assert "Exception in thread" not in log
        processes = psutil.Process(daemon.child.pid).children(recursive=True)
        assert daemon.terminate(GRACE_SECONDS + 0.5), daemon.child.log_tail()
        assert "[ended with status 0]" in ended(daemon)
        _, alive = psutil.wait_procs(processes, timeout=1)
        assert alive == []


def returned(daemon, cases, names) -> bool:
    return not missing(daemon, cases, names)


def missing(daemon, cases, names) -> list[str]:
    """What is not yet as it was before the faults."""
    page = daemon.page()
    wanted = {**dict.fromkeys(names, GUESTS), **{each.name: each.estate["guests"] for each in cases}}
    shown = dict.fromkeys(wanted, 0)
    for labels, _ in page.find("hypervisor_guest_state"):
        shown[labels["target"]] += 1
    up = {labels["target"]: value for labels, value in page.find("hypervisor_target_up")}
    return [
        f"{name}: up {up.get(name)}, {shown[name]} of {guests} guests"
        for name, guests in wanted.items()
        if up.get(name) != 1 or shown[name] != guests
    ]


@dataclass
class Waiting:
    """A description of a condition that is made only when it is needed."""

    daemon: Daemon
    cases: list
    names: list[str]

    def __str__(self) -> str:
        return f"return of every target: {missing(self.daemon, self.cases, self.names)}"


def ended(daemon) -> str:
    """The log, with the line about its end."""
    until(lambda: "[ended with status" in daemon.log(), 5, "exit status")
    return daemon.log()
