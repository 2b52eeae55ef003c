"""Whatever a host, or who pretends to be one, sends: rows, a fault, or one sentence."""

from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.hyperv.client.parsing import read, row_of
from tests.fuzz.wsman import check

HEAD = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    b'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    b'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>'
)
TAIL = b"</s:Body></s:Envelope>"
WORDS = [
    "a:ReferenceParameters",
    "w:ResourceURI",
    "w:SelectorSet",
    "w:Selector",
    "n:Items",
    "w:XmlFragment",
    "A",
    "B",
    "Datetime",
    "n:EnumerationContext",
    "n:EndOfSequence",
    "s:Fault",
    "s:Code",
    "s:Subcode",
    "s:Value",
    "s:Detail",
    "WSManFault",
    "error_Code",
    "StatusCode",
    "INSTANCE",
    "PROPERTY",
    "VALUE",
]
TEXTS = [
    "",
    "1",
    "-1",
    "2150858778",
    "0x80041010",
    " \n",
    "&#0;",
    "\x00",
    "<![CDATA[x]]>",
    "w:QuotaLimit",
    "\U0001f600",
]


def element(children):
    attributes = st.sampled_from(["", ' xsi:nil="true"', ' Code="5"', ' Name="a"', ' NAME="a"', ' xsi:type="p:A_Type"'])
    return st.tuples(st.sampled_from(WORDS), attributes, st.lists(children, max_size=4)).map(
        lambda it: f"<{it[0]}{it[1]}>{''.join(it[2])}</{it[0]}>"
    )


TREES = st.recursive(st.sampled_from(TEXTS), element, max_leaves=25)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_bytes(content):
    check(content)
    check(HEAD + content + TAIL)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["n:PullResponse", "n:EnumerateResponse", "s:Fault", "INSTANCE"]), st.lists(TREES, max_size=5))
def test_elements_where_they_do_not_belong(name, children):
    inner = f"<{name}>{''.join(children)}</{name}>".encode()
    check(HEAD + inner + TAIL)
    check(inner)
    check((HEAD + inner + TAIL)[: len(HEAD) + len(inner) // 2])


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, st.one_of(st.none(), VALUES), max_size=8))
def test_what_is_written_as_xml_is_read_as_it_was(row):
    item = ET.Element("XmlFragment")
    for name, value in row.items():
        each = ET.SubElement(item, name)
        each.text = value
        if value is None:
            each.set("{http://www.w3.org/2001/XMLSchema-instance}nil", "true")
    assert row_of(read(ET.tostring(item), "a test")) == row
