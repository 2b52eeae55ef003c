"""Text of Windows as numbers, times and units; every expected number was worked out by hand."""

from datetime import UTC, datetime

import pytest

from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.values import Field, flag, guid, instant, is_guid, number, when

BOOT = datetime(2013, 4, 15, 16, 28, 43, 488171, UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2013-04-15T16:28:43.488171Z", BOOT, id="six digits"),
        pytest.param("2013-04-15T16:28:43Z", BOOT - 0.488171, id="trailing zeros are cut, even all"),
        pytest.param("2014-04-03T14:45:50.46875+08:00", 1396507550.46875, id="an offset: 06:45:50.46875 UTC"),
        pytest.param("20130415162843.488171+000", BOOT, id="DMTF, as in CIM-XML"),
        pytest.param("20130415182843.488171+120", BOOT, id="DMTF, two hours east"),
        pytest.param("2013-02-31T00:00:00Z", None, id="no such day"),
        pytest.param("15.04.2013", None, id="a localised date"),
        pytest.param("P0DT0H1M40S", None, id="an interval"),
    ],
)
def test_times(text, seconds):
    assert instant(text) == (None if seconds is None else pytest.approx(seconds, abs=1e-6))


def test_what_never_happened_has_no_time():
    odd = []
    assert when({"T": "1601-01-01T00:00:00Z"}, "T", odd) is None
    assert when({"T": None}, "T", odd) is None
    assert odd == []
    assert when({"T": "soon"}, "T", odd) is None
    assert odd == ["T is 'soon'"]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        pytest.param(tables.VP_RUN, "10100000000", 1010.0, id="100 ns"),
        pytest.param(tables.ON_TIME, "3600500", 3600.5, id="ms"),
        pytest.param(tables.MEMORY_USAGE, "2048", 2147483648, id="MB are 1,048,576 bytes"),
        pytest.param(tables.FREE_MEMORY, "58472", 59875328, id="KB are 1,024 bytes"),
        pytest.param(tables.PARTITION_PAGES, "524288", 2147483648, id="pages of 4 KiB"),
        pytest.param(tables.PRESSURE, "85", 0.85, id="percent"),
        pytest.param(tables.CPU_LIMIT, "50000", 0.5, id="100,000 are the whole"),
        pytest.param(tables.CLOCK, "2101", 2.101e9, id="MHz"),
        pytest.param(tables.PARTITION_SIZE, "10485760", 10995116277760, id="MB of a cluster's partition"),
        pytest.param(tables.CAPACITY, "366997504", 366997504, id="bytes"),
        pytest.param(tables.READS, "4294967295", 4294967295, id="the largest of 32 bits"),
        pytest.param(tables.VP_RUN, "18446744073709551615", 1844674407370.9552, id="the largest of 64 bits"),
    ],
)
def test_units(field, text, value):
    assert field({field.name: text}, []) == value


@pytest.mark.parametrize("text", ["-1", "NaN", "inf", "1e400", "N/A", "0x10", "1,5", "1_000", "²"])
def test_what_is_no_number_is_unknown_and_said(text):
    odd = []
    assert number({"N": text}, "N", odd) is None
    assert odd == [f"N is {text!r}"]


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_beyond_all_measure_is_unknown_and_said(digits):
    odd = []
    assert number({"N": "9" * digits}, "N", odd) is None
    assert tables.VP_RUN({tables.VP_RUN.name: "9" * digits}, odd) is None
    assert len(odd) == 2


def test_what_is_not_there_is_unknown_and_nothing_to_speak_of():
    odd = []
    field = Field("N", "gauge", "MB")
    assert [field(row, odd) for row in ({}, {"N": None}, {"N": ""}, {"N": " "})] == [None] * 4
    assert odd == []
    assert (number({"N": "-5"}, "N", odd, least=-100), odd) == (-5, [])


def test_an_array_is_no_number():
    odd = []
    assert number({"N": ("1", "2")}, "N", odd) is None
    assert odd == ["N is no single value"]


def test_flags_and_guids():
    odd = []
    assert [flag({"F": text}, "F", odd) for text in ("true", "FALSE", "", "maybe")] == [True, False, None, None]
    assert odd == ["F is 'maybe'"]
    assert guid("\\\\?\\Volume{FD3B0936-8863-11E2-940F-806E6F6E6963}\\") == "fd3b0936-8863-11e2-940f-806e6f6e6963"
    assert (guid("HV-1"), guid(None)) == ("", "")
    assert is_guid("FD3B0936-8863-11E2-940F-806E6F6E6963")
    assert not is_guid("HV-FD3B0936-8863-11E2-940F-806E6F6E6963")


def test_every_counter_names_its_type_and_unit():
    fields = [each for each in vars(tables).values() if isinstance(each, Field)]
    assert len(fields) > 50
    assert all(each.kind in {"timer", "bulk count", "raw count", "gauge"} and each.unit for each in fields)
    wrapping = {each.name for each in fields if each.bits == 32}
    assert wrapping == {"ReadCount", "WriteCount", "FlushCount", "ErrorCount"}


def test_no_property_of_no_use_is_asked_for():
    asked = {each.class_name: each.query.columns for each in vars(tables).values() if isinstance(each, tables.Table)}
    heavy = {"ThumbnailImage", "ProcessorLoadHistory", "Snapshots", "AsynchronousTasks", "Latency"}
    assert all(columns and "*" not in columns and not heavy & set(columns) for columns in asked.values())
    assert not any("PerfFormatted" in name for name in asked)
