"""The tree of a guest's snapshots, and overlays that belong to none."""

from collections import Counter

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.devices import Disk
from collectors.vsphere.mapping.layout import File, Layout
from collectors.vsphere.mapping.snapshots import folder, layers_used, orphans, snapshots_of


def node(called, *children, **changes):
    return {
        "snapshot": Ref("VirtualMachineSnapshot", f"snapshot-{called}"),
        "vm": Ref("VirtualMachine", "vm-1"),
        "name": called,
        "id": 7,
        "createTime": 1_700_000_000.0,
        "state": "poweredOff",
        "quiesced": False,
        "childSnapshotList": list(children),
    } | changes


def read(*roots, current=None):
    odd = []
    found = {"rootSnapshotList": list(roots)}
    if current:
        found["currentSnapshot"] = Ref("VirtualMachineSnapshot", f"snapshot-{current}")
    return snapshots_of(found, odd), odd


def test_every_snapshot_has_its_parent():
    found, odd = read(node("a", node("b", node("c")), node("d")), node("e"), current="b")
    parents = {each.id: each.parent_id for each in found}
    assert parents == {
        "snapshot-a": "",
        "snapshot-b": "snapshot-a",
        "snapshot-c": "snapshot-b",
        "snapshot-d": "snapshot-a",
        "snapshot-e": "",
    }
    assert [each.name for each in found if each.current] == ["b"]
    assert not odd


def test_what_a_snapshot_tells_of_itself():
    (found,), _ = read(node("x", name="before 50%25 a%2fb", quiesced=True, state="poweredOn"), current="x")
    assert (found.name, found.quiesced, found.state, found.current) == ("before 50% a/b", True, "poweredOn", True)
    assert found.created_timestamp_seconds == 1_700_000_000


@pytest.mark.parametrize("nothing", [{}, {"rootSnapshotList": ""}, {"rootSnapshotList": []}])
def test_no_snapshots_is_an_answer(nothing):
    odd = []
    assert snapshots_of(nothing, odd) == ()
    assert not odd


def test_a_tree_that_bites_its_tail_ends():
    a = node("a")
    b = node("b", a)
    a["childSnapshotList"].append(b)
    found, odd = read(a)
    assert [each.id for each in found] == ["snapshot-a", "snapshot-b"]
    assert odd == ["snapshot snapshot-a is in the tree twice"]


def test_a_thousand_in_a_row_are_read():
    tip = node("0")
    for number in range(1, 1000):
        tip = node(str(number), tip)
    assert len(read(tip)[0]) == 1000


@pytest.mark.parametrize(
    ("changes", "read_as"),
    [
        ({"createTime": "yesterday"}, ("x", None, False)),
        ({"createTime": None}, ("x", None, False)),
        ({"createTime": -1.0}, ("x", None, False)),
        ({"name": 5}, ("", 1_700_000_000, False)),
        ({"quiesced": "perhaps"}, ("x", 1_700_000_000, None)),
        ({"moonPhase": {"_kind": "Moon", "x": [1]}}, ("x", 1_700_000_000, False)),
    ],
)
def test_a_senseless_value_costs_itself_only(changes, read_as):
    (found,), odd = read(node("x", **changes))
    assert (found.name, found.created_timestamp_seconds, found.quiesced) == read_as
    assert len(odd) == (changes != {"createTime": None} and "moonPhase" not in changes)


def test_a_snapshot_without_reference_counts():
    found, odd = read(node("x", node("y"), snapshot=None))
    assert [(each.id, each.parent_id) for each in found] == [("id-7", ""), ("snapshot-y", "id-7")]
    assert odd == ["a snapshot has no reference: 'x'"]


def test_a_list_that_is_none_is_said():
    found, odd = read("nonsense", node("x", childSnapshotList=3))
    assert [each.name for each in found] == ["x"]
    assert odd == ["rootSnapshotList holds 'nonsense'", "childSnapshotList is 3"]


# Overlays without a snapshot.

HERE, THERE = Ref("Datastore", "ds-1"), Ref("Datastore", "ds-2")


def disk(path, *below, persistent=True):
    return Disk(
        "Hard disk 1", "scsi0:0", 2000, 1.0, path, HERE, "thin", tuple((HERE, each) for each in below), persistent
    )


def layout(*paths):
    files = {key: File(path, 1.0, 1.0) for key, path in enumerate(paths)}
    return Layout(0.0, files, {2000: tuple((key,) for key in files)}, {})


OWN, BASE, AWAY = "[one] vm/vm-000002.vmdk", "[one] vm/vm.vmdk", "[two] vm_1/vm-000001.vmdk"


@pytest.mark.parametrize(
    ("of", "files", "count"),
    [
        pytest.param(disk(BASE), [BASE], 0, id="no overlay"),
        pytest.param(disk(OWN, BASE), [BASE, OWN], 1, id="one left over"),
        pytest.param(disk(OWN), [BASE, "[one] vm/vm-000001.vmdk", OWN], 2, id="two left over"),
        pytest.param(disk(OWN), ["[one] gold/gold.vmdk", OWN], 0, id="a linked clone"),
        pytest.param(disk(OWN), ["[one] gold/gold.vmdk", "[one] vm/vm-000001.vmdk", OWN], 0, id="of two layers"),
        pytest.param(disk(AWAY), ["[two] vm_1/vm.vmdk", AWAY], 1, id="on another datastore"),
        pytest.param(disk(AWAY), [BASE, AWAY], 1, id="base at home, overlay beside"),
        pytest.param(disk(OWN, persistent=False), [BASE, OWN], 0, id="a disk that forgets"),
        pytest.param(disk("[one] a-000001.vmdk"), ["[one] a.vmdk", "[one] a-000001.vmdk"], 1, id="in no folder at all"),
    ],
)  # fmt: skip
def test_overlays_of_a_guest_without_snapshots(of, files, count):
    assert orphans([of], layout(*files), "[one] vm/", {}) == count


def test_a_base_that_others_stand_on_is_no_leftover():
    source, clone = disk(OWN, BASE), disk("[one] clone/c-000001.vmdk", BASE)
    used = Counter(layers_used([[source], [clone]]))
    assert orphans([source], layout(BASE, OWN), "[one] vm/", used) == 0


def test_the_same_path_on_another_datastore_is_another_file():
    source, other = disk(OWN, BASE), Disk("Hard disk 1", "scsi0:0", 2000, 1.0, BASE, THERE)
    used = Counter(layers_used([[source], [other]]))
    assert orphans([source], layout(BASE, OWN), "[one] vm/", used) == 1


@pytest.mark.parametrize(
    ("of", "files"),
    [
        pytest.param(disk(OWN, BASE), Layout(0.0, {}, {}, {}), id="the files do not know the disk"),
        pytest.param(
            disk(OWN, BASE), Layout(0.0, {1: File(OWN, 1.0, 1.0)}, {2000: ((-1,), (1,))}, {}), id="nor a layer"
        ),
    ],
)
def test_what_the_files_do_not_tell_is_unknown(of, files):
    assert orphans([of], files, "[one] vm/", {}) is None


@pytest.mark.parametrize(
    ("path", "where"),
    [("[a] b/c.vmx", "[a] b/"), ("[a] c.vmx", "[a] "), ("[a] b/c/d.vmdk", "[a] b/c/"), ("[a ] b] c/d", "[a ] b] c/")],
)
def test_folders_of_paths(path, where):
    assert folder(path) == where
