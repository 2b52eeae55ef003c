"""How hosts' hardware is read: in portions, one sick host by itself, certificates rarely, what was left out first."""

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Fault, Refused
from collectors.vsphere.client.properties import Page
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups import hardware
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import certificates, health
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline

HOSTS = [Ref("HostSystem", f"host-{number}") for number in range(120)]
SENSORS = [{"healthState": {"key": "green"}}]


class Lane:
    """Answers with one green sensor a host, and remembers what it was asked."""

    def __init__(self, sick=()):
        self.sick, self.asked = set(sick), []

    def within(self, seconds):
        """Calls of this lane take no time."""

    def some(self, refs, paths):
        self.asked.append((list(refs), list(paths["HostSystem"])))
        if self.sick & set(refs):
            raise Refused("RetrievePropertiesEx", Fault("SystemError", "", {}))
        yield Page(objects={ref: {health.PATHS[0]: SENSORS} for ref in refs})


@pytest.fixture
def memory():
    known = Memory()
    known.slow = {ref: {"runtime.connectionState": "connected"} for ref in HOSTS}
    return known


def read(lane, memory, seconds=60.0):
    around = Surroundings(lane, memory, Findings(), Deadline.after(seconds), VsphereOptions(), 0.0)
    return dict(hardware.read_hardware(around)), around.findings


def test_hosts_are_asked_about_fifty_at_a_time(memory):
    lane = Lane()
    found, findings = read(lane, memory)
    assert [len(refs) for refs, _ in lane.asked] == [50, 50, 20]
    assert set(found) == set(HOSTS)
    assert (findings.unread, findings.problems) == (False, ())


def test_a_host_that_makes_every_query_fail_hides_no_other(memory):
    found, findings = read(Lane(sick=[HOSTS[77]]), memory)
    assert set(found) == set(HOSTS) - {HOSTS[77]}
    (problem,) = findings.problems
    assert (problem.name, problem.count) == ("object_inaccessible", 1)
    assert findings.unread  # so that it is carried over for a while
    assert "host-77" in problem.example


def test_what_there_was_no_time_for_is_carried_over_and_read_first(memory):
    lane = Lane()
    found, findings = read(lane, memory, seconds=0.1)
    assert (found, lane.asked, findings.unread) == ({}, [], True)
    for number, ref in enumerate(HOSTS[:100]):
        memory.upkeep.examined_at[ref] = 1000.0 - number
    read(lane, memory)
    first, second, third = (set(refs) for refs, _ in lane.asked)
    assert set(HOSTS[100:]) <= first
    assert first - set(HOSTS[100:]) == set(HOSTS[70:100])
    assert third == set(HOSTS[:20])
    assert second == set(HOSTS[20:70])


def test_certificates_are_asked_for_once_an_hour_and_of_new_hosts(memory):
    lane = Lane()
    read(lane, memory)
    assert all(certificates.PATH in paths for _, paths in lane.asked)
    lane.asked.clear()
    read(lane, memory)
    assert not any(certificates.PATH in paths for _, paths in lane.asked)  # nor of hosts that have none
    for ref in HOSTS:
        memory.upkeep.certificates[ref] = hardware.time.monotonic(), 5.0
    found, _ = read(lane, memory)
    assert {told[certificates.NOT_AFTER] for told in found.values()} == {5.0}
    memory.slow[Ref("HostSystem", "new")] = {"runtime.connectionState": "connected"}
    lane.asked.clear()
    read(lane, memory)
    assert [certificates.PATH in paths for _, paths in lane.asked] == [True, False, False]
    del memory.slow[Ref("HostSystem", "new")]
    for ref in HOSTS:
        memory.upkeep.certificates[ref] = hardware.time.monotonic() - hardware.CERTIFICATE_SECONDS - 1, 5.0
    lane.asked.clear()
    read(lane, memory)
    assert all(certificates.PATH in paths for _, paths in lane.asked)


def test_what_is_gone_is_forgotten_and_what_is_out_of_reach_has_no_numbers(memory):
    read(Lane(), memory)
    del memory.slow[HOSTS[0]]
    memory.slow[HOSTS[1]]["runtime.connectionState"] = "disconnected"
    found, _ = read(Lane(), memory)
    assert HOSTS[0] not in memory.upkeep.examined_at
    assert HOSTS[0] not in found
    assert found[HOSTS[1]] == {}
