"""The back ends are what they claim to be; tests that rest on them need not look."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.backends.need import need
from tests.backends.processes import BackendError, Scratch, until
from tests.backends.prometheus import promtool, scrape

pytestmark = pytest.mark.backend


def processes_of(directory) -> list[str]:
    """Command lines that name a directory or run in it."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if str(directory) in line or process.cwd().startswith(str(directory)):
                found.append(line)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture
def own_lab(libvirt_lab):
    """A second lab, for tests that freeze or end it."""
    lab = type(libvirt_lab)()
    with lab:
        yield lab


def test_capabilities_come_fast_so_qemu_is_not_probed_on_every_call(libvirt_lab):
    began = time.monotonic()
    libvirt_lab.virsh("capabilities")
    assert time.monotonic() - began < 1, "a /dev/kvm that can be opened but does not work? see libvirt_lab.py"


def test_guests_are_in_the_states_that_the_estate_says(libvirt_lab, estate):
    assert len(estate.guests) >= 12
    assert sorted(guest.state for guest in estate.guests.values()).count("running") == 1
    for guest in estate.guests.values():
        assert libvirt_lab.virsh("domstate", guest.uuid).strip() == guest.state
        assert libvirt_lab.virsh("domname", guest.uuid) == f"{guest.name}\n\n"


def test_pools_with_spaces_are_active_and_inactive(libvirt_lab, estate):
    from tests.backends.estate import COLD_POOL, POOL

    assert estate.pools[POOL].active
    assert not estate.pools[COLD_POOL].active
    assert " " in POOL
    for volume in estate.pools[POOL].volumes:
        assert volume in libvirt_lab.virsh("vol-list", POOL)


def test_a_snapshot_is_400_days_old(libvirt_lab, estate):
    from tests.backends.estate import OLD

    xml = libvirt_lab.virsh("snapshot-dumpxml", OLD, "ancient")
    assert f"<creationTime>{estate.old_snapshot_time}</creationTime>" in xml
    assert time.time() - estate.old_snapshot_time == pytest.approx(400 * 86400, abs=3600)


def test_snapshots_form_a_tree_with_a_branch(libvirt_lab, estate):
    from tests.backends.estate import TREE

    parents = {
        name: libvirt_lab.virsh("snapshot-info", TREE, name).split("Parent:")[1].split()[0]
        for name in estate.guests[TREE].snapshots
    }
    assert parents == {"base": "-", "update": "base", "test": "update", "other": "base"}


def test_block_counters_move_by_exactly_what_was_asked(libvirt_lab, estate):
    from tests.backends.estate import TWO_DISKS, move_disk

    guest = libvirt_lab.conn().lookupByName(TWO_DISKS)
    first, second = guest.blockStats("vda"), guest.blockStats("vdb")
    move_disk(libvirt_lab, TWO_DISKS, "vda", 512 * 1024)
    move_disk(libvirt_lab, TWO_DISKS, "vdb", 4096, act="read")
    moved = [
        tuple(after - before for before, after in zip(then, guest.blockStats(target), strict=True))[:4]
        for target, then in (("vda", first), ("vdb", second))
    ]
    assert moved == [(0, 0, 1, 512 * 1024), (1, 4096, 0, 0)]


def test_the_spinner_uses_cpu_time(libvirt_lab, estate):
    from tests.backends.estate import SPINNER

    guest = libvirt_lab.conn().lookupByName(SPINNER)
    before = guest.info()[4]
    until(lambda: guest.info()[4] - before > 200_000_000, 20, "200 ms of CPU time of the spinner")


def test_a_read_only_connection_may_not_change_anything(libvirt_lab, estate):
    import libvirt

    with libvirt.openReadOnly(libvirt_lab.uri) as connection:
        assert {guest.name() for guest in connection.listAllDomains()} >= set(estate.guests)
        with pytest.raises(libvirt.libvirtError) as refused:
            connection.lookupByName("off").create()
    assert refused.value.get_error_code() == libvirt.VIR_ERR_OPERATION_DENIED


def test_a_discarded_guest_is_gone_with_its_snapshots_and_saved_state(libvirt_lab):
    from tests.backends.estate import qcow2, take

    guest = libvirt_lab.launch("discarded", devices=qcow2(libvirt_lab, "discarded"))
    take(guest, "any")
    guest.managedSave()
    libvirt_lab.launch("discarded too", transient=True)
    for name in ("discarded", "discarded too"):
        libvirt_lab.discard(name)
        assert name not in libvirt_lab.virsh("list", "--all", "--name").splitlines()


def test_calls_hang_while_the_daemon_is_frozen_and_work_again_once_it_thaws(own_lab):
    own_lab.freeze()
    with pytest.raises(subprocess.TimeoutExpired):
        own_lab.virsh("list", timeout_seconds=0.5)
    own_lab.thaw()
    assert "Name" in own_lab.virsh("list")


def test_guests_survive_a_restart_of_the_daemon_and_end_with_the_lab(own_lab):
    own_lab.launch("survivor")
    pid = own_lab.guest_pid("survivor")
    own_lab.stop_daemon(signal.SIGKILL)
    with pytest.raises(subprocess.CalledProcessError, match="virsh"):
        own_lab.virsh("list")
    own_lab.start_daemon()
    assert own_lab.virsh("domstate", "survivor").strip() == "paused"
    own_lab.freeze_guest("survivor")

    own_lab.stop()
    assert not psutil.pid_exists(pid)
    assert processes_of(own_lab.scratch.path) == []
    assert not own_lab.scratch.path.exists()


def test_nothing_stays_behind_when_the_test_run_is_killed(libvirt_lab):
    program = (
        "from tests.backends.libvirt_lab import LibvirtLab\n"
        "lab = LibvirtLab().start()\n"
        "lab.launch('orphan')\n"
        "print(lab.scratch.path, flush=True)\n"
        "input()\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        directory = Path(run.stdout.readline().strip())
        assert any("qemu-system" in line for line in processes_of(directory))
        run.kill()
    until(lambda: not processes_of(directory), 10, "end of every process of the killed run")
    until(lambda: not directory.exists(), 10, "removal of the killed run's directory")


def test_a_process_that_fails_is_reported_with_its_log():
    with Scratch("lab") as scratch:
        child = scratch.start("broken", "sh", "-c", "echo no such luck >&2; exit 3")
        with pytest.raises(BackendError) as failure:
            until(lambda: False, 10, "wonder", child)
        until(lambda: "[ended" in child.log_tail(), 10, "status in the log")
        assert child.log_tail() == "no such luck\n[ended with status 3]"
    assert "broken ended while waiting for wonder\nno such luck" in str(failure.value)


def test_prometheus_scrapes_and_answers(prometheus):
    server = prometheus([])
    server.reload([scrape("self", server.address)])
    (sample,) = server.wait_for("up == 1")
    assert sample.labels["job"] == "self"
    assert [target["health"] for target in server.targets()] == ["up"]
    assert server.series("up") == [sample.labels]
    (series,) = server.query_range("up", sample.time - 1, sample.time, 1)
    assert series.points[-1] == (pytest.approx(sample.time), 1)
    with pytest.raises(BackendError, match="parse error"):
        server.query("up{")


def test_promtool_judges_a_page(prometheus):
    assert promtool("check", "metrics", input="# HELP a_total A.\n# TYPE a_total counter\na_total 1\n").returncode == 0
    assert promtool("check", "metrics", input="a{ 1\n").returncode != 0


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_back_end_is_skipped_at_home_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="not installed: no-such-daemon, Python module no_such_module"):
        need(["sh", "no-such-daemon"], ["no_such_module"])
