"""Both parsers of prometheus_client read our pages back: any names, any numbers, every kind of family."""

import gzip
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority
from exporter.config.model import Target
from exporter.contract import Platform
from exporter.exposition.negotiation import Format
from exporter.model import Guest, Observation
from exporter.runtime.pipeline import Pipeline
from exporter.runtime.store import Store

HELP = 'Backslash \\, "quotes"\nand a second line.'


def family(name, kind, labels=(), **reads):
    return Family(name, kind, HELP, Entity.GUEST, VITALS, Priority.GUEST, labels=labels, **reads)


FAMILIES = (
    family("hypervisor_guest_x_bytes", Kind.GAUGE, value=lambda guest: guest.extra["gauge"]),
    family("hypervisor_guest_x_seconds_total", Kind.COUNTER, value=lambda guest: guest.extra["counter"]),
    family("hypervisor_guest_x_info", Kind.INFO, ("os", "tags"), each=lambda g: [((g.os, g.tags), 1)]),
    family("hypervisor_guest_x_state", Kind.GAUGE, ("state",), each=lambda guest: [((guest.folder,), True)]),
    family(
        "hypervisor_guest_x_rows_total",
        Kind.COUNTER,
        ("row",),
        each=lambda guest: [((row,), value) for row, value in guest.extra["rows"]],
    ),
)

words = st.text(st.characters(), max_size=12) | st.sampled_from(
    ['"', "\\", "\n", "\r\n", "# EOF", '{a="b"} 1', "\u2028", "\ud800"]
)
numbers = st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.none() | st.just("N/A")
guests = st.builds(
    lambda guest_id, words, gauge, counter, rows: Guest(
        guest_id,
        words[0],
        os=words[1],
        tags=words[2],
        folder=words[3],
        extra={"gauge": gauge, "counter": counter, "rows": rows},
    ),
    words,
    st.tuples(words, words, words, words),
    numbers,
    numbers,
    st.lists(st.tuples(words, numbers), max_size=3, unique_by=lambda row: clean(row[0])),
)


def clean(text):
    """What a reader must find for a name: written down here a second time, on purpose."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" or char == "\0" else char for char in text)


def is_sample(value, *, counter=False):
    return isinstance(value, int | float) and math.isfinite(value) and not (counter and value < 0)


def expected(guest):
    """Samples of one guest as {(sample name, its own labels): value}."""
    found = {}
    if is_sample(guest.extra["gauge"]):
        found["hypervisor_guest_x_bytes", ()] = float(guest.extra["gauge"])
    if is_sample(guest.extra["counter"], counter=True):
        found["hypervisor_guest_x_seconds_total", ()] = float(guest.extra["counter"])
    found["hypervisor_guest_x_info", (("os", clean(guest.os)), ("tags", clean(guest.tags)))] = 1.0
    found["hypervisor_guest_x_state", (("state", clean(guest.folder)),)] = 1.0
    for row, value in guest.extra["rows"]:
        if is_sample(value, counter=True):
            found["hypervisor_guest_x_rows_total", (("row", clean(row)),)] = float(value)
    return found


def page_of(seen, wanted):
    platform = Platform("fake", "Fake", {}, open=lambda *_: None, families=FAMILIES)
    page = Pipeline(Target("t", "fake", "fake://"), platform, VITALS, FAMILIES).page(seen, whole=False)
    store = Store(FAMILIES)
    assert store.swap("t", VITALS, page, 1)
    return gzip.decompress(b"".join(store.member(wanted, None).gzip())).decode()


def read(families):
    """Samples by name and labels, and that each stands in a family of the right type and help."""
    found = {}
    for parsed in families:
        for sample in parsed.samples:
            labels = dict(sample.labels)
            assert (labels.pop("target"), labels.pop("platform")) == ("t", "fake")
            key = (sample.name, (labels.pop("guest"), labels.pop("guest_id")), tuple(labels.items()))
            assert key not in found
            found[key] = float(sample.value)
    return found


@pytest.mark.parametrize(
    ("wanted", "parse"), [(Format.TEXT_0_0_4, parse_text), (Format.OPENMETRICS_1_0, parse_openmetrics)]
)
@settings(deadline=None)
@given(seen=st.lists(guests, max_size=4, unique_by=lambda guest: clean(guest.id)))
def test_a_page_reads_back_as_what_was_observed(wanted, parse, seen):
    page = page_of(Observation(0.0, guests=tuple(seen)), wanted)

    assert read(parse(page)) == {
        (name, (clean(guest.name), clean(guest.id)), own): value
        for guest in seen
        for (name, own), value in expected(guest).items()
    }


def test_openmetrics_families_have_their_type_unit_and_help():
    guest = Guest("1", "a", extra={"gauge": 1, "counter": 2, "rows": [("r", 3)]})

    families = {
        f.name: f for f in parse_openmetrics(page_of(Observation(0.0, guests=(guest,)), Format.OPENMETRICS_1_0))
    }

    assert {name: (f.type, f.unit) for name, f in families.items()} == {
        "hypervisor_guest_x_bytes": ("gauge", "bytes"),
        "hypervisor_guest_x_seconds": ("counter", "seconds"),
        "hypervisor_guest_x": ("info", ""),
        "hypervisor_guest_x_state": ("gauge", ""),
        "hypervisor_guest_x_rows": ("counter", ""),
    }
    assert {f.documentation for f in families.values()} == {HELP}


def test_text_families_have_their_type_and_help():
    guest = Guest("1", "a", extra={"gauge": 1, "counter": 2, "rows": [("r", 3)]})

    families = {f.name: f for f in parse_text(page_of(Observation(0.0, guests=(guest,)), Format.TEXT_0_0_4))}

    assert {name: f.type for name, f in families.items()} == {
        "hypervisor_guest_x_bytes": "gauge",
        "hypervisor_guest_x_seconds": "counter",
        "hypervisor_guest_x_info": "gauge",
        "hypervisor_guest_x_state": "gauge",
        "hypervisor_guest_x_rows": "counter",
    }
    assert {f.documentation for f in families.values()} == {HELP}
