"""A target that fails, hangs or dies costs its own data and nothing else; the daemon stops in time whatever hangs."""

import signal
import socket
import time
from contextlib import suppress

import psutil
import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.need import need
from tests.backends.processes import until

INTERVAL = 2.0
HEALTHY = libvirt("healthy", "test:///default")
COLLECTIONS = "hypervisor_target_collections_total"


@pytest.fixture
def lab():
    """A libvirtd of this test's own, because it is going to be hurt."""
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as own:
        own.launch("victim")
        yield own


def counted(page, target, outcome, group="vitals"):
    return page.value(COLLECTIONS, target=target, group=group, outcome=outcome) or 0


def abandoned(daemon):
    return daemon.page().value("hypervisor_exporter_abandoned_calls")


def assert_no_tick_was_missed(daemon, before, since):
    """The healthy target was collected at every one of its ticks."""
    page = daemon.page()
    elapsed = time.time() - since
    successes = counted(page, "healthy", "success") - counted(before, "healthy", "success")
    assert successes >= elapsed / INTERVAL - 1.5, f"{successes} in {elapsed:.1f} s"
    for outcome in ("skipped", "held", "timed_out", "unreachable", "bug"):
        assert counted(page, "healthy", outcome) == counted(before, "healthy", outcome), outcome
    assert page.value("hypervisor_target_up", target="healthy") == 1


def test_wrong_addresses_and_dead_sockets_are_told_and_harm_nobody(tmp_path):
    targets = [
        HEALTHY,
        libvirt("no-daemon", f"qemu+unix:///system?socket={tmp_path}/no-such-sock"),
        libvirt("refused", "qemu+tcp://127.0.0.1:1/system"),
        libvirt("no-host", "qemu+tcp://no-such-host.invalid/system"),
    ]
    with Daemon(document(targets)) as daemon:
        before, since = daemon.page(), time.time()
        for name in ("no-daemon", "refused", "no-host"):
            assert before.value("hypervisor_target_up", target=name) == 0
            assert counted(before, name, "unreachable") >= 1
            assert before.find("hypervisor_guest_state", target=name) == []
        until(lambda: time.time() > since + 10, 15, "ten seconds", daemon.child)
        assert_no_tick_was_missed(daemon, before, since)
        log = daemon.log()
        assert "no-such-sock" in log
        assert log.count("the target is down") == 3  # once per target, however often it fails
        page = daemon.get("/").text
        assert "no-such-host.invalid" in page


def test_a_frozen_libvirtd_times_out_and_returns_when_it_thaws(lab):
    with Daemon(document([HEALTHY, libvirt("frozen", lab.uri)])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="frozen")
        before, since = daemon.page(), time.time()
        lab.freeze()
        daemon.wait_for("hypervisor_target_up", 0, target="frozen")
        until(lambda: abandoned(daemon) >= 1, 5, "abandoned call", daemon.child)
        # Its data is shown until its time to live is over (2.5 intervals), then it ends.
        until(lambda: not daemon.page().find("hypervisor_guest_state", target="frozen"), 15, "end of old data")
        assert daemon.page().value("hypervisor_host_up", target="frozen") == 0
        assert daemon.page().find("hypervisor_target_last_success_timestamp_seconds", target="frozen") != []
        assert_no_tick_was_missed(daemon, before, since)
        successes = counted(daemon.page(), "frozen", "success")
        lab.thaw()
        page = daemon.wait_for("hypervisor_target_up", 1, target="frozen", timeout_seconds=60)
        assert page.find("hypervisor_guest_state", target="frozen") != []
        until(lambda: abandoned(daemon) == 0, 30, "return of every call", daemon.child)
        assert counted(page, "frozen", "timed_out") >= 1
        assert counted(page, "frozen", "success") > successes


def test_it_stops_within_its_grace_period_with_calls_hanging_and_leaves_no_process(lab):
    with Daemon(document([HEALTHY, libvirt("frozen", lab.uri)]), flags=["--shutdown.grace=5s"]) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="frozen")
        lab.freeze()
        until(lambda: abandoned(daemon) >= 1, 30, "abandoned call", daemon.child)
        workers = daemon.workers()
        assert workers
        begun = time.monotonic()
        assert daemon.terminate(5), daemon.child.log_tail()
        assert time.monotonic() - begun <= 5
        _, alive = psutil.wait_procs(workers, timeout=1)
        assert alive == []
        lab.thaw()


def test_workers_die_with_the_parent_even_when_it_is_killed(lab):
    with Daemon(document([HEALTHY, libvirt("frozen", lab.uri)])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="frozen")
        lab.freeze()
        until(lambda: abandoned(daemon) >= 1, 30, "abandoned call", daemon.child)
        workers = daemon.workers()
        daemon.child.send(signal.SIGKILL)
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert alive == []
        lab.thaw()


def test_a_worker_that_dies_is_started_again_and_its_targets_go_on():
    with Daemon(document([HEALTHY, libvirt("other", "test:///default")], workers=1)) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="other")
        (worker,) = daemon.workers()
        worker.send_signal(signal.SIGSEGV)
        until(lambda: [new for new in daemon.workers() if new.pid != worker.pid], 20, "new worker", daemon.child)
        at_death = daemon.page()
        assert at_death.find("hypervisor_guest_state", target="healthy") != []  # the old page stays meanwhile
        page = daemon.wait_for("hypervisor_exporter_worker_restarts_total", 1)
        done = counted(page, "healthy", "success")
        until(lambda: counted(daemon.page(), "healthy", "success") > done + 1, 20, "collections", daemon.child)
        assert daemon.page().value("hypervisor_target_up", target="other") == 1
        assert "killed by SIGSEGV" in daemon.log()


def test_no_ssh_is_left_behind_by_a_host_that_says_nothing():
    need(["ssh"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def clients():
            found = []
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if process.name() == "ssh" and str(port) in process.cmdline():
                        found.append(process)
            return found

        address = f"qemu+ssh://monitor@127.0.0.1:{port}/system"
        with Daemon(document([HEALTHY, libvirt("silent", address)])) as daemon:
            until(clients, 20, "an ssh client", daemon.child)
            # Its call hangs, its worker is replaced, again and again: the clients do not pile up.
            until(lambda: "worker of its own" in daemon.log(), 30, "quarantine", daemon.child)
            until(lambda: abandoned(daemon) >= 1, 60, "the next call that hangs", daemon.child)
            assert len(clients()) <= 4
            assert daemon.terminate(10)
            until(lambda: not clients(), 5, "end of every client")
