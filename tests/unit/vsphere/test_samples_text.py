"""Samples taken out of an answer's text are those that reading it as XML finds, whatever the answer looks like."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import SoapAdapter, VmomiSupport, vim

from collectors.vsphere.client import plain
from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.performance import Metric, numbers, parse, read_xml
from exporter.errors import Malformed

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body>
<QueryPerfResponse xmlns="urn:vim25">"""
TAIL = "</QueryPerfResponse>\n</soapenv:Body>\n</soapenv:Envelope>"
STAMPS = tuple(f"2026-01-01T00:00:{second:02}Z" for second in (0, 20, 40))
TIMES = ",".join(f"20,{each}" for each in STAMPS)
AT = 1767225600.0
VERSION = "vim.version.v8_0_3_0"


def series(values, counter=6, instance=""):
    metric = f"<id><counterId>{counter}</counterId><instance>{instance}</instance></id>"
    return f"<value>{metric}<value>{values}</value></value>"


def of_object(*told, times=TIMES, entity="vm-1"):
    return (
        f'<returnval xsi:type="PerfEntityMetricCSV"><entity type="VirtualMachine">{entity}</entity>'
        f"<sampleInfoCSV>{times}</sampleInfoCSV>{''.join(told)}</returnval>"
    )


def answer(*objects):
    return f"{HEAD}{''.join(objects)}{TAIL}".encode()


def found(read, body):
    """What a way of reading finds, as plain data."""
    try:
        return [(each.entity, each.timestamps, each.interval_seconds, each.values) for each in read(body)]
    except Malformed:
        return Malformed


def test_a_regular_answer_is_told_by_its_text_alone(monkeypatch):
    body = answer(of_object(series("3,-1,5"), series("7,8,9", 7, "scsi0:0")), of_object(series("1,2,3"), entity="vm-2"))
    expected = [
        (
            Ref("VirtualMachine", "vm-1"),
            (AT, AT + 20, AT + 40),
            20.0,
            {(6, ""): (3, None, 5), (7, "scsi0:0"): (7, 8, 9)},
        ),
        (Ref("VirtualMachine", "vm-2"), (AT, AT + 20, AT + 40), 20.0, {(6, ""): (1, 2, 3)}),
    ]
    assert found(read_xml, body) == expected
    monkeypatch.setattr("collectors.vsphere.client.performance.read_xml", None)
    assert found(parse, body) == expected
    one, other = parse(body)
    assert one.window is other.window


def test_objects_with_the_same_metrics_share_them():
    one, other = parse(answer(of_object(series("1,2,3")), of_object(series("4,5,6"), entity="vm-2")))
    assert one.columns is other.columns


