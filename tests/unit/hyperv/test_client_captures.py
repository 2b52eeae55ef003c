"""The genuine answers of a Windows host, read by the parser; expected values were read in the files by eye."""

import re
from pathlib import Path

import pytest
import xmltodict

from collectors.hyperv.client.faults import fault_of
from collectors.hyperv.client.parsing import answer, page
from collectors.hyperv.client.rows import many

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "wsman"
HOST = CAPTURES / "server_2012"
pytestmark = pytest.mark.skipif(not HOST.is_dir(), reason="the genuine captures (../shared/captures) are not here")
NAMES = sorted(path.name for path in HOST.glob("*.xml")) if HOST.is_dir() else []


def read(name):
    return page(answer((HOST / name).read_bytes(), name).content, name)


def rows(name):
    """All rows of a query, from its Enumerate and its Pulls."""
    return [row for path in sorted(HOST.glob(f"{name}_0*.xml")) for row in read(path.name).rows]


@pytest.mark.parametrize("name", NAMES)
def test_every_capture_is_read_as_another_parser_reads_it(name):
    text = (HOST / name).read_text(encoding="utf-8")
    found = read(name)
    body = xmltodict.parse(text, strip_whitespace=False)["s:Envelope"]["s:Body"]
    response = next(iter(body.values()))
    items = next(value for key, value in response.items() if key.endswith(":Items"))
    by_name = [value for key, value in items.items() if not key.startswith("@")]  # a subclass has a name of its own
    theirs = [plain(each) for value in by_name for each in (value if isinstance(value, list) else [value])]
    assert sorted(found.rows, key=str) == sorted(theirs, key=str)
    assert found.ended == ("EndOfSequence" in text)
    assert found.context == re.search(r"<n:EnumerationContext>([^<]*)", text)[1] if not found.ended else True


def plain(item):
    """A row as we tell it, from what xmltodict makes of it."""
    return {key.partition(":")[2] or key: value_of(value) for key, value in item.items() if not key.startswith("@")}


def value_of(value):
    if value is None:
        return ""
    if isinstance(value, list):
        return tuple(map(value_of, value))
    if isinstance(value, dict):
        inner = {key: each for key, each in value.items() if not key.startswith("@")}
        if not inner:
            return None  # xsi:nil
        return next(iter(inner.values()))  # cim:Datetime, Datetime
    return value


@pytest.mark.parametrize("shape", ["star", "all"])
def test_volumes_have_the_values_that_stand_in_the_file(shape):
    first, second = rows(f"Win32_Volume_{shape}")
    assert first["Capacity"] == "366997504"
    assert first["FreeSpace"] == "113967104"
    assert first["DriveLetter"] is None
    assert first["DeviceID"] == "\\\\?\\Volume{fd3b0936-8863-11e2-940f-806e6f6e6963}\\"
    assert (second["DriveType"], second["FileSystem"]) == ("3", "NTFS")
    assert "PowerManagementCapabilities" not in first  # an array of none is not sent


def test_both_shapes_of_a_query_give_the_same_kind_of_row():
    for name in ("Win32_Volume", "Win32_Service", "Win32_Process", "Win32_OperatingSystem"):
        star, named = rows(f"{name}_star")[0], rows(f"{name}_all")[0]
        assert named.keys() <= star.keys(), name


def test_times_are_texts_of_either_shape_and_any_number_of_digits():
    for shape in ("star", "all"):
        (system,) = rows(f"Win32_OperatingSystem_{shape}")
        assert system["LastBootUpTime"] == "2013-04-15T16:28:43.488171Z"
        assert system["InstallDate"] == "2013-03-09T02:57:32Z"
    assert rows("Win32_OperatingSystem_star")[0]["TotalVisibleMemorySize"] == "629364"
    names = {row["Name"]: row["CreationDate"] for row in rows("Win32_Process_star")}
    assert names["System"] == "2013-04-15T16:28:47.73517Z"


def test_empty_text_is_not_nil_and_nil_is_not_empty():
    (system,) = rows("Win32_OperatingSystem_star")
    assert system["Description"] == ""
    assert system["CSDVersion"] is None


def test_an_array_of_one_and_one_of_none():
    adapters = {row["Index"]: row for row in rows("Win32_NetworkAdapterConfiguration_star")}
    assert many(adapters["10"], "IPAddress")[0] == "10.30.40.193"
    assert many(adapters["10"], "DefaultIPGateway") == ("10.30.40.1",)
    assert many(adapters["1"], "IPAddress") == ()


def test_names_of_instances_are_kept_as_they_are():
    assert [row["Name"] for row in rows("Win32_PerfRawData_PerfDisk_PhysicalDisk_star")] == ["0 C:", "_Total"]
    assert rows("Win32_PerfRawData_PerfDisk_PhysicalDisk_star")[0]["DiskReadBytesPersec"] == "120209408"


@pytest.mark.parametrize(
    ("name", "star", "named"),
    [("Win32_Service", [1, 50, 52, 28], [1, 59, 61, 10]), ("Win32_Process", [1, 32, 13], [1, 36, 9])],
)
def test_pages_hold_as_many_rows_as_the_files(name, star, named):
    for shape, expected in (("star", star), ("all", named)):
        pages = [read(path.name) for path in sorted(HOST.glob(f"{name}_{shape}_0*.xml"))]
        assert [len(each.rows) for each in pages] == expected
        assert [each.ended for each in pages] == [False] * (len(pages) - 1) + [True]


def test_a_row_of_a_subclass_is_a_row():
    assert "TermService" in {row["Name"] for row in rows("Win32_Service_star")}  # it is a Win32_TerminalService


def test_a_fault_with_line_breaks_around_every_word_is_read():
    content = answer((CAPTURES / "errors" / "max_concurrent.xml").read_bytes(), "Enumerate").content
    fault = fault_of(content)
    assert (fault.subcode, fault.codes) == ("InternalError", (2150859174,))
    assert fault.message.startswith("The WS-Management service cannot process the request. The maximum number")
    assert fault_of(answer((HOST / "Win32_Volume_star_000.xml").read_bytes(), "Enumerate").content) is None
