"""The world of the contract suite: govmomi's simulator, as `make vcsim` builds it, with a host and guests.

The program is found beside a checkout (`build/vcsim/vcenter`), or where HYPERVISOR_EXPORTER_VCENTER says.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.endpoint import Endpoint
from collectors.vsphere.client.lane import Lane
from exporter.config.model import Auth, Target, Tls
from exporter.contract import Deadline, Meter
from exporter.secrets import SecretSource
from exporter.testing import Unavailable, World

_PROGRAM = Path(__file__).parents[2] / "build" / "vcsim" / "vcenter"
_USER, _PASSWORD = "contract@vsphere.local", "a-secret-of-the-contract"
_START_SECONDS = 60.0
_SIZE = ("--hosts=2", "--standalone=0", "--machines=3", "--api-version=8.0.3.0")
_SAMPLE_SECONDS = 20.0
_ENDED = """\
-----BEGIN CERTIFICATE-----
MIIBITCBx6ADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMMD2VzeC5leGFt
cGxlLm5ldDAeFw0yMDAxMDEwMDAwMDBaFw0yNTAxMDEwMDAwMDBaMBoxGDAWBgNV
BAMMD2VzeC5leGFtcGxlLm5ldDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDM0
zg+482JOH0280/6OyyE1dg14fzHj0MRmkbD2scJAtmtK7Oa17ZoGxlXrtPr1bern
XPzTBs6QzniIzYJY35wwCgYIKoZIzj0EAwIDSQAwRgIhAOR/xYhuCNSlPTVkRSXR
iHbqCwY2QYdkUpmLqVanbRxPAiEA++lUPCdGeInNs77cqUrtHtaTC49s6wKn1/Mz
zu90itA=
-----END CERTIFICATE-----
"""
"""A host's certificate, which ended with the year 2024: the suite takes a time to come for a mistake of units."""


class _Simulator:
    """The simulator's process; it comes back at the same address."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._listen = "127.0.0.1:0"
        self.start()

    def start(self) -> None:
        """Start and wait for its addresses."""
        command = [str(self._program), *_SIZE, f"--listen={self._listen}", f"--user={_USER}", f"--password={_PASSWORD}"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        told = json.loads(self._first_line())
        self.sdk, self._control = told["sdk"], told["control"]
        self._listen = self.sdk.split("/")[2]
        self._arrange()

    def _first_line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101  it was asked for
        until = time.monotonic() + _START_SECONDS
        while select.select([self._process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
            line = self._process.stdout.readline()
            if line.startswith(b"{") or not line:
                break
        else:
            line = b""
        if not line:
            self.end()
            raise Unavailable("the simulated vCenter does not start")
        return line

    def _arrange(self) -> None:
        """One guest is off and has VMware Tools, and all hosts' certificates have ended."""
        endpoint = Endpoint(self.target(), Meter())
        try:
            things = endpoint.ask("fast", Deadline.after(_START_SECONDS), _things)
        finally:
            endpoint.close()
        guest = next(each for each in things if each.kind == _GUEST)
        tools = {"guest.toolsVersion": "12352", "guest.toolsVersionStatus2": "guestToolsCurrent"}
        self._set(guest, {"runtime.powerState": "poweredOff", **tools})
        for each in things:
            if each.kind == _HOST:
                self._set(each, {"config.certificate": base64.b64encode(_ENDED.encode()).decode()})

    def _set(self, thing: Ref, properties: Mapping[str, object]) -> None:
        self.order("set", object=f"{thing.kind}:{thing.id}", properties=dict(properties))

    def target(self, password: str = _PASSWORD) -> Target:
        """The simulator as a target; its certificate is its own."""
        auth = Auth("contract", _USER, SecretSource("literal", password))
        return Target("contract", "vsphere", self.sdk, auth=auth, tls=Tls(insecure_skip_verify=True))

    def order(self, path: str, **body: Any) -> None:
        """An order of the control port."""
        request = urllib.request.Request(f"{self._control}/{path}", data=json.dumps(body).encode())  # noqa: S310
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310  it is ours, on loopback
            pass

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections, and answers none."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """It has ended; afterwards it is back."""
        self.end()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Samples cannot be read; everything else can."""
        self.order("fault", fault="SystemError", method="QueryPerf")
        try:
            yield
        finally:
            self.order("faults/clear")


_GUEST, _HOST = "VirtualMachine", "HostSystem"


def _things(lane: Lane) -> list[Ref]:
    return sorted(ref for page in lane.every({_GUEST: ["name"], _HOST: ["name"]}) for ref in page.objects)


