"""What a session collects equals what virsh and qemu-img print for the same thing."""

import json
import re
import subprocess
import time

import pytest

from tests.backends.estate import (
    COLD_POOL,
    ODD_NAME,
    OFF,
    OVERLAYS,
    POOL,
    SAVED,
    SPINNER,
    TRANSIENT,
    TWO_DISKS,
    move_disk,
)
from tests.backends.processes import find_binary
from tests.integration.libvirt_world import domstats, key_values, number, world

GIB = 2**30
STATES = {"running": "running", "paused": "paused", "shut off": "stopped"}


@pytest.fixture
def lab(libvirt_lab, estate):
    return libvirt_lab


@pytest.fixture
def session(lab):
    with world(lab.uri) as opened:
        yield opened


def test_every_guest_is_there_in_its_state_for_its_reason(lab, estate, session):
    guests = session.guests("vitals")
    assert guests.keys() == estate.guests.keys()
    for name, guest in guests.items():
        state, reason = re.match(r"(.+) \((.+)\)", lab.virsh("domstate", guest.id, "--reason")).groups()
        assert guest.id == estate.guests[name].uuid
        assert guest.state == STATES[state], name
        assert guest.state_reason == {"unknown": "unknown"}.get(reason, reason), name


def test_guests_in_numbers_are_dominfos(lab, session):
    for name, guest in session.guests("vitals").items():
        info = key_values(lab.virsh("dominfo", guest.id), ":")
        assert guest.cpu.vcpus == int(info["CPU(s)"]), name
        assert guest.memory.configured_bytes == number(info["Max memory"]) * 1024, name
        assert guest.persistent is (info["Persistent"] == "yes"), name
        assert guest.saved is (info["Managed save"] == "yes"), name
        if guest.cpu.seconds is not None:
            assert guest.memory.assigned_bytes == number(info["Used memory"]) * 1024, name
    assert session.guests("vitals")[TRANSIENT].persistent is False
    assert session.guests("vitals")[SAVED].saved is True


def test_autostart_is_dominfos(lab, session):
    domain = lab.conn().lookupByName(OFF)
    domain.setAutostart(1)
    try:
        guests = session.guests("inventory")
        for name, guest in guests.items():
            assert guest.autostart is (key_values(lab.virsh("dominfo", guest.id), ":")["Autostart"] == "enable"), name
        assert guests[OFF].autostart is True
    finally:
        domain.setAutostart(0)


def test_cpu_time_lies_between_two_looks_of_virsh_and_grows_with_the_clock(lab, session):
    before = domstats(lab, SPINNER, "--vcpu")
    first, begun = session.guests("vitals")[SPINNER].cpu, time.monotonic()
    after = domstats(lab, SPINNER, "--vcpu")
    assert int(before["vcpu.0.time"]) / 1e9 <= first.seconds.values["0"] <= int(after["vcpu.0.time"]) / 1e9
    assert int(before["vcpu.0.delay"]) / 1e9 <= first.ready_seconds.values["0"] <= int(after["vcpu.0.delay"]) / 1e9
    assert first.seconds.complete
    time.sleep(0.5)
    second, elapsed = session.guests("vitals")[SPINNER].cpu, time.monotonic() - begun
    busy = second.seconds.values["0"] - first.seconds.values["0"]
    waited = second.ready_seconds.values["0"] - first.ready_seconds.values["0"]
    assert 0 < busy + waited < elapsed + 0.05, "one CPU"
    assert second.seconds.epoch == first.seconds.epoch


def test_guests_that_are_off_use_nothing(session):
    for guest in session.guests("vitals").values():
        if guest.state == "stopped":
            assert (guest.cpu.seconds, guest.cpu.ready_seconds, guest.disks, guest.nics) == (None, None, (), ())
            assert guest.memory.assigned_bytes is None


