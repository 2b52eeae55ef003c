"""Words and types of a newer API than anybody here knows: each costs at most its own property, and hides no other."""

import dataclasses

import pytest

from exporter.model import GuestState
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_vitals_world import collecting

DISK = {"_typeName": "VirtualQuantumDisk", "key": 9000, "capacityInQubits": 7, "entanglement": "spooky"}

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")


@pytest.fixture
def vcenter():
    with VCenter("--hosts=2", "--standalone=0", "--machines=3", "--api-version=8.0.3.0") as started:
        yield started


@pytest.fixture
def collected(vcenter):
    """A session that has read everything once."""
    with collecting(vcenter) as opened:
        opened.vitals()
        yield opened


@pytest.fixture
def guest(vcenter):
    """Name and reference."""
    path, reference = min(vcenter.references("m").items())
    return path.rsplit("/", 1)[1], reference


def lasting(found):
    """A guest without what every sample changes, and with its devices' names."""
    devices = tuple(each.disk for each in found.disks), tuple(each.nic for each in found.nics)
    return dataclasses.replace(found, cpu=None, memory=None, disks=devices[0], nics=devices[1])


def test_a_device_of_an_unknown_type_hides_no_other_device(vcenter, collected, guest):
    name, reference = guest
    before = lasting(collected.guest(name))
    assert before.disks
    assert before.nics
    vcenter.order("plug", object=reference, device=DISK)
    devices = vcenter.collect(reference, "config.hardware.device")["config.hardware.device"]["_value"]
    assert devices[-1] is None  # govc knows no such device either
    collected.vitals()
    assert lasting(collected.guest(name)) == before
    assert collected.problems() == {}
    with collecting(vcenter) as fresh:  # also when everything is read anew
        fresh.vitals()
        assert lasting(fresh.guest(name)) == before
        assert fresh.problems() == {}


@pytest.mark.parametrize(
    ("path", "word", "changed"),
    [
        pytest.param("guest.toolsRunningStatus", "guestToolsDreaming", {"agent_up": None}, id="state of Tools"),
        pytest.param("guest.toolsVersionStatus2", "guestToolsFromTheFuture", {}, id="version of Tools"),
        pytest.param("config.guestFullName", "Quantum OS 3000", {"os": "Quantum OS 3000"}, id="operating system"),
    ],
)
def test_an_unknown_word_costs_what_it_is_about(collected, guest, path, word, changed):
    name, reference = guest
    before = lasting(collected.guest(name))
    collected.vcenter.set(reference, {path: word})
    collected.vitals()
    assert lasting(collected.guest(name)) == dataclasses.replace(before, **changed)
    assert collected.problems() == {}


def test_an_unknown_state_is_unknown_and_no_other_guest_loses_anything(vcenter, collected, guest):
    name, reference = guest
    others = [lasting(each) for each in collected.seen.guests if each.name != name]
    hosts = [(each.name, each.state) for each in collected.seen.hosts]
    vcenter.set(reference, {"runtime.powerState": "superposed"})
    for host in vcenter.references("h").values():
        vcenter.set(host, {"runtime.powerState": "warpDrive", "runtime.standbyMode": "napping"})
    collected.vitals()
    seen = collected.guest(name)
    assert (seen.state, seen.host, seen.cpu.vcpus, seen.cpu.seconds) == (GuestState.UNKNOWN, seen.host, 1, None)
    assert [lasting(each) for each in collected.seen.guests if each.name != name] == others
    assert [(each.name, each.state) for each in collected.seen.hosts] == hosts
    assert collected.problems() == {}


def test_storage_and_snapshots_outlive_unknown_words(vcenter, collected, guest):
    _, reference = guest
    vcenter.govc("snapshot.create", "-vm", min(vcenter.references("m")), "one")
    (tree,) = vcenter.collect(reference, "snapshot")["snapshot"]["rootSnapshotList"]
    vcenter.set(reference, {"snapshot.rootSnapshotList": [tree | {"state": "superposed"}]})
    layout = vcenter.collect(reference, "layoutEx")["layoutEx"]
    odd = [each | {"type": "quantumExtent"} if number == 0 else each for number, each in enumerate(layout["file"])]
    vcenter.set(reference, {"layoutEx": layout | {"file": odd}})
    (store,) = vcenter.references("s").values()
    vcenter.set(store, {"summary.type": "QFS", "summary.maintenanceMode": "dreaming"})
    found = collected.session.collect("storage", collected.deadline())
    assert [(each.name, each.capacity_bytes is not None) for each in found.storages] == [("LocalDS_0", True)]
    assert found.problems == ()
    found = collected.session.collect("snapshots", collected.deadline())
    assert sorted(len(each.snapshots) for each in found.guests) == [0, 0, 1]
    assert found.problems == ()
