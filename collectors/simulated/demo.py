"""Three targets for the demo, beside what other platforms embed: no files, no SDK, no rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_demo(_folder: Path) -> Sequence[Mapping[str, Any]]:
    """A vCenter, a Hyper-V cluster and a Proxmox VE cluster, as documents of targets."""
    return (
        _target("demo-vcenter", "vsphere", "vcenter.demo", guests=120, seed="demo-1"),
        _target("demo-hyperv", "hyperv", "hyperv.demo", guests=48, seed="demo-2"),
        _target("demo-proxmox", "proxmox", "proxmox.demo", guests=36, seed="demo-3"),
    )


def _target(name: str, like: str, host: str, **options: Any) -> Mapping[str, Any]:
    return {
        "name": name,
        "platform": "simulated",
        "address": f"simulated://{host}",
        "options": {"like": like, **options},
    }
