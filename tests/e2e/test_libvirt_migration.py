"""A guest that moves live between two libvirt daemons which one exporter watches: there once, whole, and then gone.

Slow on purpose: its memory is noise and the way is narrow, so that a copy in progress is seen again and again. There
and back and, in a third attempt that is given up, half way again. The page is read all the while.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import pytest

from tests.backends.daemon import Daemon, Page, document, libvirt
from tests.backends.estate import disk
from tests.backends.need import need
from tests.backends.processes import until

pytestmark = [pytest.mark.backend, pytest.mark.timeout(240)]

MOVER, SETTLED = "mover", "settled"
HERE, THERE = "here", "there"
HOSTS = {HERE: "here.example", THERE: "there.example"}
VCPUS, SETTLED_VCPUS = 2, 1
MEMORY_MIB, NOISE_MIB = 128, 96  # at 1 MiB/s it is on its way for longer than anybody looks
SECOND = dict.fromkeys(("vitals", "storage", "snapshots", "inventory"), "1s")
UP, STATE, RUNNING = "hypervisor_target_up", "hypervisor_guest_state", "hypervisor_guest_running"
CPU, MIGRATIONS = "hypervisor_guest_cpu_seconds_total", "hypervisor_host_migrations"
COUNTERS = (CPU, "hypervisor_guest_cpu_ready_seconds_total", "hypervisor_guest_disk_written_bytes_total")
LAST_SUCCESS = "hypervisor_target_last_success_timestamp_seconds"

ACTS = ("before", "copying", "arrived", "back", "copying again", "given up")


@dataclass
class Watch:
    """Every page that was read, with the act that was on; an act is over before its successor's first page."""

    daemon: Daemon
    act: str = ""
    seen: list[tuple[str, Page]] = field(default_factory=list)

    def pages(self, act: str) -> list[Page]:
        return [page for of, page in self.seen if of == act]

    def look(self) -> Page:
        page = self.daemon.page()
        self.seen.append((self.act, page))
        return page

    def until(self, holds: Callable[[Page], bool], what: str) -> None:
        until(lambda: holds(self.look()), 40, what, self.daemon.child)

    def collected(self, groups: int = 4) -> None:
        """Every group of both targets anew, begun after now."""
        asked = time.time()
        self.until(
            lambda page: len(begun := begins(page)) == 2 * groups and min(begun.values()) > asked, "collection anew"
        )


def begins(page: Page) -> dict[tuple[str, str], float]:
    """When what is shown of each target and group began to be collected."""
    took = {key(labels): value for labels, value in page.find("hypervisor_target_collection_duration_seconds")}
    ended = {key(labels): value for labels, value in page.find(LAST_SUCCESS)}
    return {each: ended[each] - took[each] for each in ended}


def key(labels: dict[str, str]) -> tuple[str, str]:
    return labels["target"], labels["group"]


@contextmanager
def leaving(source, destination, *flags: str) -> Iterator[list[Exception]]:
    """A migration that goes on while the block runs; the list holds how it failed."""
    failed: list[Exception] = []

    def move() -> None:
        try:
            source.migrate(MOVER, destination, "--bandwidth", "1", *flags, timeout_seconds=120)
        except Exception as error:  # noqa: BLE001  it is looked at in the thread of the test
            failed.append(error)

    moving = threading.Thread(target=move)
    moving.start()
    try:
        yield failed
    finally:
        moving.join()


