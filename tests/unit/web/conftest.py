"""A served estate made of real deflate fragments, and raw clients that may be as rude as a test needs."""

import random
import socket
import struct
import threading
import time
import zlib
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from exporter.web.answer import Places, Site
from exporter.web.app import PATHS, build_app
from exporter.web.gate import Gate
from exporter.web.links import ExternalUrl
from exporter.web.live import LiveWebConfig
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.server import Limits, Server
from exporter.web.source import EstateStatus, GroupStatus, ProbeTarget, TargetStatus, UnknownTarget


@dataclass
class FakeMember:
    pieces: list[bytes]
    inflating_threads: set[str] = field(default_factory=set)
    inflated: int = 0

    @property
    def size(self):
        return sum(map(len, self.pieces))

    def gzip(self):
        fragments, whole = [], b"".join(self.pieces)
        for piece in self.pieces:
            compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
            fragments.append(compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH))
        header = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
        trailer = b"\x03\x00" + struct.pack("<II", zlib.crc32(whole), len(whole) % 2**32)
        return [header, *fragments, trailer]

    def inflate(self):
        for piece in self.pieces:
            self.inflating_threads.add(threading.current_thread().name)
            self.inflated += len(piece)
            yield piece


def series(target, count=400):
    rnd = random.Random(target)
    return [
        "".join(
            f'hypervisor_guest_cpu_seconds_total{{target="{target}",guest="vm-{rnd.getrandbits(32):08x}"}} {n}\n'
            for n in range(start, start + 20)
        ).encode()
        for start in range(0, count, 20)
    ]


class FakeEstate:
    """Two targets; a test changes what it is asked about."""

    def __init__(self):
        self.members = {name: FakeMember(series(name)) for name in ("kvm-7", "vc-hamburg")}
        self.everything = FakeMember([piece for member in self.members.values() for piece in member.pieces])
        self.on_demand = {"kvm-9": FakeMember(series("kvm-9"))}
        self.asked, self.probed_for = [], []
        self.fresh = True
        self.sick = self.unready = None
        self.config = "targets:\n  - name: kvm-7\n    password: <secret>\n"
        self.shown = EstateStatus(
            "1.2.3",
            (
                TargetStatus(
                    "kvm-7", "libvirt", "qemu:///system", True, None, (GroupStatus("vitals", "success", 4.2, 0.31, 30),)
                ),
            ),
        )

    def exposition(self, wanted, targets):
        self.asked.append((wanted, targets))
        for name in targets or ():
            if name not in self.members:
                raise UnknownTarget(name)
        return (
            self.everything
            if targets is None
            else FakeMember([piece for name in targets for piece in self.members[name].pieces])
        )

    def probed(self, wanted, target):
        self.asked.append((wanted, target))
        members = self.members | self.on_demand
        if target not in members:
            raise UnknownTarget(target)
        return members[target]

    def probe(self, name, timeout_seconds):
        if name not in self.members | self.on_demand:
            raise UnknownTarget(name)
        self.probed_for.append((name, timeout_seconds))
        answer = Future()
        if self.fresh:
            answer.set_result(None)
        else:
            timer = threading.Timer(timeout_seconds, answer.set_result, args=(None,))
            timer.daemon = True
            timer.start()
        return answer

    def probe_targets(self):
        return tuple(ProbeTarget(name, {"site": "ham"}) for name in self.on_demand)

    def ready(self):
        return self.unready

    def healthy(self):
        return self.sick

    def config_text(self):
        return self.config

    def status(self):
        return self.shown


@dataclass
class Served:
    estate: FakeEstate
    metrics: SelfMetrics
    server: Server
    site: Site
    live: LiveWebConfig

    @property
    def port(self):
        return int(self.server.addresses[0].rpartition(":")[2])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def serve():
    """Start servers; they end with the test."""
    with ExitStack() as stack:

        def start(
            addresses=("127.0.0.1:0",),
            *,
            web_config=None,
            external=None,
            max_requests=40,
            reload=None,
            from_systemd=False,
            **limits,
        ):
            estate, metrics, live = FakeEstate(), SelfMetrics(PATHS), LiveWebConfig(web_config)
            external = external or ExternalUrl()
            headers = lambda: live.now.config.headers  # noqa: E731
            site = Site(estate, metrics, external, Places(max_requests), reload, headers)
            gate = Gate(live, metrics, PATHS, external.prefix)
            server = Server(build_app(site), addresses, gate, live, limits=Limits(**limits), from_systemd=from_systemd)
            server.start()
            stack.callback(server.stop, 0)
            return Served(estate, metrics, server, site, live)

        yield start


@pytest.fixture
def served(serve):
    return serve()


@pytest.fixture
def connect():
    """Raw connections to a port; closed with the test."""
    with ExitStack() as stack:

        def connection(served, sent=b"", receive_buffer=None):
            raw = stack.enter_context(socket.socket())
            raw.settimeout(10)
            if receive_buffer:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            raw.connect(("127.0.0.1", served.port))
            raw.sendall(sent)
            return raw

        yield connection


@pytest.fixture
def eventually():
    """Wait for a condition, as long as it may take on a busy machine."""

    def wait(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.01)

    return wait


@pytest.fixture
def read_to_end():
    """All bytes until the server closes the connection; a reset is an end too."""

    def read(raw):
        received = b""
        try:
            while block := raw.recv(65536):
                received += block
        except ConnectionResetError:
            pass
        return received

    return read
