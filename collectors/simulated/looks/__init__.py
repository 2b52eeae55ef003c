"""How a simulated target looks: what a platform can tell, what it cannot, and its words for things."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.simulated.looks.hyperv import HYPERV
from collectors.simulated.looks.libvirt import LIBVIRT
from collectors.simulated.looks.look import Look
from collectors.simulated.looks.plain import PLAIN
from collectors.simulated.looks.proxmox import PROXMOX
from collectors.simulated.looks.vsphere import VSPHERE

LOOKS: Mapping[str | None, Look] = {look.name: look for look in (PLAIN, VSPHERE, HYPERV, LIBVIRT, PROXMOX)}

__all__ = ["LOOKS", "Look"]
