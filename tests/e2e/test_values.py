"""Every exported value of a real estate equals what virsh and qemu-img print for the same thing.

Expected numbers come from those tools, converted here by hand: ns / 1e9, KiB x 1024. What stands still is equal, what
counts lies between two readings of the other tool around the collection.
"""

import json
import subprocess
from datetime import datetime

import pytest

from tests.backends import estate as world
from tests.e2e.conftest import fresh_page

STATES = {"running": "running", "paused": "paused", "shut off": "stopped"}
KIB = 1024
USAGE = (
    "hypervisor_guest_cpu_seconds_total",
    "hypervisor_guest_cpu_ready_seconds_total",
    "hypervisor_guest_memory_host_used_bytes",
    "hypervisor_guest_disk_read_bytes_total",
)
DISK_COUNTERS = {
    "hypervisor_guest_disk_read_bytes_total": ("rd.bytes", 1),
    "hypervisor_guest_disk_written_bytes_total": ("wr.bytes", 1),
    "hypervisor_guest_disk_reads_total": ("rd.reqs", 1),
    "hypervisor_guest_disk_writes_total": ("wr.reqs", 1),
    "hypervisor_guest_disk_read_seconds_total": ("rd.times", 1e9),
    "hypervisor_guest_disk_write_seconds_total": ("wr.times", 1e9),
    "hypervisor_guest_disk_flushes_total": ("fl.reqs", 1),
    "hypervisor_guest_disk_flush_seconds_total": ("fl.times", 1e9),
}


@pytest.fixture(scope="module")
def page(daemon, libvirt_lab):
    world.move_disk(libvirt_lab, world.TWO_DISKS, "vda", 524288)
    world.move_disk(libvirt_lab, world.TWO_DISKS, "vdb", 65536, act="read")
    return fresh_page(daemon)


def active(estate):
    return [guest for guest in estate.guests.values() if guest.state != "shut off"]


def test_every_guest_is_there_by_its_name_in_its_state(page, estate, virsh):
    assert len(estate.guests) >= 12
    listed = {labels["guest_id"]: labels["guest"] for labels, _ in page.find("hypervisor_guest_state")}
    assert listed == {guest.uuid: guest.name for guest in estate.guests.values()}
    for guest in estate.guests.values():
        state = STATES[virsh.names("domstate", guest.uuid)[0].strip()]
        assert page.find("hypervisor_guest_state", guest_id=guest.uuid)[0][0]["state"] == state
        assert page.value("hypervisor_guest_running", guest_id=guest.uuid) == (state == "running")


def test_definition_and_description_equal_dominfo(page, estate, virsh):
    for guest in estate.guests.values():
        info = virsh.table("dominfo", guest.uuid)
        assert page.value("hypervisor_guest_vcpus", guest_id=guest.uuid) == int(info["CPU(s)"])
        assert page.value("hypervisor_guest_persistent", guest_id=guest.uuid) == (info["Persistent"] == "yes")
        assert page.value("hypervisor_guest_autostart", guest_id=guest.uuid) == (info["Autostart"] == "enable")
        configured = page.value("hypervisor_guest_memory_configured_bytes", guest_id=guest.uuid)
        assert configured == int(info["Max memory"].removesuffix(" KiB")) * KIB
        ((described, _),) = page.find("hypervisor_guest_info", guest_id=guest.uuid)
        assert described["saved"] == ("1" if info["Managed save"] == "yes" else "0")


def test_cpu_and_ready_time_lie_between_two_readings_of_domstats(daemon, estate, virsh):
    def sums(guest, key):
        stats = virsh.domstats(guest.uuid)
        return sum(int(value) for name, value in stats.items() if name.startswith("vcpu.") and name.endswith(key))

    before = {guest.uuid: (sums(guest, ".time"), sums(guest, ".delay")) for guest in active(estate)}
    page = fresh_page(daemon)
    for guest in active(estate):
        after = sums(guest, ".time"), sums(guest, ".delay")
        for family, low, high in zip(USAGE[:2], before[guest.uuid], after, strict=True):
            value = page.value(family, guest_id=guest.uuid)
            assert low / 1e9 - 1e-6 <= value <= high / 1e9 + 1e-6, (guest.name, family)


def test_memory_equals_the_balloon_keys_of_domstats(page, estate, virsh):
    for guest in active(estate):
        stats = virsh.domstats(guest.uuid)
        assigned = page.value("hypervisor_guest_memory_assigned_bytes", guest_id=guest.uuid)
        assert assigned == int(stats["balloon.current"]) * KIB
        configured = page.value("hypervisor_guest_memory_configured_bytes", guest_id=guest.uuid)
        assert configured == int(stats["balloon.maximum"]) * KIB
        if guest.state == "paused":  # its process does nothing between two readings, but pages come and go
            used = page.value("hypervisor_guest_memory_host_used_bytes", guest_id=guest.uuid)
            assert used == pytest.approx(int(stats["balloon.rss"]) * KIB, rel=0.05)