@dataclass(frozen=True)
class Told:
    watch: Watch
    uuid: str
    last_cpu: float
    """What virsh says of the guest's virtual CPUs at the end, in seconds."""
    errors: list[Exception]
    host_ids: dict[str, str]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv", "cc"], ["libvirt"])
    from tests.backends.boot_sector import bootable, filled
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab(hostname=HOSTS[HERE]) as here, LibvirtLab(hostname=HOSTS[THERE]) as there:
        devices = disk("raw", bootable(here, "heart.raw"), "vda")
        guest = here.launch(
            MOVER, paused=False, vcpus=VCPUS, memory_mib=MEMORY_MIB, head=filled(here, NOISE_MIB), devices=devices
        ).UUIDString()
        there.launch(SETTLED, vcpus=SETTLED_VCPUS)
        profile = {"intervals": SECOND, "families": {"include": [MIGRATIONS]}}
        targets = [libvirt(HERE, here.uri), libvirt(THERE, there.uri)]
        with Daemon(document(targets, profiles={"default": profile})) as daemon:
            watch = Watch(daemon)
            errors = there_and_back(watch, here, there)
            stats = dict(
                line.strip().split("=", 1) for line in here.virsh("domstats", MOVER).splitlines() if "=" in line
            )
            cpu = sum(int(stats[f"vcpu.{number}.time"]) for number in range(VCPUS)) / 1e9
            watch.collected()
            ids = {HERE: here, THERE: there}
            uuids = {name: re.search(r"<uuid>(.+)</uuid>", lab.virsh("capabilities"))[1] for name, lab in ids.items()}
            yield Told(watch, guest, cpu, errors, uuids)


def there_and_back(watch: Watch, here, there) -> list[Exception]:
    for _ in range(2):  # vitals describe a guest once its inventory was read
        watch.collected()
    for _ in step(watch, "before"):
        watch.collected()
    with leaving(here, there, "--persistent", "--undefinesource") as failed:
        copying(watch, "copying", here)
        here.virsh("migrate-setspeed", MOVER, "1000")
    assert not failed
    settle(watch, "arrived")
    there.migrate(MOVER, here, "--persistent")
    settle(watch, "back")
    with leaving(here, there) as failed:
        copying(watch, "copying again", here)
        here.virsh("domjobabort", MOVER)
    settle(watch, "given up")
    return failed


def step(watch: Watch, act: str) -> range:
    """The act's name from now on, for three collections of everything."""
    watch.act = act
    return range(3)


def settle(watch: Watch, act: str) -> None:
    """Everything is collected once, between the acts, and then the act is seen."""
    watch.act = f"until {act}"
    watch.collected()
    for _ in step(watch, act):
        watch.collected()


def copying(watch: Watch, act: str, source) -> None:
    watch.act = f"until {act}"
    until(lambda: "Data processed" in source.virsh("domjobinfo", MOVER), 20, "migration under way")
    settle(watch, act)


def shown(page: Page, family: str) -> dict[str, float]:
    return by_target(page, family, guest=MOVER)


def states(page: Page) -> dict[str, str]:
    return {labels["target"]: labels["state"] for labels, _ in page.find(STATE, guest=MOVER)}


def migrations(page: Page) -> dict[tuple[str, str], float]:
    return {(labels["target"], labels["direction"]): value for labels, value in page.find(MIGRATIONS)}


def by_target(page: Page, family: str, **labels: str) -> dict[str, float]:
    return {found["target"]: value for found, value in page.find(family, **labels)}


EXPECTED = {
    "before": {HERE: "running"},
    "copying": {HERE: "running", THERE: "migrating"},
    "arrived": {THERE: "running"},
    "back": {HERE: "running", THERE: "stopped"},
    "copying again": {HERE: "running", THERE: "migrating"},
    "given up": {HERE: "running", THERE: "stopped"},
}
RESIDENCE = {act: THERE if act == "arrived" else HERE for act in ACTS}


@pytest.mark.parametrize("act", ACTS)
def test_each_daemon_shows_its_copy_as_what_it_is(told, act):
    assert len(told.watch.pages(act)) >= 3
    for page in told.watch.pages(act):
        assert states(page) == EXPECTED[act]


@pytest.mark.parametrize("act", ACTS)
def test_the_guest_keeps_its_id_and_its_host_is_the_one_it_runs_on(told, act):
    for page in told.watch.pages(act):
        described = {labels["target"]: labels for labels, _ in page.find("hypervisor_guest_info", guest=MOVER)}
        assert {labels["guest_id"] for labels in described.values()} == {told.uuid}
        for target, labels in described.items():
            assert (labels["host"], labels["host_id"]) == (HOSTS[target], told.host_ids[target])
        running = [target for target, value in shown(page, RUNNING).items() if value]
        assert running == [RESIDENCE[act]]


