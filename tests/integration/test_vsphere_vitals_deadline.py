"""A vCenter that is slow, restarts, ends sessions or fails again and again: nothing flaps, nothing piles up."""

import gc
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from collectors.vsphere.client import properties
from collectors.vsphere.groups.estate import Estate
from collectors.vsphere.groups.turns import LEAST_OBJECTS
from collectors.vsphere.memory import MOST_OBJECTS
from exporter.errors import CollectorError, TimedOut
from exporter.model import Samples
from tests.backends.processes import until
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_vitals_world import collecting

GUESTS = 4
MIB = 1024**2


@pytest.fixture
def vcenter():
    with VCenter(*flags_of(hosts=1, machines=2)) as started:
        yield started


def names(seen):
    return {guest.name for guest in seen.guests}


def recovered(collected):
    """The first collection that succeeds, and how many failed before."""
    failures = 0

    def attempt():
        nonlocal failures
        try:
            return collected.vitals()
        except CollectorError:
            failures += 1
            return None

    return until(attempt, 30, "a collection", collected.vcenter.child), failures


def test_slow_samples_leave_states_fresh_and_counters_as_they_are(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        expected = names(collected.seen)
        vcenter.order("delay", QueryPerf=9000)
        begun = time.monotonic()
        collected.vitals(seconds=4)
        assert time.monotonic() - begun < 4
        assert collected.seen.partial
        assert names(collected.seen) == expected
        assert collected.problems() == {"samples_late": GUESTS + 2}
        assert all(guest.cpu.seconds.timestamps == () for guest in collected.seen.guests)
        vcenter.clear()
        collected.vitals()
        assert (collected.seen.partial, collected.problems()) == (False, {})


def test_an_observation_that_is_made_too_late_leaves_nothing_behind(vcenter, monkeypatch):
    whole, late = Estate.seen, []

    def seen(estate):
        found = whole(estate)
        while late and estate._around.deadline.remaining_seconds > 0:
            time.sleep(0.01)
        return found

    def kept():
        gc.collect()
        return sum(isinstance(each, Samples) and bool(each.timestamps) for each in gc.get_objects())

    monkeypatch.setattr(Estate, "seen", seen)
    with collecting(vcenter) as collected:
        now = int(time.time()) // 20 * 20
        vcenter.order("statistics", now=now)
        collected.vitals()
        collected.seen = None
        before = kept()
        late.append(True)
        vcenter.order("statistics", now=now + 60)
        assert isinstance(collected.failing(seconds=3), TimedOut)
        assert kept() <= before
        late.clear()
        assert len(collected.vitals().guests) == GUESTS


def test_quick_statistics_that_come_too_late_end_the_collection_in_time(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        vcenter.order("delay", RetrievePropertiesEx=9000)
        begun = time.monotonic()
        assert isinstance(collected.failing(seconds=2), TimedOut)
        assert time.monotonic() - begun < 4
        vcenter.clear()
        assert not collected.vitals().partial


def test_what_was_not_read_is_what_it_was_and_is_read_first_the_next_time(vcenter, monkeypatch):
    monkeypatch.setattr("collectors.vsphere.client.properties.retrieve", _small_pages())
    with collecting(vcenter) as collected:
        set_ballooned(vcenter, 64)
        collected.vitals()
        expected = names(collected.seen)
        assert ballooned(collected.seen) == [64 * MIB] * GUESTS
        set_ballooned(vcenter, 32)
        vcenter.order("delay", ContinueRetrievePropertiesEx=9000)
        changed = []
        for _ in range(4):  # seven objects by twos
            collected.vitals(seconds=4)
            assert (collected.seen.partial, names(collected.seen)) == (True, expected)
            assert collected.problems() == {"statistics_late": 5}
            assert set(ballooned(collected.seen)) <= {32 * MIB, 64 * MIB}
            assert all(guest.cpu.seconds is not None for guest in collected.seen.guests)
            changed.append(ballooned(collected.seen).count(32 * MIB))
        assert changed == sorted(changed)
        assert changed[-1] == GUESTS  # everything had its turn
        vcenter.clear()
        whole = [collected.vitals() for _ in range(2)][1]
        assert (whole.partial, names(whole), collected.problems()) == (False, expected, {})


def test_statistics_that_are_too_old_are_told_no_longer_and_all_else_is(vcenter, monkeypatch):
    monkeypatch.setattr("collectors.vsphere.client.properties.retrieve", _small_pages())
    with collecting(vcenter, ttl=6) as collected:
        set_ballooned(vcenter, 64)
        collected.vitals()
        vcenter.order("delay", ContinueRetrievePropertiesEx=9000)
        until(lambda: None in ballooned(collected.vitals(seconds=4)), 60, "old statistics to go", vcenter.child)
        assert len(collected.seen.guests) == GUESTS
        assert all(guest.state.running and guest.cpu.seconds is not None for guest in collected.seen.guests)


def ballooned(seen):
    return [guest.memory.ballooned_bytes for guest in seen.guests]


def set_ballooned(vcenter, megabytes):
    for reference in vcenter.references("m").values():
        vcenter.set(reference, {"summary.quickStats.balloonedMemory": megabytes})


def test_pages_of_statistics_are_smaller_while_they_take_too_long_and_samples_have_their_share(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        memory = collected.session._memory.statistics
        assert memory.page_objects == MOST_OBJECTS
        vcenter.order("delay", RetrievePropertiesEx=900)
        for _ in range(5):
            collected.vitals(seconds=4)
            assert collected.problems() == {}  # there was time for samples
        assert memory.page_objects == LEAST_OBJECTS
        vcenter.clear()
        until(lambda: collected.vitals() and memory.page_objects == MOST_OBJECTS, 60, "large pages", vcenter.child)


def _small_pages():
    original = properties.retrieve
    return lambda collector, specification, _most=2: original(collector, specification, 2)


def test_an_inventory_that_is_not_read_to_its_end_goes_on_the_next_time():
    with VCenter(*flags_of(hosts=1, machines=120)) as vcenter, collecting(vcenter) as collected:
        vcenter.order("delay", WaitForUpdatesEx=2000)
        # 260 objects come by the hundred: one answer fits into the time, three do not.
        seen = collected.vitals(seconds=6)
        assert (seen.partial, collected.problems()) == (True, {"inventory_late": 1})
        counts = [len(seen.guests)]
        while seen.partial:
            seen = collected.vitals(seconds=6)
            counts.append(len(seen.guests))
        assert counts == sorted(counts)
        assert counts[-1] == 240
        assert 1 < len(counts) < 6
        assert collected.problems() == {}


def test_an_answer_that_nobody_waits_for_takes_nothing_from_those_that_follow():
    with VCenter(*flags_of(hosts=1, machines=120)) as vcenter, collecting(vcenter) as collected:
        vcenter.order("delay", WaitForUpdatesEx=1500)
        assert isinstance(collected.failing(seconds=1), TimedOut)
        vcenter.order("delay", WaitForUpdatesEx=300)  # it is answered between two of these pages
        seen = collected.vitals(seconds=30)
        assert (seen.partial, len(seen.guests)) == (False, 240)


def test_lanes_that_take_each_others_time_read_a_slow_inventory_to_its_end():
    with VCenter(*flags_of(hosts=1, machines=120)) as vcenter, collecting(vcenter) as collected:
        # Neither lane has time for two pages in a row, and the one that waits has too little left for one.
        vcenter.order("delay", WaitForUpdatesEx=1500)
        known, others = [], ThreadPoolExecutor()
        with others:
            while not known or known[-1] < 240:
                other = others.submit(collected.session.collect, "snapshots", collected.deadline(2.8))
                known.append(len(collected.vitals(seconds=2.8).guests))
                assert isinstance(other.exception(), TimedOut | None)
        assert known == sorted(known)
        assert len(known) <= 4
        vcenter.clear()
        assert (collected.vitals().partial, len(collected.seen.guests)) == (False, 240)


def test_a_restarted_vcenter_costs_one_gap_at_most(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        vcenter.govc("vm.destroy", "/DC0/vm/DC0_H0_VM0")  # forgotten by the restart
        collected.vitals()
        assert len(collected.seen.guests) == GUESTS - 1
        vcenter.restart()
        seen, failures = recovered(collected)
        assert failures <= 1
        assert len(seen.guests) == GUESTS
        for _ in range(3):
            assert not collected.vitals().partial
        assert len(vcenter.sessions()) == 1


def test_an_ended_session_is_made_anew_within_the_collection_and_what_is_gone_is_gone(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        vcenter.order("sessions/end")
        vcenter.govc("vm.destroy", "/DC0/vm/DC0_H0_VM0")  # nobody could tell us
        seen = collected.vitals()
        assert (seen.partial, len(seen.guests)) == (False, GUESTS - 1)


def test_two_hundred_failing_collections_leave_one_session(vcenter):
    with collecting(vcenter) as collected:
        vcenter.fault("SystemError", method="CreateFilter")
        for _ in range(200):
            collected.failing()
        assert len(vcenter.sessions()) <= 1
        vcenter.clear()
        assert len(collected.vitals().guests) == GUESTS
        assert len(vcenter.sessions()) == 1
    until(lambda: not vcenter.sessions(), 10, "the end of the session", vcenter.child)


def test_times_are_those_of_the_vcenter(vcenter):
    with collecting(vcenter) as collected:
        seen = collected.vitals()
        assert abs(seen.collected_at - time.time()) < 5
        assert abs(seen.endpoint.clock_offset_seconds) < 5


def test_changes_that_were_not_received_are_not_lost(vcenter):
    with collecting(vcenter) as collected:
        collected.vitals()
        vcenter.govc("vm.power", "-off", "/DC0/vm/DC0_H0_VM0")
        vcenter.calls()
        vcenter.order("delay", WaitForUpdatesEx=3000)
        assert isinstance(collected.failing(seconds=1.5), TimedOut)
        assert vcenter.calls()["WaitForUpdatesEx"] == 1
        vcenter.clear()
        time.sleep(3)  # the call that nobody waited for is answered now, and takes the change with it
        collected.vitals()
        assert collected.guest("DC0_H0_VM0").state.running is False