def test_disk_counters_move_by_what_was_moved(lab, session):
    def disks():
        return {disk.disk: disk for disk in session.guests("vitals")[TWO_DISKS].disks}

    before = disks()
    move_disk(lab, TWO_DISKS, "vda", 65536)
    move_disk(lab, TWO_DISKS, "vdb", 4096, act="read")
    after = disks()
    assert after["vda"].written_bytes - before["vda"].written_bytes == 65536
    assert after["vda"].writes - before["vda"].writes == 1
    assert after["vdb"].read_bytes - before["vdb"].read_bytes == 4096
    assert after["vdb"].reads - before["vdb"].reads == 1
    assert after["vda"].read_bytes == before["vda"].read_bytes
    stats = domstats(lab, TWO_DISKS, "--block")
    for number_, disk in enumerate(after.values()):
        block = {
            key: int(value) for key, value in stats.items() if key.startswith(f"block.{number_}.") and value.isdecimal()
        }
        assert (disk.reads, disk.read_bytes) == (block[f"block.{number_}.rd.reqs"], block[f"block.{number_}.rd.bytes"])
        assert (disk.writes, disk.written_bytes) == (
            block[f"block.{number_}.wr.reqs"],
            block[f"block.{number_}.wr.bytes"],
        )
        assert disk.read_seconds == block[f"block.{number_}.rd.times"] / 1e9
        assert disk.write_seconds == block[f"block.{number_}.wr.times"] / 1e9
        assert disk.flushes == block[f"block.{number_}.fl.reqs"]


def test_an_empty_drive_is_no_disk(session):
    assert [disk.disk for disk in session.guests("vitals")["cdrom"].disks] == ["sda"]


def test_resident_memory_is_dommemstats(lab, session):
    guest = session.guests("vitals")[TWO_DISKS]
    stats = key_values(lab.virsh("dommemstat", guest.id), " ")
    assert guest.memory.host_used_bytes == pytest.approx(int(stats["rss"]) * 1024, abs=2 * 2**20)
    assert guest.memory.assigned_bytes == int(stats["actual"]) * 1024
    assert guest.memory.used_bytes is None, "no driver in this guest reports anything"


