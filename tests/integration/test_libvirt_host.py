"""What few people need of a host and its storage, asked where it is wanted; numbers from virsh, qemu-img and /sys."""

import json
import subprocess
from pathlib import Path

import pytest

from exporter.config.model import Profile
from tests.backends.estate import COLD_POOL, POOL
from tests.backends.processes import find_binary
from tests.integration.libvirt_world import key_values, number, world

pytestmark = pytest.mark.backend
NODES = Path("/sys/devices/system/node")
RARE = Profile(
    family_include=("hypervisor_host_numa_*", "hypervisor_host_hugepages_free", "hypervisor_host_migrations")
)
ASKED = {"virNodeGetCellsFreeMemory", "virNodeGetFreePages", "virDomainGetJobStats"}


def kilobytes(file, key):
    return next(int(line.split()[3]) for line in file.read_text().splitlines() if key in line)


def test_cells_and_huge_pages_are_those_of_the_kernel(libvirt_lab, estate):
    with world(libvirt_lab.uri, profile=RARE) as session:
        vitals = session.collect("vitals").hosts[0]
        (host,) = session.collect("storage").hosts
        assert (host.id, host.name) == (vitals.id, vitals.name)
        nodes = sorted(NODES.glob("node[0-9]*"))
        assert host.numa_memory_free_bytes.keys() == {node.name.removeprefix("node") for node in nodes}
        for node in nodes:
            cell = node.name.removeprefix("node")
            free = kilobytes(node / "meminfo", "MemFree") * 1024
            assert host.numa_memory_free_bytes[cell] == pytest.approx(free, abs=2**28)
            virsh = number(libvirt_lab.virsh("freecell", cell).split(":")[1].strip()) * 1024
            assert host.numa_memory_free_bytes[cell] == pytest.approx(virsh, abs=2**28)
        sizes = [Path(each).name for each in Path("/sys/kernel/mm/hugepages").glob("hugepages-*")]
        expected = {
            str(int(size.removeprefix("hugepages-").removesuffix("kB")) * 1024): sum(
                int((node / "hugepages" / size / "free_hugepages").read_text()) for node in nodes
            )
            for size in sizes
        }
        assert host.hugepages_free == expected
        assert host.migrations == {"in": 0, "out": 0}
        assert session.meter.take().keys() >= ASKED


def test_what_is_not_turned_on_is_not_asked(libvirt_lab, estate):
    with world(libvirt_lab.uri) as session:
        assert session.collect("storage").hosts == ()
        requests = session.meter.take().keys()
    assert not requests & (ASKED | {"virStoragePoolListAllVolumes", "virStorageVolGetXMLDesc"})


def test_provisioned_space_is_what_qemu_img_says_of_the_volumes(libvirt_lab, estate):
    with world(libvirt_lab.uri, options={"volumes": True}) as session:
        pools = {pool.name: pool for pool in session.collect("storage").storages}
    growth = 0
    for name in estate.pools[POOL].volumes:
        command = [find_binary("qemu-img"), "info", "--force-share", "--output=json", estate.pools[POOL].path / name]
        image = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        growth += max(0, image["virtual-size"] - image["actual-size"])
    info = key_values(libvirt_lab.virsh("pool-info", POOL, "--bytes"), ":")
    used = number(info["Capacity"]) - number(info["Available"])
    assert pools[POOL].provisioned_bytes == used + growth
    assert growth > 0
    assert pools[COLD_POOL].provisioned_bytes is None
