"""The host's processors, memory and identity."""

import pytest

from collectors.libvirt.answers import Node
from collectors.libvirt.mapping.host import HostFacts, Topology, host_cpu, host_facts, host_memory, version
from exporter.model import HostCpu, HostMemory

INFO = ("x86_64", 5082, 8, 2596, 2, 1, 4, 2)  # MiB, processors, MHz, NUMA nodes, sockets per node, cores, threads


def cpus(*places: str) -> str:
    listed = "".join(f"<cpu {place}/>" for place in places)
    return (
        "<capabilities><host><uuid>FA99BFF6-b232-4282-942b-515855ef1591</uuid><cpu><model>kvm64</model></cpu>"
        f"<topology><cells><cell><cpus>{listed}</cpus></cell></cells></topology></host></capabilities>"
    )


@pytest.mark.parametrize(
    ("places", "topology"),
    [
        pytest.param(["socket_id='0' core_id='0'", "socket_id='0' core_id='0'"], Topology(1, 1, 2), id="hyperthreads"),
        pytest.param(
            ["socket_id='0' die_id='0' core_id='0'", "socket_id='0' die_id='1' core_id='0'"],
            Topology(1, 2, 2),
            id="cores are numbered anew on each die",
        ),
        pytest.param(["socket_id='0' core_id='0'", "socket_id='1' core_id='0'"], Topology(2, 2, 2), id="two sockets"),
        pytest.param(["socket_id='0' core_id='0'", "id='1'"], Topology(), id="one is offline: unknown"),
        pytest.param([], Topology(), id="no topology"),
    ],
)
def test_topology_of_the_capabilities(places, topology):
    facts = host_facts(Node("QEMU", capabilities=cpus(*places)))
    assert facts == HostFacts(uuid="fa99bff6-b232-4282-942b-515855ef1591", cpu_model="kvm64", topology=topology)


def test_firmware_tells_vendor_and_model():
    sysinfo = (
        "<sysinfo type='smbios'><system><entry name='manufacturer'>Dell Inc.</entry><entry name='product'>R650</entry>"
        "</system><processor><entry name='version'>Xeon Gold</entry></processor></sysinfo>"
    )
    facts = host_facts(Node("QEMU", capabilities=cpus(), sysinfo=sysinfo))
    assert (facts.vendor, facts.model, facts.cpu_model) == ("Dell Inc.", "R650", "Xeon Gold")
    assert host_facts(Node("QEMU", capabilities=cpus(), sysinfo="<broken")).cpu_model == "kvm64"


def test_busy_is_all_but_idle_and_waiting():
    times = {"kernel": 68_870_000_000, "user": 156_160_000_000, "idle": 2_573_710_000_000, "iowait": 5_840_000_000}
    cpu = host_cpu(Node("QEMU", info=INFO), Topology(1, 2, 4), 4, times)
    assert cpu == HostCpu(1, 2, 4, 2.596e9, 4, busy_seconds=225.03)  # 68.87 + 156.16


@pytest.mark.parametrize(
    ("times", "busy"),
    [
        ({"kernel": 10**9, "user": 10**9, "intr": 10**9, "idle": 5 * 10**9}, 3.0),
        ({"utilization": 35}, None),
        ({}, None),
        (None, None),
    ],
)
def test_busy_seconds_of_other_systems(times, busy):
    assert host_cpu(Node("Xen"), Topology(), None, times).busy_seconds == busy


def test_without_capabilities_node_info_is_multiplied():
    cpu = host_cpu(Node("Xen", info=INFO), Topology(), None, None)
    assert cpu == HostCpu(sockets=2, cores=8, threads=16, frequency_hertz=2.596e9, capacity_cpus=8)


@pytest.mark.parametrize(
    ("memory", "free", "expected"),
    [
        pytest.param(
            {"total": 1000, "free": 100, "buffers": 50, "cached": 250},
            None,
            HostMemory(1024000, used_bytes=614400, available_bytes=409600),
            id="before libvirt 12.3: free, buffers and cached",
        ),
        pytest.param(
            {"total": 1000, "free": 100, "buffers": 50, "cached": 250, "available": 500},
            None,
            HostMemory(1024000, used_bytes=512000, available_bytes=512000),
            id="libvirt 12.3 tells what is available",
        ),
        pytest.param({"total": 1000}, None, HostMemory(1024000), id="the total only"),
        pytest.param(None, 2**30, HostMemory(5328863232, 4255121408, 2**30), id="node info, MiB, and free bytes"),
        pytest.param(None, None, HostMemory(5328863232), id="node info only"),
        pytest.param(
            {"total": 10, "available": 11}, None, HostMemory(10240), id="more available than there is: unknown"
        ),
    ],
)
def test_host_memory(memory, free, expected):
    assert host_memory(Node("QEMU", info=INFO), memory, free) == expected


def test_nothing_known_is_nothing_shown():
    assert host_memory(Node("ESX"), None, None) == HostMemory()
    assert host_cpu(Node("ESX"), Topology(), None, None) == HostCpu()


@pytest.mark.parametrize(
    ("number", "text"), [(9000000, "9.0.0"), (7002022, "7.2.22"), (12008000, "12.8.0"), (None, "")]
)
def test_versions(number, text):
    assert version(number) == text
