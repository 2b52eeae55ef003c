"""What tests read of observations: counters by family and identity, and things by name."""

from collectors.simulated import observe
from exporter.catalogue import SHARED
from exporter.catalogue.family import PARENT, Entity, Kind
from exporter.exposition.subjects import walk

GUEST_FAMILIES = (Entity.GUEST, Entity.DISK, Entity.NIC)
COUNTERS = [family for family in SHARED if family.kind is Kind.COUNTER and family.group != PARENT]


def counters(seen):
    """Every counter of an observation, by family and labels."""
    return {
        (family.name, key): value
        for family in COUNTERS
        for key, thing in walk(seen, family.entity)
        if (value := family.value(thing)) is not None
    }


def guests(options, instant, group="vitals"):
    return {guest.id: guest for guest in observe(options, group, instant).guests}


def hosts(options, instant):
    return {host.id: host for host in observe(options, "vitals", instant).hosts}
