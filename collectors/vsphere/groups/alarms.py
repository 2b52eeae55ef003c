"""Triggered alarms of the whole inventory: one question, whatever its size.

An endpoint tells nobody of changes in them, so that they are read anew each time.
"""

from __future__ import annotations

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.layouts import note
from collectors.vsphere.groups.optional import by_itself, of_manager
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.alarms import PATH, Counts, alarms_of
from collectors.vsphere.mapping.checked import Oddities
from collectors.vsphere.mapping.paths import FOLDER


def read_alarms(around: Surroundings) -> Counts | None:
    """The alarms by object; None where they are not known. An ESXi has none of its own."""
    service = around.lane.service
    if not service.vcenter:
        return None
    root = Ref(FOLDER, service.root)
    with by_itself(around, "alarms"):
        facts, forbidden = of_manager(around, root, PATH)
        odd: Oddities = []
        counts = alarms_of(facts, odd)
        note(around, root, odd)
        return None if forbidden else counts
    return None
