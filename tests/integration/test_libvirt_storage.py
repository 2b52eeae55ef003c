"""Pools that come and go, clones and overlays, sizes while others ask; expected numbers from the kernel."""

import json
import shutil

import libvirt
import pytest

from collectors.libvirt.client.about_pools import AboutPools
from collectors.libvirt.client.bulk import Bulk
from collectors.libvirt.groups.storage import STORAGE_INACCESSIBLE
from exporter.config.model import Profile
from tests.backends.crowd import clone
from tests.backends.estate import disk, move_disk, overlays, qcow2, take
from tests.backends.need import need
from tests.integration.libvirt_world import world

pytestmark = pytest.mark.backend
BLOCK = 512


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


@pytest.fixture
def pool(lab):
    """An active pool of a folder of its own."""
    path = lab.scratch.directory("pool")
    made = lab.conn().storagePoolDefineXML(
        f"<pool type='dir'><name>p</name><target><path>{path}</path></target></pool>"
    )
    made.create()
    yield made
    for found in lab.conn().listAllStoragePools():
        if found.isActive():
            found.destroy()
        found.undefine()
    shutil.rmtree(path, ignore_errors=True)


def pools(observation):
    return {pool.name: (pool.accessible, pool.capacity_bytes is not None) for pool in observation.storages}


def test_a_pool_that_is_switched_off_and_on_again_keeps_its_id(lab, session, pool):
    ids = set()
    for act, expected in ((None, True), (pool.destroy, False), (pool.create, True)):
        if act is not None:
            act()
        observation = session.collect("storage")
        ids |= {each.id for each in observation.storages}
        assert (pools(observation), observation.problems) == ({"p": (expected, expected)}, ())
    assert ids == {pool.UUIDString()}


def test_a_pool_whose_folder_is_gone_is_as_libvirt_last_saw_it_until_it_looks_again(lab, session, pool):
    """Only looking at it anew tells, and that is asked for; libvirt then switches it off."""
    before = session.collect("storage")
    shutil.rmtree(lab.scratch.path / "pool")
    assert session.collect("storage").storages == before.storages
    with world(lab.uri, options={"refresh_pools": True}) as other:
        first, second = other.collect("storage"), other.collect("storage")
    assert [each.count for each in first.problems] == [1]
    assert "refreshing pool 'p'" in first.problems[0].example
    assert pools(first) == pools(second) == {"p": (False, False)}
    assert STORAGE_INACCESSIBLE not in {each.name for each in first.problems}, "it was told at once, nothing hangs"
    assert second.problems == (), "an inactive pool is not looked at"


def test_a_pool_that_is_deleted_between_two_questions_costs_itself(lab, session, pool, monkeypatch):
    listed = AboutPools.pools

    def list_then_delete(self):
        found = listed(self)
        if pool.isActive():
            pool.destroy()
            pool.undefine()
        return found

    monkeypatch.setattr(AboutPools, "pools", list_then_delete)
    observation = session.collect("storage")
    assert (observation.storages, observation.problems, observation.partial) == ((), (), False)


def test_sizes_of_a_guest_that_was_busy_for_a_moment_are_asked_for_again(lab, session, monkeypatch):
    """libvirt passes by a guest whose monitor somebody else asks at that moment: its record has no disks."""
    lab.launch("busy", devices=qcow2(lab, "busy"))
    lab.launch("idle", devices=qcow2(lab, "idle"))
    asked, passed_by = [], []
    bulk = Bulk.bulk

    def pass_by_once(self, domains, *more):
        records = bulk(self, domains, *more)
        asked.append({domain.name for domain in domains})
        for number, record in enumerate(records):
            if record.domain.name == "busy" and not passed_by:
                passed_by.append(record)
                records[number] = type(record)(record.domain, {"state.state": 3})
        return records

    monkeypatch.setattr(Bulk, "bulk", pass_by_once)
    guests = session.guests("storage")
    assert asked == [{"busy", "idle"}, {"busy"}]
    assert [guests[name].disks[0].capacity_bytes for name in ("busy", "idle")] == [2**20, 2**20]
    for name in ("busy", "idle"):
        lab.discard(name)


