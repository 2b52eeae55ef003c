"""A large exposition as every client reads it."""

import html
import os
import subprocess

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority
from exporter.exposition.chunk import compress
from exporter.exposition.negotiation import Format
from exporter.runtime.page import Page
from exporter.runtime.store import Store
from exporter.web.answer import Site
from exporter.web.app import PATHS, build_app
from exporter.web.gate import Gate
from exporter.web.live import LiveWebConfig
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.server import Server
from tests.backends.need import need
from tests.backends.processes import find_binary
from tests.backends.prometheus import scrape
from tests.unit.web.conftest import FakeEstate

TARGETS, GUESTS = 20, 125
FAMILIES = [
    Family(f"e2e_{n}_total" if n % 2 else f"e2e_{n}", Kind.COUNTER if n % 2 else Kind.GAUGE, f'"{n}" \\ of\nall.',
           Entity.GUEST, VITALS, Priority.GUEST)
    for n in range(40)
]  # fmt: skip
SERIES = TARGETS * GUESTS * len(FAMILIES)
NAMES = ("plain", 'quo\\"te', "back\\\\slash", "new\\nline", "Zürich 東京 🖥", "<b>&amp;</b>")
ACCEPT = {
    Format.TEXT_0_0_4: "text/plain;version=0.0.4",
    Format.OPENMETRICS_1_0: "application/openmetrics-text;version=1.0.0",
}

pytestmark = pytest.mark.timeout(240)


def value_of(target, family, guest):
    return target * 1e6 + family * 1000 + guest + 0.25


class StoreEstate(FakeEstate):
    """The product's own store with 100,000 series."""

    def __init__(self):
        super().__init__()
        self.store = Store(FAMILIES)
        for target in range(TARGETS):
            chunks = {}
            for number, family in enumerate(FAMILIES):
                lines = [
                    f'{family.name}{{target="t{target}",guest="{guest} {NAMES[guest % len(NAMES)]}"}}'
                    f" {value_of(target, number, guest)}\n"
                    for guest in range(GUESTS)
                ]
                chunks[family.name] = compress("".join(lines).encode(), GUESTS)
            self.store.swap(f"t{target}", VITALS, Page(target + 1, chunks, 0.0), float("inf"))

    def exposition(self, wanted, targets):
        return self.store.member(wanted, targets)


@pytest.fixture(scope="module")
def large():
    estate, metrics, live = StoreEstate(), SelfMetrics(PATHS), LiveWebConfig()
    server = Server(build_app(Site(estate, metrics)), ["127.0.0.1:0"], Gate(live, metrics, PATHS), live)
    server.start()
    yield estate, f"http://{server.addresses[0]}/metrics"
    server.stop(0)


def text_of(estate, wanted, targets=None):
    return b"".join(estate.exposition(wanted, targets).inflate())


def test_both_formats_hold_all_series_with_equal_values(large):
    found = {}
    for wanted, parse in ((Format.TEXT_0_0_4, text_families), (Format.OPENMETRICS_1_0, openmetrics_families)):
        samples = [sample for family in parse(text_of(large[0], wanted).decode()) for sample in family.samples]
        found[wanted] = {(s.name, s.labels["target"], s.labels["guest"]): s.value for s in samples}
        assert len(samples) == len(found[wanted]) == SERIES
    assert found[Format.TEXT_0_0_4] == found[Format.OPENMETRICS_1_0]
    assert found[Format.TEXT_0_0_4]["e2e_3_total", "t7", '1 quo"te'] == value_of(7, 3, 1)


CLIENTS = {
    "curl with compression": ["curl", "-sS", "--compressed", "-H"],
    "curl": ["curl", "-sS", "-H"],
    "wget with compression": ["wget", "-q", "-O-", "--compression=auto", "--header"],
    "wget": ["wget", "-q", "-O-", "--header"],
}


@pytest.mark.parametrize("targets", [None, ["t3", "t11"]], ids=["everything", "two targets"])
@pytest.mark.parametrize("wanted", Format, ids=["text", "openmetrics"])
@pytest.mark.parametrize("client", [*CLIENTS, "httpx with compression", "httpx"])
def test_every_client_reads_the_whole(large, client, wanted, targets):
    estate, url = large
    address = url + ("?" + "&".join(f"target={name}" for name in targets) if targets else "")
    if client in CLIENTS:
        need([CLIENTS[client][0]])
        command = [*CLIENTS[client], f"Accept: {ACCEPT[wanted]}", address]
        read = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    else:
        encoding = "gzip" if "compression" in client else "identity"
        read = httpx.get(address, headers={"Accept": ACCEPT[wanted], "Accept-Encoding": encoding}, timeout=60).content
    assert read == text_of(estate, wanted, targets)


@pytest.mark.parametrize("targets", [None, ["t3"]], ids=["everything", "one target"])
def test_a_browser_reads_the_whole(large, targets, tmp_path):
    need(["chromium"])
    estate, url = large
    quiet = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command = [
        find_binary("chromium"),
        "--headless",
        "--no-sandbox",
        *quiet,
        f"--user-data-dir={tmp_path}",
        "--dump-dom",
    ]
    page = subprocess.run(
        [*command, url + (f"?target={targets[0]}" if targets else "")],
        check=True, capture_output=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)},
    ).stdout.decode()  # fmt: skip
    shown = page[page.index(">", page.index("<pre")) + 1 : page.rindex("</pre>")]
    assert html.unescape(shown) == text_of(estate, Format.TEXT_0_0_4, targets).decode()


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("wanted", Format, ids=["text", "openmetrics"])
def test_prometheus_stores_every_series_with_its_value(large, prometheus, monkeypatch, wanted, compressed):
    # This Prometheus cannot be told what to ask for, so the answer is chosen here.
    monkeypatch.setattr("exporter.web.exposition.negotiate", lambda _: wanted)
    monkeypatch.setattr("exporter.web.exposition.accepts_gzip", lambda _: compressed)
    address = large[1].removeprefix("http://").partition("/")[0]
    every = {"scrape_interval": "10s", "scrape_timeout": "10s"}
    server = prometheus([scrape("all", address, **every), scrape("one", address, params={"target": ["t3"]}, **every)])
    for job, targets in (("all", range(TARGETS)), ("one", [3])):
        count = len(targets) * GUESTS * len(FAMILIES)
        selector = f'{{job="{job}",__name__=~"e2e_.*"}}'
        server.wait_for(f"count({selector})", lambda found, count=count: found and found[0].value == count, 30)
        for number in (0, 3, 39):
            expected = sum(value_of(target, number, guest) for target in targets for guest in range(GUESTS))
            name = FAMILIES[number].name
            assert server.query(f'sum({name}{{job="{job}"}})')[0].value == pytest.approx(expected, rel=1e-12)
        for guest, name in enumerate(("plain", 'quo"te', "back\\slash", "new\nline", "Zürich 東京 🖥", "<b>&amp;</b>")):
            (sample,) = server.query(f'e2e_0{{job="{job}",target="t3",guest=~"(?s){guest} .*"}}')
            assert (sample.labels["guest"], sample.value) == (f"{guest} {name}", value_of(3, 0, guest))
