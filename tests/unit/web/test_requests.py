"""Requests under conditions: too many at once, on demand, behind a proxy, and the order to reload."""

import json
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from exporter.web.exposition import probe_seconds
from exporter.web.links import BadUrl, ExternalUrl, known_form, parse_url
from exporter.web.reloading import ReloadRefused, Stopping
from tests.unit.web.test_routes import plain

TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"


def test_a_probe_is_awaited_and_answered_with_this_target_alone(served):
    answer = httpx.get(f"{served.url}/probe?target=kvm-9", headers={TIMEOUT: "7.5"})
    assert answer.content == plain(served.estate.on_demand["kvm-9"])
    assert served.estate.probed_for == [("kvm-9", 7.0)]
    assert httpx.get(f"{served.url}/probe?target=kvm-7").content == plain(served.estate.members["kvm-7"])


def test_a_probe_that_takes_too_long_answers_with_what_is_known(served):
    served.estate.fresh = False
    answer = httpx.get(f"{served.url}/probe?target=kvm-9", headers={TIMEOUT: "0.6"})
    assert answer.status_code == 200
    assert 0.25 < answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize(
    ("query", "status"), [("", 400), ("?target=", 400), ("?target=a&target=b", 400), ("?target=x", 404)]
)
def test_a_probe_needs_exactly_one_known_name(served, query, status):
    answer = httpx.get(f"{served.url}/probe{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("announced", "seconds"),
    [
        *[(wrong, 10) for wrong in (None, "", "0", "-3", "nan", "inf", "1e3", "301", "ten", "1_0", "5,5", "0x5")],
        ("10", 9.5), ("300", 299.5), ("1.25", 0.75), ("0.4", 0.2),
    ],
)  # fmt: skip
def test_the_limit_of_a_probe_comes_from_prometheus_if_it_makes_sense(announced, seconds):
    assert probe_seconds(announced) == seconds


def test_what_is_collected_on_demand_is_not_found_in_metrics(served):
    answer = httpx.get(f"{served.url}/metrics?target=kvm-7&target=kvm-9")
    assert answer.status_code == 404
    assert "/probe" in answer.text


def test_discovery_lists_what_is_probed_at_the_address_that_was_used(served):
    answer = httpx.get(f"{served.url}/sd")
    assert answer.headers["Content-Type"] == "application/json"
    labels = {"__param_target": "kvm-9", "__metrics_path__": "/probe", "instance": "kvm-9"}
    labels["__meta_hypervisor_label_site"] = "ham"
    assert answer.json() == [{"targets": [f"127.0.0.1:{served.port}"], "labels": labels}]
    assert httpx.get(f"{served.url}/sd", headers={"Host": "exporter.example"}).json()[0]["targets"] == [
        "exporter.example:80"
    ]
    served.estate.on_demand.clear()
    assert httpx.get(f"{served.url}/sd").json() == []


def test_behind_a_proxy_links_and_discovery_have_the_prefix_and_requests_may_have_it(serve):
    served = serve(external=parse_url("https://example.net/hyper/visors/"))
    found = json.loads(httpx.get(f"{served.url}/hyper/visors/sd").text)[0]
    assert (found["targets"], found["labels"]["__metrics_path__"]) == (["example.net:443"], "/hyper/visors/probe")
    for path in ("/hyper/visors/", "/"):
        assert 'href="/hyper/visors/metrics"' in httpx.get(served.url + path).text
    moved = httpx.get(f"{served.url}/hyper/visors")
    assert (moved.status_code, moved.headers["Location"]) == (302, "/hyper/visors/")
    assert httpx.get(f"{served.url}/hyper/visorsmetrics").status_code == 404
    assert httpx.get(f"{served.url}/hyper/visors/-/ready").status_code == 200


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("/a/b/", ExternalUrl("", "", "/a/b")),
        ("http://h", ExternalUrl("http", "h:80", "")),
        ("https://[::1]:9974/x", ExternalUrl("https", "[::1]:9974", "/x")),
    ],
)
def test_an_external_url_is_a_url_or_a_path(given, url):
    assert parse_url(given) == url


