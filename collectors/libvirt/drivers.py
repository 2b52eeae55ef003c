"""What each driver of libvirt can tell, as far as its source says (11.3, later changes named), for people to read.

The groups ask and see: a call that a driver does not know is asked once per connection. Where they must know before
(bulk statistics, constant zeros, filters) a test holds this table to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

YES, NO = "yes", "-"


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver: the scheme of its URIs, what virConnectGetType calls it in lower case, and what it answers."""

    scheme: str
    type: str
    bulk: str = NO
    guest_cpu: str = YES
    guest_memory: str = NO
    disk_counters: str = NO
    disk_sizes: str = NO
    nic_counters: str = NO
    host_cpu: str = NO
    host_memory: str = "free"
    snapshots: str = NO
    checkpoints: str = NO
    pools: str = NO
    agent: str = NO
    note: str = ""
    native: str = ""
    """The platform of this exporter that sees far more of such hosts."""


ZERO = "- (a constant 0)"
BY_VCPU = "per virtual CPU"
_HERE = "runs inside the exporter's process"
_NATIVE = f"{_HERE}; the platform {{}} sees far more"
_NOT_SHOWN = {"type", "native"}
BETTER_PLATFORM = "better_platform"
"""The problem of a host that is watched through libvirt although another platform sees more; told once."""

DRIVERS = (
    Driver(
        "qemu", "qemu", YES, YES, YES, YES, YES, YES, YES, YES, YES, YES, YES, YES, "QEMU, with KVM and without",
    ),
    Driver(
        "vz", "vz", "yes (4 groups, never NOWAIT or BACKING)", YES, YES, YES, YES, YES, YES, YES, YES, pools=YES,
        note="Virtuozzo",
    ),
    Driver(
        "xen", "xen", disk_counters=YES, nic_counters=YES, pools=YES, note="libxl; `available` repeats the maximum",
    ),
    Driver(
        "lxc", "lxc", guest_memory="cgroup, with page cache", disk_counters=YES, nic_counters=YES, host_cpu=YES,
        host_memory=YES, pools=YES, note="`swap_in` is no counter and left out; a CPU quota limits the whole container",
    ),
    Driver(
        "bhyve", "bhyve", guest_memory="libvirt 11.7", disk_counters="libvirt 11.7", nic_counters="libvirt 11.7",
        host_cpu=YES, host_memory=YES, pools=YES,
    ),
    Driver("ch", "ch", guest_cpu=BY_VCPU, host_memory=YES, pools=YES, note="Cloud Hypervisor; its sum is a constant 0"),
    Driver("openvz", "openvz", nic_counters=YES, host_cpu=YES, host_memory=YES, note=_HERE),
    Driver("vbox", "vbox", guest_cpu=ZERO, snapshots="by name", pools="its own", note=_HERE),
    Driver("vmwareplayer, vmwarews, vmwarefusion", "vmware", guest_cpu=ZERO, host_memory=NO, note=_HERE),
    Driver(
        "esx, vpx, gsx", "esx", guest_cpu=ZERO, snapshots="by name", pools="datastores",
        note=_NATIVE.format("vsphere"), native="vsphere",
    ),
    Driver(
        "hyperv", "hyper-v", guest_cpu=ZERO, disk_sizes="libvirt 12.1", snapshots="libvirt 12.2",
        note=_NATIVE.format("hyperv"), native="hyperv",
    ),
    Driver(
        "test", "test", "state only", YES, "invented", YES, YES, YES, YES, NO, YES, YES, "invented",
        note="a driver for tests and the demo",
    ),
)  # fmt: skip


def matrix(drivers: Sequence[Driver] = DRIVERS) -> str:
    """The table as Markdown, one line a driver."""
    names = [each.name for each in fields(Driver) if each.name not in _NOT_SHOWN]
    rows = [[getattr(driver, name) for name in names] for driver in drivers]
    lines = [[name.replace("_", " ") for name in names], ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def advice(address: str) -> str:
    """What an operator should know who watches a host through libvirt that another platform sees better; else ""."""
    scheme = urlsplit(address).scheme.partition("+")[0]
    native = next((each.native for each in DRIVERS if scheme in each.scheme.split(", ")), "")
    if not native:
        return ""
    return (
        f"{scheme}: libvirt's driver runs inside the exporter and tells states and sizes, no CPU, memory in use, disk "
        f"or network counters; a target of the platform {native} sees far more of the same host"
    )
