"""What each path answers, read by the clients that people use."""

import gzip
import subprocess
import zlib

import httpx
import pytest

from exporter.exposition.negotiation import Format
from exporter.web.source import UnknownTarget

TEXT, OPENMETRICS = Format.TEXT_0_0_4, Format.OPENMETRICS_1_0


def plain(member):
    return b"".join(member.pieces)


def test_httpx_reads_the_one_gzip_member(served):
    answer = httpx.get(f"{served.url}/metrics")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.content == plain(served.estate.everything)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["curl", "-sS", "--compressed"], id="curl with compression"),
        pytest.param(["curl", "-sS"], id="curl"),
        pytest.param(["wget", "-q", "-O-", "--compression=auto"], id="wget with compression"),
        pytest.param(["wget", "-q", "-O-"], id="wget"),
    ],
)
def test_command_line_clients_read_the_whole_exposition(served, command):
    read = subprocess.run([*command, f"{served.url}/metrics"], check=True, capture_output=True, timeout=20)
    assert read.stdout == plain(served.estate.everything)


def test_the_compressed_answer_tells_its_length_and_what_it_depends_on(served):
    with httpx.stream("GET", f"{served.url}/metrics") as answer:
        body = b"".join(answer.iter_raw())
    assert int(answer.headers["Content-Length"]) == len(body) == sum(map(len, served.estate.everything.gzip()))
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert gzip.decompress(body) == plain(served.estate.everything)


def test_a_client_that_refuses_gzip_gets_plain_text_inflated_outside_the_loop(served):
    answer = httpx.get(f"{served.url}/metrics", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert int(answer.headers["Content-Length"]) == served.estate.everything.size
    assert answer.content == plain(served.estate.everything)
    assert all(name.startswith("web-helper") for name in served.estate.everything.inflating_threads)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [("application/openmetrics-text;version=1.0.0", OPENMETRICS), ("text/plain", TEXT), ("version=9.9.9;;", TEXT)],
)
def test_the_format_is_negotiated_and_told(served, accept, wanted):
    answer = httpx.get(f"{served.url}/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == wanted.content_type
    assert served.estate.asked == [(wanted, None)]


def test_accept_headers_that_are_repeated_are_one_list(served):
    headers = [("Accept", "application/openmetrics-text;version=1.0.0"), ("Accept", "text/plain;q=0.1")]
    assert httpx.get(f"{served.url}/metrics", headers=headers).headers["Content-Type"] == OPENMETRICS.content_type


def test_target_filters_and_may_be_repeated(served):
    answer = httpx.get(f"{served.url}/metrics?target=vc-hamburg&target=kvm-7&target=vc-hamburg&collect[]=x")
    assert answer.content == plain(served.estate.members["vc-hamburg"]) + plain(served.estate.members["kvm-7"])
    assert served.estate.asked == [(TEXT, ["vc-hamburg", "kvm-7"])]


def test_an_unknown_target_is_not_found_and_named(served):
    answer = httpx.get(f"{served.url}/metrics", params={"target": "<kvm-8>"})
    assert (answer.status_code, answer.text) == (404, f"{UnknownTarget('<kvm-8>')}\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(("path", "attribute"), [("/-/healthy", "sick"), ("/-/ready", "unready")])
def test_health_is_200_or_503_with_the_reason(served, path, attribute):
    assert httpx.get(served.url + path).status_code == 200
    setattr(served.estate, attribute, "3 of 4 targets have not been tried yet")
    answer = httpx.get(served.url + path)
    assert (answer.status_code, answer.text) == (503, "3 of 4 targets have not been tried yet\n")


def test_the_configuration_is_plain_text_even_with_a_lone_surrogate(served):
    served.estate.config = "name: a\udc80b\n"
    answer = httpx.get(f"{served.url}/config")
    assert (answer.status_code, answer.text) == (200, "name: a?b\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/metrics", "/sd", "/config", "/-/healthy", "/-/ready", "/nothing"])
def test_head_is_get_without_a_body(served, path):
    got = httpx.get(served.url + path)
    head = httpx.head(served.url + path)
    assert head.content == b""
    assert head.status_code == got.status_code
    assert dict(head.headers) | {"date": ""} == dict(got.headers) | {"date": ""}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/probe", "/sd", "/config", "/-/ready"])
def test_a_wrong_method_is_refused_with_the_right_ones(served, path, method):
    answer = httpx.request(method, served.url + path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/metrics/", "//metrics", "/favicon.ico", "/-/quit", "/%6detrics"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_anything_else_is_not_found(served, path, method):
    assert httpx.request(method, served.url + path).status_code == 404


def test_a_name_that_is_no_utf8_is_the_clients_mistake(served, caplog):
    assert httpx.get(f"{served.url}/metrics?target=%ff").status_code == 400
    assert not caplog.records


@pytest.mark.parametrize("path", ["/", "/metrics", "/nothing"])
def test_every_answer_is_guarded(served, path):
    headers = httpx.get(served.url + path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "hypervisor-exporter"


def test_a_bug_is_logged_once_and_answered_without_its_words(served, caplog, monkeypatch):
    def fail(*_):
        raise RuntimeError("hunter2")

    monkeypatch.setattr(served.estate, "exposition", fail)
    answer = httpx.get(f"{served.url}/metrics")
    assert (answer.status_code, answer.text) == (500, "500 Internal Server Error\n")
    assert [record.message for record in caplog.records] == ["GET /metrics failed"]
    assert httpx.get(f"{served.url}/-/healthy").status_code == 200


def test_requests_are_counted_by_known_paths_only(served, eventually):
    for path in ("/metrics", "/metrics?target=a", "/-/ready", "/one", "/two"):
        httpx.get(served.url + path)
    httpx.post(f"{served.url}/config")
    httpx.get(f"{served.url}/-/healthy")  # when this is answered, those before it are counted
    text = served.metrics.render(TEXT).decode()
    for path, code, count in (("/metrics", 200, 1), ("/metrics", 404, 1), ("other", 404, 2), ("/config", 405, 1)):
        assert f'hypervisor_exporter_http_requests_total{{code="{code}",path="{path}"}} {count}.0\n' in text
    assert 'request_duration_seconds_count{path="/metrics"} 2.0\n' in text
    eventually(lambda: b"\nhypervisor_exporter_http_requests_in_flight 0.0\n" in served.metrics.render(TEXT))
    assert "/one" not in text


def test_an_exposition_that_breaks_off_ends_the_connection_and_nothing_else(served, monkeypatch, eventually):
    def inflate():
        yield b"x" * 300_000
        raise zlib.error("broken")

    monkeypatch.setattr(served.estate.everything, "inflate", inflate)
    monkeypatch.setattr(type(served.estate.everything), "size", 600_000)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{served.url}/metrics", headers={"Accept-Encoding": "identity"})
    assert httpx.get(f"{served.url}/-/healthy").status_code == 200
    eventually(lambda: b"\nhypervisor_exporter_http_requests_in_flight 0.0\n" in served.metrics.render(TEXT))
