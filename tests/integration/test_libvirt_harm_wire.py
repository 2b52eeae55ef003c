"""What is asked of a real libvirtd, read on the wire: the lines of architecture.md about doing no harm, one by one."""

import threading
from collections import Counter

import pytest

from collectors.libvirt.client.connection import Connection
from collectors.libvirt.client.endpoint import How, Stats
from exporter.config.model import Profile
from tests.backends.need import need
from tests.integration.libvirt_harm import Hanging, frozen
from tests.integration.libvirt_rpc import OPEN, STATS, XML_DESC, StatsCall, Tap
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend

DISK = "<disk type='file'><driver type='qcow2'/><source file='{}'/><target dev='vda'/></disk><memballoon model='none'/>"
RUNNING, OFF, WIDE = {"one", "two"}, {"off"}, {f"wide-{number}" for number in range(9)}
WIDE_VCPUS = 255
MONITORS = Stats.BALLOON | Stats.VCPU | Stats.BLOCK
GROUPS = ("inventory", "vitals", "storage", "snapshots")
READ_ONLY = 1


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        for name in RUNNING:
            lab.launch(name, devices=DISK.format(lab.image(f"{name}.qcow2")))
        lab.define("off", devices=DISK.format(lab.image("off.qcow2")))
        for name in WIDE:
            lab.define(name, vcpus=WIDE_VCPUS)
        yield lab


@pytest.fixture
def tap(lab):
    with Tap(lab) as tap:
        yield tap


def test_no_statistics_wait_for_a_guest_that_is_busy(tap):
    with world(tap.uri) as session:
        for _ in range(2):
            for group in GROUPS:
                session.collect(group)
    calls = tap.stats()
    assert len(calls) > 4
    assert [call for call in calls if not call.flags & How.NOWAIT] == []
    assert {bool(call.flags & How.BACKING) for call in calls if call.groups == Stats.BLOCK} == {True}


def test_nothing_opens_the_disks_of_a_guest_that_is_off(tap):
    with world(tap.uri) as session:
        for group in GROUPS:
            session.collect(group)
    calls = tap.stats()
    disks = [call for call in calls if call.groups & Stats.BLOCK]
    assert {name for call in disks for name in call.running} == RUNNING
    assert [call.off for call in disks if call.off] == []
    assert all(call.flags & How.ACTIVE for call in disks), "also one that is switched off since it was listed"
    assert {name for call in calls for name in call.off} == OFF | WIDE


def test_an_answer_is_about_two_thousand_virtual_cpus_at_most(tap):
    with world(tap.uri) as session:
        session.collect("vitals")
        tap.take()
        session.collect("vitals")
    asked = [set(call.off) & WIDE for call in tap.stats() if call.off]
    assert sorted(len(names) for names in asked) == [2, 7], "7 x 255 = 1785, 8 x 255 = 2040"
    assert set.union(*asked) == WIDE


def opened(tap):
    return [call.flags for call in tap.take() if call.procedure == OPEN]


def test_every_connection_is_read_only_but_the_one_that_is_asked_for(tap):
    with world(tap.uri) as session:
        for group in GROUPS:
            session.collect(group)
    assert opened(tap) == [READ_ONLY] * 3, "one for each lane, one for pools"
    with world(tap.uri, options={"refresh_pools": True}, profile=Profile(group_include=("agent",))) as session:
        for group in (*GROUPS, "agent"):
            session.collect(group)
    assert set(opened(tap)) <= {READ_ONLY}, "no pool to refresh and no agent to ask"


def test_looking_at_a_call_that_hangs_opens_nothing_that_could_write(lab, tap):
    with world(tap.uri) as session, frozen(lab, "one"):
        session.collect("vitals", 4)
    assert set(opened(tap)) == {READ_ONLY}


def test_vitals_read_no_descriptions_and_the_other_groups_one_of_each_guest(tap):
    with world(tap.uri) as session:
        for group, most in (("inventory", 1), ("vitals", 0), ("storage", 1), ("snapshots", 0)):
            tap.take()
            session.collect(group)
            names = Counter(call.arguments for call in tap.take() if call.procedure == XML_DESC)
            assert set(names.values()) <= {most}, group
            assert len(names) == (most * len(RUNNING | OFF | WIDE)), group


def test_the_number_of_statistics_calls_does_not_grow_with_the_number_of_guests(tap):
    with world(tap.uri) as session:
        session.collect("vitals")
    calls = [StatsCall.of(call) for call in tap.take() if call.procedure == STATS]
    assert [(set(call.running), set(call.off)) for call in calls] == [(RUNNING, set()), (set(), OFF | WIDE)]


def test_no_connection_is_ever_used_by_two_threads_at_once(lab, tap, monkeypatch):
    """libvirt's clients before 10.4 lose wake-ups then."""
    inside, shared, called = Counter(), [], Connection.call
    lock = threading.Lock()

    def watched(self, *arguments):
        with lock:
            inside[id(self)] += 1
            shared.append(inside[id(self)])
        try:
            return called(self, *arguments)
        finally:
            with lock:
                inside[id(self)] -= 1

    monkeypatch.setattr(Connection, "call", watched)
    with world(tap.uri) as session, frozen(lab, "one"):
        for _ in range(2):
            for call in [Hanging(session, group) for group in ("vitals", "storage")]:
                call.returned(20)
    assert max(shared) == 1
