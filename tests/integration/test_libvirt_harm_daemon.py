"""Frozen guests under a real daemon: libvirtd is left with all but two of its workers, whatever dies meanwhile."""

import signal
import time
from contextlib import contextmanager

import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.need import need
from tests.backends.processes import until
from tests.integration.libvirt_harm import Watch, frozen

pytestmark = pytest.mark.backend

DISK = "<disk type='file'><driver type='qcow2'/><source file='{}'/><target dev='vda'/></disk><memballoon model='none'/>"
FROZEN = [f"frozen-{number}" for number in range(20)]
WELL = ["well-0", "well-1"]
TICKS = "hypervisor_target_collections_total"


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "virt-admin", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        for name in [*FROZEN, *WELL]:
            lab.launch(name, devices=DISK.format(lab.image(f"{name}.qcow2")))
        yield lab


def serving(lab):
    """A daemon with the lab and a neighbour that shares its worker."""
    intervals = {"vitals": "2s", "storage": "3s", "snapshots": "30s", "inventory": "30s"}
    targets = [libvirt("lab", lab.uri), libvirt("neighbour", "test:///default")]
    return Daemon(document(targets, profiles={"default": {"intervals": intervals}}, workers=1))


def complete(page, guests):
    return {page.value("hypervisor_guest_stats_complete", target="lab", guest=guest) for guest in guests}


def ticks(page, target, *outcomes):
    return sum(page.value(TICKS, target=target, group="vitals", outcome=outcome) or 0 for outcome in outcomes)


def missed(page, target):
    return ticks(page, target, "timed_out", "skipped", "held", "unreachable", "bug")


def virsh_answers(lab):
    begun = time.monotonic()
    assert "block.0.rd.reqs" in lab.virsh("domstats", "well-0", "--block", timeout_seconds=10)
    assert "paused" in lab.virsh("dominfo", "well-1", timeout_seconds=10)
    assert time.monotonic() - begun < 5


@contextmanager
def started(lab):
    """The daemon with every guest complete; whoever enters may replace it in the list."""
    running = [serving(lab).start()]
    try:
        until(lambda: complete(running[0].page(), [*FROZEN, *WELL]) == {1.0}, 20, "complete guests", running[0].child)
        yield running
    finally:
        running[0].stop()


@pytest.mark.parametrize("count", [1, 20])
def test_frozen_guests_hold_two_workers_at_most_whatever_dies(lab, count):
    with Watch(lab) as watch, started(lab) as running:
        with frozen(lab, *FROZEN[:count]):
            for _ in range(3):
                time.sleep(2.5)  # long enough for a call to hang and be given up
                for worker in running[0].workers():
                    worker.kill()
                virsh_answers(lab)
            running[0].stop()
            running[0] = daemon = serving(lab).start()
            wait_until_told(daemon, min(count, 2))
            virsh_answers(lab)
            page = daemon.page()
            assert complete(page, WELL) == ({1.0} if count == 1 else {0.0})
            assert complete(page, FROZEN[:count]) == {0.0}
            for guest in ("frozen-0", "well-0"):
                assert page.value("hypervisor_guest_cpu_seconds_total", target="lab", guest=guest) is not None
                assert page.value("hypervisor_guest_state", target="lab", guest=guest, state="paused") == 1
        until(lambda: complete(daemon.page(), [*FROZEN, *WELL]) == {1.0}, 40, "guests that returned", daemon.child)
    assert 1 <= max(watch.held) <= 2


def wait_until_told(daemon, stuck):
    told = {"target": "lab", "group": "vitals", "problem": "monitor_stuck"}
    daemon.wait_for("hypervisor_target_problems", stuck, 60, **told)


@pytest.mark.parametrize("count", [1, 20])
def test_guests_that_are_well_keep_their_ticks_when_others_freeze(lab, count):
    with Watch(lab) as watch, started(lab) as running:
        daemon = running[0]
        before = daemon.page()
        with frozen(lab, *FROZEN[:count]):
            wait_until_told(daemon, min(count, 2))
            until(lambda: good(daemon.page()) - good(before) >= 4, 30, "four ticks", daemon.child)
            page = daemon.page()
            assert missed(page, "lab") - missed(before, "lab") <= 1, "none on a machine that has time"
            assert missed(page, "neighbour") == missed(before, "neighbour")
            assert complete(page, WELL) == ({1.0} if count == 1 else {0.0})
            assert "a worker of its own" not in daemon.log(), "no call hangs for good"
            virsh_answers(lab)
    assert max(watch.held) <= 2


def good(page):
    return ticks(page, "lab", "success", "partial")


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_a_libvirtd_that_stops_is_down_until_it_is_back_and_nobody_else(lab, how):
    with started(lab) as running:
        daemon = running[0]
        if how == "frozen":
            lab.freeze()
        else:
            lab.stop_daemon(signal.SIGKILL)
        try:
            daemon.wait_for("hypervisor_target_up", 0, 20, target="lab")
            daemon.wait_for("hypervisor_guest_state", None, 20, target="lab", guest="well-0", state="paused")
            assert daemon.page().value("hypervisor_target_up", target="neighbour") == 1
        finally:
            if how == "frozen":
                lab.thaw()
            else:
                lab.start_daemon()
        daemon.wait_for("hypervisor_target_up", 1, 40, target="lab")
        until(lambda: complete(daemon.page(), WELL) == {1.0}, 20, "guests that returned", daemon.child)
        assert missed(daemon.page(), "neighbour") == 0
