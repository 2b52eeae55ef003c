"""NUMA cells, huge pages, migrations; what volumes may still grow by."""

import pytest

from collectors.libvirt.mapping.cells import Cells, arriving, cells, huge_free, leaving, numa_free, on_the_doorstep
from collectors.libvirt.mapping.storage import PoolFacts, promised_bytes, storage
from exporter.errors import Malformed

CAPABILITIES = (
    "<capabilities><host><cpu><pages unit='KiB' size='2048'/><pages unit='KiB' size='4'/>"
    "<pages unit='KiB' size='1048576'/></cpu><topology><cells num='2'><cell id='0'/><cell id='2'/></cells></topology>"
    "</host></capabilities>"
)
HOST = Cells((0, 2), (2048, 1048576))


def test_cells_may_have_holes_and_the_smallest_page_is_no_huge_one():
    assert cells(CAPABILITIES) == HOST
    assert HOST.bound == 3
    assert cells(None) == cells("<capabilities><host/></capabilities>") == Cells()
    assert Cells().bound == 0
    with pytest.raises(Malformed):
        cells("<capabilities>")


@pytest.mark.parametrize(
    ("answer", "free"),
    [([100, 0, 300], {"0": 100, "2": 300}), ([100], {"0": 100}), (None, {}), ([], {})],
)
def test_free_memory_by_cell(answer, free):
    assert numa_free(HOST, answer) == free


@pytest.mark.parametrize(
    ("answer", "free"),
    [
        ({0: {2048: 5, 1048576: 0}, 2: {2048: 7, 1048576: 1}}, {"2097152": 12, "1073741824": 1}),
        ({}, {"2097152": 0, "1073741824": 0}),
        (None, {}),
    ],
)
def test_free_huge_pages_by_size_in_bytes(answer, free):
    assert huge_free(HOST, answer) == free


def test_guests_on_the_move():
    assert [arriving(*state) for state in ((3, 2), (3, 5), (1, 2), (None, None))] == [True, False, False, False]
    doorstep = [on_the_doorstep(*state) for state in ((3, 11), (1, 2), (3, 2), (1, 1), (None, None))]
    assert doorstep == [True, True, False, False, False]
    assert [leaving(job) for job in ({"operation": 5}, {"operation": 4}, {}, None)] == [True, False, False, False]


def volume(path, capacity, allocation, backing=""):
    below = f"<backingStore><path>{backing}</path></backingStore>" if backing else ""
    return (
        f"<volume><capacity unit='bytes'>{capacity}</capacity><allocation unit='bytes'>{allocation}</allocation>"
        f"<target><path>{path}</path></target>{below}</volume>"
    )


@pytest.mark.parametrize(
    ("volumes", "promised"),
    [
        pytest.param([volume("/a", 1000, 400)], 600, id="1000 less 400"),
        pytest.param([volume("/a", 1000, 1200)], 0, id="metadata make it larger than its capacity"),
        pytest.param([volume("/a", 1000, 400), volume("/b", 1000, 100, "/a")], 900, id="a base does not grow"),
        pytest.param(["<volume/>"], 0, id="nothing told"),
        pytest.param([], 0, id="no volumes"),
    ],
)
def test_what_volumes_may_still_grow_by(volumes, promised):
    assert promised_bytes(volumes, "p") == promised


def test_provisioned_is_used_and_promised():
    pool = PoolFacts("u", "p", "dir")
    assert storage(pool, [2, 1000, 400, 700], 600.0).provisioned_bytes == 900  # 300 used
    assert storage(pool, [2, 1000, 400, 700]).provisioned_bytes is None
    assert storage(pool, [0, 0, 0, 0], 600.0).provisioned_bytes is None


def test_a_volume_that_is_no_xml_is_malformed_and_named():
    with pytest.raises(Malformed, match="pool 'p'"):
        promised_bytes(["<volume"], "p")
