"""Guests that change while they are watched: other names, other devices, other lives under the same name."""

from contextlib import suppress

import libvirt
import pytest

from collectors.libvirt.client.about_domains import AboutDomains
from tests.backends.estate import disk, move_disk, nic, qcow2, take
from tests.backends.need import need
from tests.integration.libvirt_world import domstats, world

pytestmark = pytest.mark.backend

GROUPS = ("inventory", "vitals", "storage", "snapshots")
LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
ACPI = "<features><acpi/></features>"
"""Without it there is no plugging into PCI."""


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as started:
        yield started


@pytest.fixture
def session(lab):
    with world(lab.uri) as opened:
        yield opened


def names(session) -> dict[str, dict[str, str]]:
    """Names by UUID in every group."""
    found = {group: session.collect(group) for group in GROUPS}
    assert [each.problems for each in found.values() if each.problems] == []
    return {group: {guest.id: guest.name for guest in each.guests} for group, each in found.items()}


def test_a_guest_that_is_renamed_is_the_same_guest_in_every_group_at_once(lab, session):
    domain = lab.define("old name", devices=qcow2(lab, "renamed"))
    take(domain, "before")
    for name in ("old name", "new name", "old name"):
        if domain.name() != name:
            lab.virsh("domrename", domain.UUIDString(), name)
            domain = lab.conn().lookupByName(name)
        assert all(found[domain.UUIDString()] == name for found in names(session).values())
    assert [each.name for each in session.guests("snapshots")["old name"].snapshots] == ["before"]
    lab.discard("old name")


def test_a_guest_made_again_under_its_name_inherits_nothing(lab, session):
    first = lab.define("again", vcpus=3, head="<title>first</title>", devices=qcow2(lab, "again") + nic())
    take(first, "of the first")
    before = {group: session.guests(group)["again"] for group in (*GROUPS, "vitals")}
    lab.discard("again")
    second = lab.define("again", memory_mib=8)
    after = {group: session.guests(group)["again"] for group in ("vitals", *GROUPS)}
    assert second.UUIDString() != first.UUIDString()
    assert {guest.id for guest in before.values()} == {first.UUIDString()}
    assert {guest.id for guest in after.values()} == {second.UUIDString()}
    assert (after["snapshots"].snapshots, after["storage"].disks, after["inventory"].nics) == ((), (), ())
    assert (after["vitals"].cpu.vcpus, after["vitals"].memory.configured_bytes) == (1, 8 * 2**20)
    lab.discard("again")


def test_vitals_do_not_describe_a_new_guest_by_an_old_one_of_its_name(lab, session):
    lab.define("described")
    session.collect("inventory")
    assert session.guests("vitals")["described"].described
    lab.discard("described")
    lab.define("described")
    assert not session.guests("vitals")["described"].described
    lab.discard("described")


@pytest.mark.parametrize("group", GROUPS)
def test_a_guest_that_is_deleted_between_two_questions_costs_itself(lab, group, monkeypatch):
    """With a process, a disk and a snapshot, so that every question about it comes too late."""
    listed = AboutDomains.domains

    def list_then_delete(self, *which):
        found = listed(self, *which)
        with suppress(libvirt.libvirtError):
            lab.discard("doomed")
        return found

    lab.define("survivor")
    take(lab.launch("doomed", devices=qcow2(lab, "doomed")), "of the doomed")
    with world(lab.uri) as session:
        session.collect(group)
        monkeypatch.setattr(AboutDomains, "domains", list_then_delete)
        observation = session.collect(group)
    assert (observation.problems, observation.partial) == ((), False)
    assert "survivor" in {guest.name for guest in observation.guests}
    assert "doomed" not in lab.virsh("list", "--all", "--name").splitlines()
    lab.discard("survivor")


def test_a_virtual_cpu_that_is_plugged_is_a_part_more(lab, session):
    guest = lab.launch("plug", vcpus=1, max_vcpus=4)
    epochs = {session.guests("vitals")["plug"].cpu.seconds.epoch}
    for count in (3, 4):
        guest.setVcpus(count)
        cpu = session.guests("vitals")["plug"].cpu
        assert (cpu.vcpus, cpu.seconds.complete) == (count, True)
        assert cpu.seconds.values.keys() == cpu.ready_seconds.values.keys() == {str(each) for each in range(count)}
        epochs.add(cpu.seconds.epoch)
    assert len(epochs) == 1
    lab.discard("plug")


