"""Dead storage under a pool: libvirt locks the pool while it waits, and a session keeps away from it."""

import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import libvirt
import pytest

from collectors.libvirt.client import pools
from tests.backends.need import need
from tests.backends.processes import Scratch, find_binary, until
from tests.integration.libvirt_harm import Hanging, busy_workers
from tests.integration.libvirt_world import world

pytestmark = [
    pytest.mark.backend,
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/fuse").exists(), reason="mounts a file that can be frozen"),
]

POOL, WELL = "dead", "well"
SIZE = 2**20


class Volume:
    """A file whose storage can be frozen: another process serves what is read from it. Mounting takes root."""

    def __init__(self, path):
        self.path = path
        path.touch()
        self.scratch = Scratch("storage")
        backing = self.scratch.file("backing.raw", "")
        with backing.open("wb") as file:
            file.truncate(SIZE)
        self.server = self.scratch.start(
            "storage-daemon",
            find_binary("qemu-storage-daemon"),
            f"--blockdev=driver=file,filename={backing},node-name=disk",
            f"--export=type=fuse,id=file,node-name=disk,mountpoint={path},writable=on,allow-other=on",
        )
        until(lambda: path.stat().st_size == SIZE, 10, "mounted volume", self.server)
        path.chmod(0o666)

    def close(self):
        self.server.stop()
        subprocess.run(["umount", "-l", self.path], check=False, capture_output=True)  # if it had to be killed
        self.scratch.close()

    @contextmanager
    def frozen(self):
        self.server.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.send(signal.SIGCONT)


@pytest.fixture(scope="module")
def lab():
    need(["libvirtd", "virsh", "virt-admin", "qemu-system-x86_64", "qemu-storage-daemon", "setpriv"], ["libvirt"])
    from tests.backends.libvirt_lab import LibvirtLab

    with LibvirtLab() as lab:
        lab.define("guest")
        for name in (POOL, WELL):
            folder = lab.scratch.directory(name)
            lab.conn().storagePoolDefineXML(
                f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>"
            )
        lab.conn().storagePoolLookupByName(WELL).create()
        yield lab


@pytest.fixture(scope="module")
def volume(lab):
    served = Volume(lab.scratch.path / POOL / "disk.raw")
    try:
        lab.conn().storagePoolLookupByName(POOL).create()
        yield served
    finally:
        served.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(pools, "POOL_SECONDS", 1.5)


def seen(session):
    observation = Hanging(session, "storage").returned(10)
    assert [guest.name for guest in observation.guests] == ["guest"]
    return {each.name for each in observation.storages}, {each.name for each in observation.problems}


def test_volumes_on_dead_storage_cost_the_pools_and_one_call(lab, volume):
    with world(lab.uri, options={"volumes": True}) as session:
        assert seen(session) == ({POOL, WELL}, set())
        with volume.frozen():
            for _ in range(3):
                assert seen(session)[1] == {"storage_inaccessible"}
            assert session.guests("vitals").keys() == session.guests("inventory").keys() == {"guest"}
            assert busy_workers(lab) <= 1
        until(lambda: seen(session) == ({POOL, WELL}, set()), 10, "pools that returned")


def test_a_pool_that_somebody_else_locks_costs_one_call_of_each_session(lab, volume):
    with world(lab.uri) as session, world(lab.uri) as other:
        assert seen(session) == ({POOL, WELL}, set())
        with volume.frozen(), somebody_who_waits(lab):
            for asking in (session, session, other, session):
                assert seen(asking) == (set(), {"storage_inaccessible"})
                assert asking.guests("inventory").keys() == {"guest"}
        until(lambda: seen(session) == ({POOL, WELL}, set()), 10, "pools that returned")
        until(lambda: seen(other) == ({POOL, WELL}, set()), 10, "pools that returned")


@contextmanager
def somebody_who_waits(lab):
    """Another client that reads the volume, and a pool that is locked since."""
    connection = libvirt.openReadOnly(lab.uri)
    (found,) = connection.storagePoolLookupByName(POOL).listAllVolumes()
    waiting = threading.Thread(target=found.XMLDesc)
    waiting.start()
    until(lambda: locked(lab), 10, "locked pool")
    yield
    # It ends when the storage answers again, which is after this.


def locked(lab):
    try:
        lab.virsh("pool-info", POOL, timeout_seconds=1)
    except subprocess.TimeoutExpired:
        return True
    return False
