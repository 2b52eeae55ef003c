"""Things that happen in a fleet can be seen, and look as on a real one."""

from itertools import pairwise

import pytest

from collectors.simulated import observe
from collectors.simulated.curves import DAY, ORIGIN, in_batch
from collectors.simulated.fleet import fleet_of
from collectors.simulated.options import SimulatedOptions
from collectors.simulated.plans import Fate, Pattern
from exporter.model import GuestState, HostState
from exporter.normalise import chain_depth
from tests.unit.simulated.seen import guests, hosts

OPTIONS = {"guests": 90, "seed": "events"}
FLEET = fleet_of(SimulatedOptions.model_validate(OPTIONS))
NOW = ORIGIN + 600.2 * DAY


def plan(pattern):
    return next(guest for guest in FLEET.guests if guest.pattern is pattern)


def host(fate):
    return next(host for host in FLEET.hosts if host.fate is fate)


def test_a_guest_moves_live_and_counts_on():
    mover = plan(Pattern.MOVER)
    seen = [guests(OPTIONS, NOW + step * 600)[mover.id] for step in range(6 * 24 * 5)]
    places = [guest.host_id for guest in seen]
    assert len(set(places)) > 1
    for earlier, later in pairwise(seen):
        if earlier.boot_timestamp_seconds == later.boot_timestamp_seconds and later.cpu.seconds is not None:
            assert later.cpu.seconds > earlier.cpu.seconds
            assert later.cpu.ready_seconds >= earlier.cpu.ready_seconds


def test_no_guest_is_ever_on_two_hosts_and_a_move_is_announced():
    mover = plan(Pattern.MOVER)
    train = mover.stays[0].train
    leaves = train.begins(NOW) + train.length
    around = [leaves - 60, leaves - 30, leaves - 0.001, leaves, leaves + 0.001]
    for at in around:
        copies = [guest for guest in observe(OPTIONS, "vitals", at).guests if guest.id == mover.id]
        assert len(copies) == 1
    seen = [guests(OPTIONS, at)[mover.id] for at in around]
    assert [guest.migrating for guest in seen[:2]] == [False, True]
    assert seen[0].host_id == mover.stays[0].host.id
    assert seen[-1].host_id != seen[0].host_id
    assert seen[-1].boot_timestamp_seconds == seen[0].boot_timestamp_seconds


def test_one_guest_moves_while_you_look():
    assert [guest for guest in fleet_of(SimulatedOptions()).guests if guest.pattern is Pattern.MOVER]
    places = [{g.id: g.host_id for g in guests(OPTIONS, NOW + minute * 60).values()} for minute in range(0, 60, 10)]
    restless = {identity for then, now in pairwise(places) for identity in now if then[identity] != now[identity]}
    assert restless


def test_a_renamed_guest_keeps_its_id_and_its_counters():
    renamed = next(guest for guest in FLEET.guests if guest.rename and guest.pattern is Pattern.STEADY)
    names = {guests(OPTIONS, NOW + day * DAY)[renamed.id].name for day in range(21)}
    assert names == {renamed.name, renamed.rename}


def test_a_host_fails_and_its_guests_start_elsewhere_and_come_back():
    failing = host(Fate.FAILING)
    fails = failing.episode.begins(NOW) + failing.episode.period
    refugee = next(g for g in FLEET.guests if g.home is failing and g.pattern is Pattern.REFUGEE)

    def at(after):
        return hosts(OPTIONS, fails + after)[failing.id], guests(OPTIONS, fails + after)[refugee.id]

    (before, there), (down, unknown), (still_down, elsewhere), (up, away), (_, back) = map(
        at, (-60, 60, 1200, 3600, 2 * DAY)
    )
    assert (before.state, there.host_id, there.state) == (HostState.CONNECTED, failing.id, GuestState.RUNNING)
    assert (down.state, down.up, down.cpu.busy_seconds) == (HostState.NOT_RESPONDING, False, None)
    assert (unknown.state, unknown.cpu.seconds) == (GuestState.UNKNOWN, None)
    assert still_down.up is False
    assert elsewhere.host_id != failing.id
    assert elsewhere.state is GuestState.RUNNING
    assert fails < elsewhere.boot_timestamp_seconds < fails + 600
    assert elsewhere.cpu.seconds < 1200 * elsewhere.cpu.vcpus < there.cpu.seconds
    assert up.up is True
    assert up.boot_timestamp_seconds == pytest.approx(fails + 2400, abs=1)
    assert up.cpu.busy_seconds < 1200 * up.cpu.capacity_cpus
    assert away.host_id == elsewhere.host_id
    assert back.host_id == failing.id
    assert back.boot_timestamp_seconds == elsewhere.boot_timestamp_seconds
    assert back.cpu.seconds > away.cpu.seconds > elsewhere.cpu.seconds
    assert back.cpu.ready_seconds > away.cpu.ready_seconds


