"""One page with every shared family on it, judged by both parsers and by promtool."""

import dataclasses
import gzip

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter import model
from exporter.catalogue import GROUPS, SHARED
from exporter.config.model import Profile, Target
from exporter.contract import Native, Platform
from exporter.exposition.negotiation import Format
from exporter.report import ExporterReport, GroupReport, Requests, TargetReport, WorkerReport
from exporter.runtime.pipeline import Pipeline, ReportPages, families_of
from exporter.runtime.store import Store
from tests.backends.need import need
from tests.backends.prometheus import promtool

TARGET = Target("t", "fake", "fake://", profile=Profile(family_include=("*",)))
PLATFORM = Platform("fake", "Fake", {family.name: Native("x") for family in SHARED}, open=lambda *_: None)


def full(entity, **given):
    """The entity with a value in every field that takes a number, a word, a flag or a mapping."""
    for field in dataclasses.fields(entity):
        if field.name not in given and (value := _value(field)) is not None:
            given[field.name] = value
    return entity(**given)


def _value(field):
    kind = str(field.type)
    if kind.startswith("str"):
        return field.name
    if kind.startswith("bool"):
        return True
    if kind.startswith("Mapping"):
        return {"a": 1}
    return 1 if kind.startswith(("float", "int", "Counter")) else None


def world():
    traffic = full(model.Traffic)
    guest = full(
        model.Guest,
        state=model.GuestState.RUNNING,
        cpu=full(model.GuestCpu),
        memory=full(model.GuestMemory),
        disks=(full(model.GuestDisk),),
        nics=(full(model.GuestNic, traffic=traffic),),
        filesystems=(full(model.GuestFilesystem),),
        snapshots=(full(model.Snapshot, kind="backup"),),
        extra={},
    )
    host = full(
        model.Host,
        state=model.HostState.CONNECTED,
        cpu=full(model.HostCpu),
        memory=full(model.HostMemory),
        nics=(full(model.HostNic, traffic=traffic),),
    )
    return model.Observation(
        2.0, hosts=(host,), guests=(guest,), storages=(full(model.Storage),), clusters=(full(model.Cluster),)
    )


@pytest.fixture(scope="module")
def store():
    store, reports = Store(SHARED), ReportPages(SHARED)
    for group in GROUPS:
        families = families_of(TARGET, PLATFORM, group, SHARED)
        page = Pipeline(TARGET, PLATFORM, group, families).page(world(), whole=False)
        assert not page.rejected
        assert not page.dropped
        store.swap("t", group, page, 1.0)
    groups = {group: full(GroupReport, outcomes={"success": 1}, problems={"blind_spot": 1}) for group in GROUPS}
    target = full(
        TargetReport, groups=groups, objects={"hosts": 1}, requests={"list": Requests(1)}, labels=(("a", "b"),)
    )
    store.put_report("t", reports.target("t", "fake", target))
    exporter = full(
        ExporterReport, workers={"w": full(WorkerReport)}, series_dropped={("t", "x"): 1}, samples_rejected={"bug": 1}
    )
    store.put_report(None, reports.exporter(exporter))
    return store


def text(store, wanted):
    return gzip.decompress(b"".join(store.member(wanted, None).gzip())).decode()


@pytest.mark.parametrize(
    ("wanted", "parse"), [(Format.TEXT_0_0_4, parse_text), (Format.OPENMETRICS_1_0, parse_openmetrics)]
)
def test_every_family_is_on_the_page_with_every_label(store, wanted, parse):
    samples = {sample.name: sample for family in parse(text(store, wanted)) for sample in family.samples}

    assert [family.name for family in SHARED if family.name not in samples] == []
    for family in SHARED:
        assert set(family.all_labels) <= samples[family.name].labels.keys()


def test_families_come_in_the_order_of_the_catalogue(store):
    shown = [line.split()[2] for line in text(store, Format.TEXT_0_0_4).splitlines() if line.startswith("# TYPE")]

    assert shown == [family.name for family in SHARED]


@pytest.mark.backend
def test_promtool_has_nothing_to_say(store):
    need(["promtool"])

    said = promtool("check", "metrics", input=text(store, Format.TEXT_0_0_4))

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
