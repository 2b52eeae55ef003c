"""Clients that are slow, idle, many or rude, over real sockets; and how the server starts and stops."""

import signal
import threading
import time

import httpx
import pytest

from exporter.web.listening import ListenError
from exporter.web.server import Server
from tests.unit.web.conftest import FakeMember

GET = b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"
UNFINISHED = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: "
PLAIN = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def answer_of(raw):
    """One small answer, up to the end of its one line of body."""
    received = b""
    while not received.endswith(b"\n") or received.endswith(b"\r\n"):
        block = raw.recv(65536)
        assert block, "closed"
        received += block
    return received


def still_open(raw):
    """Whether a drip of one byte still finds a reader."""
    raw.setblocking(False)
    try:
        raw.send(b"a")
        return raw.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def refused(served):
    try:
        httpx.get(f"{served.url}/-/ready")
    except httpx.ConnectError:
        return True
    return False


def big(pieces=128):
    return FakeMember([bytes([65 + n % 26]) * 256 * 1024 for n in range(pieces)])


def web_threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("web")]


def test_it_listens_on_several_addresses_and_tells_the_real_ports(serve):
    served = serve(addresses=("127.0.0.1:0", "[::1]:0"))
    first, second = served.server.addresses
    assert first.startswith("127.0.0.1:")
    assert second.startswith("[::1]:")
    for address in (first, second):
        assert not address.endswith(":0")
        assert httpx.get(f"http://{address}/-/ready").status_code == 200


def test_an_address_in_use_leaves_no_thread_behind(served):
    with pytest.raises(ListenError, match="stop it, or choose another"):
        Server(served.server._app, served.server.addresses, served.server._gate, served.live).start()
    assert web_threads().count("web") == 1


