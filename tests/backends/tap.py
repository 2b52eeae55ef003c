"""A tap: the host's end of a guest's network adapter. Only root can make one, and give it to a back end's user."""

import fcntl
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.backends.processes import Scratch

NODE = Path("/dev/net/tun")
TUNSETIFF, TUNSETPERSIST, TUNSETOWNER = 0x400454CA, 0x400454CB, 0x400454CC
IFF_TAP, IFF_NO_PI, IFF_UP, SIOCSIFFLAGS = 0x0002, 0x1000, 0x1, 0x8914


@dataclass(frozen=True)
class Tap:
    """`name` on the host. There, what the guest sends is received."""

    name: str

    def statistic(self, name: str) -> int:
        """A counter of the host's kernel, from the host's point of view: `rx_bytes` is what the guest sent."""
        return int(Path(f"/sys/class/net/{self.name}/statistics/{name}").read_text())

    def send(self, frame: bytes) -> None:
        """Send one Ethernet frame to the guest."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as line:
            line.bind((self.name, 0))
            line.send(frame)


@contextmanager
def make_tap(scratch: Scratch) -> Iterator[Tap]:
    """A tap that is up, has no address and stays silent by itself; it is gone afterwards."""
    name = f"hxt{os.getpid()}"
    with _attached(name) as device:
        if scratch.owner:
            fcntl.ioctl(device, TUNSETOWNER, scratch.owner.pw_uid)
        fcntl.ioctl(device, TUNSETPERSIST, 1)
    try:
        with suppress(FileNotFoundError):  # a kernel without IPv6
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), IFF_UP))
        yield Tap(name)
    finally:
        with _attached(name) as device:
            fcntl.ioctl(device, TUNSETPERSIST, 0)


@contextmanager
def _attached(name: str) -> Iterator[int]:
    device = os.open(NODE, os.O_RDWR)
    try:
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TAP | IFF_NO_PI))
        yield device
    finally:
        os.close(device)


@contextmanager
def open_to_all() -> Iterator[None]:
    """Let everybody open the node meanwhile, as udev does; who may use which tap is another question."""
    mode = stat.S_IMODE(NODE.stat().st_mode)
    NODE.chmod(0o666)
    try:
        yield
    finally:
        NODE.chmod(mode)
