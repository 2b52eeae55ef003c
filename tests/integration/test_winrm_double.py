"""What the WinRM double answers, seen with raw requests and eyes of the test's own."""

import re
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from tests.backends.winrm import Ago, Clock, Counter, WinRM, stand_alone
from tests.backends.winrm_asking import ENUMERATION, TRANSFER, Asker, context_of

V2, CIMV2 = "root/virtualization/v2", "root/cimv2"
SYSTEMS = "SELECT Name FROM Msvm_ComputerSystem"


@pytest.fixture
def estate():
    return stand_alone(guests=3)


@pytest.fixture
def server(estate):
    with WinRM(estate, transport="basic", allow_unencrypted=True) as started:
        yield started


@pytest.fixture
def asker(server):
    with Asker(server.address, server.port, server.user, server.password) as made:
        yield made


@contextmanager
def reached(estate):
    with (
        WinRM(estate, transport="basic", allow_unencrypted=True) as server,
        Asker(server.address, server.port, server.user, server.password) as asker,
    ):
        yield asker


def rows(*texts):
    """Rows of answers with named properties: text by property, lists where one comes more than once."""
    found = []
    for text in texts:
        for fragment in ET.fromstring(text).iter("{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}XmlFragment"):
            row = {}
            for element in fragment:
                row[element.tag] = [*row.get(element.tag, []), element[0].text if len(element) else element.text]
            found.append({name: held[0] if len(held) == 1 else held for name, held in row.items()})
    return found


def fault_code(text):
    """The number of a fault, in either style."""
    found = re.search(r'WSManFault[^>]* Code="(\d+)"|<p:error_Code[^>]*>(\d+)<', text)
    return int(found[1] or found[2])


def test_an_optimised_enumeration_answers_one_row_and_the_rest_is_pulled(asker):
    status, first = asker.enumerate(V2, SYSTEMS)
    assert status == 200
    assert len(rows(first)) == 1
    status, second = asker.pull(V2, context_of(first), 2)
    assert len(rows(second)) == 2
    assert "EndOfSequence" not in second
    assert context_of(second) not in ("", context_of(first))
    status, third = asker.pull(V2, context_of(second))
    assert len(rows(third)) == 1
    assert "<n:EndOfSequence/>" in third
    assert context_of(third) == ""


def test_an_enumeration_that_is_not_optimised_answers_none_and_a_pull_without_number_one(asker):
    _, first = asker.enumerate(V2, SYSTEMS, optimise=False)
    assert "Items" not in first
    _, second = asker.pull(V2, context_of(first), None)
    assert len(rows(second)) == 1


def test_a_context_serves_once_and_is_gone_when_released(server, asker):
    _, first = asker.enumerate(V2, SYSTEMS)
    _, second = asker.pull(V2, context_of(first), 1)
    status, again = asker.pull(V2, context_of(first), 1)
    assert (status, "InvalidEnumerationContext" in again) == (500, True)
    assert server.open_enumerations == 1
    body = f"<n:Release><n:EnumerationContext>{context_of(second)}</n:EnumerationContext></n:Release>"
    assert asker.ask(f"{V2}/*", f"{ENUMERATION}Release", body)[0] == 200
    assert server.open_enumerations == 0
    assert asker.pull(V2, context_of(second))[0] == 500


def test_a_context_is_enough_whatever_namespace_a_pull_names(asker):
    """virt-who pulls what it asked of v2 in the namespace of 2008, and Windows lets it."""
    _, first = asker.enumerate(V2, SYSTEMS)
    _, second = asker.pull("root/virtualization", context_of(first))
    assert len(rows(second)) == 3


def test_pages_end_before_75_kb_or_what_the_client_can_take():
    estate = stand_alone(guests=400)
    with reached(estate) as asker:
        texts = asker.query(V2, "SELECT * FROM Msvm_ComputerSystem")
        _, first = asker.enumerate(V2, "SELECT * FROM Msvm_ComputerSystem")
        _, small = asker.pull(V2, context_of(first), envelope=51_200)
    assert [len(text) for text in texts[1:-1] if not 70_000 < len(text) <= 76_800] == []
    assert len(texts) > 10
    assert 20_000 < len(small) <= 25_600  # an envelope counts two bytes a character


def test_operations_that_are_never_ended_exceed_the_quota(server, asker):
    server.sites[0].service.operations_limit = 15
    answers = [asker.enumerate(V2, SYSTEMS) for _ in range(16)]
    assert [status for status, _ in answers] == [200] * 15 + [500]
    assert fault_code(answers[-1][1]) == 2150859174