@pytest.mark.parametrize("act", ACTS)
def test_a_host_counts_what_runs_on_it_and_nothing_twice(told, act):
    here = VCPUS if RESIDENCE[act] == HERE else 0
    for page in told.watch.pages(act):
        allocated = by_target(page, "hypervisor_host_vcpus_allocated")
        assert allocated == {HERE: here, THERE: SETTLED_VCPUS + VCPUS - here}
        memory = by_target(page, "hypervisor_host_memory_allocated_bytes")
        assert sum(memory.values()) == (MEMORY_MIB + 4) * 2**20
        assert sum(value for _, value in page.find("hypervisor_host_guests", state="running")) == 1


@pytest.mark.parametrize("act", ACTS)
def test_migrations_are_counted_in_and_out_while_they_last(told, act):
    moving = float(act.startswith("copying"))
    for page in told.watch.pages(act):
        expected = {(HERE, "in"): 0, (HERE, "out"): moving, (THERE, "in"): moving, (THERE, "out"): 0}
        assert migrations(page) == expected


def test_no_series_is_there_twice_at_any_instant(told):
    assert len(told.watch.seen) > 100
    for act, page in told.watch.seen:
        series = [(name, tuple(sorted(labels.items()))) for name, labels, _ in page.samples]
        assert len(set(series)) == len(series)
        assert not act or by_target(page, UP) == {HERE: 1, THERE: 1}


def test_two_copies_run_only_in_a_page_whose_older_half_is_from_before(told):
    """Two daemons are asked at two instants; a page may hold the last look here and the first one there."""
    for _, page in told.watch.seen:
        if sum(shown(page, RUNNING).values()) == len(HOSTS):
            begun, ended = begins(page), by_target(page, LAST_SUCCESS, group="vitals")
            assert any(begun[one, "vitals"] < ended[other] for one, other in ((HERE, THERE), (THERE, HERE)))


def test_a_copy_that_arrives_has_used_nothing_and_its_original_goes_on(told):
    for act in ("copying", "copying again"):
        used = [shown(page, CPU) for page in told.watch.pages(act)]
        assert {each[THERE] for each in used} == {0}
        assert used[-1][HERE] > used[0][HERE]


@pytest.mark.parametrize("family", COUNTERS)
@pytest.mark.parametrize("target", [HERE, THERE])
def test_no_counter_falls_while_its_guest_is_there(told, family, target):
    """Gone and back it is another process of QEMU, whose counters the hypervisor begins at nothing."""
    seen = [shown(page, family).get(target) for _, page in told.watch.seen]
    stays = [list(stay) for there, stay in groupby(seen, lambda value: value is not None) if there]
    assert stays
    for stay in stays:
        assert stay == sorted(stay)


def test_the_guest_back_home_counts_what_virsh_counts(told):
    last = shown(told.watch.seen[-1][1], CPU)
    assert last.keys() == {HERE}
    assert told.last_cpu <= last[HERE] < told.last_cpu + 60


def test_a_guest_that_left_for_good_leaves_nothing(told):
    for page in told.watch.pages("arrived"):
        left = [name for name, labels, _ in page.samples if labels.get("target") == HERE and "guest_id" in labels]
        assert left == []


def test_a_definition_left_behind_tells_why_it_is_off_and_no_usage(told):
    for page in told.watch.pages("back"):
        ((labels, _),) = page.find("hypervisor_guest_state_reason", guest=MOVER, target=THERE)
        assert labels["reason"] == "migrated"
        assert not any(THERE in shown(page, family) for family in COUNTERS)


def test_a_migration_that_is_given_up_was_given_up_by_us(told):
    (error,) = told.errors
    assert "canceled by client" in error.stderr


def test_nothing_of_it_is_a_problem(told):
    for _, page in told.watch.seen:
        assert [labels for labels, value in page.find("hypervisor_target_problems") if value] == []
