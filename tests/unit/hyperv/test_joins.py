"""Counters carry names of guests, and names are anybody's."""

import pytest

from collectors.hyperv.mapping.joins import Names, adapter, counter_name, disk_path, instances, virtual_processor

A, B = "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"


@pytest.mark.parametrize(
    ("instance", "parsed"),
    [
        ("web:Hv VP 0", ("web", "0")),
        ("sql: prod:Hv VP 12", ("sql: prod", "12")),
        ("odd:Hv VP 1:Hv VP 3", ("odd:Hv VP 1", "3")),
        ("Ünïcode 😀:Hv VP 0", ("Ünïcode 😀", "0")),
        ("Root VP 0", None),
    ],
)
def test_a_processor_is_read_from_the_right(instance, parsed):
    assert virtual_processor(instance) == parsed


@pytest.mark.parametrize(
    ("instance", "parsed"),
    [
        (f"web_Network Adapter_{A.upper()}--{B.upper()}", (A, B)),
        (f"a--b_x_{A}--{B}", (A, B)),
        (f"web_Network Adapter_{A}--{{{B}}}", (A, B)),
        ("External_Intel[R] Ethernet", None),
        (f"Management_{A}", None),
    ],
)
def test_an_adapter_carries_both_guids(instance, parsed):
    assert adapter(instance) == parsed


def test_a_path_is_found_again_among_instances():
    path = r"C:\ClusterStorage\Volume1\web-1\disk 0.vhdx"
    assert disk_path(path) == disk_path("C:-ClusterStorage-Volume1-web-1-disk 0.VHDX")
    assert disk_path(path) == disk_path("--?-C:-ClusterStorage-Volume1-web-1-disk 0.vhdx")
    assert disk_path(path) == disk_path(path.replace("\\", "/"))
    assert disk_path(r"\\files\vm\a.vhdx") == disk_path("--files-vm-a.vhdx")


def test_counters_write_some_characters_otherwise():
    assert counter_name("Intel(R) X550 #2") == "Intel[R] X550 _2"
    assert Names([(A, "web (old)")]).guest("web [old]") == A


def test_a_name_of_two_guests_is_nobodys():
    names = Names([(A, "twin"), (B, "twin"), ("c", "own")])
    rows, left = names.join(instances({"Name": name} for name in ("twin", "own", "gone", "_Total")))
    assert set(rows) == {"c"}
    assert left == ["gone"], "the twins are known, only not told apart"
    assert names.ambiguous == {A, B}


def test_processors_by_guest():
    rows = [{"Name": f"a:b:Hv VP {n}"} for n in (0, 1)] + [{"Name": "x:Hv VP 0"}, {"Name": "x:Hv VP 1"}]
    found, left = Names([(A, "a:b")]).processors(instances(rows))
    assert {guest: sorted(parts) for guest, parts in found.items()} == {A: ["0", "1"]}
    assert left == ["x"]
