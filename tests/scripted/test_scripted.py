"""The scripted platform does what its scripts say: the runtime's tests rest on it."""

import logging
import threading
import time

import pytest

from exporter import errors
from exporter.config.model import Auth, Target
from exporter.contract import Context, Deadline, Meter
from exporter.model import Parts, Samples, Wrapping
from exporter.secrets import SecretSource
from tests.scripted import build


@pytest.fixture
def collect():
    """`collect(world, "vitals", target="a")` through one session per world and target."""
    platform = build.load()
    sessions = {}

    def collect(world, group="vitals", *, target="a", seconds=5.0, auth=None):
        key = world.path, target
        if key not in sessions:
            opened = Target(target, "scripted", str(world.path), auth=auth)
            sessions[key] = platform.open(opened, Context(Meter(), logging.getLogger("scripted")))
        return sessions[key].collect(group, Deadline.after(seconds))

    collect.sessions = sessions
    yield collect
    for session in sessions.values():
        session.close()


def first(observation):
    return observation.guests[0]


def test_counters_grow_by_their_rates(tmp_path, collect):
    world = build.scripted(tmp_path, cpu_rate=0.5, disk_rate=1e6)
    before, began = first(collect(world)), time.monotonic()
    time.sleep(0.2)
    after, elapsed = first(collect(world)), time.monotonic() - began
    assert after.cpu.seconds - before.cpu.seconds == pytest.approx(0.5 * elapsed, abs=0.02)
    assert after.disks[0].read_bytes - before.disks[0].read_bytes == pytest.approx(1e6 * elapsed, rel=0.2)


def test_counters_come_in_every_form_of_the_model(tmp_path, collect):
    world = build.scripted(tmp_path, cpu_counter="parts", disk_counter="samples", network_counter="wrapping", vcpus=2)
    guest = first(collect(world))
    assert isinstance(guest.cpu.seconds, Parts)
    assert list(guest.cpu.seconds.values) == ["0", "1"]
    assert isinstance(guest.disks[0].read_bytes, Samples)
    assert isinstance(guest.nics[0].traffic.receive_bytes, Wrapping)


def test_an_estate_has_what_the_script_counts(tmp_path, collect):
    world = build.scripted(tmp_path, hosts=2, guests=5, stopped=2, disks=3, nics=2, clusters=1, snapshots=4)
    seen = collect(world)
    assert (len(seen.hosts), len(seen.guests), len(seen.clusters)) == (2, 5, 1)
    assert [guest.state.running for guest in seen.guests] == [True, True, True, False, False]
    assert (len(first(seen).disks), len(first(seen).nics)) == (3, 2)
    assert seen.guests[4].disks == ()
    assert len(first(collect(world, "snapshots")).snapshots) == 4


def test_two_worlds_of_one_seed_have_the_same_ids(tmp_path, collect):
    here, there = build.scripted(tmp_path, name="a"), build.scripted(tmp_path, name="b")
    other = build.scripted(tmp_path, name="c", seed=2)
    ids = [[guest.id for guest in collect(world).guests] for world in (here, there, other)]
    assert ids[0] == ids[1] != ids[2]


def test_a_fault_strikes_the_collections_it_names(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.fail(error="Unreachable", first=2, last=2, group="vitals")])
    collect(world)
    with pytest.raises(errors.Unreachable):
        collect(world)
    collect(world, "storage")
    collect(world)
    assert world.journal.count("collect", group="vitals") == 3
    assert world.journal.count("login") == 2, "an error of the endpoint ends the login"


def test_a_fault_strikes_in_its_seconds(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.bug(at=0.3, until=0.6)])
    collect(world)
    time.sleep(max(0.0, 0.4 - world.seconds))
    with pytest.raises(ZeroDivisionError):
        collect(world)
    time.sleep(max(0.0, 0.7 - world.seconds))
    collect(world)


def test_a_hang_ignores_its_deadline_and_ends_when_the_script_says_so(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.hang()])
    thread = threading.Thread(target=collect, args=(world,), kwargs={"seconds": 0.1})
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    world.change(faults=[])
    thread.join(2)
    assert not thread.is_alive()
    assert world.journal.count("released") == 1
    assert world.journal.most_at_once() == 1


def test_an_unblockable_hang_ends_when_its_session_is_closed(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.hang(unblockable=True)])
    raised = []

    def call():
        try:
            collect(world)
        except errors.Unreachable as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(0.3)
    next(iter(collect.sessions.values())).close()
    thread.join(2)
    assert len(raised) == 1


def test_a_slow_call_says_that_it_is_late(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.slow(seconds=5)])
    began = time.monotonic()
    with pytest.raises(errors.TimedOut):
        collect(world, seconds=0.2)
    assert time.monotonic() - began < 1


def test_the_password_of_the_account_is_compared(tmp_path, collect):
    secret = tmp_path / "secret"
    secret.write_text("wrong")
    auth = Auth("ro", "monitor", SecretSource("file", str(secret)))
    world = build.scripted(tmp_path, password="right")
    with pytest.raises(errors.AuthenticationFailed):
        collect(world, auth=auth)
    secret.write_text("right")
    collect(world)
    assert [line["event"] for line in world.journal.lines() if line["event"] in ("refused", "login")] == [
        "refused",
        "login",
    ]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (build.flood(guests=1000), lambda seen: len(seen.guests) == 1003),
        (build.flood(series=1000), lambda seen: len(first(seen).extra) == 1000),
        (build.lie(what="text"), lambda seen: first(seen).cpu.seconds == "N/A"),
        (build.lie(what="no_name"), lambda seen: first(seen).name is None),
        (build.lie(what="long_label"), lambda seen: len(first(seen).name) == 10 * 2**20),
        (build.repeat(), lambda seen: len(seen.guests) == 6),
        (build.half(keep=1), lambda seen: (len(seen.guests), seen.partial, seen.problems[0].count) == (1, True, 2)),
        (build.vanish(guests=2), lambda seen: (len(seen.guests), seen.partial) == (1, False)),
        (build.lose_right(partial=True), lambda seen: first(seen).cpu.seconds is None),
        (build.migrate(), lambda seen: [guest.id for guest in seen.guests].count(first(seen).id) == 2),
        (build.lose_vcpu(), lambda seen: not first(seen).cpu.seconds.complete),
        (build.lose_vcpu(how="gone"), lambda seen: list(first(seen).cpu.seconds.values) == ["0"]),
        (build.reboot(at=0), lambda seen: first(seen).cpu.seconds.epoch == "boot-0"),
        (build.gaps(), lambda seen: first(seen).cpu.seconds.series["0"].count(None) == 30),
        (build.garbage(), lambda seen: seen is None),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_an_answer_is_spoilt_as_the_script_says(tmp_path, collect, fault, told):
    world = build.scripted(tmp_path, hosts=2, cpu_counter="parts", faults=[fault])
    assert told(collect(world))


def test_a_misspelt_fault_is_a_mistake(tmp_path, collect):
    world = build.scripted(tmp_path, faults=[build.fault("hagn")])
    with pytest.raises(ValueError, match="no fault is called 'hagn'"):
        collect(world)
    with pytest.raises(ValueError, match="a script has no gusts"):
        collect(build.scripted(tmp_path, name="b", gusts=3))