def test_disk_counters_equal_the_block_keys_of_domstats(page, estate, virsh):
    seen = 0
    for guest in active(estate):
        stats = virsh.domstats(guest.uuid)
        for number in range(int(stats["block.count"])):
            disk = stats[f"block.{number}.name"]
            if disk not in guest.disks:
                continue
            for family, (key, divisor) in DISK_COUNTERS.items():
                value = page.value(family, guest_id=guest.uuid, disk=disk)
                assert value == int(stats[f"block.{number}.{key}"]) / divisor, (guest.name, disk, family)
            seen += 1
    assert seen >= 5


def test_disks_that_were_written_and_read_have_moved(page):
    written = page.find("hypervisor_guest_disk_written_bytes_total", guest=world.TWO_DISKS, disk="vda")
    assert written[0][1] >= 524288
    read = page.find("hypervisor_guest_disk_read_bytes_total", guest=world.TWO_DISKS, disk="vdb")
    assert read[0][1] >= 65536


def test_sizes_of_disks_equal_domblkinfo_and_qemu_img(page, estate, virsh):
    for guest in active(estate):
        for disk, path in guest.disks.items():
            if disk not in ("vda", "vdb"):
                continue
            labels = {"guest_id": guest.uuid, "disk": disk}
            info = virsh.table("domblkinfo", guest.uuid, disk)
            assert page.value("hypervisor_guest_disk_capacity_bytes", **labels) == int(info["Capacity"])
            assert page.value("hypervisor_guest_disk_allocated_bytes", **labels) == int(info["Allocation"])
            # domblkinfo calls the blocks on the host "Allocation", domstats calls the same number "physical".
            assert page.value("hypervisor_guest_disk_physical_bytes", **labels) == int(info["Allocation"])
            image = qemu_img(path)
            assert page.value("hypervisor_guest_disk_physical_bytes", **labels) == image[0]["actual-size"]
            assert page.value("hypervisor_guest_disk_capacity_bytes", **labels) == image[0]["virtual-size"]
            assert page.value("hypervisor_guest_disk_chain_depth", **labels) == len(image) - 1, guest.name
            ((described, _),) = page.find("hypervisor_guest_disk_info", **labels)
            assert (described["path"], described["format"]) == (str(path), image[0]["format"])


def qemu_img(path):
    """The chain of an image, newest first."""
    command = ["qemu-img", "info", "-U", "--output=json", "--backing-chain", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)


def test_a_guest_that_is_off_has_its_definition_and_no_usage(page, estate):
    off = [guest for guest in estate.guests.values() if guest.state == "shut off"]
    assert len(off) >= 4
    for guest in off:
        for family in USAGE:
            assert page.find(family, guest_id=guest.uuid) == [], (guest.name, family)


def test_guests_without_disks_and_drives_without_a_medium_have_no_disk_series(page, estate):
    def disks(guest):
        found = page.find("hypervisor_guest_disk_read_bytes_total", guest_id=estate.guests[guest].uuid)
        return {labels["disk"] for labels, _ in found}

    assert disks(world.SPINNER) == disks(world.HOT_PLUG) == set()
    assert disks(world.CDROM) == set(estate.guests[world.CDROM].disks)


def test_snapshots_equal_snapshot_list(page, estate, virsh):
    for guest in estate.guests.values():
        rows = virsh.names("snapshot-list", guest.uuid)[2:]
        times = [datetime.strptime(" ".join(row.split()[-4:-1]), "%Y-%m-%d %H:%M:%S %z").timestamp() for row in rows]
        assert page.value("hypervisor_guest_snapshots", guest_id=guest.uuid) == len(rows), guest.name
        oldest = page.value("hypervisor_guest_oldest_snapshot_timestamp_seconds", guest_id=guest.uuid)
        assert oldest == (min(times) if times else None), guest.name


def test_the_tree_of_snapshots_is_as_deep_as_virsh_draws_it(page, estate):
    depth = "hypervisor_guest_snapshot_chain_depth"
    assert page.value(depth, guest_id=estate.guests[world.TREE].uuid) == 3
    assert page.value(depth, guest_id=estate.guests[world.OVERLAYS].uuid) == 2
    assert page.value(depth, guest_id=estate.guests[world.LIVE].uuid) == 1
    assert page.value(depth, guest_id=estate.guests[world.OFF].uuid) == 0


