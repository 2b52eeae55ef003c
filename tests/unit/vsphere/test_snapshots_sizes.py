"""What snapshots hold, on trees and files small enough to add up by hand.

A letter is a layer of a disk: `b` and `c` are what the guest began with, `1`, `2`, ... what came on top. Sizes of the
files below: data of snapshot A 10, B 20, C 30; memory 4000.
"""

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.layout import layout_of
from collectors.vsphere.mapping.snapshots import by_storage, with_sizes
from exporter.model import Snapshot

LAYERS = {"b": 100_000, "c": 200_000, "n": 300_000, "1": 100, "2": 200, "3": 300, "4": 400, "x": 50, "y": 60}
KEYS = {name: 2 * place for place, name in enumerate(LAYERS)}
DATA = {"A": (90, 10), "B": (91, 20), "C": (92, 30)}
MEMORY = (99, 4000)


def raw(disks, snapshots, memory=(), **changes):
    """`disks`: layers by device, "b12" newest last; `snapshots`: the same for each snapshot."""
    files = []
    for name, size in LAYERS.items():  # a descriptor of 1 byte and an extent with the rest
        files.append({"key": KEYS[name], "name": f"[one] vm/{name}.vmdk", "type": "diskDescriptor", "size": 1})
        files.append({"key": KEYS[name] + 1, "name": f"[one] vm/{name}-e.vmdk", "type": "diskExtent", "size": size - 1})
    for name, (key, size) in DATA.items():
        files.append({"key": key, "name": f"[two] vm/{name}.vmsn", "type": "snapshotData", "size": size})
    files.append({"key": MEMORY[0], "name": "[two] vm/m.vmem", "type": "snapshotMemory", "size": MEMORY[1]})
    return {
        "timestamp": 1000.0,
        "file": files,
        "disk": chains(disks),
        "snapshot": [
            {
                "key": Ref("VirtualMachineSnapshot", name),
                "dataKey": DATA[name][0],
                "memoryKey": MEMORY[0] if name in memory else -1,
                "disk": chains(of),
            }
            for name, of in snapshots.items()
        ],
    } | changes


def chains(disks):
    return [
        {"key": key, "chain": [{"fileKey": [KEYS[layer], KEYS[layer] + 1]} for layer in layers]}
        for key, layers in enumerate(disks, 2000)
    ]


def tree(current="", **parents):
    """Snapshots by name with their parents' names."""
    return [Snapshot(name, name, parent_id=parent, current=name == current) for name, parent in parents.items()]


def sizes(snapshots, found, sized=("one", "two")):
    odd = []
    held = with_sizes(snapshots, layout_of(found, odd), sized)
    assert not odd
    return {each.id: each.size_bytes for each in held.snapshots}, held.size_bytes


