"""The declaration of the platform `libvirt`. Importing it imports no libvirt."""

from __future__ import annotations

from collectors.libvirt.address import check_address, local_targets
from collectors.libvirt.client.sdk import EventLoop
from collectors.libvirt.demo import write_demo
from collectors.libvirt.families import FAMILIES
from collectors.libvirt.groups.agent import AGENT
from collectors.libvirt.options import LibvirtOptions
from collectors.libvirt.session import open_session
from collectors.libvirt.support import SUPPORT
from exporter.catalogue.family import INVENTORY
from exporter.contract import Platform

PLATFORM = Platform(
    name="libvirt",
    title="libvirt (QEMU/KVM, Xen, LXC, bhyve and its other drivers)",
    support=SUPPORT,
    open=open_session,
    families=FAMILIES,
    opt_in_groups=(AGENT,),
    groups_of={
        "hypervisor_guest_agent_up": INVENTORY,
        "hypervisor_guest_filesystem_size_bytes": AGENT,
        "hypervisor_guest_filesystem_free_bytes": AGENT,
    },
    options=LibvirtOptions,
    check_address=check_address,
    single_host=True,
    runtime=EventLoop,
    demo=write_demo,
    local=local_targets,
)
