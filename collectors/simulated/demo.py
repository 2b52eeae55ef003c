"""Three targets for the demo, beside what other platforms embed: no SDK, no rights, no files but one for faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_demo(folder: Path) -> Sequence[Mapping[str, Any]]:
    """A vCenter, a Hyper-V cluster and a Proxmox VE cluster, as documents of targets.

    Each has a file of faults, of which none exists: who writes one (/config shows its path) sees what happens then.
    """

    def target(name: str, like: str, **options: Any) -> Mapping[str, Any]:
        return {
            "name": f"demo-{name}",
            "platform": "simulated",
            "address": f"simulated://{name}.example.net",
            "options": {"like": like, "faults_file": str(folder / f"{name}.yml"), **options},
        }

    return (
        target("vcenter", "vsphere", guests=120, seed="demo-1"),
        target("hyperv", "hyperv", guests=48, seed="demo-2"),
        target("proxmox", "proxmox", guests=48, seed="demo-3"),
    )
