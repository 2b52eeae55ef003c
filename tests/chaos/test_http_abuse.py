"""Clients that are slow, half-open, many, idle or rude, against a real daemon, with TLS and without.

Beside each kind of them the daemon is scraped, and afterwards memory, threads and descriptors are what they were.
"""

import socket
import statistics
import struct
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import httpx
import psutil
import pytest

from tests.backends.daemon import Daemon, document, libvirt
from tests.backends.processes import until
from tests.unit.web.secured import Folder, SecuredDaemon

SCRAPES = 20
MOST_SLOWER = 10
"""Times slower than undisturbed, at the median."""
FLOOR_SECONDS = 0.005
"""A faster scrape than this is not asked for: the noise of a busy machine is of this size."""
MOST_MEMORY = 1.25
UNFINISHED = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: "
GET = b"GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n"

pytestmark = pytest.mark.timeout(120)


@dataclass
class Resources:
    memory: int
    threads: int
    descriptors: int


class Abused:
    """A daemon that is scraped undisturbed first and then beside whatever a test does to it."""

    def __init__(self, daemon, context):
        self.daemon, self.context = daemon, context
        host, port = daemon.address.split(":")
        self.place = (host, int(port))
        self.process = psutil.Process(daemon.child.pid)
        scheme = "https" if context else "http"
        self.client = httpx.Client(base_url=f"{scheme}://{daemon.address}", verify=context or False, timeout=10)
        self.usual = self.median()

    def median(self):
        """Median time of scrapes, each over a connection of its own: newcomers are who gets refused."""
        times = []
        for _ in range(SCRAPES):
            began = time.monotonic()
            answer = self.client.get("/metrics", headers={"Connection": "close"})
            times.append(time.monotonic() - began)
            assert answer.status_code == 200
        return statistics.median(times)

    def assert_scraped_as_usual(self):
        assert self.median() <= MOST_SLOWER * max(self.usual, FLOOR_SECONDS)

    def connect(self):
        return socket.create_connection(self.place, timeout=10)

    def shaken(self):
        """A connection on which requests can be sent: with TLS, the handshake is over."""
        raw = self.connect()
        return self.context.wrap_socket(raw, server_hostname=self.place[0]) if self.context else raw

    def ask(self, sent):
        """What is answered until the server closes."""
        received = b""
        with self.shaken() as raw:
            with suppress(OSError):
                raw.sendall(sent)
            with suppress(OSError):
                while block := raw.recv(65536):
                    received += block
        return received

    def resources(self):
        memory = self.process.memory_full_info().pss
        return Resources(memory, self.process.num_threads(), self.process.num_fds())

    def assert_nothing_is_left(self, before):
        def gone():
            now = self.resources()
            return now.descriptors <= before.descriptors + 2 and now.threads <= before.threads + 4

        until(gone, 20, f"return to {before}", self.daemon.child)
        assert self.resources().memory <= before.memory * MOST_MEMORY


@pytest.fixture(scope="module", params=["plain", "tls"])
def abused(request, tmp_path_factory):
    targets = document([libvirt(f"t{number}", "test:///default") for number in range(3)])
    if request.param == "tls":
        folder = Folder(tmp_path_factory.mktemp("web"))
        folder.config()
        started = SecuredDaemon(targets, folder)
    else:
        started = Daemon(targets)
    with started as daemon:
        context = getattr(daemon, "trusted", None)
        abused = Abused(daemon, context)
        # What the process takes once and keeps (arenas, thread stacks) is no leak: give it a full house first.
        with many(abused.shaken, 1000, UNFINISHED):
            abused.median()
        with many(abused.connect, 1000):
            abused.median()
        until(lambda: abused.process.num_fds() < 100, 20, "end of the warming", daemon.child)
        yield abused
        abused.client.close()
        assert "traceback" not in daemon.log().lower()


@pytest.fixture(autouse=True)
def leaves_nothing(abused):
    before = abused.resources()
    yield
    abused.assert_nothing_is_left(before)


class many:  # noqa: N801  reads as what it is: with many(clients, 500)
    """So many connections, all open while the block runs; closed with a reset, so that no port lingers."""

    def __init__(self, connect, count, sent=b""):
        self._connect, self._count, self._sent = connect, count, sent
        self._open = ExitStack()

    def __enter__(self):
        connections = []
        for _ in range(self._count):
            raw = self._open.enter_context(self._connect())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):  # the server may have made room already
                raw.sendall(self._sent)
            connections.append(raw)
        return connections

    def __exit__(self, *_):
        self._open.close()


