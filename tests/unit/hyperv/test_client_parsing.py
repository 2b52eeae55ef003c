"""Shapes of answers that no capture has, and answers that make no sense: rows, or a sentence."""

import time
import tracemalloc

import pytest

from collectors.hyperv.client import parsing
from collectors.hyperv.client.parsing import answer, instances, page
from collectors.hyperv.client.rows import Instance, Reference, every, many, text
from exporter.errors import Malformed

HEAD = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<s:Header><a:RelatesTo> uuid:1 </a:RelatesTo></s:Header><s:Body>"
)
TAIL = "</s:Body></s:Envelope>"


def pulled(inner, name="PullResponse"):
    return page(answer(f"{HEAD}<n:{name}>{inner}</n:{name}>{TAIL}".encode(), "Pull").content, "Pull")


def fragment(inner):
    (row,) = pulled(f"<n:Items><w:XmlFragment>{inner}</w:XmlFragment></n:Items><n:EndOfSequence/>").rows
    return row


@pytest.mark.parametrize(
    ("inner", "row"),
    [
        pytest.param("<A>1</A><B/>", {"A": "1", "B": ""}, id="an empty element is an empty text"),
        pytest.param('<A xsi:nil="true"/>', {"A": None}, id="nil"),
        pytest.param('<A xsi:nil="1"></A><B xsi:nil="false"/>', {"A": None, "B": ""}, id="nil in other words"),
        pytest.param("<A>1</A><A>2</A><B>3</B><A>4</A>", {"A": ("1", "2", "4"), "B": "3"}, id="an array is repeated"),
        pytest.param('<A>1</A><A xsi:nil="true"/>', {"A": ("1", None)}, id="nil within an array"),
        pytest.param("<A><Datetime>2026-01-02T03:04:05Z</Datetime></A>", {"A": "2026-01-02T03:04:05Z"}, id="a time"),
        pytest.param(
            '<A>\n  <c:Interval xmlns:c="http://schemas.dmtf.org/wbem/wscim/1/common">P0DT0H1M40S</c:Interval>\n</A>',
            {"A": "P0DT0H1M40S"},
            id="an interval, with line breaks around it",
        ),
        pytest.param("<A> a  b\n</A>", {"A": " a  b\n"}, id="blanks in a name are the name's"),
        pytest.param("<A>a&lt;b&#x1F600;]]&gt;</A>", {"A": "a<b\U0001f600]]>"}, id="a letter beyond 16 bits"),
        pytest.param("<A>x<!-- no --></A><?no way?>", {"A": "x"}, id="comments are no text"),
    ],
)
def test_a_fragment_becomes_a_row(inner, row):
    assert fragment(inner) == row


def test_a_reference_names_class_and_keys():
    inner = (
        "<R><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        "<a:ReferenceParameters><w:ResourceURI>http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/"
        'Msvm_ComputerSystem</w:ResourceURI><w:SelectorSet><w:Selector Name="Name">G-1</w:Selector>'
        '<w:Selector Name="CreationClassName">Msvm_ComputerSystem</w:Selector></w:SelectorSet>'
        "</a:ReferenceParameters></R>"
    )
    expected = Reference("Msvm_ComputerSystem", {"Name": "G-1", "CreationClassName": "Msvm_ComputerSystem"})
    assert fragment(inner)["R"] == expected
    row = fragment(inner + inner)
    assert row["R"] == (expected, expected)
    assert every(row, "R") == (expected, expected)
    assert every(fragment(inner), "R") == (expected,)
    assert many(row, "R") == ()
    assert text(row, "R") is None


def test_an_instance_within_a_property_is_a_row_of_its_class():
    inner = (
        '<e:SummaryInformation xmlns:e="urn:out" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/'
        'virtualization/v2/Msvm_SummaryInformation"><p:Name>G-1</p:Name><p:OperationalStatus>2</p:OperationalStatus>'
        "<p:OperationalStatus>32774</p:OperationalStatus></e:SummaryInformation>"
    )
    expected = Instance("Msvm_SummaryInformation", {"Name": "G-1", "OperationalStatus": ("2", "32774")})
    assert fragment(inner)["SummaryInformation"] == expected
    typed = '<S xsi:type="p:Msvm_Some_Type"><A>1</A></S>'
    assert fragment(typed)["S"] == Instance("Msvm_Some", {"A": "1"})
    assert fragment("<S><A>1</A></S>")["S"] == Instance("", {"A": "1"})


