"""XML to plain data: pyVmomi's own decoder is the oracle where it can read an answer, tables say the rest."""

import datetime as dt
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyVmomi import SoapAdapter, VmomiSupport, vim

from collectors.vsphere.client.decode import KIND, Ref, value
from tests.backends.fake_vcenter.service import SPOKEN, encoded
from tests.unit.vsphere.oracle import differences, plain

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="urn:vim25"'


def decoded(text: str, kind: str = ""):
    return value(ET.fromstring(text.replace(" ", f" {XSI} ", 1)), kind)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=20)
INT, LONG = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1).map(VmomiSupport.long)
WHEN = st.integers(0, 2**32).map(lambda at: dt.datetime.fromtimestamp(at, dt.UTC))
REFERENCE = st.builds(vim.Datastore, st.text("abcdef-0123456789", min_size=1))
BACKING = st.builds(
    vim.vm.device.VirtualDisk.FlatVer2BackingInfo,
    fileName=TEXT, diskMode=TEXT, thinProvisioned=st.booleans(), datastore=REFERENCE,
)  # fmt: skip
DISK = st.builds(
    vim.vm.device.VirtualDisk,
    key=INT, capacityInKB=LONG, capacityInBytes=LONG, backing=BACKING, controllerKey=INT,
)  # fmt: skip
PARTITION = st.builds(vim.vm.GuestInfo.DiskInfo, diskPath=TEXT, capacity=LONG, freeSpace=LONG)
STATISTICS = st.builds(
    vim.vm.Summary.QuickStats,
    overallCpuUsage=INT, guestHeartbeatStatus=st.sampled_from(["gray", "green", "red"]), uptimeSeconds=INT,
)  # fmt: skip
TREE = st.recursive(
    st.builds(
        vim.vm.SnapshotTree,
        snapshot=st.builds(vim.vm.Snapshot, st.just("snapshot-1")), vm=st.builds(vim.VirtualMachine, st.just("vm-1")),
        name=TEXT, description=TEXT, id=INT, createTime=WHEN, quiesced=st.booleans(), state=st.just("poweredOff"),
    ),
    lambda below: st.tuples(below, st.lists(below, max_size=3)).map(lambda both: _with(*both)),
    max_leaves=5,
)  # fmt: skip


def _with(tree, below):
    made = vim.vm.SnapshotTree(
        **{each.name: getattr(tree, each.name) for each in tree._GetPropertyList() if each.name != "childSnapshotList"}
    )
    made.childSnapshotList = below
    return made


def many(kind, items):
    return st.lists(items, max_size=4).map(kind)


