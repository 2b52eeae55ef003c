"""Whatever is frozen or dead at a hypervisor, a session takes little from it and says what it can."""

import os
import time
from contextlib import ExitStack, contextmanager

import pytest

from collectors.libvirt.client import lane, wire
from exporter.errors import TimedOut, Unreachable
from tests.backends.need import need
from tests.backends.processes import until
from tests.integration.libvirt_harm import Hanging, Watch, busy_workers, frozen
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend

DISK = "<disk type='file'><driver type='qcow2'/><source file='{}'/><target dev='vda'/></disk><memballoon model='none'/>"
GUESTS = ("well", "a", "b", "c")


@pytest.fixture(scope="module")
def lab():
    """One guest that stays well and three to freeze, on a libvirtd that cannot spare many workers."""
    need(["libvirtd", "virsh", "virt-admin", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab("max_workers = 6") as lab:
        for name in GUESTS:
            lab.launch(name, devices=DISK.format(lab.image(f"{name}.qcow2")), vcpus=2)
        yield lab


@contextmanager
def worlds(lab, number=1):
    """Sessions that know nothing of each other, like those of workers that replace one another."""
    with ExitStack() as stack:
        yield [stack.enter_context(world(lab.uri)) for _ in range(number)]


def completeness(observation):
    return {guest.name: guest.stats_complete for guest in observation.guests}


def problems(observation):
    return {problem.name: problem.count for problem in observation.problems}


def test_a_guest_that_freezes_costs_its_own_values_from_the_first_collection_on(lab):
    with worlds(lab, 2) as (first, second), Watch(lab) as watch:
        first.collect("vitals")
        first.meter.take()
        with frozen(lab, "a"):
            begun = time.monotonic()
            seen = first.collect("vitals")
            assert 2 < time.monotonic() - begun < 6, "as long as it takes to tell a slow monitor from none"
            assert first.meter.take()["virDomainListGetStats"].count == 3, "one was left behind; the others, and a"
            assert busy_workers(lab) == 1, "libvirt goes on waiting for the guest, whoever asked"
            for session in (first, second):
                begun = time.monotonic()
                seen = session.collect("vitals")
                assert time.monotonic() - begun < 1
                assert completeness(seen) == {"well": True, "a": False, "b": True, "c": True}
                assert (problems(seen), seen.partial) == ({"monitor_stuck": 1}, True)
                assert "guest 'a': its monitor has not answered for " in seen.problems[0].example
            guests = {guest.name: guest for guest in seen.guests}
            assert guests["a"].state == "paused"
            assert (guests["a"].cpu.vcpus, set(guests["a"].cpu.seconds.values)) == (2, {"0", "1"})
            assert set(guests["a"].cpu.ready_seconds.values) == {"0", "1"}, "libvirt reads them from /proc"
            assert guests["a"].memory.assigned_bytes == guests["well"].memory.assigned_bytes == 4 * 2**20
            assert (guests["a"].disks, len(guests["well"].disks)) == ((), 1)
            assert problems(second.collect("storage")) == {"monitor_stuck": 1}
        for session in (first, second):
            assert completeness(session.collect("vitals")) == dict.fromkeys(GUESTS, True), "it answers again"
            assert not session.collect("storage").problems
    assert max(watch.held) == 1


def test_a_collection_that_has_little_time_gives_a_monitor_less(lab):
    with worlds(lab) as (session,):
        session.collect("vitals")
        with frozen(lab, "a"):
            begun = time.monotonic()
            assert completeness(session.collect("vitals", 4))["a"] is False
            assert 1 < time.monotonic() - begun < 2.5


def test_with_two_stuck_guests_no_monitor_is_asked_any_more(lab):
    with worlds(lab, 4) as sessions, Watch(lab) as watch, frozen(lab, "a", "b", "c"):
        calls = []
        for session in sessions:  # each in less time than it takes a monitor to count as stuck
            calls += [Hanging(session, group) for group in ("vitals", "storage")]
            time.sleep(0.3)
        for call in calls:
            call.returned(20)
        seen = sessions[-1].collect("vitals")
        assert completeness(seen) == dict.fromkeys(GUESTS, False)
        assert problems(seen) == {"monitor_stuck": 2}
        for guest in seen.guests:
            assert (guest.state, guest.cpu.vcpus, set(guest.cpu.seconds.values)) == ("paused", 2, {"0", "1"})
            assert (guest.memory.assigned_bytes, guest.memory.configured_bytes) == (4 * 2**20, 4 * 2**20)
        assert "vda" in lab.virsh("domstats", "well", "--block", timeout_seconds=5)
    assert max(watch.held) == 2
    with worlds(lab) as (again,):
        assert completeness(again.collect("vitals")) == dict.fromkeys(GUESTS, True)


def test_a_call_whose_socket_is_not_known_stays_where_it_is_and_counts(lab, monkeypatch):
    """As over SSH, where the connection belongs to another process."""
    monkeypatch.setattr(wire.Wire, "cut", lambda _: False)
    with worlds(lab, 2) as (first, second), frozen(lab, "a"):
        hung = Hanging(first)
        assert hung.hangs(3.5)
        first.session.unblock("vitals")
        assert hung.hangs(0.2), "failing here would not end the call there"
        assert completeness(second.collect("vitals")) == {"well": True, "a": False, "b": True, "c": True}
        assert busy_workers(lab) == 1
        lab.thaw_guest("a")
        assert completeness(hung.returned(5)) == dict.fromkeys(GUESTS, True)


def test_a_monitor_that_is_asked_by_many_but_answers_costs_nothing(lab):
    with worlds(lab, 2) as (first, second):
        for _ in range(5):
            asked = [Hanging(each, group) for each in (first, second) for group in ("vitals", "storage")]
            seen = [each.returned(10) for each in asked]
            assert [problems(each) for each in seen] == [{}] * 4


def test_a_call_into_a_frozen_daemon_is_taken_back(lab):
    with worlds(lab) as (session,):
        session.collect("vitals")
        lab.freeze()
        try:
            for doing in ("asking over a connection that is open", "opening one"):
                hung = Hanging(session)
                assert hung.hangs(), doing
                begun = time.monotonic()
                session.session.unblock("vitals")
                assert isinstance(hung.returned(1), Unreachable | TimedOut), doing
                assert time.monotonic() - begun < lane.PROBE_SECONDS + wire.TURN_SECONDS + 1
        finally:
            lab.thaw()
        assert completeness(session.collect("vitals")) == dict.fromkeys(GUESTS, True)


def test_unblocking_leaves_a_call_alone_that_has_returned_and_the_other_lane(lab):
    with worlds(lab) as (session,):
        session.collect("vitals")
        session.collect("snapshots")
        opened = session.meter.take()["virConnectOpenReadOnly"].count
        session.session.unblock("vitals")
        session.collect("vitals")
        session.collect("snapshots")
        assert (opened, "virConnectOpenReadOnly" in session.meter.take()) == (2, False)


def test_a_connection_that_breaks_is_made_anew(lab):
    with worlds(lab) as (session,):
        session.collect("vitals")
        socket = session.session._fast._idle.wire
        assert socket.cut()
        assert completeness(session.collect("vitals")) == dict.fromkeys(GUESTS, True)
        assert not socket.cut(), "the descriptor belongs to somebody else by now"


def test_dead_storage_of_a_guest_that_is_off_costs_no_worker(lab):
    pipe = lab.scratch.directory("images") / "dead.qcow2"
    os.mkfifo(pipe)
    domain = lab.define("dead storage", devices=DISK.format(pipe))
    try:
        with worlds(lab) as (session,):
            for group in ("inventory", "vitals", "storage", "snapshots"):
                assert "dead storage" in {guest.name for guest in Hanging(session, group).returned(10).guests}
            assert busy_workers(lab) == 0
    finally:
        domain.undefine()
        pipe.unlink()


def test_a_daemon_comes_back_with_other_guests(lab):
    with worlds(lab) as (session,):
        session.collect("inventory")
        session.collect("vitals")
        lab.define("old name").undefine()
        domain = lab.define("old name")
        assert "old name" in session.guests("vitals")
        identity = session.guests("vitals")["old name"].id
        domain.rename("new name")
        renamed = session.guests("vitals")
        assert (renamed["new name"].id, "old name" in renamed) == (identity, False)
        lab.stop_daemon()
        with pytest.raises(Unreachable):
            session.collect("vitals")
        lab.start_daemon()
        lab.define("added")
        lab.discard("new name")
        assert session.guests("vitals").keys() == {*GUESTS, "added"}
        assert session.guests("inventory").keys() == {*GUESTS, "added"}
        lab.discard("added")
        assert completeness(session.collect("vitals")) == dict.fromkeys(GUESTS, True)


def test_a_daemon_that_is_restarted_among_frozen_guests_keeps_its_workers(lab):
    with worlds(lab) as (session,):
        session.collect("vitals")
        with frozen(lab, "a", "b", "c"):
            assert completeness(session.collect("vitals"))["a"] is False
            lab.stop_daemon()
            lab.start_daemon()
            with Watch(lab) as watch:
                for _ in range(3):
                    assert completeness(Hanging(session).returned(20))["a"] is False
                    time.sleep(0.5)
            assert max(watch.held) <= 2
        until(lambda: completeness(session.collect("vitals")) == dict.fromkeys(GUESTS, True), 20, "complete guests")