def orphaned(lab, **profile) -> dict[str, int | None]:
    with world(lab.uri, profile=Profile(**profile)) as session:
        session.collect("inventory")
        return {name: guest.orphaned_overlays for name, guest in session.guests("snapshots").items()}


def test_clones_of_one_image_are_no_orphans_while_a_running_guest_shares_it(lab):
    base = lab.image("golden.qcow2", "16M")
    for name in ("one", "two"):
        lab.launch(name, devices=disk("qcow2", clone(lab, base, f"{name}.qcow2"), "vda"))
    assert orphaned(lab) == {"one": 0, "two": 0}
    # Of a guest that is off only the newest layer is known: what lies below is not asked of its files.
    lab.conn().lookupByName("two").destroy()
    assert orphaned(lab) == {"one": 1, "two": None}
    assert orphaned(lab, image_base_patterns=("*/golden.*",)) == {"one": 0, "two": None}
    # A guest that is off and has the image itself as its disk is known to use it.
    lab.define("template", devices=disk("qcow2", base, "vda"))
    assert orphaned(lab)["one"] == 0
    for name in ("one", "two", "template"):
        lab.discard(name)


def test_each_overlay_of_a_chain_that_nobody_knows_is_counted_and_one_of_a_snapshot_is_not(lab):
    guest = lab.launch("layers", devices=qcow2(lab, "layers"))
    folder = lab.scratch.directory("images")
    flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    for number, (more, expected) in enumerate(
        [
            (0, 0),
            (libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA, 1),
            (libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA, 2),
        ]
    ):
        layer = f"<disks><disk name='vda' snapshot='external'><source file='{folder}/l{number}'/></disk></disks>"
        take(guest, f"number {number}", layer, flags | more)
        assert orphaned(lab) == {"layers": expected}
    lab.discard("layers")


def test_what_a_snapshot_holds_grows_with_what_the_guest_writes_and_is_what_the_kernel_counts(lab, session):
    """A snapshot's overlay holds what was written since; written is into the newest, which belongs to the last one."""
    guest = lab.launch("writing", devices=qcow2(lab, "writing"))
    overlays(lab, guest)
    sizes = []
    for nbytes in (4096, 512 * 1024):
        move_disk(lab, "writing", "vda", nbytes)
        session.collect("storage")
        seen = session.guests("snapshots")["writing"]
        found = {each.name: each.size_bytes for each in seen.snapshots}
        files = {name: lab.scratch.path / f"images/overlay-{name}.qcow2" for name in found}
        assert found == {name: file.stat().st_blocks * BLOCK for name, file in files.items()}
        assert seen.snapshots_size_bytes == sum(found.values())
        sizes.append(found)
    assert sizes[0]["monday"] == sizes[1]["monday"]
    assert sizes[1]["tuesday"] - sizes[0]["tuesday"] >= 512 * 1024 - 65536, "all but the cluster written before"
    lab.discard("writing")


def test_what_an_internal_snapshot_holds_is_absent_as_nobody_tells_it(lab, session):
    """qemu-img knows the size of its RAM only: 0 for one that holds half a MiB of disk."""
    guest, image = lab.define("inside", devices=qcow2(lab, "inside")), lab.scratch.path / "images/inside.qcow2"
    lab.run("qemu-io", "-c", "write 0 512k", str(image))
    take(guest, "inside the image")
    before = image.stat().st_blocks * BLOCK
    lab.run("qemu-io", "-c", "write 0 512k", str(image))
    assert image.stat().st_blocks * BLOCK - before >= 512 * 1024
    (told,) = json.loads(lab.run("qemu-img", "info", "--output=json", str(image)))["snapshots"]
    assert told["vm-state-size"] == 0
    session.collect("storage")
    seen = session.guests("snapshots")["inside"]
    assert [each.size_bytes for each in seen.snapshots] == [None]
    assert seen.snapshots_size_bytes is None
    lab.discard("inside")
