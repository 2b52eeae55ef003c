"""Simulated targets in a real daemon: labels, faults as an operator sees them, and clocks that run."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from tests.backends.daemon import Daemon, document
from tests.backends.processes import until

INTERVALS = {"vitals": "5s", "storage": "5s", "snapshots": "5s", "inventory": "5s"}
PROFILES = {"default": {"intervals": INTERVALS, "timeout": "4s"}}


def target(name, **options):
    return {
        "name": name,
        "platform": "simulated",
        "address": f"simulated://{name}",
        "options": {"guests": 12, "seed": name, **options},
    }


def test_looks_stand_side_by_side_under_the_labels_of_their_platforms():
    looks = ("vsphere", "hyperv", "libvirt", "proxmox")
    config = document([target(like, like=like) for like in looks] + [target("plain")], profiles=PROFILES)
    with Daemon(config) as daemon:
        until(lambda: len(daemon.page().find("hypervisor_storage_info")) > 5, 30, "storages", daemon.child)
        page = daemon.page()
        for like in looks:
            labels = {labels["platform"] for _, labels, _ in page.samples if labels.get("target") == like}
            assert labels == {like}
        assert {labels["platform"] for _, labels, _ in page.samples if labels.get("target") == "plain"} == {"simulated"}
        assert page.find("hypervisor_vsphere_host_memory_state", target="vsphere")
        assert page.find("hypervisor_hyperv_host_root_cpu_seconds_total", target="hyperv")
        assert page.value("hypervisor_host_up", target="libvirt") == 1
        assert not page.find("hypervisor_guest_cpu_ready_seconds_total", target="proxmox")
        # The page for people says what it really is.
        assert "simulated.vsphere" in daemon.get("/").text


def test_the_system_shows_which_thread_does_what():
    """`top -H` names the target that a busy thread of a worker works for."""
    with Daemon(document([target("rack-7")])) as daemon:
        assert {"supervisor", "web"} <= threads_of(daemon.child.pid)
        lanes = {"fast-rack-7", "slow-rack-7"}
        until(lambda: any(lanes <= threads_of(each.pid) for each in daemon.workers()), 30, "its threads", daemon.child)


def threads_of(pid):
    names = set()
    for comm in Path(f"/proc/{pid}/task").glob("*/comm"):
        with suppress(OSError):  # a thread that has just ended
            names.add(comm.read_text().strip())
    return names


FAULTS = [
    ({"kind": "unreachable"}, "unreachable", 0, "nobody answers"),
    ({"kind": "refuse"}, "auth_failed", 0, "refuses the account"),
    ({"kind": "lose_right"}, "forbidden", 1, "asks for System.Read, which the account has lost"),
    ({"kind": "malformed"}, "malformed", 1, "half a document"),
    ({"kind": "slow", "seconds": 30}, "timed_out", 0, "slower than the deadline"),
    ({"kind": "hang"}, "timed_out", 0, "no answer within"),
    ({"kind": "break_part"}, "partial", 1, ""),
]


@pytest.fixture(scope="module")
def faulty():
    """A daemon with a target per fault of vitals, and a healthy one."""
    targets = [target(f["kind"], like="vsphere", faults=[{**f, "group": "vitals"}]) for f, *_ in FAULTS]
    with Daemon(document([*targets, target("healthy")], profiles=PROFILES)) as daemon:
        yield daemon


@pytest.mark.parametrize(("fault", "outcome", "up", "told"), FAULTS, ids=[fault["kind"] for fault, *_ in FAULTS])
def test_a_fault_is_told_as_what_it_is_and_touches_nobody_else(faulty, fault, outcome, up, told):
    name = fault["kind"]

    def counted():
        page = faulty.page()
        return page.value("hypervisor_target_collections_total", target=name, group="vitals", outcome=outcome)

    until(counted, 30, f"a collection that is {outcome}", faulty.child)
    page = faulty.page()
    assert page.value("hypervisor_target_up", target=name) == up
    faulty.wait_for("hypervisor_target_up", 1, target="healthy")
    assert told in faulty.log() or told in faulty.get("/").text.replace("&#39;", "'")
    if outcome == "partial":
        assert page.value("hypervisor_target_problems", target=name, group="vitals", problem="object_inaccessible") == 3


def test_a_hang_from_a_file_ends_with_the_file_and_does_not_hinder_the_end(tmp_path):
    file = tmp_path / "faults.json"
    with Daemon(document([target("t", faults_file=str(file))])) as daemon:
        daemon.wait_for("hypervisor_target_up", 1, target="t")
        file.write_text(json.dumps([{"kind": "hang"}]))
        daemon.wait_for("hypervisor_target_up", 0, target="t")
        file.unlink()
        daemon.wait_for("hypervisor_target_up", 1, target="t")
        file.write_text(json.dumps([{"kind": "hang"}]))
        daemon.wait_for("hypervisor_target_up", 0, target="t")
        assert daemon.terminate(15)


def test_a_faults_file_with_a_mistake_is_told(tmp_path):
    file = tmp_path / "faults.yml"
    file.write_text("- {kind: hagn}\n")
    with Daemon(document([target("t", faults_file=str(file))], profiles=PROFILES)) as daemon:
        until(lambda: "is no list of faults" in daemon.log(), 20, "the mistake in the log", daemon.child)


def test_a_clock_runs_fast_from_its_start_and_a_reload_does_not_turn_it_back():
    fast = target("t", like="vsphere", start="2026-01-01T00:00:00Z", speed=3600)
    with Daemon(document([fast], profiles=PROFILES)) as daemon:

        def offset():
            return daemon.page().value("hypervisor_target_clock_offset_seconds", target="t")

        first = until(offset, 20, "an offset", daemon.child)
        later = until(lambda: (now := offset()) and now > first + 3600 and now, 30, "an hour", daemon.child)
        successes = daemon.page().value(
            "hypervisor_target_collections_total", target="t", group="vitals", outcome="success"
        )
        daemon.reload(document([fast, target("another")], profiles=PROFILES))
        daemon.wait_for("hypervisor_target_up", 1, target="another")
        page = daemon.page()
        assert page.value("hypervisor_target_clock_offset_seconds", target="t") >= later
        kept = page.value("hypervisor_target_collections_total", target="t", group="vitals", outcome="success")
        assert kept >= successes, "the target was kept over the reload"
