"""The declaration of the platform `hyperv`. Importing it imports no library for WinRM."""

from __future__ import annotations

from collectors.hyperv.address import check_address
from collectors.hyperv.families import FAMILIES
from collectors.hyperv.options import HypervOptions
from collectors.hyperv.session import open_session
from collectors.hyperv.support import SUPPORT
from exporter.contract import Platform

PLATFORM = Platform(
    name="hyperv",
    title="Microsoft Hyper-V (hosts and failover clusters)",
    support=SUPPORT,
    open=open_session,
    families=FAMILIES,
    options=HypervOptions,
    check_address=check_address,
)