@pytest.mark.parametrize(
    ("namespace", "query"),
    [
        (V2, "SELECT Name, Colour FROM Msvm_ComputerSystem"),
        (V2, "SELECT Name FROM Msvm_ComputerSystem WHERE Colour = 1"),
        (V2, "SELECT Name FROM Msvm_Toaster"),
        (CIMV2, SYSTEMS),
        (V2, "SELECT Name FORM Msvm_ComputerSystem"),
        ("root/MSCluster", "SELECT Name FROM MSCluster_Node"),
    ],
    ids=["property", "property in WHERE", "class", "class of another namespace", "no WQL", "namespace of clusters"],
)
@pytest.mark.parametrize("style", ["wsman", "wmi"])
def test_what_is_not_there_fails_the_whole_query(server, asker, namespace, query, style):
    server.sites[0].service.fault_style = style
    status, text = asker.enumerate(namespace, query)
    assert status == 500
    assert fault_code(text) == 2150858778
    assert "<s:Value>n:CannotProcessFilter</s:Value>" in text
    assert ("MSFT_WmiError" in text) == (style == "wmi")


def test_a_resource_that_is_not_there_is_told_apart_from_a_query(asker):
    wish = "<n:Enumerate/>"
    assert fault_code(asker.ask(f"{V2}/Msvm_Toaster", f"{ENUMERATION}Enumerate", wish)[1]) == 2150858752
    assert fault_code(asker.ask(f"{V2}/*", f"{ENUMERATION}Enumerate", wish)[1]) == 2150859003


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (2016, (False, True, False)),
        (2019, (False, True, True)),
        (2022, (True, True, True)),
        (2025, (True, False, True)),
    ],
)
def test_builds_differ_in_properties(build, found):
    queries = (
        "SELECT GuestAvailableMemory FROM Win32_PerfRawData_BalancerStats_HyperVDynamicMemoryVM",
        "SELECT ParkingStatus FROM Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor",
    )
    with reached(stand_alone(build)) as asker:
        answers = [asker.enumerate(CIMV2, query)[0] for query in queries]
        answers.append(asker.enumerate(V2, "SELECT IsAutomaticSnapshot FROM Msvm_VirtualSystemSettingData")[0])
    assert tuple(status == 200 for status in answers) == found


def test_whether_named_properties_come_as_fragments_can_be_chosen(server, asker):
    """Fragments are known of Server 2012; nothing is known of newer builds."""
    server.sites[0].service.fragments = False
    _, text = asker.enumerate(V2, "SELECT Name,EnabledState FROM Msvm_ComputerSystem")
    assert "XmlFragment" not in text
    assert re.search(
        r"<p:Msvm_ComputerSystem [^>]*><p:EnabledState>2</p:EnabledState><p:Name>HV-1</p:Name></p:Msvm", text
    )


def test_several_ways_in_are_offered_at_once(estate):
    with (
        WinRM(estate, transport=("negotiate", "basic"), tls=True) as server,
        Asker(server.address, server.port, "x", "y", tls=ssl.create_default_context(cafile=server.ca_file)) as asker,
    ):
        asker.connection.request("POST", "/wsman", b"")
        with asker.connection.getresponse() as answer:
            offers = answer.headers.get_all("WWW-Authenticate")
    assert offers == ["Negotiate", "Kerberos", 'Basic realm="WSMAN"']


def test_rows_are_chosen_by_where(asker):
    def names(condition):
        texts = asker.query(V2, f"SELECT ElementName FROM Msvm_ComputerSystem WHERE {condition}")
        return [row["ElementName"] for row in rows(*texts)]

    assert names("EnabledState = 3") == ["guest-3"]
    assert names("Name != __SERVER AND NOT (EnabledState <> 2)") == ["guest-1", "guest-2"]
    assert names("ElementName LIKE 'guest-%' AND EnabledState >= 3 OR Name = 'hv-1'") == ["HV-1", "guest-3"]
    assert names("OnTimeInMilliseconds IS NULL") == ["HV-1"]


def test_nulls_arrays_dates_and_references_have_the_known_shapes(estate, asker):
    first = estate.row("Msvm_ComputerSystem", ElementName="guest-1")
    first.update(
        InstallDate=datetime(2026, 1, 2, 3, 4, 5, 120_000, UTC),
        OperationalStatus=[2, 32774],
        StatusDescriptions=None,
        Status="",
    )
    named = "SELECT InstallDate,OperationalStatus,StatusDescriptions,Status,ProcessID FROM Msvm_ComputerSystem"
    _, text = asker.enumerate(V2, f"{named} WHERE ElementName = 'guest-1'")
    assert (
        "<InstallDate><Datetime>2026-01-02T03:04:05.12Z</Datetime></InstallDate>"
        "<OperationalStatus>2</OperationalStatus><OperationalStatus>32774</OperationalStatus>"
        "<ProcessID>4000</ProcessID><Status></Status></w:XmlFragment>"
    ) in text
    _, text = asker.enumerate(V2, "SELECT * FROM Msvm_ComputerSystem WHERE ElementName = 'guest-1'")
    assert "<p:InstallDate><cim:Datetime>2026-01-02T03:04:05.12Z</cim:Datetime></p:InstallDate>" in text
    assert '<p:LastSuccessfulBackupTime xsi:nil="true"/>' in text
    assert "StatusDescriptions" not in text


