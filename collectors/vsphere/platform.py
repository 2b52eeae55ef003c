"""The declaration of the platform `vsphere`. Importing it imports no pyVmomi."""

from __future__ import annotations

from collectors.vsphere.address import check_address
from collectors.vsphere.families import FAMILIES
from collectors.vsphere.options import VsphereOptions
from collectors.vsphere.session import open_session
from collectors.vsphere.support import SUPPORT
from exporter.contract import Platform

PLATFORM = Platform(
    name="vsphere",
    title="VMware vSphere (vCenter and ESXi)",
    support=SUPPORT,
    open=open_session,
    families=FAMILIES,
    options=VsphereOptions,
    check_address=check_address,
)
