"""Answers about properties read from their bytes: the same as by way of the tree, or not at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.vsphere.client import flat, properties, updates
from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.updates import Change
from collectors.vsphere.groups import storage
from collectors.vsphere.mapping import devices as mapping
from collectors.vsphere.mapping.devices import DEVICES
from exporter.errors import Malformed

SHAPES = {**mapping.SHAPES, **storage.SHAPES}
SCHEMA = "http://www.w3.org/2001/XMLSchema"
OWN = f'xmlns:_XMLSchema-instance="{SCHEMA}-instance" _XMLSchema-instance:type'
"""As the simulator writes the attribute with a value's type; `xsi:type` is how vCenter and ESXi do."""


def envelope(operation, inner):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"
 xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsd="{SCHEMA}" xmlns:xsi="{SCHEMA}-instance">
<soapenv:Body>
<{operation}Response xmlns="urn:vim25"><returnval>{inner}</returnval></{operation}Response>
</soapenv:Body>
</soapenv:Envelope>""".encode()


def page(*objects, token="<token>more</token>"):
    told = "".join(f'<objects><obj type="VirtualMachine">{ref}</obj>{inner}</objects>' for ref, inner in objects)
    return envelope("RetrievePropertiesEx", token + told)


def changes(*objects, truncated="<truncated>true</truncated>"):
    sets = "".join(
        f'<objectSet><kind>{kind}</kind><obj type="VirtualMachine">{ref}</obj>{inner}</objectSet>'
        for kind, ref, inner in objects
    )
    begin = '<version>7</version><filterSet><filter type="PropertyFilter">session[1]2</filter>'
    return envelope("WaitForUpdatesEx", f"{begin}{sets}</filterSet>{truncated}")


def device(kind, inner):
    return f'<VirtualDevice xsi:type="{kind}">{inner}</VirtualDevice>'


DISK = device(
    "VirtualDisk",
    '<key>2000</key><deviceInfo xsi:type="Description"><label>Hard disk 1</label>'
    "<summary>1 &amp; 2</summary></deviceInfo>"
    '<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[a] b/b-000001.vmdk</fileName>'
    '<datastore type="Datastore">datastore-1</datastore><diskMode>persistent</diskMode>'
    "<thinProvisioned>true</thinProvisioned><parent><fileName>[a] b/b.vmdk</fileName></parent></backing>"
    "<controllerKey>1000</controllerKey><unitNumber>0</unitNumber><capacityInKB>2048</capacityInKB>",
)
OTHERS = [
    device("VirtualCdrom", "<key>3000</key><backing/>"),
    device("ParaVirtualSCSIController", "<key>1000</key><busNumber>1</busNumber><device>2000</device>"),
    device("VirtualVmxnet3", "<key>4000</key><macAddress>00:50:56:AA:00:01</macAddress>"),
    device("VirtualTomorrow", "<key>1</key><novelty>x</novelty>"),
]
LEAVES = st.sampled_from(
    [
        ("name", "xsd:string", "web"), ("name", "xsd:string", ""), ("name", "xsd:string", "a &amp; b"),
        ("name", "xsd:string", "Zürich"), ("summary.config.numCpu", "xsd:int", "4"), ("a.b", "xsd:int", "much"),
        ("a.b", "xsd:int", ""), ("config.template", "xsd:boolean", "false"), ("a.b", "xsd:boolean", "perhaps"),
        ("runtime.bootTime", "xsd:dateTime", "2026-11-21T07:00:00.5Z"), ("a.b", "xsd:double", "INF"),
        ("runtime.powerState", "VirtualMachinePowerState", "poweredOn"), ("a.b", "VirtualMachinePowerState", ""),
        ("a.b", "ArrayOfString", ""), ("a.b", "ArrayOfString", "<string>x</string>"),
        ("a.b", "VirtualMachineQuestionInfo", "<id>1</id><text>why?</text>"), ("a.b", "xsd:long", " 5 "),
        ("a.b", "ManagedByInfo", ""), (DEVICES, "VirtualMachineConfigInfo", "<name>not a list</name>"),
    ]
)  # fmt: skip
ATTRIBUTE = st.sampled_from(["xsi:type", OWN])


def leaf(made):
    (path, kind, held), attribute = made
    return path, f'<val {attribute}="{kind}">{held}</val>'


def devices(made):
    items, attribute = made
    text = "".join(items) if attribute == "xsi:type" else "".join(items).replace("xsi:", "_XMLSchema-instance:")
    return DEVICES, f'<val {attribute}="ArrayOfVirtualDevice">{text}</val>'


MAPPINGS = "<mappings><key>2000</key></mappings><mappings><key>2001</key><capacity>7</capacity></mappings>"
FILE_SYSTEMS = st.lists(
    st.sampled_from(
        [
            f"<diskPath>/</diskPath><capacity>5</capacity><freeSpace>1</freeSpace>{MAPPINGS}",
            "<diskPath>/srv</diskPath><capacity>much</capacity>",
            "<diskPath>C:\\</diskPath><freeSpace></freeSpace>",
            "<diskPath>/a &amp; b</diskPath>",
            "<diskPath><capacity>5</capacity></diskPath>",
            "<diskPath>one</diskPath><diskPath>two</diskPath>",
            "<capacity><x/></capacity>",
            "",
        ]
    ),
    max_size=3,
)
DATASTORES = st.lists(st.sampled_from(["datastore-1", "datastore-2", ""]), max_size=3)
LISTS = st.one_of(
    FILE_SYSTEMS.map(
        lambda held: ("guest.disk", "GuestDiskInfo", [f"<GuestDiskInfo>{each}</GuestDiskInfo>" for each in held])
    ),
    FILE_SYSTEMS.map(lambda held: ("guest.disk", "New", [f"<New>{each}</New>" for each in held])),
    DATASTORES.map(
        lambda held: (
            "datastore",
            "ManagedObjectReference",
            [f'<ManagedObjectReference type="Datastore">{each}</ManagedObjectReference>' for each in held],
        )
    ),
    st.just(
        (
            "datastore",
            "ManagedObjectReference",
            ['<ManagedObjectReference xsi:type="A" type="B">c</ManagedObjectReference>'],
        )
    ),
)


def listed(made):
    (path, kind, items), attribute = made
    return path, f'<val {attribute}="ArrayOf{kind}">{"".join(items)}</val>'


VALUE = st.one_of(
    st.tuples(LEAVES, ATTRIBUTE).map(leaf),
    ATTRIBUTE.map(lambda name: ("runtime.host", f'<val type="HostSystem" {name}="ManagedObjectReference">h-1</val>')),
    st.tuples(st.just("parentVApp"), st.sampled_from(["", '<val xsi:nil="true"/>', '<val xsi:type="ArrayOfString"/>'])),
    st.tuples(LISTS, ATTRIBUTE).map(listed),
    st.tuples(st.lists(st.sampled_from([DISK, *OTHERS]), max_size=4), ATTRIBUTE).map(devices),
)
MISSING = (
    "<missingSet><path>config.uuid</path>"
    "<fault><fault xsi:type='NoPermission'/><localizedMessage/></fault></missingSet>"
)
OBJECT = st.lists(VALUE, max_size=5)


def of_page(values):
    return "".join(f"<propSet><name>{path}</name>{held}</propSet>" for path, held in values) + MISSING


def of_change(values):
    return (
        "".join(f"<changeSet><name>{path}</name><op>assign</op>{held}</changeSet>" for path, held in values) + MISSING
    )


PAGES = st.lists(OBJECT, max_size=3).map(lambda of: page(*((f"vm-{n}", of_page(each)) for n, each in enumerate(of))))
CHANGES = st.lists(OBJECT, max_size=3).map(
    lambda of: changes(*(("modify", f"vm-{n}", of_change(each)) for n, each in enumerate(of)))
)
BODIES = st.one_of(st.tuples(st.just(properties), PAGES), st.tuples(st.just(updates), CHANGES))


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_what_is_of_the_usual_shape_is_read_as_by_the_tree(body):
    way, text = body
    assert way.parse_flat(text, SHAPES) == way.parse_tree(text, SHAPES)


ODD = [
    b"<!-- no -->", b"<![CDATA[<val>]]>", b"&amp;", b"&#65;", b"&#xD;", b"&#x1;", b"\r\n", b"\r", b" ", b"\t", b"\x01",
    b"\x00", b"\xff", b"\xef\xbf\xbe", "ä".encode(), b"<val/>", b"<val>x</val>", b"</val>", b"<propSet>", b"</propSet>",
    b"<", b">", b'"', b"<x/>", b"<x:y/>", b' xsi:nil="true"', b' xmlns="urn:other"', b"<VirtualDevice>", b"9",
    b"</VirtualDevice>", b"</objects>", b"<?xml version='1.0'?>", b"<!DOCTYPE a>", b"<objects>", b"</returnval>",
    b"<returnval/>", b"]]>",
]  # fmt: skip
WEB = ("name", '<val xsi:type="xsd:string">web</val>')
WHOLE = page(("vm-1", of_page([WEB, devices(([DISK, *OTHERS], "xsi:type"))])))


@settings(max_examples=1500, deadline=None)
@given(BODIES, st.data())
@example((properties, WHOLE), None)
def test_an_answer_that_is_odd_at_any_place_is_never_read_otherwise_than_by_the_tree(body, data):
    way, text = body
    if data is not None:
        place, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 3))
        text = text[:place] + data.draw(st.sampled_from(ODD)) + text[place + length :]
    try:
        theirs = way.parse_tree(text, SHAPES)
    except Malformed:
        return
    try:
        ours = way.parse_flat(text, SHAPES)
    except flat.Unusual:
        ours = theirs
    assert ours == theirs
    assert way.parse(text, SHAPES) == theirs


def test_the_usual_is_not_unusual():
    found = properties.parse_flat(WHOLE, SHAPES)
    known = found.objects[Ref("VirtualMachine", "vm-1")]
    ((label, disk),) = known[DEVICES].disks
    assert (known["name"], label, disk.instance, disk.capacity_bytes) == ("web", "Hard disk 1", "scsi1:0", 2_097_152)
    assert [nic.mac for nic in known[DEVICES].nics] == ["00:50:56:aa:00:01"]
    assert found.lost == [(Ref("VirtualMachine", "vm-1"), "config.uuid", "NoPermission")]
    assert found.token == "more"
    told = updates.parse_flat(changes(("enter", "vm-1", of_change([("parentVApp", "")]))), SHAPES)
    assert (told.version, told.truncated, told.updates[0].changes) == ("7", True, [Change("parentVApp")])


@pytest.mark.parametrize("way", [properties, updates])
@pytest.mark.parametrize("text", [b"", b"<html>", b"\xef\xbb\xbf" + WHOLE, WHOLE[:-1], WHOLE + WHOLE])
def test_what_begins_or_ends_otherwise_is_unusual(way, text):
    with pytest.raises(flat.Unusual):
        way.parse_flat(text, SHAPES)


def test_references_and_words_that_come_again_are_the_same_objects():
    same = of_page(
        [
            ("runtime.host", '<val type="HostSystem" xsi:type="ManagedObjectReference">host-7</val>'),
            ("runtime.powerState", '<val xsi:type="VirtualMachinePowerState">poweredOn</val>'),
        ]
    )
    one, other = (properties.parse_flat(page((ref, same)), SHAPES).objects.popitem()[1] for ref in ("vm-1", "vm-2"))
    assert all(one[path] is other[path] for path in one)
    assert [id(path) for path in one] == [id(path) for path in other]
