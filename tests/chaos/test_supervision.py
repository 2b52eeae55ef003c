"""A platform that hangs, crashes, floods or lies harms its own targets only."""

import os
import signal
import time

import psutil
import pytest

from tests.backends.processes import until
from tests.chaos.conftest import Watch, counted, daemon_of, healthy
from tests.scripted.build import bug, die, fail, flood, half, hang, lie, scripted

HUNG_SECONDS = float(os.environ.get("CHAOS_SECONDS", "15"))
pytestmark = pytest.mark.timeout(180 + HUNG_SECONDS)

MANY = 50


def wait(daemon, seconds):
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end, seconds + 5, f"{seconds} s", daemon.child)


def worker_of(daemon, world, target):
    """The process that the target lives in now."""
    pids = world.journal.pids(target=target)
    return pids[-1] if pids else None


def test_one_hung_target_of_fifty_costs_the_others_nothing_and_comes_back(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad")
    targets = [*healthy(good, MANY - 1), bad.target("bad")]
    with daemon_of(targets, workers=2) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        shared = worker_of(daemon, bad, "bad")
        watch = Watch(daemon, [target["name"] for target in targets[:-1]])
        bad.change(faults=[hang(group="vitals")])
        daemon.wait_for("hypervisor_target_up", 0, target="bad")
        until(lambda: "worker of its own" in daemon.log(), 30, "quarantine", daemon.child)
        wait(daemon, HUNG_SECONDS)
        watch.check()
        bad.change(faults=[])
        daemon.wait_for("hypervisor_target_up", 1, target="bad", timeout_seconds=150)
        until(lambda: "returns to a shared worker" in daemon.log(), 40, "return", daemon.child)
        until(
            lambda: not daemon.page().find("hypervisor_exporter_worker_targets", worker="quarantine-0"), 20, "its end"
        )
        watch.check()
        assert worker_of(daemon, bad, "bad") != shared or len(daemon.workers()) == 2
        assert daemon.page().find("hypervisor_guest_state", target="bad") != []


def test_a_worker_with_too_many_hung_calls_is_replaced_make_before_break(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad")
    targets = [*healthy(good, 6), *(bad.target(f"bad-{number}") for number in range(3))]
    with daemon_of(targets, workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad-2")
        (first,) = daemon.workers()
        watch = Watch(daemon, [target["name"] for target in targets[:6]])
        bad.change(faults=[hang()])
        until(lambda: "a worker is replaced" in daemon.log(), 40, "replacement", daemon.child)
        _, alive = psutil.wait_procs([first], timeout=40)
        assert not alive
        wait(daemon, 5)
        watch.check()
        assert first.pid not in {worker.pid for worker in daemon.workers()}


def test_a_target_that_kills_its_worker_again_and_again_ends_up_alone(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad")
    targets = [*healthy(good, 5), bad.target("bad")]
    with daemon_of(targets, workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        bad.change(faults=[die(group="vitals", signal="SIGSEGV")])
        until(lambda: "killed by SIGSEGV" in daemon.log(), 20, "crash", daemon.child)
        names = [target["name"] for target in targets[:5]]
        until(
            lambda: all(counted(daemon.page(), name, "success") > 3 for name in names),
            30,
            "healthy targets",
            daemon.child,
        )
        watch = Watch(daemon, names)
        until(lambda: daemon.log().count("a worker died") >= 3, 60, "more crashes", daemon.child)
        watch.check()
        assert len(set(good.journal.pids(target="healthy-0"))) == 2  # it moved once, at the first crash
        bad.change(faults=[])
        daemon.wait_for("hypervisor_target_up", 1, target="bad", timeout_seconds=150)


def test_a_flood_loses_whole_families_and_nobody_else_notices(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad", guests=3)
    targets = [*healthy(good, 5), bad.target("bad")]
    limits = {"series_per_target": 8_000, "series_total": 60_000}
    with daemon_of(targets, workers=1, limits=limits, timeout="900ms") as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        watch = Watch(daemon, [target["name"] for target in targets[:5]])
        bad.change(faults=[flood(guests=1000)])
        dropped = "hypervisor_exporter_series_dropped_total"
        until(lambda: daemon.page().find(dropped, target="bad", reason="budget"), 40, "shedding", daemon.child)
        page = daemon.page()
        assert page.value("hypervisor_host_up", target="bad") is not None or page.find(
            "hypervisor_host_info", target="bad"
        )
        assert len(page.find("hypervisor_guest_state", target="bad")) == 1003
        assert page.find("hypervisor_guest_disk_read_bytes_total", target="bad") == []
        assert page.find(dropped, target="healthy-0") == []
        watch.check()
        bad.change(faults=[])
        until(
            lambda: daemon.page().find("hypervisor_guest_disk_read_bytes_total", target="bad"), 40, "all families back"
        )


@pytest.mark.parametrize("what", ["nan", "negative", "falling", "text", "surrogate", "enormous", "no_name", "object"])
def test_a_liar_loses_only_what_it_lied_about(tmp_path, what):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad")
    with daemon_of([*healthy(good, 2), bad.target("bad")], workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        watch = Watch(daemon, ["healthy-0", "healthy-1"])
        bad.change(faults=[lie(what=what)])
        wait(daemon, 3)
        watch.check()
        page = daemon.page()  # it can be read at all
        assert page.value("hypervisor_target_up", target="bad") == 1
        assert len(page.find("hypervisor_guest_state", target="bad")) >= 2


def test_a_bug_is_logged_once_and_counted_every_time(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad")
    with daemon_of([*healthy(good, 1), bad.target("bad")], workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        bad.change(faults=[bug(group="vitals")])
        until(lambda: counted(daemon.page(), "bad", "bug") >= 3, 20, "bugs", daemon.child)
        assert daemon.log().count("a bug in the collector") == 1
        assert daemon.page().value("hypervisor_target_up", target="bad") == 1


def test_refused_credentials_are_tried_once_until_the_secret_changes(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("wrong-Canary-11\n")
    bad = scripted(tmp_path, name="bad", password="right-Canary-12")
    auths = {"a": {"username": "u", "password": {"file": str(secret)}}}
    with daemon_of([bad.target("bad", auth="a")], auths=auths) as daemon:
        daemon.wait_for("hypervisor_target_breaker_state", 1, target="bad", state="auth_locked")
        logins = bad.journal.count("login")
        wait(daemon, 4)
        assert bad.journal.count("login") == logins <= 2  # one per lane at most
        assert daemon.page().value("hypervisor_target_up", target="bad") == 0
        secret.write_text("right-Canary-12\n")
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        assert "Canary-1" not in daemon.log() + daemon.get("/metrics").text + daemon.get("/config").text
        assert "Canary-1" not in daemon.get("/").text


def test_nothing_grows_over_a_thousand_faults(tmp_path):
    bad = scripted(tmp_path, name="bad")
    faults = [fail(group="vitals", error="Malformed"), bug(group="storage")]
    targets = [bad.target(f"bad-{number}") for number in range(40)]
    with daemon_of(targets, workers=2) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad-39")
        bad.change(faults=faults)

        def failures():
            return sum(
                value
                for labels, value in daemon.page().find("hypervisor_target_collections_total")
                if labels["outcome"] in ("malformed", "bug")
            )

        def sizes():
            processes = [psutil.Process(daemon.child.pid), *daemon.workers()]
            return [(each.num_threads(), each.num_fds(), each.memory_info().rss) for each in processes]

        until(lambda: failures() >= 200, 60, "first faults", daemon.child)
        before = sizes()
        until(lambda: failures() >= 1200, 120, "a thousand faults", daemon.child)
        after = sizes()
        assert len(before) == len(after)
        for (threads, fds, rss), (threads_after, fds_after, rss_after) in zip(before, after, strict=True):
            assert threads_after <= threads + 1
            assert fds_after <= fds + 1
            assert rss_after <= rss * 1.1
        daemon.child.send(signal.SIGTERM)
        assert daemon.child.wait(10)


def test_a_call_that_can_be_unblocked_costs_no_seat(tmp_path):
    bad = scripted(tmp_path, name="bad")
    with daemon_of([bad.target("bad")], workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")
        (worker,) = daemon.workers()
        bad.change(faults=[hang(group="vitals", unblockable=True)])
        until(lambda: bad.journal.count("unblocked") >= 2, 30, "unblocked calls", daemon.child)
        assert counted(daemon.page(), "bad", "timed_out") >= 2
        bad.change(faults=[])
        daemon.wait_for("hypervisor_target_up", 1, target="bad", timeout_seconds=150)
        assert [process.pid for process in daemon.workers()] == [worker.pid]
        assert "worker of its own" not in daemon.log()


def test_what_half_an_answer_lacks_stays_until_its_time_is_over(tmp_path):
    bad = scripted(tmp_path, name="bad", guests=4)
    with daemon_of([bad.target("bad")], workers=1) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="bad")

        def guests():
            return len(daemon.page().find("hypervisor_guest_state", target="bad"))

        until(lambda: guests() == 4, 10, "all guests", daemon.child)
        bad.change(faults=[half(keep=1, group="vitals")])
        carried = {"target": "bad", "group": "vitals", "problem": "carried_over"}
        daemon.wait_for("hypervisor_target_problems", 3, **carried)
        assert guests() == 4
        assert counted(daemon.page(), "bad", "partial") >= 1
        until(lambda: guests() == 1, 10, "end of their time", daemon.child)
        bad.change(faults=[])
        until(lambda: guests() == 4, 10, "all guests again", daemon.child)


def test_slow_facts_come_before_vitals_and_a_slow_start_holds_nobody_up(tmp_path):
    good, bad = scripted(tmp_path, name="good"), scripted(tmp_path, name="bad", faults=[hang()])
    targets = [*(bad.target(f"bad-{number}") for number in range(8)), *healthy(good, 12)]
    with daemon_of(targets, workers=1) as daemon:
        names = [f"healthy-{number}" for number in range(12)]
        until(Watch(daemon, names).goes_on, 30, "vitals of the healthy targets", daemon.child)
        for name in names:
            begun = [line["group"] for line in good.journal.lines("collect", target=name)]
            assert begun.index("inventory") < begun.index("vitals")
