"""Running guests for the benchmark of libvirt, and how much CPU time any process has used."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Self

import libvirt

from tests.backends import tap
from tests.backends.libvirt_lab import LibvirtLab

CLONE_NEWNET = 0x40000000
STARTERS = 4

DISK = (
    "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{path}'/>"
    "<target dev='{name}' bus='virtio'/></disk>"
)
NIC = "<interface type='ethernet'><target dev='{name}' managed='no'/><model type='virtio'/></interface>"
BALLOON = "<memballoon model='virtio'><stats period='10'/></memballoon>"
CROWD = (
    "<domain type='test'><name>guest-{number:04d}</name><memory unit='MiB'>1024</memory><vcpu>2</vcpu>"
    "<os><type>hvm</type></os><devices><disk type='file'><source file='/{number}'/><target dev='vda'/></disk>"
    "<interface type='network'><source network='lan'/><target dev='tap{number}'/></interface></devices></domain>"
)
LAN = "<network><name>lan</name><bridge name='br0'/></network>"


class CpuClock:
    """CPU seconds (user and system) of other processes, of all their threads, also those that have ended.

    The same sum as utime and stime in /proc/PID/stat, but in nanoseconds instead of hundredths of a second.
    """

    def __init__(self, pids: Iterable[int]) -> None:
        libc = ctypes.CDLL(None)
        self._clocks = []
        for pid in pids:
            clock = ctypes.c_int()
            if libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
                raise ProcessLookupError(pid)
            self._clocks.append(clock.value)

    def seconds(self) -> float:
        return sum(time.clock_gettime(clock) for clock in self._clocks)


def own_network() -> bool:
    """Move this process into an empty network, which vanishes with it and its children; False where that is refused.

    So adapters of guests can be made that the machine never sees. Only `lo` is there, and up.
    """
    if not tap.NODE.exists() or os.geteuid() != 0 or ctypes.CDLL(None).unshare(CLONE_NEWNET):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, tap.SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", tap.IFF_UP))
    return True


def add_tap(name: str, owner: int | None) -> None:
    """A tap of a user's in this network; it is down, so nothing passes through it."""
    device = os.open(tap.NODE, os.O_RDWR)
    try:
        fcntl.ioctl(device, tap.TUNSETIFF, struct.pack("16sH14x", name.encode(), tap.IFF_TAP | tap.IFF_NO_PI))
        if owner is not None:
            fcntl.ioctl(device, tap.TUNSETOWNER, owner)
        fcntl.ioctl(device, tap.TUNSETPERSIST, 1)
    finally:
        os.close(device)


class Estate:
    """A private libvirtd with paused guests of 4 MiB: two disks and an adapter each, or three disks and no adapter."""

    def __init__(self, guests: int, crowd: int) -> None:
        self.guests, self.crowd = guests, crowd
        self._local = threading.local()
        self.lab = LibvirtLab()

    def __enter__(self) -> Self:
        self.nics = own_network()
        self.lab.start()
        try:
            self._image = self.lab.image("empty.qcow2")
            with ExitStack() as stack, ThreadPoolExecutor(STARTERS) as pool:
                stack.enter_context(tap.open_to_all() if self.nics else nullcontext())
                list(pool.map(self._start, range(self.guests)))
        except BaseException:
            self.lab.stop()
            raise
        self.daemon = CpuClock([self.lab.daemon.pid])
        self.qemus = CpuClock(self.lab.guest_pid(self._name(n)) for n in range(self.guests))
        return self

    def __exit__(self, *_) -> None:
        self.lab.stop()  # which kills the guests by their process ids

    @property
    def crowd_uri(self) -> str:
        """Guests of the driver `test`, behind the same daemon."""
        domains = "".join(CROWD.format(number=number) for number in range(self.crowd))
        file = self.lab.scratch.file("crowd.xml", f"<node>{LAN}{domains}</node>")
        self.lab.scratch.own(file)
        return f"test+unix://{file}?socket={self.lab.socket}"

    @staticmethod
    def _name(number: int) -> str:
        return f"guest-{number:04d}"

    def _start(self, number: int) -> None:
        name = self._name(number)
        disks = ("vda", "vdb") if self.nics else ("vda", "vdb", "vdc")
        devices = "".join(DISK.format(path=self._copy(f"{name}-{disk}"), name=disk) for disk in disks)
        if self.nics:
            owner = self.lab.scratch.owner
            add_tap(f"tap{number}", owner.pw_uid if owner else None)
            devices += NIC.format(name=f"tap{number}")
        xml = self.lab.guest_xml(name, devices=devices + BALLOON)
        self._conn().defineXML(xml).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def _copy(self, name: str) -> Path:
        """Another image like the first one: making each by qemu-img takes as long as starting its guest."""
        path = self._image.with_name(f"{name}.qcow2")
        shutil.copyfile(self._image, path)
        self.lab.scratch.own(path)
        return path

    def _conn(self) -> libvirt.virConnect:
        """A connection per thread: clients before 10.4 do not share one reliably."""
        if not hasattr(self._local, "conn"):
            self._local.conn = libvirt.open(self.lab.uri)
        return self._local.conn
