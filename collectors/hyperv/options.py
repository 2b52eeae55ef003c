"""What an operator may set for a Hyper-V target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from collectors.hyperv.client.settings import Transport
from exporter.contract import Options

CpuWaitUnit = Literal["100ns", "ns"]
NODE = "{node}"


class HypervOptions(Options):
    """`options` of a Hyper-V target."""

    transport: Transport = "ntlm"
    """How the account logs in: ntlm, kerberos, negotiate, credssp, certificate or basic."""
    allow_unencrypted: bool = False
    """Let `basic` go over http, where everybody on the way reads the password."""
    node_address: str = ""
    """Address of a cluster's node, `{node}` standing for its name; empty: the name, in the domain of the address."""
    node_addresses: dict[str, str] = Field(default_factory=dict)
    """Addresses of single nodes by name, where no pattern fits."""
    cpu_wait_unit: CpuWaitUnit = "100ns"
    """Unit of CPUWaitTimePerDispatch, which Microsoft does not document."""
    disk_files: bool = True
    """Read size, kind and parent of each virtual disk's file: two calls a file, each 30 minutes at most."""
    guest_os: bool = False
    """Show the operating system that a guest tells by its integration services, as `os` of `hypervisor_guest_info`."""
    notes: bool = False
    """Show the guests' notes as `tags` of `hypervisor_guest_info`."""

    @field_validator("node_address")
    @classmethod
    def _names_the_node(cls, found: str) -> str:
        if found and NODE not in found:
            raise ValueError(f"the pattern must hold {NODE}, for example {NODE}.example.net")
        return found
