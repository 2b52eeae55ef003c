"""Naming rules of docs/metrics.md over every family, the shared ones and those of each installed platform."""

import re

import pytest

from exporter.catalogue import GROUPS, PARENT, SHARED, Entity, Kind
from exporter.catalogue.family import UNITS
from exporter.platforms import installed

FOUND = installed()
FORBIDDEN_LABELS = {
    "cluster",
    "datacenter",
    "region",
    "zone",
    "env",
    "owner",
    "type",
    "job",
    "instance",
    "le",
    "quantile",
}
FORBIDDEN_SUFFIXES = ("_count", "_sum", "_bucket", "_created", "_gauge", "_counter")
OTHER_UNITS = re.compile(
    r"_(ms|us|ns|msec|milliseconds|microseconds|nanoseconds|minutes|hours|days|bits|kb|mb|gb|kib|mib|gib|kilobytes|megabytes"
    r"|mhz|ghz|megahertz|percent|percentage|pct|watts|watt_hours|celsius)(_|$)"
)
SERIES_OF_A_GUEST = {Entity.GUEST: 1, Entity.DISK: 2, Entity.NIC: 1, Entity.FILESYSTEM: 2}

every_family = pytest.mark.parametrize("family", FOUND.families, ids=lambda family: family.name)


@every_family
def test_the_name_is_plain_and_says_its_kind(family):
    assert re.fullmatch(r"hypervisor(_[a-z][a-z0-9]*)+", family.name)
    assert not family.name.endswith(FORBIDDEN_SUFFIXES)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert family.name.endswith("_info") == (family.kind is Kind.INFO)


@every_family
def test_the_unit_is_a_base_unit_and_comes_last(family):
    stem = family.name.removesuffix("_total")

    assert not OTHER_UNITS.search(family.name)
    assert not [unit for unit in UNITS if f"_{unit}_" in f"{stem}_" and not stem.endswith(unit)]
    if "_timestamp" in stem:
        assert stem.endswith("_timestamp_seconds")
        assert family.kind is Kind.GAUGE


@every_family
def test_the_help_is_a_sentence_on_one_line(family):
    assert re.fullmatch(r"[A-Z0-9].*[^.\s]\.", family.help)
    assert not re.search(r"\.[A-Z]|  |\bTODO\b", family.help)


@every_family
def test_labels_are_plain_distinct_and_collide_with_nothing(family):
    labels = family.all_labels

    assert len(set(labels)) == len(labels)
    assert not set(labels) & FORBIDDEN_LABELS
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) and not label.startswith("__") for label in labels)


@every_family
def test_one_reader_and_one_group(family):
    assert (family.value is None) != (family.each is None)
    assert not (family.labels and family.value)
    if family.group == PARENT:
        assert family.entity in (Entity.TARGET, Entity.EXPORTER)
        assert family in SHARED
    elif family in SHARED:  # a platform may tell of a whole endpoint too, and have groups of its own
        assert family.entity not in (Entity.TARGET, Entity.EXPORTER)
        assert family.group in GROUPS
    assert family.cost >= 0


def test_no_two_families_share_a_name_in_either_format():
    """In OpenMetrics the name of an info or counter is its stem, and may not be another family's."""
    stems = [
        family.name.removesuffix("_total" if family.kind is Kind.COUNTER else "_info") for family in FOUND.families
    ]

    assert len(set(stems)) == len(stems)
    assert len({family.name for family in FOUND.families}) == len(FOUND.families)


def test_platforms_own_families_bear_their_platforms_name():
    for platform in FOUND.platforms.values():
        assert all(family.name.startswith(f"hypervisor_{platform.label}_") for family in platform.families)
    assert not FOUND.broken


def test_the_shared_catalogue_names_no_platform():
    words = {word for family in SHARED for word in (*family.name.split("_"), *family.labels)}

    assert not words & {"libvirt", "vsphere", "hyperv", "vmware", "proxmox", "xapi", "kvm", "esxi"}


# The simulated fleet without a look is no platform's: it shows every family there is.
@pytest.mark.parametrize(
    "platform",
    [platform for platform in FOUND.platforms.values() if platform.name != "simulated"],
    ids=lambda platform: platform.name,
)
def test_a_guest_with_two_disks_costs_at_most_sixty_series(platform):
    series = sum(
        family.cost * SERIES_OF_A_GUEST.get(family.entity, 0)
        for family in FOUND.families
        if family.default and platform.delivers(family) and platform.group_of(family) not in platform.opt_in_groups
    )

    assert series <= 60
