"""Triggered alarms of a simulated vCenter: made, raised and acknowledged by govc, and counted by it."""

import json
from collections import Counter

import pytest

from collectors.vsphere.families import FAMILIES
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_storage_world import estate

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")

KINDS = {"VirtualMachine": "m", "HostSystem": "h", "Datastore": "s", "ClusterComputeResource": "c"}
THINGS = {
    "VirtualMachine": "guests",
    "HostSystem": "hosts",
    "Datastore": "storages",
    "ClusterComputeResource": "clusters",
}
NAMES = {
    "VirtualMachine": "guest_",
    "HostSystem": "host_",
    "Datastore": "storage_",
    "ClusterComputeResource": "cluster_",
}
ROOT = "Folder:group-d1"
NONE = {(severity, acknowledged): 0 for severity in ("yellow", "red") for acknowledged in "01"}


@pytest.fixture(scope="module")
def vcenter():
    with VCenter("--hosts=2", "--standalone=1", "--machines=3", "--datastores=2", "--api-version=8.0.3.0") as started:
        for kind in (*KINDS, "Folder"):
            started.govc(
                "alarm.create", "-n", f"any {kind}", "-type", kind, "-yellow=t.yellow", "-red=t.red", "-green=t.green"
            )
            started.govc("alarm.create", "-n", f"more {kind}", "-type", kind, "-yellow=t.more", "-green=t.green")
        yield started


@pytest.fixture
def seen(vcenter):
    with estate(vcenter) as one:
        yield one


@pytest.fixture(autouse=True)
def calm(vcenter):
    """Takes all alarms back afterwards."""
    yield
    vcenter.clear()
    for each in json.loads(vcenter.govc("alarms", "-json")) or []:
        entity = f"{each['entity']['type']}:{each['entity']['value']}"
        vcenter.govc("event.post", "-i=t.green", {**paths(vcenter), ROOT: "/"}[entity])


def paths(vcenter):
    """Inventory paths by reference of everything that alarms are raised for here."""
    return {ref: path for kind in KINDS.values() for path, ref in vcenter.references(kind).items()}


def by_govc(vcenter):
    """Alarms by reference, severity and acknowledgement, as govc lists them for the whole inventory."""
    found = Counter()
    for each in json.loads(vcenter.govc("alarms", "-json")) or []:
        entity = each["entity"]
        found[f"{entity['type']}:{entity['value']}", each["overallStatus"], str(int(each["acknowledged"]))] += 1
    return found


def rows(thing, name):
    (family,) = (each for each in FAMILIES if each.name == f"hypervisor_vsphere_{name}alarms")
    return dict(family.each(thing))


def whole(seen):
    """What is told of the endpoint itself."""
    return seen.seen.endpoint


def things(seen, vcenter, kind):
    """What was seen of a kind by its reference."""
    ids = {path.rsplit("/", 1)[1]: ref for path, ref in vcenter.references(KINDS[kind]).items()}
    return {ids[each.name]: each for each in getattr(seen.seen, THINGS[kind])}


def test_without_alarms_there_are_zeros_and_nothing_of_guests(vcenter, seen):
    seen.collect("storage")
    assert by_govc(vcenter) == {}
    assert rows(whole(seen), "") == NONE
    for kind, name in NAMES.items():
        told = [rows(each, name) for each in things(seen, vcenter, kind).values()]
        assert told
        assert all(each == ({} if kind == "VirtualMachine" else NONE) for each in told), kind


def test_alarms_are_counted_where_they_were_raised_as_govc_lists_them(vcenter, seen):
    known = {kind: list(vcenter.references(letter)) for kind, letter in KINDS.items()}
    for kind in KINDS:
        vcenter.govc("event.post", "-i=t.yellow", known[kind][0])
        vcenter.govc("event.post", "-i=t.more", known[kind][0])
    vcenter.govc("event.post", "-i=t.red", known["VirtualMachine"][1])
    vcenter.govc("event.post", "-i=t.red", known["HostSystem"][1])
    vcenter.govc("alarms", "-ack", "-n", "any HostSystem", known["HostSystem"][1])
    said = by_govc(vcenter)
    assert said.total() == 10
    assert (
        sum(count for (_, severity, acknowledged), count in said.items() if (severity, acknowledged) == ("red", "1"))
        == 1
    )
    seen.collect("storage")
    for kind, name in NAMES.items():
        for ref, each in things(seen, vcenter, kind).items():
            wanted = {key[1:]: count for key, count in said.items() if key[0] == ref}
            assert {key: count for key, count in rows(each, name).items() if count} == wanted, ref
    total = Counter()
    for (_, *key), count in said.items():
        total[tuple(key)] += count
    assert rows(whole(seen), "") == NONE | total
    assert not seen.problems()


def test_an_alarm_of_a_folder_counts_in_the_whole(vcenter, seen):
    vcenter.govc("event.post", "-i=t.red", "/")
    assert by_govc(vcenter) == {(ROOT, "red", "0"): 1}
    seen.collect("storage")
    assert rows(whole(seen), "")["red", "0"] == 1
    vcenter.govc("event.post", "-i=t.green", "/")
    seen.collect("storage")
    assert rows(whole(seen), "") == NONE


def test_alarms_cost_one_question_whatever_there_is_of_them(vcenter, seen):
    seen.collect("storage")
    before = seen.asked("storage")
    for path in vcenter.references("m"):
        vcenter.govc("event.post", "-i=t.yellow", path)
    assert seen.asked("storage") == before
    assert rows(whole(seen), "")["yellow", "0"] == len(vcenter.references("m"))


def test_alarms_that_may_not_be_read_cost_themselves_alone(vcenter, seen):
    seen.collect("storage")
    capacity = {each.id: each.capacity_bytes for each in seen.seen.storages}
    vcenter.refuse(**{"Folder.triggeredAlarmState": "System.View"})
    seen.collect("storage")
    assert {each.id: each.capacity_bytes for each in seen.seen.storages} == capacity
    assert [each.name for each in seen.seen.clusters] == ["DC0_C0"]
    assert not any(rows(each, "host_") for each in seen.seen.hosts)
    assert seen.problems() == {"missing_right": 1}
    assert not seen.seen.partial