VALUES = st.one_of(
    TEXT, INT, LONG, st.booleans(), WHEN, REFERENCE, DISK, STATISTICS, TREE,
    st.floats(allow_nan=False, width=32), st.floats(allow_nan=False).map(VmomiSupport.double),
    many(VmomiSupport.GetVmodlType("vim.vm.device.VirtualDevice[]"), DISK),
    many(VmomiSupport.GetVmodlType("vim.vm.GuestInfo.DiskInfo[]"), PARTITION),
    many(VmomiSupport.GetVmodlType("int[]"), INT), many(VmomiSupport.GetVmodlType("string[]"), TEXT),
    many(VmomiSupport.GetVmodlType("vim.Datastore[]"), REFERENCE),
    st.sampled_from(["poweredOn", "suspended"]).map(vim.VirtualMachine.PowerState),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_whatever_pyvmomi_writes_and_reads_we_read_alike(written):
    text = encoded(written)
    theirs = SoapAdapter.Deserialize(text.encode(), object)
    assert list(differences(value(ET.fromstring(text.encode())), plain(theirs))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('<val xsi:type="xsd:int">5</val>', 5, id="a prefix of the schema"),
        pytest.param('<val xsi:type="other:long"> 5 </val>', 5, id="another prefix, and blanks"),
        pytest.param('<val xsi:type="xsd:boolean">1</val>', True, id="one is true"),
        pytest.param('<val xsi:type="xsd:boolean"> false</val>', False, id="false"),
        pytest.param('<val xsi:type="xsd:double">INF</val>', float("inf"), id="infinity"),
        pytest.param('<val xsi:type="xsd:dateTime">1970-01-01T00:01:00</val>', 60.0, id="without a zone it is UTC"),
        pytest.param('<val xsi:type="xsd:dateTime">1970-01-01T01:01:00.5+01:00</val>', 60.5, id="a zone, a fraction"),
        pytest.param('<val xsi:type="xsd:dateTime">1970-01-01T00:00:00.1234567891Z</val>', 0.123456, id="nanoseconds"),
        pytest.param('<val xsi:type="xsd:string"/>', "", id="an empty text"),
        pytest.param('<val xsi:nil="true" xsi:type="xsd:int"/>', None, id="nil"),
        pytest.param('<val xsi:type="ManagedObjectReference" type="Folder">f-1</val>', Ref("Folder", "f-1"), id="ref"),
        pytest.param('<val xsi:type="VirtualMachinePowerState">asleep</val>', "asleep", id="a new word"),
        pytest.param('<val xsi:type="ArrayOfInt"><int>1</int><int>2</int></val>', [1, 2], id="an array of numbers"),
        pytest.param('<val xsi:type="ArrayOfString"/>', [], id="an empty array"),
        pytest.param('<val xsi:type="ArrayOfVirtualDevice"/>', [], id="an empty array of structures"),
        pytest.param('<val xsi:type="ArrayOfNew"><x><a>1</a></x></val>', [{"a": "1"}], id="an unknown array"),
        pytest.param(
            '<val xsi:type="ArrayOfArrayOfInt"><x><int>1</int></x><x/></val>', [[1], []], id="an array of arrays"
        ),
        pytest.param('<val xsi:type="VirtualDisk"/>', {KIND: "VirtualDisk"}, id="no field at all"),
        pytest.param('<val xsi:type="New"><a>1</a><a>2</a></val>', {KIND: "New", "a": ["1", "2"]}, id="repeated"),
        pytest.param(
            '<val xsi:type="VirtualMachineQuickStats"><overallCpuUsage>much</overallCpuUsage>'
            "<guestMemoryUsage>7</guestMemoryUsage></val>",
            {KIND: "VirtualMachineQuickStats", "overallCpuUsage": None, "guestMemoryUsage": 7},
            id="a senseless leaf is unknown, the others hold",
        ),
        pytest.param(
            '<val xsi:type="VirtualDisk"><key>1</key><novelty xsi:type="xsd:int">x</novelty><backing/></val>',
            {KIND: "VirtualDisk", "key": 1, "novelty": None, "backing": {}},
            id="a field of tomorrow, an empty structure",
        ),
        pytest.param(
            '<val xsi:type="GuestInfo"><disk><capacity>1</capacity></disk><toolsStatus>new</toolsStatus></val>',
            {KIND: "GuestInfo", "disk": [{"capacity": 1}], "toolsStatus": "new"},
            id="a repeated field that comes once is a list",
        ),
    ],
)  # fmt: skip
def test_what_the_xml_says_is_what_is_found(text, found):
    assert decoded(text) == found


@pytest.mark.parametrize(
    "text",
    [
        '<val xsi:type="xsd:int">much</val>',
        '<val xsi:type="xsd:boolean">perhaps</val>',
        '<val xsi:type="xsd:dateTime">yesterday</val>',
        '<val xsi:type="xsd:dateTime">99999-01-01T00:00:00Z</val>',
        '<val xsi:type="ArrayOfInt"><int>1</int><int>x</int></val>',
        f'<val xsi:type="xsd:long">{"9" * 5000}</val>',
    ],
)
def test_what_makes_no_sense_is_an_error_of_this_property(text):
    with pytest.raises(ValueError):
        decoded(text)


@pytest.mark.parametrize("kind", ["A", "ArrayOfA", "VirtualDisk"])
def test_a_bottomless_structure_is_an_error_of_this_property_and_no_crash(kind):
    depth = 100_000
    with pytest.raises(ValueError, match="structures lie more than 128 deep"):
        decoded(f"<val xsi:type='{kind}'>{'<a>' * depth}1{'</a>' * depth}</val>")


def test_all_layers_that_a_disk_can_have_are_read():
    layers = 100
    chain = "<parent><fileName>f</fileName>" * layers + "</parent>" * layers
    found = decoded(f"<val xsi:type='VirtualDiskFlatVer2BackingInfo'><fileName>f</fileName>{chain}</val>")
    for _ in range(layers):
        found = found["parent"]
    assert found == {"fileName": "f"}


def test_types_are_known_by_the_version_that_pyvmomi_speaks():
    assert SPOKEN in VmomiSupport.versionIdMap
