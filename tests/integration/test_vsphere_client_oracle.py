"""Answers of the Go simulator, whole structures and all: what our decoder finds is what pyVmomi's finds."""

import datetime as dt

import pytest
from pyVmomi import SoapAdapter, VmomiSupport, vim, vmodl

from collectors.vsphere.client.decode import Ref, value
from collectors.vsphere.client.performance import Metric, Wanted
from collectors.vsphere.client.wire import Wire
from collectors.vsphere.client.xml import VIM, read
from exporter.contract import Deadline
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_seen import endpoint
from tests.unit.vsphere.oracle import differences, plain

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="not built: make vcsim")

PATHS = {
    "VirtualMachine": [
        "name", "config", "runtime", "summary", "guest", "layoutEx", "snapshot", "storage", "resourceConfig",
        "config.hardware.device", "config.hardware.numCPU", "runtime.powerState", "runtime.host", "network",
        "summary.quickStats", "config.files", "config.extraConfig", "datastore", "overallStatus",
    ],
    "HostSystem": ["name", "config.network", "hardware", "runtime", "summary", "datastore", "vm", "configManager"],
    "Datastore": ["name", "summary", "info", "host", "capability", "vm"],
    "ClusterComputeResource": ["name", "configurationEx", "summary", "host", "resourcePool"],
    "ResourcePool": ["name", "config", "runtime", "summary", "vm"],
    "Folder": ["name", "childEntity", "childType"],
}  # fmt: skip


@pytest.fixture(scope="module")
def answers():
    """Envelopes by operation, as they came over the wire."""
    caught: dict[str, list[bytes]] = {}

    class Listening(Wire):
        def send(self, operation, sent, *, session_objects=False):
            body = super().send(operation, sent, session_objects=session_objects)
            caught.setdefault(operation, []).append(body)
            return body

    with VCenter("--hosts=2", "--machines=6", "--api-version=8.0.3.0") as vcenter:
        for name in ("one", "two"):
            vcenter.govc("snapshot.create", "-vm", "DC0_H0_VM0", name)
        made = endpoint(vcenter.sdk)
        made._wires["fast"] = Listening(made.address, made._trust, made._meter)

        def everything(lane):
            for kind, paths in PATHS.items():
                list(lane.every({kind: paths}))
            counters = lane.counters()
            guests = [Ref(*each.split(":")) for each in vcenter.references("m").values()]
            metrics = [Metric(counters[name], "") for name in ("cpu.ready.summation", "mem.active.average")]
            lane.samples([Wanted(guest, metrics, most=5) for guest in guests])

        made.ask("fast", Deadline.after(60), everything)
        made.close()
    return caught


class _Stub:
    version = "vim.version.v8_0_3_0"


def theirs(body, kind):
    return SoapAdapter.SoapResponseDeserializer(_Stub()).Deserialize(body, kind)


def test_properties_of_every_kind_are_what_pyvmomi_finds(answers):
    compared = 0
    for body in answers["RetrievePropertiesEx"]:
        expected = theirs(body, vmodl.query.PropertyCollector.RetrieveResult)
        found = value(next(read(body, "").iter(f"{VIM}returnval")), "RetrieveResult")
        for one, other in zip(found["objects"], expected.objects, strict=True):
            assert one["obj"] == plain(other.obj)
            for ours, its in zip(one["propSet"], other.propSet, strict=True):
                assert ours["name"] == its.name
                assert list(differences(ours.get("val"), plain(its.val), its.name)) == []
                compared += 1
    assert compared > 200


def test_samples_are_what_pyvmomi_finds(answers):
    (body,) = answers["QueryPerf"]
    expected = theirs(body, VmomiSupport.GetVmodlType("vim.PerformanceManager.EntityMetricBase[]"))
    found = [value(each, "PerfEntityMetricBase") for each in read(body, "").iter(f"{VIM}returnval")]
    assert list(differences(found, plain(expected))) == []
    assert isinstance(expected[0], vim.PerformanceManager.EntityMetricCSV)


def test_samples_in_the_long_form_are_what_pyvmomi_finds():
    kind = vim.PerformanceManager
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    sampled = kind.EntityMetric(
        entity=vim.VirtualMachine("vm-1"),
        sampleInfo=[kind.SampleInfo(timestamp=at, interval=20), kind.SampleInfo(timestamp=at, interval=20)],
        value=[kind.IntSeries(id=kind.MetricId(counterId=2, instance="0"), value=[-1, VmomiSupport.long(7)])],
    )
    info = VmomiSupport.Object(name="returnval", type=kind.EntityMetricBase, version=_Stub.version, flags=0)
    text = SoapAdapter.Serialize(sampled, info, _Stub.version)
    expected = plain(SoapAdapter.Deserialize(text, kind.EntityMetricBase))
    assert list(differences(value(read(text, "")), expected)) == []
    assert expected["value"] == [{"id": {"counterId": 2, "instance": "0"}, "value": [-1, 7]}]
