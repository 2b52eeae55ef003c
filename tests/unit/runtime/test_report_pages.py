"""What the parent renders itself: about targets, about the exporter, and whether single hosts are up."""

import zlib

import pytest

from exporter.catalogue import SHARED
from exporter.catalogue.family import VITALS
from exporter.report import ExporterReport, GroupReport, TargetReport
from exporter.runtime.pipeline import HostUp, ReportPages


def text(chunk):
    return zlib.decompressobj(-15).decompress(chunk.body).decode()


def report(**rest):
    return TargetReport("fake://", up=True, groups={VITALS: GroupReport(30, {"success": 1})}, **rest)


def test_a_target_is_reported_with_the_labels_configured_for_it():
    chunks = ReportPages(SHARED).target("t", "fake", report(labels=(("site", "ham"),)))

    assert text(chunks["hypervisor_target_up"]) == 'hypervisor_target_up{target="t",platform="fake"} 1\n'
    assert 'api_version="",site="ham"} 1' in text(chunks["hypervisor_target_info"])
    assert not any(name.startswith("hypervisor_exporter") for name in chunks)


def test_what_did_not_change_is_the_same_chunk():
    pages = ReportPages(SHARED)
    first = pages.target("t", "fake", report())
    pages.target("u", "fake", report())

    second = pages.target("t", "fake", report(objects={"guests": 3}))

    changed = {name for name in second if second[name] is not first.get(name)}
    assert changed == {"hypervisor_target_objects"}


def test_what_is_unknown_again_disappears():
    pages = ReportPages(SHARED)
    pages.target("t", "fake", report(clock_offset_seconds=1.0))

    assert "hypervisor_target_clock_offset_seconds" not in pages.target("t", "fake", report())


@pytest.mark.parametrize("up", [True, False])
def test_the_parent_says_whether_single_hosts_are_up(up):
    chunks = ReportPages(SHARED).target("t", "fake", report(), HostUp((("host", "h"),), up))

    assert text(chunks["hypervisor_host_up"]) == (
        f'hypervisor_host_up{{target="t",platform="fake",host="host",host_id="h"}} {int(up)}\n'
    )
    assert "hypervisor_host_up" not in ReportPages(SHARED).target("t", "fake", report())


def test_the_exporter_reports_itself_without_target_and_platform():
    pages = ReportPages(SHARED)
    seen = ExporterReport("1.0", "3.11", series_dropped={("t", "duplicate_series"): 2}, samples_rejected={"bug": 1})

    chunks = pages.exporter(seen)

    assert text(chunks["hypervisor_exporter_shards"]) == "hypervisor_exporter_shards 1\n"
    assert (
        text(chunks["hypervisor_exporter_build_info"])
        == 'hypervisor_exporter_build_info{version="1.0",python="3.11"} 1\n'
    )
    assert text(chunks["hypervisor_exporter_series_dropped_total"]) == (
        'hypervisor_exporter_series_dropped_total{target="t",reason="duplicate_series"} 2\n'
    )
    again = pages.exporter(seen)
    assert all(again[name] is chunk for name, chunk in chunks.items())


def test_a_forgotten_target_is_rendered_anew():
    pages = ReportPages(SHARED)
    first = pages.target("t", "fake", report())
    pages.forget("t")

    assert pages.target("t", "other", report())["hypervisor_target_up"] != first["hypervisor_target_up"]