def test_slow_and_half_open_clients(abused):
    with many(abused.shaken, 250, UNFINISHED) as slow, many(abused.shaken, 250):
        abused.assert_scraped_as_usual()
        for raw in slow:
            with suppress(OSError):
                raw.send(b"a")
        abused.assert_scraped_as_usual()


def test_more_connects_than_there_are_places(abused):
    with many(abused.connect, 1000):
        abused.assert_scraped_as_usual()
        assert abused.process.num_fds() < 700


def test_connections_that_idle_before_and_after_a_handshake(abused):
    with many(abused.connect, 100), many(abused.shaken, 100), many(abused.shaken, 50, GET):
        abused.assert_scraped_as_usual()


def test_clients_that_never_read_their_answers_and_leave(abused):
    wanted = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    with many(abused.shaken, 60, wanted * 100):
        time.sleep(2)  # until their buffers are full, they are clients like others
        abused.assert_scraped_as_usual()
    abused.assert_scraped_as_usual()


def test_huge_headers(abused):
    for _ in range(20):
        answer = abused.ask(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300_000 + b"\r\n\r\n")
        assert answer[:13] in (b"HTTP/1.1 431 ", b"")  # a reset may overtake the answer
    many_lines = b"".join(b"X-%d: a\r\n" % number for number in range(5000))
    assert abused.ask(b"GET / HTTP/1.1\r\nHost: x\r\n" + many_lines + b"\r\n")[:13] == b"HTTP/1.1 431 "
    abused.assert_scraped_as_usual()


def test_a_body_of_100_megabytes(abused):
    began, head = time.monotonic(), b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    assert abused.ask(head + b"b" * 1_000_000)[:13] == b"HTTP/1.1 413 "
    answer = abused.client.post("/-/reload", content=b"b" * 100_000_000)
    assert answer.status_code == 413
    assert time.monotonic() - began < 10
    abused.assert_scraped_as_usual()


def test_pipelined_requests(abused):
    received = abused.ask(GET * 1000 + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1001
    abused.assert_scraped_as_usual()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"BREW / HTTP/1.1", 405),
        (b"TRACE /metrics HTTP/1.1", 405),
        (b"CONNECT example.net:443 HTTP/1.1", 405),
        (b"OPTIONS * HTTP/1.1", 404),
        (b"get /metrics HTTP/1.1", 405),
        (b"GET http://example.net/-/ready HTTP/1.1", 200),
        (b"GET /-/ready HTTP/1.0", 200),
        (b"GET /-/ready HTTP/2.0", 400),
        (b"GET /-/ready HTTP/9.9", 400),
        (b"GET  /-/ready  HTTP/1.1", 400),
        (b"GET /" + b"%" * 8000 + b" HTTP/1.1", 404),
        (b"GET /metrics?" + b"target=x&" * 1500 + b" HTTP/1.1", (400, 404)),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"\x00" * 100, 400),
    ],
)
def test_strange_request_lines(abused, request_line, status):
    answer = abused.ask(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    expected = status if isinstance(status, tuple) else (status,)
    assert int(answer.split()[1]) in expected


@pytest.mark.parametrize(
    "accept",
    [
        b"", b",", b";", b"*", b"text/plain; version=abc", b"text/plain;version=9.9.9;q=2", b"text/plain;q=nan",
        b'a/b;c="', b'application/openmetrics-text;version="1.0.0', b"\xff\xfe/\x80", b"a" * 15_000,
        b"text/plain;" * 1300, b'";\\"' * 3000, b"application/openmetrics-text; version=1.0.0; q=0.5, " * 250,
    ],
)  # fmt: skip
def test_bad_accept_headers_get_an_exposition(abused, accept):
    for name in (b"Accept", b"Accept-Encoding"):
        began = time.monotonic()
        answer = abused.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s: %s\r\n\r\n" % (name, accept))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert time.monotonic() - began < 2


def test_running_out_of_descriptors(abused):
    limits = abused.process.rlimit(psutil.RLIMIT_NOFILE)
    abused.process.rlimit(psutil.RLIMIT_NOFILE, (abused.process.num_fds() + 20, limits[1]))
    try:
        with many(abused.connect, 100):
            assert abused.client.get("/-/ready").status_code == 200
            time.sleep(1)
    finally:
        abused.process.rlimit(psutil.RLIMIT_NOFILE, limits)
    abused.assert_scraped_as_usual()
    assert 1 <= abused.daemon.log().count("connections cannot be accepted") <= 2