_UNSET = "the simulator leaves the property unset; tests that set it show it"
_NO_SNAPSHOT = "no guest of the small estate has a snapshot"
_NOT_ASKED = "no option names a custom attribute"
_EVALUATION = "the simulator's evaluation tells no numbers and no end"
_NO_POOL = "the small estate has no resource pool beside the roots"
UNDELIVERED: Mapping[str, str] = {
    "hypervisor_cluster_admission_control_enabled": _UNSET,
    "hypervisor_cluster_failover_hosts": _UNSET,
    "hypervisor_cluster_ha_enabled": _UNSET,
    "hypervisor_guest_boot_timestamp_seconds": _UNSET,
    "hypervisor_guest_consolidation_needed": _UNSET,
    "hypervisor_guest_cpu_limit_cpus": "no guest of the small estate has a limit",
    "hypervisor_guest_memory_limit_bytes": "no guest of the small estate has a limit",
    "hypervisor_guest_disk_physical_bytes": _UNSET,
    "hypervisor_guest_filesystem_free_bytes": _UNSET,
    "hypervisor_guest_filesystem_size_bytes": _UNSET,
    "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": _NO_SNAPSHOT,
    "hypervisor_guest_oldest_snapshot_age_seconds": _NO_SNAPSHOT,
    "hypervisor_guest_oldest_snapshot_timestamp_seconds": _NO_SNAPSHOT,
    "hypervisor_guest_snapshots_size_bytes": _NO_SNAPSHOT,
    "hypervisor_snapshot_created_timestamp_seconds": _NO_SNAPSHOT,
    "hypervisor_snapshot_info": _NO_SNAPSHOT,
    "hypervisor_snapshot_size_bytes": _NO_SNAPSHOT,
    "hypervisor_vsphere_cluster_drs_score_ratio": _UNSET,
    "hypervisor_vsphere_cluster_failover_cpu_ratio": _UNSET,
    "hypervisor_vsphere_cluster_failover_memory_ratio": _UNSET,
    "hypervisor_vsphere_custom_attribute_info": _NOT_ASKED,
    "hypervisor_vsphere_guest_alarms": "no guest of the small estate has an alarm",
    "hypervisor_vsphere_host_custom_attribute_info": _NOT_ASKED,
    "hypervisor_vsphere_host_datastore_read_latency_seconds": "the simulator's datastores have no counters",
    "hypervisor_vsphere_host_datastore_write_latency_seconds": "the simulator's datastores have no counters",
    "hypervisor_vsphere_host_resource_pool_cpu_limit_hertz": _NO_POOL,
    "hypervisor_vsphere_host_resource_pool_cpu_reservation_hertz": _NO_POOL,
    "hypervisor_vsphere_host_resource_pool_cpu_used_hertz": _NO_POOL,
    "hypervisor_vsphere_host_resource_pool_memory_limit_bytes": _NO_POOL,
    "hypervisor_vsphere_host_resource_pool_memory_reservation_bytes": _NO_POOL,
    "hypervisor_vsphere_host_resource_pool_memory_used_bytes": _NO_POOL,
    "hypervisor_vsphere_license_capacity": _EVALUATION,
    "hypervisor_vsphere_license_expiration_timestamp_seconds": _EVALUATION,
    "hypervisor_vsphere_license_used": _EVALUATION,
    "hypervisor_vsphere_resource_pool_cpu_limit_hertz": _NO_POOL,
    "hypervisor_vsphere_resource_pool_cpu_reservation_hertz": _NO_POOL,
    "hypervisor_vsphere_resource_pool_cpu_used_hertz": _NO_POOL,
    "hypervisor_vsphere_resource_pool_memory_limit_bytes": _NO_POOL,
    "hypervisor_vsphere_resource_pool_memory_reservation_bytes": _NO_POOL,
    "hypervisor_vsphere_resource_pool_memory_used_bytes": _NO_POOL,
    "hypervisor_vsphere_storage_drs_enabled": "the small estate has no datastore cluster",
}
"""What the simulator's small estate does not show."""


@contextmanager
def world() -> Iterator[World]:
    """A small vCenter that can be frozen, ended, and told to refuse samples."""
    if importlib.util.find_spec("pyVmomi") is None:
        raise Unavailable("pyVmomi is not installed: pip install pyvmomi")
    program = Path(os.environ.get("HYPERVISOR_EXPORTER_VCENTER", _PROGRAM))
    if not program.exists():
        raise Unavailable("the simulated vCenter is not built: make vcsim")
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"https://127.0.0.1:{free.getsockname()[1]}/sdk"
    simulator = _Simulator(program)
    try:
        target = simulator.target()
        yield World(
            target=target,
            unreachable=dataclasses.replace(target, address=nobody),
            refused=simulator.target("not-the-secret"),
            secret=_PASSWORD,
            sdk=("pyVmomi",),
            undelivered=UNDELIVERED,
            hang=simulator.frozen,
            vanish=simulator.gone,
            break_part=simulator.refusing,
            pause_seconds=_SAMPLE_SECONDS + 1,
            resolution_seconds=_SAMPLE_SECONDS,
        )
    finally:
        simulator.end()