@pytest.mark.parametrize(
    "given", ["", "/", "h:9974", "ftp://h/", "http://", "//h/x", "http://u:p@h/", "http://h/?a", "http://h:x/", '/a"b']
)
def test_anything_else_is_no_external_url(given):
    with pytest.raises(BadUrl, match="external URL"):
        parse_url(given)


def test_a_known_path_is_never_taken_for_the_prefix():
    known = frozenset({"/-/ready", "/metrics"})
    assert known_form("/-/ready", "/-", known) == known_form("/-/-/ready", "/-", known) == "/-/ready"
    assert known_form("/metrics", "/metrics", known) == "/metrics"
    assert known_form("/metrics/sd?x=/metrics", "/metrics", frozenset({"/metrics"})) == "/sd?x=/metrics"


class Busy:
    """An estate whose configuration is asked for until the test lets go."""

    def __init__(self, served, monkeypatch):
        self.asked, self._go_on = threading.Semaphore(0), threading.Event()
        monkeypatch.setattr(served.estate, "config_text", self._text)

    def _text(self):
        self.asked.release()
        assert self._go_on.wait(20)
        return "late\n"

    def let_go(self):
        self._go_on.set()


def test_the_surplus_is_told_to_come_again_but_health_is_always_answered(serve, monkeypatch):
    served = serve(max_requests=1)
    busy = Busy(served, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx.get, f"{served.url}/config")
        assert busy.asked.acquire(timeout=20)
        refused = httpx.get(f"{served.url}/metrics")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert "--web.max-requests" in refused.text
        assert httpx.get(f"{served.url}/-/healthy").status_code == httpx.get(f"{served.url}/-/ready").status_code == 200
        busy.let_go()
        assert first.result().text == "late\n"
    assert httpx.get(f"{served.url}/metrics").status_code == 200


def test_probes_that_wait_leave_places_to_scrapes_and_one_whose_client_left_leaves_its_own(serve, eventually):
    served = serve(max_requests=4)
    served.estate.fresh = False
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(httpx.get, f"{served.url}/probe?target=kvm-9", timeout=1.5) for _ in range(3)]
        eventually(lambda: served.site.places.taken == 3)
        assert httpx.get(f"{served.url}/probe?target=kvm-9").status_code == 503
        assert httpx.get(f"{served.url}/metrics").status_code == 200
        assert all(isinstance(each.exception(), httpx.ReadTimeout) for each in waiting)
    eventually(lambda: served.site.places.taken == 0, seconds=5)


def test_any_number_at_once_where_the_bound_is_zero(serve):
    served = serve(max_requests=0)
    assert (
        httpx.get(f"{served.url}/metrics").status_code
        == httpx.get(f"{served.url}/probe?target=kvm-9").status_code
        == 200
    )


def test_a_reload_needs_post_and_the_flag(serve):
    served = serve()
    refused = httpx.get(f"{served.url}/-/reload")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
    refused = httpx.post(f"{served.url}/-/reload")
    assert refused.status_code == 403
    assert "--web.enable-lifecycle" in refused.text


@pytest.mark.parametrize(
    ("outcome", "status", "text"),
    [
        (None, 200, "the configuration is loaded\n"),
        (ReloadRefused("a\nb"), 400, "the new configuration is refused and the old one stays:\na\nb\n"),
        (Stopping(), 503, "stopping\n"),
    ],
)  # fmt: skip
def test_a_reload_answers_with_its_outcome(serve, outcome, status, text):
    asked = []

    def reload():
        answer = Future()
        asked.append(answer)
        threading.Timer(0.05, answer.set_result if outcome is None else answer.set_exception, args=(outcome,)).start()
        return answer

    served = serve(reload=reload)
    assert httpx.get(f"{served.url}/-/reload").status_code == 405
    answer = httpx.post(f"{served.url}/-/reload")
    assert (answer.status_code, answer.text, len(asked)) == (status, text, 1)
