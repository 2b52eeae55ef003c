"""The double's answers beside those of a genuine Windows Server 2012, byte by byte: evidence that we did not write.

A capture's instances are read with ElementTree, put into an estate as plain rows and asked for with the same query.
"""

import re
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.backends.winrm import WinRM
from tests.backends.winrm.cim import Property
from tests.backends.winrm.estate import Estate
from tests.backends.winrm_asking import Asker

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "wsman"
GENUINE = CAPTURES / "server_2012"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
CLASSES = sorted(path.stem for path in GENUINE.glob("*.properties"))

pytestmark = pytest.mark.skipif(not GENUINE.is_dir(), reason="the genuine captures are not beside the project")


def pages(name):
    """The texts of one enumeration."""
    return [path.read_bytes().decode() for path in sorted(GENUINE.glob(f"{name}_0*.xml"))]


def local(element):
    return element.tag.rpartition("}")[2]


def instances(texts):
    """Elements of the instances in order."""
    for text in texts:
        for element in ET.fromstring(text).iter():
            if local(element) == "Items":
                yield from element


def read(texts):
    """Rows with what each element held, and the properties that are dates or come more than once."""
    rows, dates, arrays = [], set(), set()
    for each in instances(texts):
        row = defaultdict(list, {"__CLASS": [local(each)]})
        for element in each:
            if local(element[0] if len(element) else element) == "Datetime":
                dates.add(local(element))
                row[local(element)].append(datetime.fromisoformat(element[0].text))
            elif element.get(NIL) == "true":
                row[local(element)].append(None)
            else:
                row[local(element)].append(element.text or "")
        arrays |= {name for name, values in row.items() if len(values) > 1}
        rows.append(row)
    return rows, dates, arrays


def estate_of(name, texts):
    """An estate with the capture's instances, and what the query named; what an instance lacks is a null array."""
    named = (GENUINE / f"{name}.properties").read_text().split()
    rows, dates, arrays = read(texts)
    names = {*named}.union(*rows) - {"__CLASS"}
    arrays |= {each for each in names if any(each not in row for row in rows)}
    kinds = [Property(each, "d" if each in dates else "s", each in arrays) for each in sorted(names, key=str.casefold)]
    plain = [{key: held if key in arrays else held[0] for key, held in row.items()} for row in rows]
    estate = Estate("AMAZONA-SDFU7B1", 2016)
    estate.define("root/cimv2", name, plain, kinds)
    return estate, named


def asked(estate, query):
    with (
        WinRM(estate, transport="basic", allow_unencrypted=True) as server,
        Asker(server.address, server.port, server.user, server.password) as asker,
    ):
        return asker.query("root/cimv2", query)


def split(texts):
    """The envelopes without their items and identifiers, and the items joined."""
    items = "".join("".join(re.findall(r"<[nw]:Items>(.*)</[nw]:Items>", text, re.DOTALL)) for text in texts)
    envelopes = [re.sub(r"(?<=:Items>).*(?=</[nw]:Items>)", "", text, flags=re.DOTALL) for text in texts]
    return [re.sub(r"uuid:[0-9A-F-]{36}", "uuid:…", text) for text in envelopes], items


@pytest.mark.parametrize("shape", ["star", "all"])
@pytest.mark.parametrize("name", CLASSES)
def test_the_double_answers_what_a_genuine_host_answered(name, shape):
    genuine = pages(f"{name}_{shape}")
    estate, names = estate_of(name, genuine)
    ours = asked(estate, f"SELECT {'*' if shape == 'star' else ','.join(names)} FROM {name}")
    (our_envelopes, our_items), (envelopes, items) = split(ours), split(genuine)
    assert our_items == items
    assert len(our_envelopes) == len(envelopes)
    assert our_envelopes == envelopes


def test_its_full_pages_are_as_large_as_genuine_ones():
    def sizes(texts):
        return [len(text) for text in texts[1:-1]]

    genuine = [size for name in CLASSES for shape in ("star", "all") for size in sizes(pages(f"{name}_{shape}"))]
    texts = pages("Win32_Service_star")
    estate, _ = estate_of("Win32_Service", texts)
    ours = sizes(asked(estate, "SELECT * FROM Win32_Service"))
    assert ours
    assert min(genuine) - 2500 < min(ours) <= max(ours) <= 76_800
    assert max(genuine) <= 76_800


def test_the_quota_fault_has_the_shape_of_the_genuine_one():
    genuine = (CAPTURES / "errors" / "max_concurrent.xml").read_text()
    estate = Estate("AMAZONA-SDFU7B1", 2016)
    with WinRM(estate, transport="basic", allow_unencrypted=True) as server:
        server.misbehave("fault", name="quota_operations", style="wsman")
        with Asker(server.address, server.port, server.user, server.password) as asker:
            status, ours = asker.enumerate("root/cimv2", "SELECT * FROM Win32_Volume")

    def shape(element):
        """Tags and attributes; the texts where they are no identifiers."""
        text = " ".join((element.text or "").split())
        kept = text if local(element) in ("Action", "Value", "Text") else ""
        return (
            element.tag,
            {*element.keys()} - {"{http://www.w3.org/XML/1998/namespace}lang"},
            kept,
            [*map(shape, element)],
        )

    assert status == 500
    assert shape(ET.fromstring(ours)) == shape(ET.fromstring(genuine))
    assert ET.fromstring(ours).find(".//{*}WSManFault").get("Code") == "2150859174"
