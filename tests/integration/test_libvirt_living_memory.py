"""Memory as a Linux guest reports it by its balloon: true while it reports, absent before and after."""

import re
import time

import pytest

from tests.backends.living_guest import MEMORY_MIB, launch
from tests.backends.processes import until
from tests.integration.libvirt_world import domstats, key_values, world

pytestmark = pytest.mark.backend
KIB, MIB = 1024, 2**20
STALE_SECONDS = 61
PATIENCE_SECONDS = 40


class Clock:
    """The exporter's clock, which can be put forward."""

    ahead = 0.0

    def now(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def session(living, clock):
    with world(living.lab.uri, now=clock.now) as opened:
        yield opened


def memory(session, name="living"):
    return session.guests("vitals")[name].memory


def report(living):
    return {key: int(value) for key, value in key_values(living.lab.virsh("dommemstat", living.name), " ").items()}


def told_of_one_report(living, session):
    """What the session and dommemstat tell of the same report."""

    def both():
        before, told, after = report(living), memory(session), report(living)
        return (told, after) if before["last_update"] == after["last_update"] and before["usable"] else None

    return until(both, PATIENCE_SECONDS, "a report that stays while it is looked at")


def inside(living):
    """Bytes of the lines of /proc/meminfo."""
    text = living.sh("cat /proc/meminfo")
    return {name: int(kib) * KIB for name, kib in re.findall(r"(\w+): +(\d+) kB", text)}


def test_used_and_available_are_dommemstats_and_the_guests_own(living, session):
    told, stats = told_of_one_report(living, session)
    assert told.used_bytes == (stats["available"] - stats["usable"]) * KIB
    assert told.available_bytes == stats["usable"] * KIB
    own = inside(living)
    assert told.used_bytes + told.available_bytes == own["MemTotal"]
    assert told.available_bytes == pytest.approx(own["MemAvailable"], abs=8 * MIB)


def test_what_a_program_takes_is_used(living, session):
    before, _ = told_of_one_report(living, session)
    living.sh("dd if=/dev/zero of=/dev/shm-file bs=1M count=16 2>&1")  # devtmpfs is memory
    try:
        until(
            lambda: memory(session).used_bytes >= before.used_bytes + 14 * MIB, PATIENCE_SECONDS, "16 MiB more in use"
        )
    finally:
        living.sh("rm /dev/shm-file")
    until(lambda: memory(session).used_bytes <= before.used_bytes + 4 * MIB, PATIENCE_SECONDS, "16 MiB less in use")


def test_swap_is_what_the_guests_kernel_counts(living, session):
    for command in (
        "mkswap /dev/vdc >/dev/null && swapon /dev/vdc && mkdir -p /cgroup && mount -t cgroup2 none /cgroup",
        "echo +memory >/cgroup/cgroup.subtree_control && mkdir /cgroup/swapped",
        "echo $$ >/cgroup/swapped/cgroup.procs && dd if=/dev/zero of=/dev/swapped bs=1M count=8 2>&1",
        "echo 6M >/cgroup/swapped/memory.reclaim; cat /dev/swapped >/dev/null; rm /dev/swapped",
    ):
        living.sh(command)
    pages = dict(re.findall(r"pswp(\w+) (\d+)", living.sh("cat /proc/vmstat")))
    swapped_in, swapped_out = (int(pages[way]) * 4096 for way in ("in", "out"))
    assert swapped_in > MIB < swapped_out
    until(lambda: memory(session).os_swap_in_bytes == swapped_in, PATIENCE_SECONDS, "a report of what was swapped")
    assert memory(session).os_swap_out_bytes == swapped_out
    living.sh("swapoff /dev/vdc && rmdir /cgroup/swapped && umount /cgroup")


def reported_of(session, total):
    """What was reported if it was of so many bytes."""
    told = memory(session)
    return told if told.used_bytes + told.available_bytes == total else None


def test_the_balloon_moves_what_is_assigned_and_not_what_is_configured(living, session):
    before, total = memory(session), inside(living)["MemTotal"]
    assert (before.assigned_bytes, before.configured_bytes) == (MEMORY_MIB * MIB, MEMORY_MIB * MIB)
    living.lab.virsh("setmem", "living", "96M", "--live")
    try:
        until(lambda: memory(session).assigned_bytes == 96 * MIB, PATIENCE_SECONDS, "a balloon of 32 MiB")
        assert memory(session).configured_bytes == MEMORY_MIB * MIB
        assert inside(living)["MemTotal"] == total - 32 * MIB, "its kernel gave away what the balloon took"
        now = total - 32 * MIB
        told = until(lambda: reported_of(session, now), PATIENCE_SECONDS, "a report of less")
        assert told.available_bytes < before.available_bytes - 24 * MIB
    finally:
        living.lab.virsh("setmem", "living", f"{MEMORY_MIB}M", "--live")
    until(lambda: memory(session).assigned_bytes == MEMORY_MIB * MIB, PATIENCE_SECONDS, "an empty balloon")


def end_period(guest):
    """Take the period away and see the report that may be on its way come in."""
    guest.lab.virsh("dommemstat", "living", "--period", "0", "--live")
    until(
        lambda: time.time() - report(guest)["last_update"] > 3, PATIENCE_SECONDS, "report that is older than a period"
    )


@pytest.mark.parametrize(
    ("end", "begin"),
    [
        pytest.param(
            lambda g: g.lab.virsh("suspend", "living"), lambda g: g.lab.virsh("resume", "living"), id="paused"
        ),
        pytest.param(
            lambda g: g.sh("rmmod virtio_balloon"),
            lambda g: g.sh("insmod /modules/virtio_balloon.ko"),
            id="without a driver",
        ),
        pytest.param(
            end_period,
            lambda g: g.lab.virsh("dommemstat", "living", "--period", "2", "--live"),
            id="without a period",
        ),
    ],
)
def test_a_report_that_is_not_renewed_is_dropped_and_comes_back_with_the_next(living, session, clock, end, begin):
    told_of_one_report(living, session)
    end(living)
    try:
        last = report(living)
        assert memory(session).available_bytes == last["usable"] * KIB, "it is of this minute"
        clock.ahead = STALE_SECONDS
        old = memory(session)
        assert (old.used_bytes, old.available_bytes, old.os_swap_in_bytes) == (None, None, None)
        assert (old.assigned_bytes, old.host_used_bytes > 0) == (last["actual"] * KIB, True)
        assert report(living)["usable"] == last["usable"], "libvirt goes on showing it"
    finally:
        begin(living)
    until(lambda: memory(session).available_bytes, PATIENCE_SECONDS, "the next report")


def test_before_a_driver_is_up_and_without_a_period_there_is_no_report(living, session):
    """Nobody but an administrator turns reports on."""
    for name, period in (("firmware", "<stats period='2'/>"), ("silent", "")):
        launch(living.lab, name, stats=period, paused=True)
        try:
            told = memory(session, name)
            assert (told.used_bytes, told.available_bytes, told.os_swap_out_bytes) == (None, None, None)
            assert told.assigned_bytes == told.configured_bytes == MEMORY_MIB * MIB
            assert domstats(living.lab, name, "--balloon").get("balloon.last-update") in {None, "0"}
            xml = living.lab.virsh("dumpxml", name)
            assert ("<stats period='2'/>" in xml) is bool(period)
        finally:
            living.lab.discard(name)
