"""The exporter's own metrics in both formats."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from exporter.exposition.negotiation import Format
from exporter.web.selfmetrics import BUCKETS, SelfMetrics


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


def test_it_says_what_prometheus_client_says_of_the_same_requests():
    metrics, theirs = SelfMetrics(["/metrics", "/probe"]), CollectorRegistry()
    about = "HTTP requests answered."
    requests = Counter("hypervisor_exporter_http_requests_total", about, ["path", "code"], registry=theirs)
    text = "Time from the end of a request's header to the end of its answer, slow clients included."
    name = "hypervisor_exporter_http_request_duration_seconds"
    durations = Histogram(name, text, ["path"], buckets=BUCKETS, registry=theirs)
    for path in ("/metrics", "/probe"):
        requests.labels(path, "200")
        durations.labels(path)
    for path, code, seconds in (("/metrics", 200, 0.01), ("/probe", 404, 3.5), ("/metrics", 200, 0.2)):
        metrics.count(path, code, seconds)
        requests.labels(path, str(code)).inc()
        durations.labels(path).observe(seconds)
        ours = families(metrics, Format.TEXT_0_0_4)  # after each: what was told before must not be told again
        expected = {family.name: family for family in text_families(generate_latest(theirs).decode())}
        for family in (ours["hypervisor_exporter_http_requests"], ours[name]):
            like = expected[family.name]
            assert (family.type, family.documentation) == (like.type, like.documentation)
            assert family.samples == [sample for sample in like.samples if not sample.name.endswith("_created")]


def test_requests_being_answered_are_counted_while_they_are():
    metrics = SelfMetrics(["/metrics"])
    name = "hypervisor_exporter_http_requests_in_flight"
    with metrics.in_flight():
        (during,) = families(metrics, Format.TEXT_0_0_4)[name].samples
    (afterwards,) = families(metrics, Format.TEXT_0_0_4)[name].samples
    assert (during.value, afterwards.value) == (1, 0)
