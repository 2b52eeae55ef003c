"""Raw answers of a real daemon in, observation out; both files are for reading. UPDATE_GOLDEN=1 writes the second."""

import json
import os
from pathlib import Path

import pytest

from collectors.libvirt.client.endpoint import How
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.findings import Findings
from collectors.libvirt.groups import inventory, snapshots, storage, vitals
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.memory import Memory
from exporter.contract import Deadline
from tests.golden.libvirt.recorded import Recorded, plain

HERE = Path(__file__).parent
NOW = 1_795_240_000.0
GROUPS = {"inventory": inventory, "vitals": vitals, "storage": storage, "snapshots": snapshots}


def around(answers, memory):
    return Surroundings(answers, memory, Findings(), Deadline.after(60), lambda: NOW, "kvm-7", "blue")


@pytest.mark.parametrize("recording", ["debian-12-lab"])
def test_what_a_recording_is_mapped_to(recording):
    answers, memory = Recorded(HERE / f"{recording}.raw.json"), Memory()
    found = {name: plain(group.collect(around(answers, memory))) for name, group in GROUPS.items()}
    expected = HERE / f"{recording}.model.json"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert found == json.loads(expected.read_text(encoding="utf-8"))


@pytest.fixture
def lab():
    return Recorded(HERE / "debian-12-lab.raw.json")


@pytest.mark.parametrize("group", ["inventory", "storage"])
def test_a_guest_whose_description_is_no_xml_costs_only_itself(lab, group):
    lab.world["domains"][0]["xml"] = ["<domain>"]
    broken = lab.world["domains"][0]["name"]
    observation = GROUPS[group].collect(around(lab, Memory()))
    assert {guest.name for guest in observation.guests} == {guest["name"] for guest in lab.guests.values()} - {broken}
    (problem,) = observation.problems
    assert (problem.name, problem.count, observation.partial) == ("malformed_object", 1, True)
    assert repr(broken) in problem.example


def test_a_pool_whose_description_is_no_xml_costs_only_itself(lab):
    lab.world["pools"][0]["xml"] = ["<pool"]
    observation = storage.collect(around(lab, Memory()))
    assert len(observation.storages) == len(lab.world["pools"]) - 1
    assert [(each.name, each.count) for each in observation.problems] == [("malformed_object", 1)]
    assert len(observation.guests) == len(lab.guests)


def test_a_snapshot_whose_description_is_no_xml_still_counts(lab):
    guest = next(guest for guest in lab.guests.values() if guest["name"] == "snapshot-overlays")
    guest["snapshots"]["monday"] = ["<domainsnapshot>"]
    observation = snapshots.collect(around(lab, Memory()))
    (found,) = (each for each in observation.guests if each.name == "snapshot-overlays")
    assert [(each.name, each.created_timestamp_seconds is None) for each in found.snapshots] == [
        ("monday", True),
        ("tuesday", False),
    ]
    assert observation.partial


def test_a_snapshot_deleted_since_it_was_listed_is_none(lab, monkeypatch):
    def gone(_snapshot):
        raise Gone("no domain snapshot with matching name")

    monkeypatch.setattr(lab, "snapshot_xml", gone)
    observation = snapshots.collect(around(lab, Memory()))
    assert [guest.snapshots for guest in observation.guests] == [()] * len(lab.guests)
    assert not observation.problems


NEEDS_THE_MONITOR = (".rd.", ".wr.", ".fl.", "rss", ".capacity", ".allocation", ".physical", "last-update")


def short(stats):
    """What NOWAIT leaves of a guest that somebody else is asking."""
    return {key: value for key, value in stats.items() if not any(part in key for part in NEEDS_THE_MONITOR)}


@pytest.mark.parametrize(("occupied", "complete"), [(0, True), (2, False)])
def test_a_guest_that_somebody_asked_at_that_moment_is_asked_again_once_it_is_free(
    lab, monkeypatch, occupied, complete
):
    guest = next(guest for guest in lab.guests.values() if guest["name"] == "two disks")
    whole, bulk, asked = guest["stats"], lab.bulk, []

    def passed_by_once(domains, groups, how=How.PLAIN):
        guest["stats"] = whole if asked else short(whole)
        asked.append([each.name for each in domains])
        return bulk(domains, groups, how)

    monkeypatch.setattr(lab, "bulk", passed_by_once)
    monkeypatch.setattr(lab, "control", lambda _: [occupied, 0, 1])
    observation = vitals.collect(around(lab, Memory()))
    (found,) = (each for each in observation.guests if each.name == "two disks")
    assert (found.stats_complete, bool(found.disks)) == (complete, complete)
    assert (["two disks"] in asked) == complete


def test_a_guest_whose_monitor_is_stuck_says_so_and_keeps_what_needs_none(lab):
    guest = next(guest for guest in lab.guests.values() if guest["name"] == "two disks")
    guest["stats"] = short(guest["stats"])
    observation = vitals.collect(around(lab, Memory()))
    (found,) = (each for each in observation.guests if each.name == "two disks")
    assert (found.stats_complete, found.disks, found.memory.host_used_bytes) == (False, (), None)
    assert found.cpu.seconds.complete
    assert [each.stats_complete for each in observation.guests if each.name != "two disks"] == [True] * 4


def test_a_guest_paused_by_an_io_error_names_the_disk(lab):
    guest = next(guest for guest in lab.guests.values() if guest["name"] == "two disks")
    guest["stats"]["state.reason"] = 5
    guest["disk_errors"] = {"vdb": 2}
    (found,) = (each for each in vitals.collect(around(lab, Memory())).guests if each.name == "two disks")
    assert found.io_error is True
    assert {disk.disk: disk.error for disk in found.disks} == {"vda": None, "vdb": "no_space"}
