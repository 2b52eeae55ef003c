"""Names and facts of guests that are unusual and that libvirt accepts, through a session and a real daemon."""

import re
import subprocess

import pytest

from exporter.config.model import Profile
from exporter.model import GuestState
from tests.backends.processes import find_binary, until
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend
GROUPS = ("inventory", "vitals", "storage", "snapshots")
LONGEST = 255 - len(".xml.new")
"""QEMU's driver keeps a guest in a file of its name, and a file's name has 255 bytes at most."""
NAMES = ["quotes \"'` and &<>", "😀 größer 漢字", "-starts --like=an option", "n" * LONGEST]


@pytest.fixture
def session(libvirt_lab):
    with world(libvirt_lab.uri, options={"tags": ["title", "openstack", "ovirt"]}) as opened:
        yield opened


@pytest.mark.parametrize("name", NAMES, ids=["quotes", "emoji", "an option", "long"])
def test_a_name_that_libvirt_accepts_is_the_guests_name(libvirt_lab, session, name):
    domain = libvirt_lab.define(name)
    try:
        assert libvirt_lab.virsh("domname", domain.UUIDString()).removesuffix("\n\n") == name
        for group in GROUPS:
            observation = session.collect(group)
            (found,) = (guest for guest in observation.guests if guest.id == domain.UUIDString())
            assert (found.name, observation.problems) == (name, ())
    finally:
        domain.undefine()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("two\nlines", "invalid char in name"), ("a/b", "/"), ("n" * 4096, "File name too long"), ("", "name")],
    ids=["a line feed", "a slash", "4 kB", "nothing"],
)
def test_what_libvirt_refuses_need_not_be_met(libvirt_lab, name, reason):
    """Where this fails, libvirt has begun to accept such names, and they belong into the test above."""
    xml = libvirt_lab.scratch.file("odd.xml", libvirt_lab.guest_xml(name))
    with pytest.raises(subprocess.CalledProcessError) as refused:
        libvirt_lab.virsh("define", str(xml))
    assert reason in refused.value.stderr


NOVA = """\
<metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
  <nova:name>shop, front</nova:name><nova:owner><nova:project uuid="p-1">web</nova:project></nova:owner>
</nova:instance>
<ovirt-vm:vm xmlns:ovirt-vm="http://ovirt.org/vm/1.0"><ovirt-vm:clusterVersion>4.8</ovirt-vm:clusterVersion></ovirt-vm:vm>
</metadata>
"""


def test_metadata_of_openstack_and_ovirt_are_tags_on_request(libvirt_lab, session):
    domain = libvirt_lab.define("annotated", head=f"<title>Shop</title>{NOVA}")
    try:
        session.collect("inventory")
        expected = (
            ",openstack.name=shop front,openstack.project=web,openstack.project_id=p-1,ovirt.cluster_version=4.8,"
        )
        assert session.guests("vitals")["annotated"].tags == f"{expected}title=Shop,"
        with world(libvirt_lab.uri) as unasked:
            unasked.collect("inventory")
            assert unasked.guests("vitals")["annotated"].tags == ""
    finally:
        domain.undefine()


LIMITS = (
    "<cputune><shares>512</shares><period>100000</period><quota>25000</quota></cputune>"
    "<memtune><hard_limit unit='M'>64</hard_limit></memtune>"
)


def test_limits_are_those_of_the_description(libvirt_lab):
    """An unprivileged libvirtd sets no limits; with containers they are held against their cgroups."""
    domain = libvirt_lab.define("limited", vcpus=2, head=LIMITS)
    try:
        text = libvirt_lab.virsh("dumpxml", "limited")
        quota, period = (int(re.search(rf"<{key}>(\d+)<", text)[1]) for key in ("quota", "period"))
        with world(libvirt_lab.uri, profile=Profile(family_include=("hypervisor_guest_*",))) as session:
            session.collect("inventory")
            guest = session.guests("vitals")["limited"]
        assert guest.cpu.limit_cpus == 2 * quota / period == 0.5
        assert "<hard_limit unit='KiB'>65536</hard_limit>" in text
        assert guest.memory.limit_bytes == 65536 * 1024
        assert guest.memory.reservation_bytes is None
    finally:
        domain.undefine()


