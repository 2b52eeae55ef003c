"""The simulated vCenter itself: what its control port does is seen by govc, and its statistics are those of a grid."""

import json
import time

import pytest

from tests.backends.processes import BackendError
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_vitals_world import collecting

GUEST = "/DC0/vm/DC0_H0_VM0"


@pytest.fixture(scope="module")
def vcenter():
    with VCenter(*flags_of(hosts=2, machines=2)) as started:
        yield started


def sampled(vcenter, *arguments):
    """What `govc metric.sample` prints, as lists of numbers by instance and counter."""
    lines = vcenter.govc("metric.sample", *arguments).splitlines()
    return {(line.split()[1], line.split()[2]): line.split()[3] for line in lines if line.strip()}


def test_a_property_that_was_set_is_read_by_govc(vcenter):
    reference = vcenter.references("m")[GUEST]
    vcenter.set(reference, {"summary.quickStats.overallCpuUsage": 123, "runtime.bootTime": "2026-01-02T03:04:05Z"})
    vcenter.set(reference, {"guest.disk": [{"diskPath": "/", "capacity": 1000, "freeSpace": 10}]})
    found = vcenter.collect(GUEST, "summary.quickStats.overallCpuUsage", "runtime.bootTime", "guest.disk")
    assert found["summary.quickStats.overallCpuUsage"] == 123
    assert found["runtime.bootTime"] == "2026-01-02T03:04:05Z"
    assert json.dumps(found["guest.disk"]).count('"capacity": 1000') == 1


def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(vcenter):
    reference = vcenter.references("m")[GUEST]
    with pytest.raises(BackendError, match="has no property nonsense"):
        vcenter.set(reference, {"guest.nonsense": 1})
    with pytest.raises(BackendError, match="no object VirtualMachine:vm-0"):
        vcenter.set("VirtualMachine:vm-0", {"name": "x"})
    with pytest.raises(BackendError, match="no fault Nonsense"):
        vcenter.fault("Nonsense")


def test_the_same_sample_has_the_same_value_whenever_it_is_asked_for(vcenter):
    first = sampled(vcenter, "-n", "6", "-instance", "-", GUEST, "cpu.ready.summation")
    again = sampled(vcenter, "-n", "7", "-instance", "-", GUEST, "cpu.ready.summation")
    assert again["-", "cpu.ready.summation"].endswith(first["-", "cpu.ready.summation"].split(",", 1)[1])


def test_an_hour_of_samples_is_kept(vcenter):
    values = sampled(vcenter, "-n", "1000", "-instance", "-", GUEST, "cpu.ready.summation")
    assert len(values["-", "cpu.ready.summation"].split(",")) == 3600 / 20


def test_counters_are_fixed_by_order_for_all_or_one(vcenter):
    reference = vcenter.references("m")[GUEST].split(":")[1]
    vcenter.order("statistics", constant={"cpu.ready.summation": 200, f"{reference}/mem.active.average": 7})
    found = sampled(vcenter, "-n", "2", "-instance", "-", GUEST, "cpu.ready.summation", "mem.active.average")
    assert found == {("-", "cpu.ready.summation"): "200,200", ("-", "mem.active.average"): "7,7"}


def test_samples_of_zero_are_left_out_of_what_govc_reads(vcenter):
    vcenter.order("statistics", constant={"cpu.wait.summation": 0})
    (line,) = vcenter.govc("metric.sample", "-n", "2", "-instance", "-", GUEST, "cpu.wait.summation").splitlines()
    assert line.split()[2:] == ["cpu.wait.summation", "ms"]


def test_a_guest_that_is_off_has_no_samples(vcenter):
    other = "/DC0/vm/DC0_H0_VM1"
    vcenter.govc("vm.power", "-off", other)
    assert not sampled(vcenter, "-n", "2", "-instance", "-", other, "cpu.ready.summation")


def test_a_query_of_too_many_metrics_is_refused(vcenter):
    vcenter.order("statistics", limit=1)
    with pytest.raises(BackendError, match="ServerFaultCode"):
        vcenter.govc("metric.sample", "-n", "1", GUEST, "cpu.ready.summation", "mem.active.average")
    vcenter.order("statistics", limit=0)


def test_faults_come_as_often_as_ordered_and_are_counted_as_calls(vcenter):
    vcenter.calls()
    vcenter.fault("NoPermission", method="CreateContainerView", properties={"privilegeId": "System.View"}, times=1)
    with pytest.raises(BackendError, match="Fault injected by simulator"):
        vcenter.govc("find", "-type", "m", "/")
    assert GUEST in vcenter.govc("find", "-type", "m", "/")
    assert vcenter.calls()["CreateContainerView"] == 2
    vcenter.clear()


def test_a_delay_holds_a_method_back(vcenter):
    vcenter.order("delay", RetrieveServiceContent=300)
    begun = time.monotonic()
    vcenter.govc("about")
    assert time.monotonic() - begun > 0.3
    vcenter.clear()


def test_a_wrong_password_is_refused(vcenter, monkeypatch):
    monkeypatch.setattr("tests.backends.vcenter.PASSWORD", "wrong")
    with pytest.raises(BackendError, match="Login failure"):
        vcenter.govc("about")


def test_snapshots_are_made_by_govc_and_dated_by_order(vcenter):
    vcenter.govc("snapshot.create", "-vm", GUEST, "before the update")
    (tree,) = vcenter.collect(GUEST, "snapshot")["snapshot"]["rootSnapshotList"]
    tree["createTime"] = "2025-10-17T00:00:00Z"
    reference = vcenter.references("m")[GUEST]
    vcenter.set(reference, {"snapshot.rootSnapshotList": [tree]})
    (dated,) = vcenter.collect(GUEST, "snapshot")["snapshot"]["rootSnapshotList"]
    assert (dated["name"], dated["createTime"]) == ("before the update", "2025-10-17T00:00:00Z")


def test_a_restart_forgets_sessions_and_keeps_the_address():
    with VCenter("--machines=1") as vcenter:
        sdk = vcenter.sdk
        vcenter.restart()
        assert vcenter.sdk == sdk
        assert vcenter.sessions() == []


def test_an_esxi_has_one_host():
    with VCenter("--esx", "--machines=2") as host:
        assert len(host.references("h")) == 1
        assert '"apiType": "HostAgent"' in host.govc("about", "-json")


def test_a_reconfigured_guest_is_told_to_nobody_who_waits(vcenter):
    """Where this fails the simulator has become as a vCenter is, and DIFFERENCES.md says too much."""
    reference, path = vcenter.references("m")[GUEST], "summary.config.memorySizeMB"
    with collecting(vcenter) as collected:
        before = collected.vitals() and collected.guest("DC0_H0_VM0").memory.configured_bytes
        vcenter.govc("vm.change", "-vm", GUEST, "-m", "96")
        assert vcenter.collect(GUEST, path) == {path: 96}
        collected.vitals()
        assert collected.guest("DC0_H0_VM0").memory.configured_bytes == before
        vcenter.set(reference, {path: 160})
        collected.vitals()
        assert collected.guest("DC0_H0_VM0").memory.configured_bytes == 160 * 1024**2
