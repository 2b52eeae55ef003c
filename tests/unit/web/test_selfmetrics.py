"""The exporter's own metrics in both formats."""

from prometheus_client import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from exporter.exposition.negotiation import Format
from exporter.web.selfmetrics import SelfMetrics


def families(metrics, wanted):
    text = metrics.render(wanted).decode()
    parsed = text_families(text) if wanted is Format.TEXT_0_0_4 else openmetrics_families(text + "# EOF\n")
    return {family.name: family for family in parsed}


def test_both_formats_hold_the_same_families_without_created_series():
    metrics = SelfMetrics(["/metrics"])
    metrics.count("/metrics", 200, 0.01)
    text, openmetrics = (families(metrics, wanted) for wanted in Format)
    assert set(text) == set(openmetrics) > {"process_open_fds", "hypervisor_exporter_http_requests"}
    assert not [s for family in text.values() for s in family.samples if s.name.endswith("_created")]
    assert not [s for family in openmetrics.values() for s in family.samples if s.name.endswith("_created")]


def test_openmetrics_leaves_the_end_to_the_whole():
    assert b"# EOF" not in SelfMetrics([]).render(Format.OPENMETRICS_1_0)


def test_every_path_is_exported_before_its_first_request():
    (sample,) = families(SelfMetrics(["/metrics"]), Format.TEXT_0_0_4)["hypervisor_exporter_http_requests"].samples
    assert (sample.labels, sample.value) == ({"path": "/metrics", "code": "200"}, 0)


def test_two_of_them_do_not_meet():
    one, other = SelfMetrics(["/"]), SelfMetrics(["/"])
    one.count("/", 200, 1)
    (sample,) = families(other, Format.TEXT_0_0_4)["hypervisor_exporter_http_requests"].samples
    assert sample.value == 0


def test_it_says_what_prometheus_clients_own_text_says():
    metrics = SelfMetrics(["/metrics", "/probe"])
    metrics.count("/metrics", 200, 0.01)
    metrics.count("/probe", 404, 3.5)
    with metrics.in_flight():
        ours = families(metrics, Format.TEXT_0_0_4)
        theirs = {family.name: family for family in text_families(generate_latest(metrics._registry).decode())}
    for name, family in ours.items():
        if name.startswith("hypervisor"):
            expected = [sample for sample in theirs[name].samples if not sample.name.endswith("_created")]
            assert (family.type, family.documentation) == (theirs[name].type, theirs[name].documentation)
            assert family.samples == expected
    assert set(ours) == {name for name in theirs if not name.endswith("_created")}