def test_adapters_of_one_address_are_one_series_and_counted(libvirt_lab, session):
    nic = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>"
    domain = libvirt_lab.define("twins", devices=nic + nic)
    try:
        observation = session.collect("inventory")
        (guest,) = (each for each in observation.guests if each.name == "twins")
        assert [each.nic for each in guest.nics] == ["52:54:00:00:00:01"]
        ((name, count, example),) = ((each.name, each.count, each.example) for each in observation.problems)
        assert (name, count) == ("value_rejected", 1)
        assert example.startswith("guest 'twins': two adapters are called '52:54:00:00:00:01'")
    finally:
        domain.undefine()


DISKS = """\
<disk type='network' device='disk'><driver type='raw'/><source protocol='nbd'><host name='nbd-1' port='10809'/></source>
  <target dev='vda'/></disk>
<disk type='nvme' device='disk'><driver type='raw'/><source type='pci' managed='no' namespace='1'>
  <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source><target dev='vdb'/></disk>
<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>
<disk type='volume' device='disk'><driver type='raw'/><source pool='nowhere' volume='v'/><target dev='vdc'/></disk>
"""


def test_disks_that_are_no_files_are_named_by_what_they_are(libvirt_lab, session):
    domain = libvirt_lab.define("disks of all kinds", devices=DISKS)
    try:
        observation = session.collect("storage")
        (guest,) = (each for each in observation.guests if each.name == "disks of all kinds")
        assert {disk.disk: disk.path for disk in guest.disks} == {
            "vda": "nbd:nbd-1",
            "vdb": "nvme:0000:01:00.0/1",
            "vdc": "v",
        }
        assert observation.problems == ()
    finally:
        domain.undefine()


def test_a_guest_that_an_unreadable_disk_stopped_says_so(libvirt_lab, session):
    """Its firmware reads the boot sector; what cannot be decompressed there is an I/O error of the image."""
    name = "unreadable"
    image = libvirt_lab.image("unreadable.qcow2", "64M")
    subprocess.run([find_binary("qemu-io"), "-c", "write -c -P 7 0 64k", image], check=True, capture_output=True)
    with image.open("r+b") as file:

        def entry(at: int, bits: int) -> int:
            file.seek(at)
            return int.from_bytes(file.read(8), "big") & ((1 << bits) - 1)

        # Header, first table, second table, compressed cluster; the lowest 54 or 56 bits are the offset.
        file.seek(entry(entry(entry(40, 64), 56), 54))
        file.write(b"\xff" * 64)
    disk = (
        "<disk type='file'><driver name='qemu' type='qcow2' error_policy='stop' rerror_policy='stop'/>"
        f"<source file='{image}'/><target dev='vda'/><boot order='1'/></disk>"
    )
    libvirt_lab.launch(name, paused=False, devices=disk)
    try:
        until(lambda: "I/O error" in libvirt_lab.virsh("domstate", name, "--reason"), 60, "I/O error of a guest")
        guest = session.guests("vitals")[name]
        assert (guest.state, guest.state_reason, guest.io_error) == (GuestState.PAUSED, "ioerror", True)
        told = dict(re.findall(r"(vd\w): (.+)", libvirt_lab.virsh("domblkerror", name)))
        assert {each.disk: each.error for each in guest.disks} == {
            "vda": {"unspecified error": "unspecified", "no space": "no_space"}[told["vda"]]
        }
    finally:
        libvirt_lab.discard(name)


@pytest.mark.parametrize(
    ("channel", "up"),
    [("", None), ("com.redhat.spice.0", None), ("org.qemu.guest_agent.0", False)],
    ids=["no channel", "another channel", "nobody at the other end"],
)
def test_whether_an_agent_is_connected_is_what_the_channel_says(libvirt_lab, session, channel, up):
    element = f"<channel type='unix'><target type='virtio' name='{channel}'/></channel>" if channel else ""
    libvirt_lab.launch("channelled", devices=element)
    try:
        assert session.guests("inventory")["channelled"].agent_up is up
        states = re.findall(rf"name='{channel}' state='(\w+)'", libvirt_lab.virsh("dumpxml", "channelled"))
        assert states == (["disconnected"] if channel else [])
    finally:
        libvirt_lab.discard("channelled")
    domain = libvirt_lab.define("channelled", devices=element)
    try:
        assert session.guests("inventory")["channelled"].agent_up is None, "off: nobody can be there"
    finally:
        domain.undefine()
