"""Checkpoints, overlays and snapshots' sizes of a real QEMU; expected numbers from virsh, qemu-img and the kernel."""

import re
import time

import libvirt
import pytest

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.errors import AgentSilent
from exporter.config.model import Profile
from tests.backends.estate import LIVE, OFF, OVERLAYS, POOL, TITLED, TREE, TWO_DISKS
from tests.integration.libvirt_world import key_values, number, world

pytestmark = pytest.mark.backend
CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
DISK = "<disk type='file'><driver name='qemu' type='qcow2'/><source file='{path}'/><target dev='vda'/></disk>"


@pytest.fixture
def lab(libvirt_lab, estate):
    return libvirt_lab


@pytest.fixture
def session(lab):
    with world(lab.uri) as opened:
        yield opened


@pytest.fixture
def guest(lab):
    """A paused guest with one disk."""
    disk = DISK.format(path=lab.image("breadth.qcow2"))
    yield lab.launch("breadth", devices=disk)
    lab.discard("breadth")


def test_the_newest_checkpoint_is_checkpoint_dumpxmls(lab, guest, session):
    for name in ("monday", "tuesday"):
        guest.checkpointCreateXML(f"<domaincheckpoint><name>{name}</name></domaincheckpoint>")
        if name == "monday":
            time.sleep(1.1)
    text = lab.virsh("checkpoint-dumpxml", "breadth", "tuesday")
    guests = session.guests("snapshots")
    assert guests["breadth"].last_checkpoint_timestamp_seconds == int(re.search(r"<creationTime>(\d+)<", text)[1])
    assert guests[OFF].last_checkpoint_timestamp_seconds is None
    requests = {name: each.count for name, each in session.meter.take().items()}
    assert requests["virDomainListAllCheckpoints"] == requests["virDomainCheckpointGetXMLDesc"] == 1


def test_limits_of_a_disk_are_blkdeviotunes(lab, guest, session):
    lab.virsh("blkdeviotune", "breadth", "vda", "--total-bytes-sec", "1048576", "--read-iops-sec", "200", "--live")
    told = key_values(lab.virsh("blkdeviotune", "breadth", "vda"), ":")
    assert session.guests("inventory")["breadth"].extra == {
        "limit bytes total vda": int(told["total_bytes_sec"]),
        "limit operations read vda": int(told["read_iops_sec"]),
    }


def test_external_snapshots_take_what_their_overlays_take(estate, session):
    assert session.guests("snapshots")[OVERLAYS].snapshots_size_bytes is None, "no storage collection yet"
    session.collect("storage")
    guests = session.guests("snapshots")
    overlays = [snapshot.size_bytes for snapshot in guests[OVERLAYS].snapshots]
    top = estate.guests[OVERLAYS].disks["vda"]
    on_disk = {file: file.stat().st_blocks * 512 for file in top.parent.glob(f"{top.stem}.*")}
    assert set(overlays) <= set(on_disk.values()), "du's numbers"
    assert guests[OVERLAYS].snapshots_size_bytes == sum(overlays) > 0
    assert [guests[name].snapshots_size_bytes for name in (LIVE, TREE, OFF)] == [None, None, None]


def test_an_overlay_without_a_snapshot_is_an_orphan(lab, guest, session):
    top = lab.scratch.directory("images") / "hidden.qcow2"
    xml = f"<domainsnapshot><disks><disk name='vda'><source file='{top}'/></disk></disks></domainsnapshot>"
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
    session.collect("inventory")
    assert session.guests("snapshots")["breadth"].orphaned_overlays == 0
    guest.snapshotCreateXML(xml, flags)
    session.collect("inventory")
    guests = session.guests("snapshots")
    assert (guests["breadth"].snapshots, guests["breadth"].orphaned_overlays) == ((), 1)
    assert (guests[OVERLAYS].orphaned_overlays, guests[TWO_DISKS].orphaned_overlays) == (0, 0)
    assert guests["snapshot-old"].orphaned_overlays is None, "off: its chain is not shown"
    with world(lab.uri, profile=Profile(image_base_patterns=("*/breadth.qcow2",))) as other:
        other.collect("inventory")
        assert other.guests("snapshots")["breadth"].orphaned_overlays == 0, "a clone of an image"


def test_a_guests_title_is_a_tag_when_asked_for(lab):
    for options, tags in (({}, ""), ({"tags": ["title"]}, ",title=Titled & described,")):
        with world(lab.uri, options=options) as session:
            session.collect("inventory")
            assert session.guests("vitals")[TITLED].tags == tags


def writing(session):
    """Calls that need more than reading, as counted."""
    wanted = ("virConnectOpen", "virStoragePoolRefresh", "virDomainGetGuestInfo")
    return {name: each.count for name, each in session.meter.take().items() if name in wanted}


def test_a_pool_is_looked_at_anew_only_when_asked_for(lab, estate, session):
    path = estate.pools[POOL].path / "new.raw"

    def free(opened):
        return {pool.name: pool.free_bytes for pool in opened.collect("storage").storages}[POOL]

    before = free(session)
    path.write_bytes(b"x" * 64 * 2**20)
    try:
        assert free(session) == before, "libvirt's numbers are those of its last look"
        assert writing(session) == {}
        with world(lab.uri, options={"refresh_pools": True}) as other:
            now = free(other)
            assert now == number(key_values(lab.virsh("pool-info", POOL, "--bytes"), ":")["Available"])
            assert now != before, "others write to this disk as well: only that it was looked at is sure"
            assert writing(other)["virConnectOpen"] == 1
            assert not other.collect("storage").problems, "an inactive pool is left alone"
    finally:
        path.unlink()
        lab.virsh("pool-refresh", POOL)


def test_agents_that_are_not_there_are_not_asked_and_say_so_when_they_are(lab):
    lab.launch("with a channel", paused=False, devices=CHANNEL)
    try:
        with world(lab.uri, profile=Profile(group_include=("agent",))) as session:
            observation = session.collect("agent")
            assert (observation.guests, observation.problems, writing(session)) == ((), (), {})
            domain = Domain(lab.conn().lookupByName("with a channel").UUIDString(), "with a channel", 1)
            with pytest.raises(AgentSilent, match="QEMU guest agent is not connected"):
                session.session._writing.told(domain, 5)
    finally:
        lab.discard("with a channel")