ODD = [
    pytest.param(of_object(series("1,2,&#51;")), id="a character by its number"),
    pytest.param(of_object(series("1,2,3", instance="a&amp;b")), id="an entity"),
    pytest.param(of_object(series("<![CDATA[1,2,3]]>")), id="a section of characters"),
    pytest.param(of_object(f"<!--{series('1,2,3', 7)}-->", series("4,5,6")), id="a comment that holds a series"),
    pytest.param(f"<!--{of_object(series('1,2,3'))}-->", id="an object within a comment"),
    pytest.param(f"<!--{of_object(series('1,2,3')) * 3}-->", id="objects within a comment"),
    pytest.param(of_object("<?a <value>?>", series("4,5,6")), id="an instruction"),
    pytest.param(of_object(series("1,2,3", instance="käse")), id="a character that is not ASCII"),
    pytest.param(of_object(series("1,2,3").replace("<value>", '<value xmlns="urn:other">', 1)), id="another namespace"),
    pytest.param(of_object(series("1,2,3")).replace("returnval", "v:returnval"), id="a prefix that nobody declared"),
    pytest.param(
        of_object(series("1,2,3")).replace("<returnval", '<returnval xmlns="urn:none"'), id="an object of another world"
    ),
    pytest.param(of_object("<value><value>1,2,3</value><id><counterId>6</counterId></id></value>"), id="another order"),
    pytest.param(of_object("<value><id><counterId>6</counterId></id><value>1,2,3</value></value>"), id="no instance"),
    pytest.param(of_object(series("1,2,3").replace("></instance>", "/>")), id="an empty instance in short"),
    pytest.param(of_object(series("1,2,3").replace("<value>", "<value\n>")), id="white space within a tag"),
    pytest.param(of_object("\n ", series("1,2,3"), "\n"), id="white space between tags"),
    pytest.param(of_object(series(" 1,2, 3")), id="white space between numbers"),
    pytest.param(of_object(series("")), id="no values"),
    pytest.param(of_object(series("1,2")), id="too few values"),
    pytest.param(of_object(series("1,2,3,4"), series("1,2", 7)), id="as many values as there should be, but elsewhere"),
    pytest.param(of_object(series("1,,x")), id="values that are none"),
    pytest.param(of_object(series("1,-,--2")), id="signs without numbers"),
    pytest.param(of_object(series("1,2," + "9" * 5000)), id="a number without end"),
    pytest.param(of_object(series("1,2,3", "9" * 5000)), id="a counter without end"),
    pytest.param(of_object(series("1,2,3", "six"), series("1,2,3")), id="a counter that is no number"),
    pytest.param(of_object(series("1,2,3"), series("4,5,6")), id="a metric twice"),
    pytest.param(of_object(), id="no series"),
    pytest.param(of_object(times=""), id="nothing sampled"),
    pytest.param(of_object(series("1,2,3"), times=f"20,{STAMPS[2]},20,{STAMPS[0]},20,{STAMPS[1]}"), id="another time"),
    pytest.param(of_object(series("1"), times="20,yesterday"), id="a time that is none"),
    pytest.param(of_object(series("1"), times=f"0,{STAMPS[0]}"), id="a sample of no length"),
    pytest.param(of_object(series("1"), times=f"nan,{STAMPS[0]}"), id="a sample of unknown length"),
    pytest.param(of_object(series("1,2,3")).replace("</instance></id>", "</id></instance>"), id="tags that cross"),
    pytest.param(
        of_object(series("1,2,3") + "<value><id><counterId>7</counterId><instance></instance></value></value>"
                  "<value><id>1,2,3</id><value>4,5,6</value></value>"),
        id="a series that is cut",
    ),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_object_told_in_other_words_is_found_as_xml_beside_the_others(odd):
    body = answer(of_object(series("7,8,9"), entity="vm-0"), odd, of_object(series("4,5,6"), entity="vm-2"))
    assert found(parse, body) == found(read_xml, body)


@pytest.mark.parametrize(
    ("regular", "other"),
    [
        ("soapenv:", ""),
        ("soapenv:", "e:"),
        ('xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ""),
        ('xmlns:xsd="http://www.w3.org/2001/XMLSchema"', 'xmlns:xsi="urn:b"'),
        ("<soapenv:Body>", "<soapenv:Header></soapenv:Header><soapenv:Body>"),
        ("urn:vim25", "urn:internalvim25"),
        ("UTF-8", "ISO-8859-1"),
        ("</soapenv:Envelope>", ""),
        ("</soapenv:Envelope>", "</soapenv:Envelope><more/>"),
    ],
)
def test_an_answer_in_another_envelope_is_what_xml_says(regular, other):
    body = answer(of_object(series("7,8,9"))).replace(regular.encode(), other.encode())
    assert found(parse, body) == found(read_xml, body)


SNIPPETS = [
    *re.findall(r"<[^>]*>", answer(of_object(series("1,2,3"))).decode()),
    *("<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#49;", "&", "<", ">", '"', "]", "?>", "<?a ", " ", "\n", "\0"),
    *("1", "-1", ",", "-", "20,", STAMPS[1], "xmlns:", 'xmlns:a="b"', "é", "0", "nan", "</value>", "<value/>", "/"),
    *(series("1,2,3"), of_object(series("4,5,6")), of_object(), ""),
]
REGULAR = answer(
    of_object(series("3,-1,5"), series("7,8,9", 7, "scsi0:0")),
    of_object(series("1"), series("0", 9, "4000"), times=f"20,{STAMPS[0]}", entity="vm-2"),
).decode()
PLACES = [found.start() for found in re.finditer(r"[<>,]", REGULAR)] + [len(REGULAR)]


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.integers(-3, 60), st.sampled_from(SNIPPETS)), max_size=3))
def test_whatever_is_put_into_an_answer_or_taken_out_xml_decides(changes):
    text = REGULAR
    for place, length, snippet in changes:
        text = text[:place] + snippet + text[place + max(0, length) :]
    body = text.encode()
    assert found(parse, body) == found(read_xml, body)


amounts = st.integers(-1, 2**62)
metrics = st.tuples(st.integers(0, 999), st.sampled_from(["", "scsi0:0", "4000", "naa.6 a", "a&b", "[ds] é", '"']))


@given(st.data())
def test_what_pyvmomi_writes_is_found_as_pyvmomi_reads_it(data):
    kind = vim.PerformanceManager
    expected, text = [], ""
    for number in range(data.draw(st.integers(1, 4))):
        count = data.draw(st.integers(1, 3))
        told = data.draw(st.dictionaries(metrics, st.lists(amounts, min_size=count, max_size=count), min_size=1))
        sampled = kind.EntityMetricCSV(
            entity=vim.VirtualMachine(f"vm-{number}"),
            sampleInfoCSV=",".join(f"20,{each}" for each in STAMPS[:count]),
            value=[
                kind.MetricSeriesCSV(
                    id=kind.MetricId(counterId=counter, instance=instance), value=",".join(map(str, values))
                )
                for (counter, instance), values in told.items()
            ],
        )
        info = VmomiSupport.Object(name="returnval", type=kind.EntityMetricBase, version=VERSION, flags=0)
        written = SoapAdapter.Serialize(sampled, info, VERSION)
        its = SoapAdapter.Deserialize(written, kind.EntityMetricBase)
        # Without its declarations of namespaces, which an envelope has: as a vCenter writes it.
        text += re.sub("<returnval [^>]*>", '<returnval xsi:type="PerfEntityMetricCSV">', written.decode())
        stamps = [dt.datetime.fromisoformat(each).timestamp() for each in its.sampleInfoCSV.split(",")[1::2]]
        values = {(one.id.counterId, one.id.instance or ""): numbers(one.value) for one in its.value}
        expected.append((Ref("VirtualMachine", its.entity._moId), tuple(stamps), 20.0, values))
    assert found(parse, answer(text)) == expected


def test_what_is_told_by_its_text_is_every_character_of_it():
    assert plain.told(of_object(series("1,2,3"))) is not None
    assert plain.told(of_object(series("1,2,3"), " ")) is None
    assert plain.told(of_object(series("1,2,3"), "<value/>", series("1,2,3"))) is None
    assert plain.metric("7</counterId><instance/>") == Metric(7)
