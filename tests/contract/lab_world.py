"""libvirt's second world: a real libvirtd with QEMU, which can be frozen and ended; chosen with --world."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from exporter.config.model import Target
from exporter.testing import World
from tests.backends.estate import build_estate, nic, qcow2
from tests.backends.libvirt_lab import LibvirtLab
from tests.backends.processes import until

OCCUPIED = 2

LIMITS = """
  <memtune><hard_limit unit='MiB'>64</hard_limit></memtune>
  <cputune><period>100000</period><quota>50000</quota></cputune>"""
AGENT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"

NO_TAP = "adapters of an unprivileged daemon are not counted"
NO_SYSTEM = "firmware alone reports nothing about its memory"
UNDELIVERED = {
    **{
        f"hypervisor_guest_network_{way}_{what}_total": NO_TAP
        for way in ("receive", "transmit")
        for what in ("bytes", "packets", "errors", "drops")
    },
    "hypervisor_guest_memory_available_bytes": NO_SYSTEM,
    "hypervisor_guest_memory_used_bytes": NO_SYSTEM,
    "hypervisor_guest_os_swap_in_bytes_total": NO_SYSTEM,
    "hypervisor_guest_os_swap_out_bytes_total": NO_SYSTEM,
    "hypervisor_guest_memory_reservation_bytes": "QEMU has no such setting",
    "hypervisor_guest_filesystem_size_bytes": "no guest runs an agent",
    "hypervisor_guest_filesystem_free_bytes": "no guest runs an agent",
    "hypervisor_guest_disk_error": "no disk has failed",
    "hypervisor_libvirt_guest_disk_limit_bytes": "no disk is limited",
    "hypervisor_libvirt_guest_disk_limit_operations": "no disk is limited",
    "hypervisor_libvirt_guest_io_weight": "weights need a privileged libvirtd",
    "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": "no snapshot is a backup's",
}


@contextmanager
def world() -> Iterator[World]:
    """The shared estate's twin with three guests more, in a lab of its own."""
    with LibvirtLab() as lab:
        build_estate(lab)
        lab.define("limited", head=LIMITS)
        lab.launch("with an agent", devices=AGENT + nic())
        lab.launch("backed up", devices=qcow2(lab, "backed-up")).checkpointCreateXML("<domaincheckpoint/>")

        @contextmanager
        def frozen() -> Iterator[None]:
            lab.freeze()
            try:
                yield
            finally:
                lab.thaw()

        @contextmanager
        def ended() -> Iterator[None]:
            lab.stop_daemon(signal.SIGKILL)
            try:
                yield
            finally:
                lab.start_daemon()

        @contextmanager
        def stuck() -> Iterator[None]:
            """A guest whose monitor somebody already waits for: the call that first meets it is the one that hangs."""
            guest = lab.conn().lookupByName("with an agent")
            lab.freeze_guest("with an agent")
            waiting = threading.Thread(target=lab.virsh, args=("dommemstat", "with an agent"))
            waiting.start()
            try:
                until(lambda: guest.controlInfo()[0] == OCCUPIED and guest.controlInfo()[2] > 2000, 10, "stuck monitor")
                yield
            finally:
                lab.thaw_guest("with an agent")
                waiting.join()

        yield World(
            target=Target("lab", "libvirt", lab.uri, options={"volumes": True, "refresh_pools": True}),
            unreachable=Target("lab", "libvirt", f"qemu+unix:///session?socket={lab.scratch.path}/nobody"),
            sdk=("libvirt",),
            undelivered=UNDELIVERED,
            hang=frozen,
            vanish=ended,
            break_part=stuck,
            deadline_seconds=30,
        )