def test_waiting_is_counted_on_when_a_guest_comes_back_to_its_host():
    """Two hosts, two contentions: the counter goes on where it stood."""
    for refugee in (g for g in FLEET.guests if g.pattern is Pattern.REFUGEE):
        returns = refugee.stays[1].train.begins(NOW)
        before, after = (guests(OPTIONS, returns + seconds)[refugee.id] for seconds in (-30, 30))
        assert before.host_id != after.host_id == refugee.home.id
        if None not in (before.cpu.ready_seconds, after.cpu.ready_seconds):
            most = 60 * refugee.vcpus * max(sum(host.contention) for host in FLEET.hosts)
            assert 0 < after.cpu.ready_seconds - before.cpu.ready_seconds < most


def test_a_host_that_is_cut_off_hides_its_guests_which_run_on():
    cut = host(Fate.CUT_OFF)
    begins = cut.episode.begins(NOW)
    guest = next(g for g in FLEET.guests if g.home is cut and g.pattern is Pattern.STEADY)
    before, during, after = (guests(OPTIONS, begins + seconds)[guest.id] for seconds in (-60, 60, 4000))
    assert hosts(OPTIONS, begins + 60)[cut.id].state is HostState.DISCONNECTED
    assert (during.state, during.cpu.seconds, during.boot_timestamp_seconds) == (GuestState.UNKNOWN, None, None)
    assert after.boot_timestamp_seconds == before.boot_timestamp_seconds
    assert after.cpu.seconds > before.cpu.seconds


def test_a_spare_host_is_in_maintenance_now_and_then():
    spare = host(Fate.SPARE)
    seen = hosts(OPTIONS, spare.episode.begins(NOW) + 60)[spare.id]
    assert (seen.state, seen.maintenance_mode, seen.up) == (HostState.MAINTENANCE, True, True)
    assert not [guest for guest in guests(OPTIONS, NOW).values() if guest.host_id == spare.id]


def test_everybody_on_a_host_waits_while_one_guest_is_noisy():
    crowded = host(Fate.CROWDED)
    noisy = next(guest for guest in FLEET.guests if guest.busy[4] > 0)
    victim = next(g for g in FLEET.guests if g.home is crowded and g.pattern is Pattern.STEADY and g is not noisy)

    def contention(at):
        then, now = (guests(OPTIONS, instant)[victim.id] for instant in (at, at + 60))
        return (now.cpu.ready_seconds - then.cpu.ready_seconds) / 60 / victim.vcpus

    start = next(NOW + step * 60 for step in range(300) if in_batch(noisy.rhythm.batch, NOW + step * 60))
    loud, quiet = contention(start + 300), contention(start + 2 * 3600)
    assert loud > 0.05 + quiet
    # Nobody else's host is touched.
    steady = next(g for g in FLEET.guests if g.home.fate is Fate.STEADY and g.pattern is Pattern.STEADY)
    then, now = (guests(OPTIONS, at)[steady.id] for at in (start + 300, start + 360))
    assert (now.cpu.ready_seconds - then.cpu.ready_seconds) / 60 / steady.vcpus < 0.05


def test_crowded_hosts_are_overcommitted_and_others_less():
    def ratio(one):
        here = [guest for guest in FLEET.guests if guest.home is one]
        return sum(guest.vcpus for guest in here) / one.cores

    assert ratio(host(Fate.CROWDED)) > 1.5 * ratio(host(Fate.STEADY))
    assert ratio(host(Fate.SPARE)) == 0


def test_snapshots_are_old_deep_branched_and_left_by_backups():
    seen = observe(OPTIONS, "snapshots", NOW)
    ages = [(NOW - s.created_timestamp_seconds) / DAY for guest in seen.guests for s in guest.snapshots]
    assert max(ages) > 180
    assert min(ages) < 2
    assert max(chain_depth(guest.snapshots) for guest in seen.guests) >= 4
    branched = [g for g in seen.guests if len({s.parent_id for s in g.snapshots if s.parent_id}) + 1 < len(g.snapshots)]
    assert branched
    assert any(s.kind == "backup" and NOW - s.created_timestamp_seconds > DAY for g in seen.guests for s in g.snapshots)
    later = [observe(OPTIONS, "snapshots", NOW + day * DAY) for day in range(14)]
    assert any(guest.consolidation_needed for seen in later for guest in seen.guests)


def test_a_forgotten_snapshot_grows():
    forgotten = next(guest for guest in FLEET.guests if guest.snaps.name == "FORGOTTEN" and guest.snapped > 0.3)
    seen = [guests(OPTIONS, NOW + day * DAY, "snapshots")[forgotten.id] for day in range(0, 60, 10)]
    sizes = [guest.snapshots_size_bytes for guest in seen if guest.snapshots[0].id == seen[0].snapshots[0].id]
    assert sizes == sorted(sizes)
    assert len(sizes) > 1