def test_a_disks_numbers_stay_its_own_when_the_order_of_disks_changes(lab, session):
    """On a SCSI bus: what is plugged into PCI goes with the help of an operating system only."""
    scsi = "<controller type='scsi' model='virtio-scsi'/>"
    images = {name: lab.image(f"{name}.qcow2", size) for name, size in (("sda", "1M"), ("sdb", "2M"), ("sdc", "3M"))}
    xml = {name: disk("qcow2", path, name, bus="scsi") for name, path in images.items()}
    guest = lab.launch("disks", devices=scsi + xml["sdb"])
    move_disk(lab, "disks", "sdb", 65536)

    def seen() -> tuple[dict[str, float], dict[str, float]]:
        counters = {each.disk: each.written_bytes for each in session.guests("vitals")["disks"].disks}
        return counters, {each.disk: each.capacity_bytes for each in session.guests("storage")["disks"].disks}

    assert seen() == ({"sdb": 65536}, {"sdb": 2 * 2**20})
    guest.attachDeviceFlags(xml["sda"], LIVE)
    guest.attachDeviceFlags(xml["sdc"], LIVE)
    assert domstats(lab, "disks", "--block")["block.0.name"] == "sda", "the order has changed"
    assert seen() == ({"sda": 0, "sdb": 65536, "sdc": 0}, {f"sd{x}": n * 2**20 for n, x in enumerate("abc", 1)})
    move_disk(lab, "disks", "sdc", 4096)
    assert seen()[0] == {"sda": 0, "sdb": 65536, "sdc": 4096}
    guest.detachDeviceFlags(xml["sda"], LIVE)
    assert seen() == ({"sdb": 65536, "sdc": 4096}, {"sdb": 2 * 2**20, "sdc": 3 * 2**20})
    lab.discard("disks")


def test_an_adapter_is_there_from_the_inventory_after_it_was_plugged(lab, session):
    guest = lab.launch("nics", head=ACPI, devices=nic())
    (first,) = session.guests("inventory")["nics"].nics
    mac = "52:54:00:00:aa:01"
    plugged = f"<interface type='user'><mac address='{mac}'/><model type='virtio'/></interface>"
    guest.attachDeviceFlags(plugged, LIVE)
    assert {each.mac for each in session.guests("inventory")["nics"].nics} == {first.mac, mac}
    assert session.guests("vitals")["nics"].stats_complete
    lab.discard("nics")


def test_snapshots_that_come_and_go_between_list_and_description_cost_themselves(lab, session, monkeypatch):
    guest = lab.define("snapshots", devices=qcow2(lab, "snapshots"))
    for name in ("first", "second", "third"):
        take(guest, name)
    listed = AboutDomains.snapshots

    def list_then_change(self, domain):
        found = listed(self, domain)
        if domain.name == "snapshots":
            guest.snapshotLookupByName("second").delete()
            take(guest, "fourth")
        return found

    monkeypatch.setattr(AboutDomains, "snapshots", list_then_change)
    observation = session.collect("snapshots")
    monkeypatch.undo()
    (seen,) = [each for each in observation.guests if each.name == "snapshots"]
    assert (observation.problems, observation.partial) == ((), False)
    assert [(each.name, each.parent_id) for each in seen.snapshots] == [("first", ""), ("third", "first")]
    later = session.guests("snapshots")["snapshots"].snapshots
    assert {each.name for each in later} == {"first", "third", "fourth"}
    lab.discard("snapshots")


def test_a_daemon_that_comes_back_shows_what_changed_while_it_was_away(lab, session):
    """Guests go on without the daemon: one ends, one is there as before, one is new afterwards."""
    for name in ("ends", "stays"):
        lab.launch(name, devices=qcow2(lab, name))
    lab.launch("vanishes", transient=True)
    move_disk(lab, "stays", "vda", 4096)
    before = session.guests("vitals")
    pids = {name: lab.guest_pid(name) for name in ("ends", "vanishes")}
    lab.stop_daemon()
    for pid in pids.values():
        kill(pid)
    lab.start_daemon()
    assert session.collect("vitals").problems == ()
    lab.launch("new")
    after = session.guests("vitals")
    assert {name: guest.state.value for name, guest in after.items()} == {
        "ends": "stopped", "stays": "paused", "new": "paused",
    }  # fmt: skip
    assert after["ends"].cpu.seconds is None
    assert after["stays"].cpu.seconds.epoch == before["stays"].cpu.seconds.epoch
    assert after["stays"].disks[0].written_bytes == 4096
    assert {guest.host_id for guest in (*before.values(), *after.values())} == {before["stays"].host_id}
    for name in ("ends", "stays", "new"):
        lab.discard(name)


def kill(pid: int) -> None:
    import psutil

    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.kill()
        psutil.wait_procs([process], timeout=10)
