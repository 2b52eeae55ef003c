"""libvirt's world for the contract suite: the demo estate of the in-process `test` driver, no daemon needed."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collectors.libvirt.demo import write_demo
from exporter.config.model import Target
from exporter.testing import Unavailable, World

_NO_REPORTS = "guests of the test driver report nothing about their memory"
_NOT_COUNTED = "the test driver does not count it"
_NO_SETTING = "no guest of the demo is set up like that"
UNDELIVERED = {
    "hypervisor_host_memory_available_bytes": "the test driver has no memory statistics of the host",
    "hypervisor_host_memory_used_bytes": "the test driver has no memory statistics of the host",
    "hypervisor_guest_memory_available_bytes": _NO_REPORTS,
    "hypervisor_guest_memory_used_bytes": _NO_REPORTS,
    "hypervisor_guest_os_swap_in_bytes_total": _NO_REPORTS,
    "hypervisor_guest_os_swap_out_bytes_total": _NO_REPORTS,
    "hypervisor_guest_cpu_ready_seconds_total": _NOT_COUNTED,
    "hypervisor_guest_disk_read_seconds_total": _NOT_COUNTED,
    "hypervisor_guest_disk_write_seconds_total": _NOT_COUNTED,
    "hypervisor_guest_disk_flushes_total": _NOT_COUNTED,
    "hypervisor_guest_disk_flush_seconds_total": _NOT_COUNTED,
    "hypervisor_guest_disk_chain_depth": "the test driver's disks have no backing files",
    "hypervisor_guest_filesystem_size_bytes": "no guest runs an agent",
    "hypervisor_guest_filesystem_free_bytes": "no guest runs an agent",
    "hypervisor_host_hugepages_free": "the test driver has no huge pages",
    "hypervisor_host_numa_memory_free_bytes": "the test driver has no memory statistics of the host",
    "hypervisor_host_migrations": "the test driver knows no jobs",
    "hypervisor_storage_provisioned_bytes": "volumes are read with an option only",
    "hypervisor_guest_disk_error": "no disk of the demo has failed",
    "hypervisor_guest_snapshots_size_bytes": "the test driver makes no overlays",
    "hypervisor_snapshot_size_bytes": "the test driver makes no overlays",
    "hypervisor_guest_orphaned_overlays": "the test driver shows no backing chain",
    "hypervisor_guest_last_checkpoint_timestamp_seconds": "the demo makes no backups",
    "hypervisor_guest_agent_up": _NO_SETTING,
    "hypervisor_guest_cpu_limit_cpus": _NO_SETTING,
    "hypervisor_guest_memory_limit_bytes": _NO_SETTING,
    "hypervisor_guest_memory_reservation_bytes": _NO_SETTING,
    "hypervisor_libvirt_guest_disk_limit_bytes": _NO_SETTING,
    "hypervisor_libvirt_guest_disk_limit_operations": _NO_SETTING,
    "hypervisor_libvirt_guest_io_weight": _NO_SETTING,
}
"""What this driver cannot show; tests with a real QEMU show most of it."""


@contextmanager
def world() -> Iterator[World]:
    """The first host of the demo; `unreachable` is a socket that nobody listens on."""
    if importlib.util.find_spec("libvirt") is None:
        raise Unavailable("libvirt-python is not installed: pip install 'hypervisor-exporter[libvirt]'")
    with tempfile.TemporaryDirectory(prefix="libvirt-world-") as folder:
        document = write_demo(Path(folder))[0]
        nobody = f"qemu+unix:///system?socket={folder}/nobody"
        yield World(
            target=Target("contract", "libvirt", document["address"]),
            unreachable=Target("contract", "libvirt", nobody),
            sdk=("libvirt",),
            undelivered=UNDELIVERED,
        )
