"""What goes wrong at an endpoint, and what a session makes of it."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from collectors.libvirt.client.endpoint import Endpoint
from exporter.errors import CollectorError, TimedOut, Unreachable
from tests.backends.need import need
from tests.integration import libvirt_child
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend


@pytest.fixture
def own_lab():
    """A lab of the test's own: its daemon is stopped."""
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        yield lab


def test_a_session_outlives_a_restart_of_the_daemon(own_lab):
    own_lab.define("off")
    with world(own_lab.uri) as session:
        assert session.guests("vitals").keys() == session.guests("snapshots").keys() == {"off"}
        host = session.collect("vitals").hosts[0]
        own_lab.stop_daemon()
        for group in ("vitals", "snapshots"):
            with pytest.raises(Unreachable, match="is libvirtd or virtqemud running there"):
                session.collect(group)
        own_lab.start_daemon()
        assert session.guests("vitals").keys() == session.guests("snapshots").keys() == {"off"}
        assert session.collect("vitals").hosts[0].id == host.id, "without SMBIOS the daemon invents another UUID"


def test_a_dead_socket_is_unreachable_and_named(tmp_path):
    uri = f"qemu+unix:///session?socket={tmp_path}/nobody"
    with world(uri) as session, pytest.raises(Unreachable) as error:
        session.collect("vitals")
    assert uri in str(error.value)
    assert "is libvirtd or virtqemud running there" in str(error.value)


def test_a_guest_that_vanishes_between_list_and_statistics_is_no_problem(libvirt_lab, estate, monkeypatch):
    listed = Endpoint.domains

    def list_then_remove(self, *which):
        domains = listed(self, *which)
        with suppress(Exception):
            libvirt_lab.conn().lookupByName("short-lived").undefine()
        return domains

    with world(libvirt_lab.uri) as session:
        for group in ("vitals", "inventory", "storage", "snapshots"):
            libvirt_lab.define("short-lived")
            monkeypatch.setattr(Endpoint, "domains", list_then_remove)
            observation = session.collect(group)
            monkeypatch.undo()
            assert (observation.problems, observation.partial) == ((), False), group
            assert estate.guests.keys() <= {guest.name for guest in observation.guests}


def test_a_guest_that_is_switched_off_between_list_and_statistics_is_off(libvirt_lab, estate, monkeypatch):
    listed = Endpoint.domains

    def list_then_switch_off(self, *which):
        domains = listed(self, *which)
        with suppress(Exception):
            libvirt_lab.conn().lookupByName("switched off").destroy()
        return domains

    libvirt_lab.launch("switched off")
    monkeypatch.setattr(Endpoint, "domains", list_then_switch_off)
    try:
        with world(libvirt_lab.uri) as session:
            guest = session.guests("vitals")["switched off"]
    finally:
        libvirt_lab.discard("switched off")
    assert (guest.state, guest.state_reason, guest.cpu.seconds) == ("stopped", "destroyed", None)


def test_files_of_a_guest_that_is_off_are_never_opened(libvirt_lab, estate):
    """Dead storage: opening a pipe that nobody writes to hangs, and would hold the guest's lock in the daemon."""
    pipe = libvirt_lab.scratch.directory("images") / "dead.qcow2"
    os.mkfifo(pipe)
    disk = f"<disk type='file'><driver type='raw'/><source file='{pipe}'/><target dev='vda'/></disk>"
    domain = libvirt_lab.define("dead storage", devices=disk)
    seen = []

    def collect_all():
        with world(libvirt_lab.uri) as session:
            seen.extend(group for group in groups if "dead storage" in session.guests(group))

    groups = ["inventory", "vitals", "storage", "snapshots"]
    collecting = threading.Thread(target=collect_all, daemon=True)
    collecting.start()
    try:
        collecting.join(10)
        assert seen == groups
    finally:
        writer = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # lets go whoever opened it
        collecting.join(10)
        os.close(writer)
        domain.undefine()
        pipe.unlink()


def test_a_frozen_daemon_blocks_neither_close_nor_the_other_lane(own_lab):
    with world(own_lab.uri) as session:
        session.collect("vitals")
        session.collect("snapshots")
        own_lab.freeze()
        outcome = []

        def collect():
            try:
                outcome.append(session.collect("vitals"))
            except CollectorError as error:
                outcome.append(error)

        hung = threading.Thread(target=collect)
        hung.start()
        time.sleep(0.3)
        begun = time.monotonic()
        session.session.close()
        session.session.close()
        assert time.monotonic() - begun < 2.5
        assert not outcome
        own_lab.thaw()
        hung.join(20)
        assert len(outcome) == 1


def in_a_process_of_its_own(act, *arguments):
    """Start `act(pipe, *arguments)`: libvirt's event loop cannot be unregistered, and unpumped it costs connections."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=act, args=(theirs, *arguments))
    process.start()
    return process, ours


def test_keep_alive_gives_up_a_frozen_daemon_while_the_event_loop_runs(own_lab):
    process, pipe = in_a_process_of_its_own(libvirt_child.collect_before_and_while_frozen, own_lab.uri)
    try:
        assert pipe.poll(20)
        assert pipe.recv() == "connected"
        own_lab.freeze()
        pipe.send("frozen")
        assert pipe.poll(20)
        assert pipe.recv() == ("opening again", True), "a silent daemon is given up after 1 s x 3"
    finally:
        own_lab.thaw()
        process.join(20)
    assert process.exitcode == 0


def test_the_event_loop_leaves_no_thread_and_starts_again():
    need([], ["libvirt"])
    process, pipe = in_a_process_of_its_own(libvirt_child.start_and_stop_twice)
    assert pipe.poll(20)
    assert pipe.recv() == [["libvirt-events"], [], ["libvirt-events"], []]
    process.join(20)
    assert process.exitcode == 0


def test_a_passed_deadline_ends_the_collection(libvirt_lab, estate):
    with world(libvirt_lab.uri) as session, pytest.raises(TimedOut, match="deadline"):
        session.collect("vitals", seconds=0)


def test_libvirt_prints_nothing(tmp_path):
    code = (
        "from tests.integration.libvirt_world import world\n"
        f"with world('qemu+unix:///session?socket={tmp_path}/nobody') as session:\n"
        "    try: session.collect('vitals')\n"
        "    except Exception as error: print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("Unreachable\n", "")