def test_the_forgotten_snapshot_is_400_days_old(page, estate):
    old = estate.guests[world.OLD].uuid
    assert page.value("hypervisor_guest_oldest_snapshot_timestamp_seconds", guest_id=old) == estate.old_snapshot_time
    age = page.value("hypervisor_guest_oldest_snapshot_age_seconds", guest_id=old)
    assert 400 * 86400 <= age <= 400 * 86400 + 6 * 3600  # as long as all tests take together


def test_single_snapshots_tell_parent_kind_and_memory(page, estate):
    def described(guest, name):
        ((labels, _),) = page.find("hypervisor_snapshot_info", guest_id=estate.guests[guest].uuid, snapshot=name)
        return labels["parent_id"], labels["kind"], labels["memory"]

    assert described(world.TREE, "base") == ("", "user", "0")
    assert described(world.TREE, "test") == ("update", "user", "0")
    assert described(world.LIVE, "with-ram") == ("", "user", "1")


def test_pools_equal_pool_info(page, estate, virsh):
    for pool in estate.pools.values():
        labels = {"storage_id": pool.uuid, "storage": pool.name}
        assert page.value("hypervisor_storage_accessible", **labels) == pool.active
        if pool.active:
            info = virsh.table("pool-info", "--bytes", pool.uuid)
            assert page.value("hypervisor_storage_capacity_bytes", **labels) == int(info["Capacity"])
            # Another process may write to the same file system between the two readings of libvirt's own cache.
            assert page.value("hypervisor_storage_free_bytes", **labels) == int(info["Available"])
        else:
            assert page.find("hypervisor_storage_capacity_bytes", **labels) == []


def test_the_host_equals_nodeinfo_and_its_statistics(daemon, virsh):
    def busy():
        stats = virsh.table("nodecpustats")
        return (int(stats["user"]) + int(stats["system"])) / 1e9

    before = busy()
    page = fresh_page(daemon)
    after = busy()
    info = virsh.table("nodeinfo")
    memory = {key: int(value.removesuffix(" KiB")) for key, value in virsh.table("nodememstats").items()}
    sockets = int(info["CPU socket(s)"]) * int(info["NUMA cell(s)"])
    assert page.value("hypervisor_host_cpu_sockets", target="lab") == sockets
    assert page.value("hypervisor_host_cpu_cores", target="lab") == sockets * int(info["Core(s) per socket"])
    assert page.value("hypervisor_host_cpu_capacity_cpus", target="lab") == int(info["CPU(s)"])
    assert page.value("hypervisor_host_memory_capacity_bytes", target="lab") == memory["total"] * KIB
    available = page.value("hypervisor_host_memory_available_bytes", target="lab")
    assert available == pytest.approx((memory["free"] + memory["buffers"] + memory["cached"]) * KIB, rel=0.02)
    used = page.value("hypervisor_host_memory_used_bytes", target="lab")
    assert used == memory["total"] * KIB - available
    assert before <= page.value("hypervisor_host_cpu_busy_seconds_total", target="lab") <= after
    assert page.value("hypervisor_host_up", target="lab") == 1


def test_what_is_promised_to_guests_is_the_sum_over_those_that_hold_memory(page, estate, virsh):
    holding = [virsh.domstats(guest.uuid) for guest in active(estate)]
    cpus = sum(int(stats["vcpu.current"]) for stats in holding)
    assert page.value("hypervisor_host_vcpus_allocated", target="lab") == cpus
    memory = sum(int(stats["balloon.maximum"]) for stats in holding) * KIB
    assert page.value("hypervisor_host_memory_allocated_bytes", target="lab") == memory
    for state in ("running", "paused", "shut off"):
        count = sum(guest.state == state for guest in estate.guests.values())
        assert page.value("hypervisor_host_guests", target="lab", state=STATES[state]) == count


def test_a_filter_hides_guests_but_not_what_they_add_to_the_host(libvirt_lab, estate, page):
    from tests.backends.daemon import Daemon, document, libvirt

    hidden = libvirt("lab", libvirt_lab.uri, filters={"guests": {"exclude": ["snapshot-*"]}})
    with Daemon(document([hidden])) as filtered:
        shown = filtered.wait_for("hypervisor_target_up", 1, target="lab")
    names = {labels["guest"] for labels, _ in shown.find("hypervisor_guest_state")}
    assert names == {name for name in estate.guests if not name.startswith("snapshot-")}
    family = "hypervisor_host_vcpus_allocated"
    assert shown.value(family, target="lab") == page.value(family, target="lab")