def test_counters_follow_the_clock_and_wrap_where_their_type_does(estate, asker):
    disk = "Win32_PerfRawData_Counters_HyperVVirtualStorageDevice"
    estate.instances[disk][0].update(ReadCount=Counter(2**32 - 1000, 100), ReadBytesPersec=Counter(2**32 - 1000, 100))

    def read():
        texts = asker.query(CIMV2, f"SELECT ReadCount,ReadBytesPersec FROM {disk}")
        return rows(*texts)[0]

    assert read() == {"ReadCount": "4294966296", "ReadBytesPersec": "4294966296"}
    estate.clock.advance(30)  # 3,000 more: 2,000 beyond 2^32
    assert read() == {"ReadCount": "2000", "ReadBytesPersec": "4294969296"}


def test_dates_follow_the_clock_of_the_host(asker, estate):
    estate.clock.start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    estate.clock.advance(60)
    estate.clock.skew_seconds = 3600
    estate.row("Msvm_ComputerSystem", ElementName="guest-1")["LastSuccessfulBackupTime"] = Ago(61)
    query = "SELECT LastSuccessfulBackupTime FROM Msvm_ComputerSystem WHERE ElementName = 'guest-1'"
    assert rows(asker.enumerate(V2, query)[1]) == [{"LastSuccessfulBackupTime": "2026-03-01T12:58:59Z"}]
    local = rows(asker.enumerate(CIMV2, "SELECT LocalDateTime FROM Win32_OperatingSystem")[1])
    assert local == [{"LocalDateTime": "2026-03-01T13:01:00Z"}]


def test_a_clock_can_run_by_itself():
    clock = Clock(running=True)
    before = clock.elapsed
    while clock.elapsed == before:
        pass
    assert clock.now() > clock.start


@pytest.mark.parametrize("name", ["a:b", 'it\'s "so"', "<b>&amp;", "🦆 eins", "zwei\x07", "C:\\x", "x" * 100])
def test_names_of_any_kind_come_through(estate, asker, name):
    estate.row("Msvm_ComputerSystem", ElementName="guest-1")["ElementName"] = name
    texts = asker.query(V2, "SELECT ElementName FROM Msvm_ComputerSystem")
    assert rows(*texts)[1] == {"ElementName": name.replace("\x07", "?")}


def test_one_instance_is_got_by_its_keys(asker):
    uri, get = f"{CIMV2}/Win32_Volume", f"{TRANSFER}Get"
    status, text = asker.ask(uri, get, selectors={"Name": "C:\\"})
    assert status == 200
    assert "<p:DriveLetter>C:</p:DriveLetter>" in text
    assert fault_code(asker.ask(uri, get, selectors={"Name": "Q:\\"})[1]) == 2150858752
    assert fault_code(asker.ask(uri, get, selectors={"Colour": "red"})[1]) == 2150858843


def test_a_disk_file_is_told_as_cim_xml_in_a_string(asker):
    uri = f"{V2}/Msvm_ImageManagementService"
    full = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/{uri}"

    def invoke(method, out, path):
        body = f'<p:{method}_INPUT xmlns:p="{full}"><p:Path>{path}</p:Path></p:{method}_INPUT>'
        return ET.fromstring(asker.ask(uri, f"{full}/{method}", body)[1]).findtext(f".//{{{full}}}{out}")

    def values(method, out):
        text = invoke(method, out, "D:\\Guests\\guest-1\\disk0.vhdx")
        return {each.get("NAME"): each.findtext("VALUE") for each in ET.fromstring(text)}

    assert values("GetVirtualHardDiskState", "State")["FileSize"] == "10737418240"  # 10 GiB
    told = values("GetVirtualHardDiskSettingData", "SettingData")
    assert (told["MaxInternalSize"], told["Type"], told["ParentPath"]) == ("42949672960", "3", None)  # 40 GiB, dynamic
    assert invoke("GetVirtualHardDiskState", "ReturnValue", "D:\\gone.vhdx") == "32779"


def test_identify_needs_no_login_and_tells_the_version_to_those_who_have(server, asker):
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body><i:Identify'
        ' xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
    )
    authorization = asker.headers.pop("Authorization")
    status, text = asker.post(body, WSMANIDENTIFY="unauthenticated")
    assert (status, "OS: 0.0.0 SP: 0.0 Stack: 3.0" in text) == (200, True)
    assert asker.post(body)[0] == 401
    status, text = asker.post(body, Authorization=authorization)
    assert (status, "OS: 10.0.20348 SP: 0.0 Stack: 3.0" in text) == (200, True)
    assert server.counts["Identify"] == 2


def test_it_tells_what_it_was_asked(server, asker):
    asker.query(V2, SYSTEMS)
    assert [(each.operation, each.class_name) for each in server.asked] == [
        ("Enumerate", "Msvm_ComputerSystem"),
        ("Pull", "Msvm_ComputerSystem"),
    ]
    assert server.asked[0].query == SYSTEMS
    assert server.counts["requests"] == 2
    assert server.counts["connections"] == 1
