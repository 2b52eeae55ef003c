"""Every look delivers exactly the families that it declares, whenever it is asked."""

import pytest

from collectors.simulated import observe
from collectors.simulated.curves import DAY, ORIGIN
from collectors.simulated.looks import LOOKS
from exporter.catalogue.family import PARENT
from exporter.config.model import Target
from exporter.exposition.subjects import walk
from exporter.normalise import normalise
from exporter.platforms import installed

TARGET = Target("t", "simulated", "simulated://t")
NAMES = {like: "simulated" if like is None else f"simulated.{like}" for like in LOOKS}
INSTANTS = [ORIGIN + day * 37.31 * DAY for day in range(20)]


def delivered(platform, options, instant):
    """Names of families that have a value, by the group that brought it."""
    found = set()
    for group in (*platform.groups, *platform.opt_in_groups):
        seen = normalise(observe(options, group, instant), TARGET).observation
        for family in installed().families:
            if family.group != PARENT and platform.group_of(family) == group and has_value(family, seen):
                found.add(family.name)
    return found


def has_value(family, seen):
    for _, thing in walk(seen, family.entity):
        rows = [value for _, value in family.each(thing) or ()] if family.each else [family.value(thing)]
        if any(value is not None for value in rows):
            return True
    return False


@pytest.mark.parametrize("like", LOOKS)
def test_a_look_delivers_what_it_declares_at_any_time_and_nothing_else(like):
    platform = installed().platforms[NAMES[like]]
    declared = {family.name for family in installed().families if family.group != PARENT and platform.delivers(family)}
    for instant in INSTANTS:
        assert delivered(platform, {"like": like, "guests": 60}, instant) == declared, instant


@pytest.mark.parametrize("like", [like for like in LOOKS if like])
def test_a_look_has_own_families_and_gaps_of_its_platform(like):
    platform = installed().platforms[NAMES[like]]
    assert platform.label == like
    assert all(family.name.startswith(f"hypervisor_{like}_") for family in platform.families)
    gaps = {
        "vsphere": "hypervisor_guest_memory_used_bytes",
        "hyperv": "hypervisor_guest_disk_read_seconds_total",
        "libvirt": "hypervisor_guest_boot_timestamp_seconds",
        "proxmox": "hypervisor_guest_cpu_ready_seconds_total",
    }
    (gap,) = [family for family in installed().families if family.name == gaps[like]]
    assert not platform.delivers(gap)
    assert installed().platforms["simulated"].delivers(gap)
