"""How one libvirt host with QEMU looks: the support matrix is the real platform's own."""

from __future__ import annotations

from collectors.libvirt.support import SUPPORT
from collectors.simulated.looks.look import Look, Words
from exporter.catalogue.family import INVENTORY

AGENT = "agent"

LIBVIRT = Look(
    name="libvirt",
    title="Simulated host that looks like libvirt with QEMU",
    product="QEMU",
    version="9.2.0",
    api_version="11.3.0",
    support=SUPPORT,
    groups_of={
        "hypervisor_guest_agent_up": INVENTORY,
        "hypervisor_guest_filesystem_size_bytes": AGENT,
        "hypervisor_guest_filesystem_free_bytes": AGENT,
    },
    opt_in_groups=(AGENT,),
    single_host=True,
    operations={
        "vitals": ("virConnectGetAllDomainStats", 100_000),
        "storage": ("virDomainGetXMLDesc", 1),
        "snapshots": ("virDomainSnapshotGetXMLDesc", 1),
        "inventory": ("virDomainGetXMLDesc", 1),
        AGENT: ("virDomainGetGuestInfo", 1),
    },
    right="domain.read",
    words=Words(
        disk=lambda number: f"vd{'abcdefgh'[number]}",
        nic=lambda guest, number: f"vnet{2 * guest.index + number}",
        mac="52:54:00",
        native=lambda guest: str(guest.index + 1),
        backing=lambda storage: "netfs" if storage.shared else "dir",
        path=lambda guest, number: f"/var/lib/libvirt/images/{guest.id[:8]}-{number}.qcow2",
        format="qcow2",
        os=lambda guest: guest.os.removesuffix(" (64-bit)"),
    ),
)
