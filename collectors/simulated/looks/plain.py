"""The look of no platform: every shared family is there, so that whoever reads them finds each."""

from __future__ import annotations

from collectors.simulated.looks.look import EXACT, Look
from exporter.catalogue import SHARED
from exporter.catalogue.family import PARENT, Entity
from exporter.contract import Native

PLAIN = Look(
    name=None,
    title="Simulated fleet (for demos, dashboards and load tests)",
    product="Simulated hypervisor",
    version="1.0",
    api_version="1",
    support={
        family.name: Native(EXACT)
        for family in SHARED
        if family.group != PARENT and family.entity not in (Entity.TARGET, Entity.EXPORTER)
    }
    | {"hypervisor_target_clock_offset_seconds": Native("the simulated clock less ours")},
    operations={
        "vitals": ("ReadVitals", 500),
        "storage": ("ReadStorage", 500),
        "snapshots": ("ReadSnapshots", 500),
        "inventory": ("ReadInventory", 500),
    },
)
