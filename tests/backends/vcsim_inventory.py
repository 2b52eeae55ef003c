"""Inventories of any size for the simulated vCenter: `VCenter(f"--load={folder}")` after `write(folder, Size(3000))`.

What is in one is the same for the same size, seed and moment, and known without asking (`Plan`): expected numbers of
tests come from there or from govc.
"""

import time
from pathlib import Path

from tests.backends.inventory import guests, places
from tests.backends.inventory.plan import Plan, Size, plan

__all__ = ["Plan", "Size", "write"]


def write(folder: Path, size: Size, now: int = 0) -> Plan:
    """Write an inventory into a new folder, as of a moment in Unix seconds (0: now), and say what is in it."""
    found = plan(size, now or int(time.time()))
    folder.mkdir(parents=True)
    # The simulator reads the files in the order of their names, and its own root folder is replaced by ours.
    objects = list(places.objects(found))
    for datacenter in found.datacenters:
        networks = tuple(places.networks(datacenter))
        for guest in found.guests:
            if guest.host.cluster.datacenter is datacenter:
                objects.extend(guests.objects(found, guest, networks))
    for number, (ref, text) in enumerate(objects):
        (folder / f"{number:05d}-{ref.kind}-{ref.id}.xml").write_text(text)
    return found
