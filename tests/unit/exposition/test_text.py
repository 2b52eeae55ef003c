"""Label values, numbers and headers, down to the character."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority
from exporter.exposition.negotiation import Format
from exporter.exposition.text import Labels, header, number, refusal
from exporter.model import GuestState

LONG = "a" * 300


@pytest.mark.parametrize(
    ("value", "text", "sanitised"),
    [
        pytest.param("web-1", 'guest="web-1"', 0, id="plain"),
        pytest.param("", 'guest=""', 0, id="empty"),
        pytest.param("Größe 木", 'guest="Größe 木"', 0, id="any script"),
        pytest.param('a"b\\c\nd', r'guest="a\"b\\c\nd"', 0, id="escaped, which is no change"),
        pytest.param("a\tb\u2028c", 'guest="a\tb\u2028c"', 0, id="control characters are legal"),
        pytest.param("a\udc80b", 'guest="a\ufffdb"', 1, id="lone surrogate"),
        pytest.param("a\0b", 'guest="a\ufffdb"', 1, id="NUL"),
        pytest.param(None, 'guest=""', 1, id="None"),
        pytest.param(42, 'guest="42"', 1, id="number"),
        pytest.param(GuestState.RUNNING, 'guest="running"', 0, id="a word of an enumeration"),
    ],
)
def test_a_label_value_becomes_legal_text_and_changes_are_counted(value, text, sanitised):
    labels = Labels(256)

    assert labels.pair("guest", value) == text
    assert labels.sanitised == sanitised


def test_long_values_are_cut_and_stay_distinct():
    labels = Labels(64)

    first, second = labels.pair("guest", LONG + "1"), labels.pair("guest", LONG + "2")

    assert first != second
    assert len(first) == len(second) == len('guest=""') + 64
    assert first.startswith('guest="' + "a" * 51 + "~")
    assert labels.sanitised == 2


def test_long_values_that_differ_only_in_what_cannot_be_shown_stay_distinct():
    labels = Labels(64)

    assert labels.pair("guest", LONG + "\ud800") != labels.pair("guest", LONG + "\ud801")


def test_a_limit_counts_characters_before_escaping():
    assert Labels(3).pair("guest", '"""') == r'guest="\"\"\""'


@given(st.text(st.characters(), max_size=40), st.integers(1, 30))
def test_no_value_is_longer_than_the_limit_nor_impossible_to_encode(value, limit):
    text = Labels(limit).pair("x", value)

    plain = text[3:-1].replace("\\\\", "/").replace('\\"', "'").replace("\\n", " ")
    assert len(plain) <= limit
    assert b"\0" not in text.encode()
    assert "\n" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (True, "1"),
        (False, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (1e16, "1e+16"),
        (5e-324, "5e-324"),
        (2**63, "9223372036854775808"),
        (1790000000.25, "1790000000.25"),
    ],
)
def test_numbers_are_written_shortest(value, text):
    assert number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_numbers_read_back_as_they_were(value):
    assert float(number(value)) == float(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("N/A", "not_a_number"),
        ("1", "not_a_number"),
        ([1], "not_a_number"),
        (math.nan, "not_finite"),
        (math.inf, "not_finite"),
        (-math.inf, "not_finite"),
        (10**400, "not_finite"),
        pytest.param(10**5000, "not_finite", id="more digits than Python prints"),
    ],
)
def test_what_is_no_finite_number_is_refused_with_the_reason(value, reason):
    assert refusal(value) == reason
    assert number(value) is None


def test_only_counters_must_not_be_negative():
    assert refusal(-1) is None
    assert refusal(-1, counter=True) == "negative"
    assert refusal(-0.0, counter=True) is None


def family(name, kind, help_text='Says \\ and "quotes"\nover two lines.'):
    return Family(name, kind, help_text, Entity.GUEST, VITALS, Priority.GUEST)


@pytest.mark.parametrize(
    ("declared", "text", "openmetrics"),
    [
        pytest.param(
            family("hypervisor_guest_cpu_seconds_total", Kind.COUNTER),
            '# HELP hypervisor_guest_cpu_seconds_total Says \\\\ and "quotes"\\nover two lines.\n'
            "# TYPE hypervisor_guest_cpu_seconds_total counter\n",
            "# TYPE hypervisor_guest_cpu_seconds counter\n"
            "# UNIT hypervisor_guest_cpu_seconds seconds\n"
            '# HELP hypervisor_guest_cpu_seconds Says \\\\ and \\"quotes\\"\\nover two lines.\n',
            id="a counter loses its suffix",
        ),
        pytest.param(
            family("hypervisor_guest_info", Kind.INFO, "What it is."),
            "# HELP hypervisor_guest_info What it is.\n# TYPE hypervisor_guest_info gauge\n",
            "# TYPE hypervisor_guest info\n# HELP hypervisor_guest What it is.\n",
            id="an info is a gauge in text",
        ),
        pytest.param(
            family("hypervisor_guest_vcpus", Kind.GAUGE, "How many."),
            "# HELP hypervisor_guest_vcpus How many.\n# TYPE hypervisor_guest_vcpus gauge\n",
            "# TYPE hypervisor_guest_vcpus gauge\n# HELP hypervisor_guest_vcpus How many.\n",
            id="no unit where the name ends with none",
        ),
    ],
)
def test_headers_differ_between_the_formats(declared, text, openmetrics):
    assert header(declared, Format.TEXT_0_0_4).decode() == text
    assert header(declared, Format.OPENMETRICS_1_0).decode() == openmetrics