def test_the_host_is_what_virsh_says_of_the_node(lab, session):
    before = key_values(lab.virsh("nodecpustats"), ":")
    observation = session.collect("vitals")
    after = key_values(lab.virsh("nodecpustats"), ":")
    (host,) = observation.hosts
    info, memory = key_values(lab.virsh("nodeinfo"), ":"), key_values(lab.virsh("nodememstats"), ":")
    low, high = ((int(look["system"]) + int(look["user"])) / 1e9 for look in (before, after))
    assert low <= host.cpu.busy_seconds <= high
    assert host.cpu.capacity_cpus == int(key_values(lab.virsh("nodecpumap"), ":")["CPUs online"])
    assert host.cpu.threads == int(info["CPU(s)"])
    assert host.cpu.frequency_hertz == pytest.approx(number(info["CPU frequency"]) * 1e6, rel=0.5)  # it moves
    assert host.memory.capacity_bytes == number(memory["total"]) * 1024
    available = sum(number(memory[key]) for key in ("free", "buffers", "cached")) * 1024
    assert host.memory.available_bytes == pytest.approx(available, abs=GIB // 4)
    assert host.memory.used_bytes + host.memory.available_bytes == host.memory.capacity_bytes
    assert host.name == lab.virsh("hostname").strip()
    assert host.id == re.search(r"<uuid>(.+)</uuid>", lab.virsh("capabilities"))[1]
    running = re.search(r"Running hypervisor: (\S+) (\S+)", lab.virsh("version")).groups()
    assert (host.product, host.version) == running
    assert observation.endpoint.api_version == re.search(r"Using library: libvirt (\S+)", lab.virsh("version"))[1]


def test_disks_are_as_large_as_domblkinfo_and_qemu_img_say(lab, estate, session):
    for name, guest in session.guests("storage").items():
        assert [disk.path for disk in guest.disks] == [str(path) for path in estate.guests[name].disks.values()]
        for disk in guest.disks:
            image = json.loads(
                subprocess.run(
                    [find_binary("qemu-img"), "info", "--force-share", "--output=json", disk.path],
                    capture_output=True,
                    check=True,
                ).stdout
            )
            assert disk.format == image["format"]
            if estate.guests[name].state == "shut off":
                assert (disk.capacity_bytes, disk.allocated_bytes, disk.chain_depth) == (None, None, None)
                continue
            sizes = key_values(lab.virsh("domblkinfo", guest.id, disk.disk), ":")
            assert disk.capacity_bytes == int(sizes["Capacity"]) == image["virtual-size"]
            assert disk.allocated_bytes == int(sizes["Allocation"])
            assert disk.physical_bytes == image["actual-size"]


def test_a_chain_of_three_files_has_two_layers_below(session):
    guests = session.guests("storage")
    assert guests[OVERLAYS].disks[0].chain_depth == 2
    assert [disk.chain_depth for disk in guests[TWO_DISKS].disks] == [0, 0]


def test_pools_are_pool_infos(lab, estate, session):
    storages = {storage.name: storage for storage in session.collect("storage").storages}
    assert storages.keys() == estate.pools.keys()
    pool = storages[POOL]
    info = key_values(lab.virsh("pool-info", POOL, "--bytes"), ":")
    assert pool.accessible is (info["State"] == "running") is True
    assert (pool.capacity_bytes, pool.free_bytes) == (number(info["Capacity"]), number(info["Available"]))
    assert (pool.id, pool.backing, pool.shared, pool.key) == (info["UUID"], "dir", False, f"lab/{info['UUID']}")
    cold = storages[COLD_POOL]
    assert (cold.accessible, cold.capacity_bytes, cold.free_bytes) == (False, None, None)


def test_a_disk_in_a_pool_says_so(lab, estate, session):
    path = estate.pools[POOL].path / "data.qcow2"
    disk = f"<disk type='file'><source file='{path}'/><target dev='vda'/></disk>"
    domain = lab.define("in a pool", devices=disk)
    try:
        (found,) = session.guests("storage")["in a pool"].disks
        assert (found.storage, found.storage_id) == (POOL, estate.pools[POOL].uuid)
    finally:
        domain.undefine()


def test_snapshots_are_snapshot_lists(lab, estate, session):
    for name, guest in session.guests("snapshots").items():
        listed = lab.virsh("snapshot-list", guest.id, "--name").split()
        assert sorted(each.name for each in guest.snapshots) == sorted(listed) == list(estate.guests[name].snapshots)
        for each in guest.snapshots:
            info = key_values(lab.virsh("snapshot-info", guest.id, each.name), ":")
            text = lab.virsh("snapshot-dumpxml", guest.id, each.name)
            assert each.created_timestamp_seconds == int(re.search(r"<creationTime>(\d+)<", text)[1])
            assert each.parent_id == info["Parent"].replace("-", "" if info["Parent"] == "-" else "-")
            assert each.state == info["State"]
            assert each.current is (info["Current"] == "yes")


def test_a_snapshot_of_400_days_ago_keeps_its_date(estate, session):
    (ancient,) = session.guests("snapshots")["snapshot-old"].snapshots
    assert ancient.created_timestamp_seconds == estate.old_snapshot_time
    assert session.guests("snapshots")[OFF].snapshots == (), "none is known, not unknown"


def test_a_snapshot_made_again_under_its_name_has_its_new_date(lab, session):
    domain = lab.define("nightly")
    try:
        dates = []
        for created in (1_600_000_000, 1_700_000_000):
            xml = f"<domainsnapshot><name>backup</name><state>shutoff</state><creationTime>{created}</creationTime>"
            snapshot = domain.snapshotCreateXML(f"{xml}{domain.XMLDesc()}</domainsnapshot>", 1)  # redefine
            dates += [each.created_timestamp_seconds for each in session.guests("snapshots")["nightly"].snapshots]
            snapshot.delete(2)  # its metadata
        assert dates == [1_600_000_000, 1_700_000_000]
    finally:
        domain.undefine()


def test_a_guest_is_described_once_the_inventory_was_read(session):
    assert not any(guest.described for guest in session.guests("vitals").values())
    session.collect("inventory")
    guests = session.guests("vitals")
    assert all(guest.described for guest in guests.values())
    assert guests[TWO_DISKS].bios_uuid == guests[TWO_DISKS].id


def test_a_name_with_everything_in_it(lab, session):
    lab.conn().lookupByName(ODD_NAME)
    for group in ("inventory", "vitals", "storage", "snapshots"):
        assert ODD_NAME in session.guests(group), group
    (nic,) = session.guests("inventory")[ODD_NAME].nics
    assert nic.nic == nic.mac, "a user-mode adapter has no device on the host"
