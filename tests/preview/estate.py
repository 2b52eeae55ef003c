"""The estate that previews show: a day of simulated fleets of every look, some 230 guests."""

from __future__ import annotations

from typing import Any

from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends.past import Past

INTERVAL = 60.0
"""Seconds between two collections of vitals, and between two scrapes."""
FLEETS = (
    ("vc-ham", "vsphere", 100),
    ("hv-graz", "hyperv", 50),
    ("pve-lej", "proxmox", 40),
    *((f"kvm-{number}", "libvirt", 12) for number in (1, 2, 3)),
)
FAULTS: dict[str, list[dict[str, str]]] = {
    "vc-ham": [{"kind": "break_part", "group": "inventory"}],
    "pve-lej": [{"kind": "malformed", "group": "storage", "every": "2h", "lasts": "10m"}],
}
"""What panels of failures have to show."""


def targets() -> list[dict[str, Any]]:
    """As a configuration names them."""
    return [
        {
            "name": name,
            "platform": f"simulated.{look}",
            "address": f"simulated://{name}",
            "options": {"guests": guests, "seed": name, "faults": FAULTS.get(name, [])},
        }
        for name, look, guests in FLEETS
    ]


def estate(hours: float) -> Past:
    """Its past; the last seven hours have recorded series all along, which is more than dashboards show first."""
    return Past(
        targets(),
        hours=hours,
        step=INTERVAL,
        evaluated=2 * INTERVAL,
        intervals={"vitals": f"{INTERVAL:.0f}s"},
        rules=rules_text(Settings()),
    )