@pytest.mark.parametrize(
    ("snapshots", "found", "each", "whole"),
    [
        pytest.param(
            tree("A", A=""), raw(["b1"], {"A": ["b"]}), {"A": 10 + 100}, 110, id="one, and what came after it"
        ),
        pytest.param(
            tree("C", A="", B="A", C="B"),
            raw(["b123"], {"A": ["b"], "B": ["b1"], "C": ["b12"]}),
            {"A": 10, "B": 20 + 100, "C": 30 + 200 + 300},
            660,
            id="three in a row",
        ),
        pytest.param(
            tree("B", A="", B="A"),
            raw(["b12", "cxy"], {"A": ["b", "c"], "B": ["b1", "cx"]}),
            {"A": 10, "B": 20 + 100 + 50 + 200 + 60},
            440,
            id="two disks",
        ),
        pytest.param(
            tree("B", A="", B="A", C="A"),
            raw(["b13"], {"A": ["b"], "B": ["b1"], "C": ["b2"]}),
            {"A": 10, "B": 20 + 100 + 300, "C": 30 + 200},
            660,
            id="two branches, the guest on the first",
        ),
        pytest.param(
            tree("B", A="", B="A", C="B"),
            raw(["b14"], {"A": ["b"], "B": ["b1"], "C": ["b12"]}),
            {"A": 10, "B": 20 + 100 + 400, "C": 30 + 200},
            760,
            id="reverted to the middle",
        ),
        pytest.param(
            tree("A", A="", B="A"),
            raw(["b3"], {"A": ["b"], "B": ["b1"]}),
            {"A": 10 + 300, "B": 20 + 100},
            430,
            id="reverted to the root",
        ),
        pytest.param(
            tree("B", A="", B="A"),
            raw(["b12"], {"A": ["b"], "B": ["b1"]}, memory="B"),
            {"A": 10, "B": 20 + 4000 + 100 + 200},
            4330,
            id="with memory",
        ),
        pytest.param(
            tree("C", A="", C="A"),
            raw(["b123"], {"A": ["b"], "C": ["b12"]}),
            {"A": 10, "C": 30 + 100 + 200 + 300},
            640,
            id="one in the middle deleted, its layer not consolidated",
        ),
        pytest.param(
            tree("B", B=""),
            raw(["b12"], {"B": ["b1"]}),
            {"B": 20 + 200},
            220,
            id="a root on top of a layer: of a linked clone, or left over",
        ),
        pytest.param(
            tree("A", A=""),
            raw(["b1", "n"], {"A": ["b"]}),
            {"A": 10 + 100},
            110,
            id="a disk added after the snapshot is no growth",
        ),
        pytest.param(
            tree("B", A="", B="A"),
            raw(["b12", "n3"], {"A": ["b"], "B": ["b1", "n"]}),
            {"A": 10, "B": 20 + 100 + 200 + 300},
            630,
            id="a disk added between two snapshots",
        ),
        pytest.param(
            tree("B", A="", B="A", C="A"),
            raw(["b12"], {"A": ["b"], "B": ["b1"], "C": ["b1"]}),
            {"A": 10, "B": 20 + 100 + 200, "C": 30 + 100},
            360,
            id="a layer that two hold counts once for the guest",
        ),
        pytest.param(
            tree("", A="", B="A"),
            raw(["b12"], {"A": ["b"], "B": ["b1"]}),
            {"A": 10, "B": 120},
            130,
            id="at none of them",
        ),
        pytest.param(
            tree("A", A=""),
            raw([], {"A": []}),
            {"A": 10},
            10,
            id="no disks",
        ),
        pytest.param(
            tree("A", A=""), raw(["1b"], {"A": ["b"]}), {"A": 10 + 100}, 110, id="layers told the newest first"
        ),
    ],
)
def test_a_snapshot_holds_what_was_written_since_its_parent(snapshots, found, each, whole):
    assert sizes(snapshots, found) == (each, whole)


@pytest.mark.parametrize(
    ("snapshots", "found", "each"),
    [
        pytest.param(
            tree("B", A="", B="A"),
            raw(["b12"], {"A": ["b"]}),
            {"A": 10, "B": None},
            id="files do not know the snapshot",
        ),
        pytest.param(tree("B", A="", B="A"), raw(["b12"], {"B": ["b1"]}), {"A": None, "B": None}, id="nor its parent"),
        pytest.param(tree("A", A=""), raw(["b1"], {"A": ["b"]}, file=[]), {"A": None}, id="no sizes of files"),
    ],
)
def test_what_the_files_do_not_tell_is_unknown_for_the_guest_too(snapshots, found, each):
    assert sizes(snapshots, found) == (each, None)


def test_a_file_out_of_reach_has_no_size():
    found = raw(["b12"], {"A": ["b"], "B": ["b1"]})
    for file in found["file"]:
        if file["name"] == "[one] vm/1.vmdk":
            file["accessible"] = False
    assert sizes(tree("B", A="", B="A"), found) == ({"A": 10, "B": None}, None)


def test_on_vsan_nothing_is_told_rather_than_0():
    snapshots, found = tree("A", A=""), raw(["b1"], {"A": ["b"]})
    assert sizes(snapshots, found, sized={"two"}) == ({"A": None}, None)


def test_without_files_the_snapshots_stay():
    held = with_sizes(tree("A", A=""), None, {"one"})
    assert [each.id for each in held.snapshots] == ["A"]
    assert (held.snapshots[0].size_bytes, held.snapshots[0].memory, held.size_bytes) == (None, None, None)


def test_memory_is_known_from_the_files():
    found = raw(["b12"], {"A": ["b"], "B": ["b1"]}, memory="B")
    held = with_sizes(tree("B", A="", B="A"), layout_of(found, []), {"one", "two"})
    assert [each.memory for each in held.snapshots] == [False, True]


def test_what_they_hold_by_datastore():
    found = raw(["b12"], {"A": ["b"], "B": ["b1"]}, memory="B")
    held = with_sizes(tree("B", A="", B="A"), layout_of(found, []), {"one", "two"})
    assert by_storage(held.files) == {"one": 100 + 200, "two": 10 + 20 + 4000}
