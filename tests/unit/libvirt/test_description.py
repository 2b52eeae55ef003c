"""Descriptions: what a guest's XML says."""

import pytest

from collectors.libvirt.mapping.description import Description, DiskSource, NicSource, describe
from exporter.errors import Malformed

UUID = "CC0DB89B-eadb-4209-8e5e-99e738ed1123"


def domain(inner: str, kind: str = "kvm") -> str:
    return f"<domain type='{kind}'><uuid>{UUID}</uuid><vcpu current='2'>4</vcpu>{inner}</domain>"


def devices(inner: str) -> str:
    return domain(f"<devices>{inner}</devices>")


@pytest.mark.parametrize(
    ("disk", "expected"),
    [
        pytest.param(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a&quot;b😀.qcow2'/>"
            "<target dev='vda'/></disk>",
            DiskSource("vda", '/a"b😀.qcow2', "qcow2"),
            id="a file, off",
        ),
        pytest.param(
            "<disk type='file'><driver type='qcow2'/><source file='/c'/><backingStore type='file'><source file='/b'/>"
            "<backingStore type='file'><source file='/a'/><backingStore/></backingStore></backingStore>"
            "<target dev='vda'/></disk>",
            DiskSource("vda", "/c", "qcow2", chain=("/b", "/a"), chain_known=True),
            id="a chain of three, running",
        ),
        pytest.param(
            "<disk type='block'><source dev='/dev/vg/lv'/><backingStore/><target dev='sdb'/></disk>",
            DiskSource("sdb", "/dev/vg/lv", kind="block", chain_known=True),
            id="a logical volume",
        ),
        pytest.param(
            "<disk type='network'><driver type='raw'/><source protocol='rbd' name='vms/disk1'><host name='mon1'/>"
            "<host name='mon2'/></source><target dev='vdb'/></disk>",
            DiskSource("vdb", "rbd:vms/disk1", "raw", kind="network", hosts=("mon1", "mon2")),
            id="Ceph",
        ),
        pytest.param(
            "<disk type='volume'><source pool='images' volume='a.raw'/><target dev='vdc'/></disk>",
            DiskSource("vdc", "a.raw", kind="volume", pool="images"),
            id="a volume of a pool",
        ),
    ],
)
def test_disks(disk, expected):
    assert describe(devices(disk), "guest").disks == (expected,)


@pytest.mark.parametrize(
    "disk",
    [
        "<disk type='file' device='cdrom'><target dev='sda'/></disk>",
        "<disk type='file' device='cdrom'><source/><target dev='sda'/></disk>",
        "<disk type='file'><source file='/a'/></disk>",
    ],
)
def test_an_empty_drive_and_a_disk_without_a_name_are_none(disk):
    assert describe(devices(disk), "guest").disks == ()


@pytest.mark.parametrize(
    ("nic", "expected"),
    [
        pytest.param(
            "<interface type='bridge'><mac address='52:54:00:AB:cd:ef'/><source bridge='br0'/><target dev='vnet5'/>"
            "</interface>",
            (NicSource("vnet5", "52:54:00:ab:cd:ef", "br0", "vnet5"),),
            id="a tap device",
        ),
        pytest.param(
            "<interface type='network'><mac address='52:54:00:00:00:01'/><source network='lan' bridge='virbr0'/>"
            "</interface>",
            (NicSource("52:54:00:00:00:01", "52:54:00:00:00:01", "lan", ""),),
            id="off: no device yet",
        ),
        pytest.param("<interface type='user'/>", (), id="nothing to name it by"),
    ],
)
def test_adapters(nic, expected):
    assert describe(devices(nic), "guest").nics == expected


@pytest.mark.parametrize(
    ("inner", "limit"),
    [
        ("<cputune><period>100000</period><quota>50000</quota></cputune>", 1.0),  # 2 CPUs x 0.5
        ("<cputune><global_period>100000</global_period><global_quota>150000</global_quota></cputune>", 1.5),
        ("<cputune><period>100000</period><quota>-1</quota></cputune>", None),
        pytest.param("<cputune><quota>50000</quota></cputune>", 1.0, id="the kernel's period is 0.1 s"),
        ("", None),
    ],
)
def test_cpu_limits(inner, limit):
    assert describe(domain(inner), "guest").limit_cpus == limit


@pytest.mark.parametrize(
    ("channel", "up"),
    [
        ("<channel><target name='org.qemu.guest_agent.0' state='connected'/></channel>", True),
        ("<channel><target name='org.qemu.guest_agent.0' state='disconnected'/></channel>", False),
        ("<channel><target name='org.qemu.guest_agent.0'/></channel>", None),
        ("<channel><target name='com.redhat.spice.0' state='connected'/></channel>", None),
        ("", None),
    ],
)
def test_the_agents_channel(channel, up):
    assert describe(devices(channel), "guest").agent_up is up


def test_slow_facts():
    text = domain(
        "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
        "<l:os id='http://microsoft.com/win/2k22'/></l:libosinfo></metadata>"
        "<memtune><hard_limit unit='KiB'>2048</hard_limit><min_guarantee unit='MiB'>1</min_guarantee></memtune>"
        "<devices><memballoon model='virtio'><stats period='10'/></memballoon></devices>"
    )
    assert describe(text, "guest") == Description(
        os="win 2k22",
        bios_uuid=UUID.lower(),
        memory_limit_bytes=2097152,
        memory_reservation_bytes=1048576,
        balloon_period_seconds=10,
    )


def test_unlimited_memory_is_no_limit():
    text = domain("<memtune><hard_limit unit='KiB'>9007199254740991</hard_limit></memtune>")
    assert describe(text, "guest").memory_limit_bytes is None


def test_a_container_is_one():
    assert describe(domain("<os><type>exe</type></os>", kind="lxc"), "guest").kind == "container"


@pytest.mark.parametrize("text", ["", "<domain>", "<!DOCTYPE d [<!ENTITY a 'aa'>]><domain><name>&a;</name></domain>"])
def test_what_is_no_plain_xml_is_malformed_and_named(text):
    with pytest.raises(Malformed, match="guest 'web'"):
        describe(text, "guest 'web'")


def test_elements_that_nobody_expects_cost_nothing():
    odd = (
        "<devices><disk type='nvme'><source type='pci'/><target/></disk><disk/><interface/><channel/>"
        "<future><disk/></future>"
        "<disk type='file'><source file='/a'/><target dev='vda'/><backingStore><format/></backingStore></disk>"
        "<memballoon><stats period='often'/></memballoon></devices>"
        "<cputune><quota>lots</quota><period/></cputune><memtune><hard_limit unit='furlong'>7</hard_limit></memtune>"
        "<os><type/></os><metadata><unknown xmlns='urn:x'/></metadata>"
    )
    found = describe(domain(odd), "guest", ["title", "openstack", "ovirt"])
    assert [disk.disk for disk in found.disks] == ["vda"]
    assert (found.limit_cpus, found.memory_limit_bytes, found.balloon_period_seconds, found.tags) == (
        None,
        None,
        None,
        "",
    )