def test_clients_that_drip_a_header_are_cut_and_delay_nobody(serve, connect):
    served = serve(header_seconds=1.0)
    began = time.monotonic()
    slow = [connect(served, UNFINISHED) for _ in range(50)]
    scrapes = []
    while slow := [raw for raw in slow if still_open(raw)]:
        started = time.monotonic()
        assert httpx.get(f"{served.url}/metrics").status_code == 200
        scrapes.append(time.monotonic() - started)
        assert time.monotonic() - began < 20, "still not cut"
    assert len(scrapes) > 1
    assert sorted(scrapes)[len(scrapes) // 2] < 0.5


def test_a_connection_that_says_nothing_is_cut(serve, connect, read_to_end):
    assert read_to_end(connect(serve(header_seconds=0.2))) == b""


def test_a_header_is_bounded_in_time_on_a_reused_connection_too(serve, connect):
    raw = connect(serve(header_seconds=0.3, idle_seconds=3600), GET)
    answer_of(raw)
    raw.sendall(UNFINISHED)
    deadline = time.monotonic() + 20
    while still_open(raw):
        assert time.monotonic() < deadline, "still not cut"
        time.sleep(0.01)


def test_a_connection_may_idle_longer_than_a_header_may_take_but_not_for_ever(serve, connect, read_to_end):
    raw = connect(serve(header_seconds=0.2, idle_seconds=1.5), GET)
    answer_of(raw)
    raw.settimeout(0.7)
    with pytest.raises(TimeoutError):
        raw.recv(1)
    raw.settimeout(20)
    raw.sendall(GET)
    assert answer_of(raw).startswith(b"HTTP/1.1 200")
    assert read_to_end(raw) == b""


def test_an_oversized_header_is_answered_and_ends_its_connection(served, connect, read_to_end):
    raw = connect(served, b"GET /-/ready HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 15_000 + b"\r\n\r\n")
    assert answer_of(raw).startswith(b"HTTP/1.1 200")
    raw = connect(served, b"GET /-/ready HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 17_000 + b"\r\n\r\n")
    answer = read_to_end(raw)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert f"Content-Length: {len(body)}\r\n".encode() in head + b"\r\n"


def test_an_oversized_or_unfinished_body_ends_its_connection(serve, connect, read_to_end):
    served = serve(header_seconds=0.3)
    post = b"POST /-/ready HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    for length in (65_537, 10**8, 10**30):
        answer = read_to_end(connect(served, post % length))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"\r\nConnection: close\r\n" in answer
    assert b"200" not in read_to_end(connect(served, post % 100 + b"half"))
    assert answer_of(connect(served, post % 65_536 + b"b" * 65_536)).startswith(b"HTTP/1.1 405")


def test_a_body_of_unknown_length_is_refused(served, connect, read_to_end):
    chunked = b"POST /-/ready HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    assert read_to_end(connect(served, chunked)).startswith(b"HTTP/1.1 411 ")


def test_a_client_that_only_writes_still_finds_the_refusal(served, connect):
    raw = connect(served, b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n")
    with pytest.raises(ConnectionError):
        raw.sendall(b"b" * 10**8)
    assert raw.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_pipelined_requests_are_answered_in_order(served, connect):
    raw = connect(
        served,
        GET.replace(b"ready", b"healthy") + GET * 49 + b"GET /no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    received = b""
    while block := raw.recv(65536):
        received += block
    assert received.count(b"HTTP/1.1 200 OK") == 50
    assert received.index(b"healthy\n") < received.index(b"ready\n") < received.index(b"HTTP/1.1 404")


@pytest.mark.parametrize("target", [b"http://other.example/-/ready", b"HTTPS://other.example:9974/-/ready?x=1"])
def test_a_target_in_absolute_form_is_answered(served, connect, target):
    raw = connect(served, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer_of(raw).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("target", [b"http://other.example", b"*", b"other.example:443", b"/%00", b"//"])
def test_other_targets_are_answered_too(served, connect, target):
    status = answer_of(connect(served, b"OPTIONS " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")).split()[1]
    assert status in (b"404", b"405")


def test_a_slow_reader_is_not_inflated_for_in_advance_and_delays_nobody(served, connect):
    served.estate.everything = slow = big()
    raw = connect(served, PLAIN, receive_buffer=8192)
    assert raw.recv(17) == b"HTTP/1.1 200 OK\r\n"
    for _ in range(20):
        assert httpx.get(f"{served.url}/-/ready").status_code == 200
    assert slow.inflated < slow.size / 2


def test_a_client_that_stops_reading_is_cut_but_one_that_reads_slowly_is_not(serve, connect, read_to_end, eventually):
    served = serve(stall_seconds=0.8)
    served.estate.everything = big()
    stalled = connect(served, PLAIN, receive_buffer=8192)
    eventually(lambda: len(served.server._crowd) == 1)
    eventually(lambda: not served.server._crowd)
    assert 0 < len(read_to_end(stalled)) < served.estate.everything.size

    served.estate.everything = big(40)
    reading = connect(served, PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), receive_buffer=8192)
    received, began = 0, time.monotonic()
    while block := reading.recv(1 << 20):
        received += len(block)
        if time.monotonic() - began < 2.0:
            time.sleep(0.005)  # this is the slow reading
    assert received > served.estate.everything.size


def test_an_answer_is_to_be_taken_in_bounded_time_however_steadily(serve, connect, eventually):
    served = serve(answer_seconds=1.0)
    served.estate.everything = big()
    reading = connect(served, PLAIN, receive_buffer=8192)
    eventually(lambda: len(served.server._crowd) == 1)
    began = time.monotonic()
    while len(served.server._crowd):
        reading.recv(1 << 14)
        time.sleep(0.01)
        assert time.monotonic() - began < 20
    assert served.estate.everything.inflated < served.estate.everything.size


def test_clients_that_do_not_read_keep_nobody_out(serve, connect):
    served = serve(max_requests=2)
    served.estate.everything = big()
    for _ in range(5):
        assert connect(served, PLAIN, receive_buffer=8192).recv(17) == b"HTTP/1.1 200 OK\r\n"
    assert httpx.get(f"{served.url}/metrics?target=kvm-7").status_code == 200
    assert served.site.places.taken == 0


def test_stop_with_idle_and_half_open_connections_is_quick(serve, connect, read_to_end):
    served = serve()
    reused, half_open = connect(served, GET), connect(served, UNFINISHED)
    answer_of(reused)
    began = time.monotonic()
    served.server.stop(30)
    assert time.monotonic() - began < 5
    assert read_to_end(reused) == read_to_end(half_open) == b""
    assert not web_threads()


def test_stop_lets_a_request_end_and_takes_no_new_ones(serve, connect, read_to_end, eventually, monkeypatch):
    served, asked, go_on = serve(), threading.Event(), threading.Event()

    def config_text():
        asked.set()
        assert go_on.wait(20)
        return "late\n"

    monkeypatch.setattr(served.estate, "config_text", config_text)
    raw = connect(served, b"GET /config HTTP/1.1\r\nHost: x\r\n\r\n")
    assert asked.wait(20)
    stopping = threading.Thread(target=served.server.stop, args=(30,))
    stopping.start()
    eventually(lambda: refused(served))
    assert stopping.is_alive()
    go_on.set()
    assert read_to_end(raw).endswith(b"late\n")
    stopping.join(20)
    assert not web_threads()


def test_stop_does_not_wait_longer_than_its_grace_for_a_slow_reader(served, connect, caplog):
    served.estate.everything = big()
    raw = connect(served, PLAIN, receive_buffer=8192)
    assert raw.recv(17) == b"HTTP/1.1 200 OK\r\n"
    began = time.monotonic()
    served.server.stop(0.3)
    assert 0.25 < time.monotonic() - began < 5
    assert not web_threads()
    assert not caplog.records


def test_stop_may_come_twice_or_before_start(served):
    served.server.stop(1)
    served.server.stop(1)
    Server(served.server._app, [":0"], served.server._gate, served.live).stop(1)


def test_signals_stay_with_the_process(serve):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    serve()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
    assert signal.set_wakeup_fd(-1) == -1
