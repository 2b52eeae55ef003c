"""The declaration of the platform `scripted`."""

from __future__ import annotations

import threading
from typing import Any

from exporter.catalogue import VITALS, Entity, Priority, Section
from exporter.catalogue.family import mapping_of
from exporter.contract import Absent, Derived, Native, Options, Platform, Support
from scripted_platform.session import open_session


class ScriptedOptions(Options):
    """`options` of a scripted target; without `script` the target's address is the path of one."""

    script: dict[str, Any] | None = None
    troubled_open: bool = False


class Pump:
    """Stands for a library's event loop: a thread for as long as a worker has the platform."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to wait."""
        self._thread = threading.Thread(target=self._over.wait, name="scripted-pump", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(1)


_HOST = """info up state cpu_sockets cpu_cores cpu_threads cpu_frequency_hertz cpu_capacity_cpus cpu_busy_seconds_total
    memory_capacity_bytes memory_used_bytes memory_available_bytes network_receive_bytes_total
    network_transmit_bytes_total"""
_COUNTED = "guests vcpus_allocated memory_allocated_bytes memory_assigned_bytes"
_GUEST = """info running state migrating autostart vcpus cpu_seconds_total cpu_ready_seconds_total
    memory_configured_bytes memory_assigned_bytes memory_host_used_bytes disk_read_bytes_total disk_written_bytes_total
    disk_reads_total disk_writes_total disk_capacity_bytes disk_allocated_bytes network_receive_bytes_total
    network_transmit_bytes_total network_info filesystem_size_bytes filesystem_free_bytes"""
_SNAPSHOT = """snapshots oldest_snapshot_timestamp_seconds oldest_snapshot_age_seconds snapshot_chain_depth
    backup_snapshots oldest_backup_snapshot_timestamp_seconds replication_snapshots"""
_STORAGE = "info accessible capacity_bytes free_bytes"
_CLUSTER = "info hosts hosts_up"


def _support() -> dict[str, Support]:
    native = {"host": _HOST, "guest": _GUEST, "storage": _STORAGE, "cluster": _CLUSTER}
    support: dict[str, Support] = {
        f"hypervisor_{entity}_{name}": Native("the script")
        for entity, names in native.items()
        for name in names.split()
    }
    support |= {f"hypervisor_host_{name}": Derived("counted") for name in _COUNTED.split()}
    support |= {f"hypervisor_guest_{name}": Derived("counted") for name in _SNAPSHOT.split()}
    support["hypervisor_snapshot_created_timestamp_seconds"] = Native("the script")
    support["hypervisor_snapshot_info"] = Native("the script")
    support["hypervisor_host_power_joules_total"] = Absent("the script has no power meter")
    return support


PLATFORM = Platform(
    name="scripted",
    title="Scripted worlds, for tests",
    support=_support(),
    open=open_session,
    families=(
        Section(Entity.GUEST, VITALS, Priority.DETAIL).gauge(
            "hypervisor_scripted_guest_marks",
            "As many series as the script wants.",
            labels=("mark",),
            each=mapping_of(lambda guest: guest.extra),
            cost=0,
        ),
    ),
    opt_in_groups=("agent",),
    groups_of={
        "hypervisor_guest_filesystem_size_bytes": "agent",
        "hypervisor_guest_filesystem_free_bytes": "agent",
    },
    options=ScriptedOptions,
    runtime=Pump,
)