def test_instances_in_strings_are_read():
    given_ = (
        '<INSTANCE CLASSNAME="Msvm_VirtualHardDiskState"><PROPERTY NAME="FileSize" TYPE="uint64"><VALUE>4194304</VALUE>'
        '</PROPERTY><PROPERTY NAME="Gone" TYPE="string"></PROPERTY><PROPERTY.ARRAY NAME="Many" TYPE="string">'
        "<VALUE.ARRAY><VALUE>a</VALUE><VALUE/></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>"
    )
    expected = Instance("Msvm_VirtualHardDiskState", {"FileSize": "4194304", "Gone": None, "Many": ("a", "")})
    assert list(instances(given_, "GetVirtualHardDiskState")) == [expected]
    with pytest.raises(Malformed, match="GetVirtualHardDiskState is no XML"):
        list(instances("<INSTANCE", "GetVirtualHardDiskState"))


@pytest.mark.parametrize(
    ("name", "inner", "ended", "context"),
    [
        ("EnumerateResponse", "<n:EnumerationContext>c</n:EnumerationContext>", False, "c"),
        ("EnumerateResponse", "<n:EnumerationContext/><w:Items/><w:EndOfSequence/>", True, ""),
        ("EnumerateResponse", "<n:EnumerationContext/>", True, ""),
        ("EnumerateResponse", "", True, ""),
        ("PullResponse", "<n:EnumerationContext> c </n:EnumerationContext><w:Items/>", False, "c"),
        ("PullResponse", "<n:Items/>", False, ""),  # the context stays as it is
        ("PullResponse", "<n:EnumerationContext>c</n:EnumerationContext><w:EndOfSequence/>", True, "c"),
        ("PullResponse", "<n:EndOfSequence/>", True, ""),
        ("PullResponse", "<n:EnumerationContext/><n:Items/>", True, ""),
    ],
)
def test_the_end_of_an_enumeration(name, inner, ended, context):
    found = pulled(inner, name)
    assert (found.ended, found.context, found.rows) == (ended, context, [])


def test_an_answer_relates_to_a_message_also_between_line_breaks():
    assert answer(f"{HEAD}<x/>{TAIL}".encode(), "Pull").relates_to == "uuid:1"
    assert answer(f"{HEAD}{TAIL}".encode(), "Release").content is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no XML"),
        (b"<html><body>It works!", "is no XML"),
        (b"<html><body>It works!</body></html>", r"no message of WS-Management: is it WinRM's port\?"),
        (b'{"error": 1}', "is no XML"),
        (HEAD.encode(), "is no XML"),
        (f"{HEAD}<x/>{TAIL}".encode("utf-16"), "declares a document type or is UTF-16"),
        (b'<?xml version="1.0"?><!-- a --><!DOCTYPE e [<!ENTITY a "b">]><e>&a;</e>', "declares a document type"),
        (f"{HEAD}<x>&undefined;</x>{TAIL}".encode(), "is no XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "is no XML"),
        (b"<a>" * 100_000, "is no XML"),
    ],
)
def test_what_is_no_answer_is_named_so(content, sentence):
    with pytest.raises(Malformed, match=sentence):
        answer(content, "Pull")


def test_a_control_character_in_a_name_costs_that_letter_alone():
    assert fragment("<A>a\x01b</A><B>&#0;&#xD800;&#x41;</B>") == {"A": "a\ufffdb", "B": "\ufffd\ufffdA"}


def test_instances_in_instances_have_an_end():
    with pytest.raises(Malformed, match="nests instances deeper"):
        fragment("<S>" * 200 + "<A>1</A>" + "</S>" * 200)


def test_an_enumeration_is_wanted_where_one_was_asked():
    with pytest.raises(Malformed, match="holds no enumeration"):
        page(answer(f"{HEAD}<n:Other/>{TAIL}".encode(), "Pull").content, "Pull")


def test_entities_are_not_expanded_and_large_answers_not_read():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{laughs}]><lolz>&l9;</lolz>'.encode()
    large = f"{HEAD}<n:PullResponse>{'<x/>' * (parsing.LARGEST_BYTES // 4)}</n:PullResponse>{TAIL}".encode()
    tracemalloc.start()
    begun = time.process_time()
    for each in (bomb, large):
        with pytest.raises(Malformed):
            answer(each, "Pull")
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert time.process_time() - begun < 5


def test_the_most_elements_that_an_answer_can_hold_need_a_bounded_memory():
    dense = "<A/>" * ((parsing.LARGEST_BYTES - 1000) // 4)
    items = f"<n:Items><w:XmlFragment>{dense}</w:XmlFragment></n:Items>"
    densest = f"{HEAD}<n:PullResponse>{items}</n:PullResponse>{TAIL}"
    tracemalloc.start()
    page(answer(densest.encode(), "Pull").content, "Pull")
    assert tracemalloc.get_traced_memory()[1] < 200 << 20
    tracemalloc.stop()
