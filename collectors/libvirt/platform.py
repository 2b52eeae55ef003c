"""The declaration of the platform `libvirt`. Importing it imports no libvirt."""

from __future__ import annotations

from collectors.libvirt.address import check_address, local_targets
from collectors.libvirt.client.sdk import EventLoop
from collectors.libvirt.demo import write_demo
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
    groups_of={"hypervisor_guest_agent_up": INVENTORY},
    options=LibvirtOptions,
    check_address=check_address,
    single_host=True,
    runtime=EventLoop,
    demo=write_demo,
    local=local_targets,
)
