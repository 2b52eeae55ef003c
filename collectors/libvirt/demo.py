"""An estate to look at without a hypervisor: two hosts of libvirt's in-process `test` driver, which invents counters.

The driver reads a host from a file. Its network, CPU and disk counters grow with the clock; it knows states, snapshots
with any date and pools, but no host memory in use.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_DAY = 86_400
_GIB = 1024**3
_RUNNING, _PAUSED, _OFF, _CRASHED = 1, 3, 5, 6
_OSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
_NAMESPACE = uuid.UUID("6f2f6c3e-6a55-4c0f-9a7c-5b1c5d0f7d11")


@dataclass(frozen=True, slots=True)
class _Guest:
    name: str
    vcpus: int
    memory_gib: int
    os: str = "debian.org/debian/12"
    state: int = _RUNNING
    disks: int = 1
    snapshots: tuple[tuple[str, float], ...] = ()
    """Names and ages in days; each but the first is taken after the one before."""


@dataclass(frozen=True, slots=True)
class _Host:
    name: str
    cores: int
    memory_gib: int
    guests: tuple[_Guest, ...]


_HOSTS = (
    _Host(
        "demo-kvm-1",
        cores=8,
        memory_gib=64,
        guests=(
            _Guest("web-1", 4, 8, snapshots=(("before-upgrade", 3), ("after-upgrade", 2.5))),
            _Guest("web-2", 4, 8),
            _Guest("database", 8, 32, disks=2, snapshots=(("daily-backup", 0.4),)),
            _Guest("legacy-erp", 4, 16, os="microsoft.com/win/2k16", snapshots=(("do not delete", 400),)),
            _Guest("build-runner", 8, 16, os="fedoraproject.org/fedora/42", state=_PAUSED),
            _Guest("old-intranet", 2, 4, os="centos.org/centos/7.0", state=_OFF, snapshots=(("migration", 95),)),
        ),
    ),
    _Host(
        "demo-kvm-2",
        cores=4,
        memory_gib=32,
        guests=(
            _Guest("mail", 4, 8, disks=2, snapshots=(("veeam_checkpoint", 9),)),
            _Guest("monitoring", 2, 4, os="ubuntu.com/ubuntu/24.04"),
            _Guest("file-server", 4, 16, disks=3, os="microsoft.com/win/2k22"),
            _Guest("test-cluster-1", 8, 16, os="suse.com/sle/15.6", snapshots=(("clean", 31), ("configured", 30))),
            _Guest("kiosk", 2, 2, state=_CRASHED),
        ),
    ),
)


def write_demo(folder: Path) -> Sequence[Mapping[str, Any]]:
    """Write the estate's files into the folder and return the targets that show it. Ages count from now."""
    now = time.time()
    targets = []
    for host in _HOSTS:
        file = folder / f"{host.name}.xml"
        file.write_text(_node(host, now), encoding="utf-8")
        targets.append({"name": host.name, "platform": "libvirt", "address": f"test://{file.resolve()}"})
    return targets


def _node(host: _Host, now: float) -> str:
    return f"""<node xmlns:test="http://libvirt.org/schemas/domain/test/1.0">
  <cpu>
    <mhz>2600</mhz><model>x86_64</model><active>{host.cores * 2}</active>
    <nodes>1</nodes><sockets>1</sockets><cores>{host.cores}</cores><threads>2</threads>
  </cpu>
  <memory>{host.memory_gib * 1024**2}</memory>
  <network><name>lan</name><bridge name="br0"/><ip address="192.0.2.1" netmask="255.255.255.0"/></network>
{_pool(host, "images", 84)}
{_pool(host, "archive", 37)}
{"".join(_domain(host, guest, number, now) for number, guest in enumerate(host.guests))}
</node>
"""


def _pool(host: _Host, name: str, used_gib: int) -> str:
    """A pool of 100 GiB, as all of the driver's; what its volumes take is what is used of it."""
    disks = [f"{guest.name}-{disk}.qcow2" for guest in host.guests for disk in range(guest.disks)]
    taken = used_gib * _GIB // len(disks)
    volumes = "".join(_volume(name, disk, taken) for disk in disks)
    return f"""  <pool type="dir">
    <name>{name}</name><uuid>{_uuid(host.name, name)}</uuid><target><path>/{name}</path></target>
    {volumes}
  </pool>"""


def _volume(pool: str, name: str, taken: int) -> str:
    return (
        f"<volume type='file'><name>{escape(name)}</name><capacity>{20 * _GIB}</capacity>"
        f"<allocation>{taken}</allocation><target><path>/{pool}/{escape(name)}</path></target></volume>"
    )


def _domain(host: _Host, guest: _Guest, number: int, now: float) -> str:
    return f"""  <domain type="test">{_definition(host, guest, number)}
    <test:runstate>{guest.state}</test:runstate>{_snapshots(host, guest, now)}
  </domain>
"""


def _definition(host: _Host, guest: _Guest, number: int = 0) -> str:
    disks = "".join(
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file={quoteattr(f'/images/{guest.name}-{disk}.qcow2')}/>"
        f"<target dev='vd{'abcdef'[disk]}' bus='virtio'/></disk>"
        for disk in range(guest.disks)
    )
    return f"""
    <name>{escape(guest.name)}</name><uuid>{_uuid(host.name, guest.name)}</uuid>
    <metadata><libosinfo:libosinfo xmlns:libosinfo="{_OSINFO}"><libosinfo:os id="http://{guest.os}"/>
    </libosinfo:libosinfo></metadata>
    <memory unit="GiB">{guest.memory_gib}</memory><vcpu>{guest.vcpus}</vcpu>
    <os><type>hvm</type></os>
    <devices>{disks}
      <interface type="network"><mac address="52:54:00:00:00:{number:02x}"/><source network="lan"/>
        <target dev="tap{number}"/></interface>
      <memballoon model="virtio"/>
    </devices>"""


def _snapshots(host: _Host, guest: _Guest, now: float) -> str:
    """A chain: the file needs `active` everywhere, 1 for the newest."""
    text, parent = "", ""
    state = "shutoff" if guest.state == _OFF else "running"
    for name, days in guest.snapshots:
        text += f"""
    <test:domainsnapshot><name>{escape(name)}</name><state>{state}</state>{parent}
      <creationTime>{int(now - days * _DAY)}</creationTime>
      <domain type="test">{_definition(host, guest)}</domain>
      <active>{int(name == guest.snapshots[-1][0])}</active></test:domainsnapshot>"""
        parent = f"<parent><name>{escape(name)}</name></parent>"
    return text


def _uuid(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))
