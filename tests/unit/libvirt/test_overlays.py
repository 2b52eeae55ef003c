"""Overlays: what external snapshots take, and which files nobody answers for. Checkpoints."""

import pytest

from collectors.libvirt.mapping.description import Description, DiskSource, describe
from collectors.libvirt.mapping.overlays import files, held_bytes, layer_bytes, orphans
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.snapshots import Taken, checkpoint_time, snapshot
from exporter.errors import Malformed
from exporter.model import Snapshot

SNAP = Snapshot("s", "s")
OUTSIDE = "<disk name='vda' snapshot='external'><source file='/o1'/></disk>"


@pytest.mark.parametrize(
    ("inner", "overlays", "outside"),
    [
        pytest.param(f"<memory snapshot='no'/><disks>{OUTSIDE}</disks>", ("/o1",), True, id="disks only"),
        pytest.param(
            f"<disks>{OUTSIDE}<disk name='vdb' snapshot='no'/></disks>", ("/o1",), True, id="one disk left out"
        ),
        pytest.param(
            f"<disks>{OUTSIDE}<disk name='vdb' snapshot='internal'/></disks>", ("/o1",), False, id="one in its image"
        ),
        pytest.param(
            f"<memory snapshot='external' file='/m'/><disks>{OUTSIDE}</disks>", ("/o1",), False, id="memory in a file"
        ),
        pytest.param("<disks><disk name='vda' snapshot='internal'/></disks>", (), False, id="internal"),
        pytest.param("<disks><disk name='vda' snapshot='external'/></disks>", (), False, id="a file without a name"),
        pytest.param("", (), False, id="nothing told"),
    ],
)
def test_where_a_snapshot_keeps_what_it_holds(inner, overlays, outside):
    taken = snapshot(f"<domainsnapshot>{inner}</domainsnapshot>", "s", None)
    assert (taken.overlays, taken.outside) == (overlays, outside)


def test_bytes_of_layers_by_path():
    stats = {
        "block.count": 4,
        "block.0.path": "/o1",
        "block.0.physical": 200704,
        "block.1.path": "/base",
        "block.1.physical": 1048576,
        "block.2.name": "vdb",
        "block.2.physical": 7,
        "block.3.path": "/stuck",
    }
    assert layer_bytes(Stats(stats)) == {"/o1": 200704, "/base": 1048576}


@pytest.mark.parametrize(
    ("taken", "held"),
    [
        pytest.param(Taken(SNAP, ("/o1",), outside=True), 100, id="one overlay"),
        pytest.param(Taken(SNAP, ("/o1", "/o2"), outside=True), 130, id="two disks: 100 + 30"),
        pytest.param(Taken(SNAP, ("/o1",), outside=False), None, id="more of it elsewhere"),
        pytest.param(Taken(SNAP, ("/o1", "/gone"), outside=True), None, id="an overlay out of use"),
        pytest.param(Taken(SNAP), None, id="internal"),
    ],
)
def test_what_a_snapshot_holds(taken, held):
    assert held_bytes(taken, {"/o1": 100, "/o2": 30}) == held


CHAIN = DiskSource("vda", "/top", chain=("/middle", "/base"), chain_known=True)
IMAGES = ("*/_base/*",)


@pytest.mark.parametrize(
    ("disks", "claimed", "used", "count"),
    [
        pytest.param([CHAIN], {"/top", "/middle"}, set(), 0, id="both overlays are snapshots"),
        pytest.param([CHAIN], {"/top"}, set(), 1, id="one left over"),
        pytest.param([CHAIN], set(), set(), 2, id="two left over"),
        pytest.param([CHAIN], set(), {"/base"}, 1, id="a linked clone of a shared base, and one overlay on it"),
        pytest.param(
            [DiskSource("vda", "/a", chain=("/x/_base/b",), chain_known=True)], set(), set(), 0, id="an image"
        ),
        pytest.param([DiskSource("vda", "/a", chain_known=True)], set(), set(), 0, id="no chain"),
        pytest.param([CHAIN, DiskSource("vdb", "/b", chain_known=True)], {"/top", "/middle"}, set(), 0, id="two disks"),
        pytest.param([CHAIN, DiskSource("vdb", "/b")], set(), set(), None, id="a chain that is not shown"),
        pytest.param([], set(), set(), 0, id="no disks"),
    ],
)
def test_which_overlays_are_orphans(disks, claimed, used, count):
    assert orphans(Description(disks=tuple(disks)), claimed, used, IMAGES) == count


def test_every_layer_is_a_file_in_use():
    assert files([Description(disks=(CHAIN,)), Description()]) == {"/top", "/middle", "/base"}


def test_when_a_checkpoint_was_made():
    assert checkpoint_time("<domaincheckpoint><creationTime>1700000000</creationTime></domaincheckpoint>", "g") == 1.7e9
    assert checkpoint_time("<domaincheckpoint/>", "g") is None
    with pytest.raises(Malformed, match="guest 'g'"):
        checkpoint_time("<domain", "g")


NOVA = """
<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/{version}"><nova:name>shop, one</nova:name>
<nova:flavor name="m1.small"/><nova:owner><nova:user uuid="u">ann</nova:user>
<nova:project uuid="4f2c">web</nova:project></nova:owner></nova:instance>"""
OVIRT = """
<ovirt-vm:vm xmlns:ovirt-vm="http://ovirt.org/vm/1.0"><ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>
<ovirt-vm:custom><ovirt-vm:team>blue</ovirt-vm:team></ovirt-vm:custom></ovirt-vm:vm>"""
OPENSTACK = ("flavor=m1.small", "name=shop one", "project=web", "project_id=4f2c", "user=ann")


@pytest.mark.parametrize(
    ("inner", "wanted", "label"),
    [
        ("<title>Shop,\nfront  end</title>", ["title"], ",title=Shop front end,"),
        ("<title>Shop</title>", [], ""),
        ("", ["title", "openstack", "ovirt"], ""),
        (NOVA.format(version="1.1"), ["openstack"], "".join(f",openstack.{pair}" for pair in OPENSTACK) + ","),
        (NOVA.format(version="1.0"), ["openstack"], "".join(f",openstack.{pair}" for pair in OPENSTACK) + ","),
        (OVIRT, ["ovirt", "title"], ",ovirt.cluster_version=4.7,ovirt.team=blue,"),
        (
            "<title>" + "x" * 4096 + "</title>" + OVIRT,
            ["title", "ovirt"],
            ",ovirt.cluster_version=4.7,ovirt.team=blue,",
        ),
        ("<unexpected><title>deep</title></unexpected><title/>", ["title"], ""),
    ],
)
def test_annotations_are_tags_on_request(inner, wanted, label):
    title, metadata = (inner, "") if "<metadata" in inner or "xmlns" not in inner else ("", inner)
    if "<title>x" in inner:
        title, metadata = inner.split("</title>")[0] + "</title>", inner.split("</title>")[1]
    text = f"<domain>{title}<metadata>{metadata}</metadata></domain>"
    assert describe(text, "guest", wanted).tags == label
