"""vSphere's declaration says something of every shared family, and its documents speak of families that exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import collectors.vsphere
from collectors.vsphere.families import FAMILIES
from collectors.vsphere.mapping.counters import COUNTERS
from collectors.vsphere.platform import PLATFORM
from collectors.vsphere.support import SUPPORT
from exporter.catalogue import SHARED
from exporter.catalogue.family import PARENT
from exporter.contract import Absent, Derived, Native

ROOT = Path(collectors.vsphere.__file__).parents[2]
DOCUMENTS = [ROOT / "docs/platforms/vsphere.md", ROOT / "collectors/vsphere/README.md"]
SHARED_NAMES = {family.name for family in SHARED}
EVERY_NAME = SHARED_NAMES | {family.name for family in FAMILIES}
MIGRATION = re.compile(r"^\| `(?:vmware|vsphere)_.*$", re.MULTILINE)


def test_every_shared_family_of_a_hypervisor_is_spoken_of():
    collected = {family.name for family in SHARED if family.group != PARENT}
    told_of_the_endpoint = {"hypervisor_target_clock_offset_seconds"}
    assert set(SUPPORT) == collected | told_of_the_endpoint


def test_what_is_delivered_comes_from_a_group_that_is_collected():
    families = [family for family in SHARED if family.group != PARENT and PLATFORM.delivers(family)]
    assert len(families) > 80
    assert {PLATFORM.group_of(family) for family in families} <= set(PLATFORM.groups)


def test_every_realtime_counter_is_named_by_the_family_that_it_feeds():
    words = [support.source if isinstance(support, Native) else support.how for support in delivered()]
    said = " ".join([*words, *(family.help for family in FAMILIES)])
    for counter in {each.name for table in COUNTERS.values() for each in table.values()}:
        assert counter.rpartition(".")[0] in said or counter.split(".")[1] in said, counter


def delivered():
    return [each for each in SUPPORT.values() if not isinstance(each, Absent)]


def test_a_sum_over_samples_is_never_called_native():
    """A counter of ours is a sum of what vSphere tells for 20 seconds each."""
    totals = {name: support for name, support in SUPPORT.items() if name.endswith("_total")}
    assert sum(isinstance(support, Derived) for support in totals.values()) > 20
    assert not [name for name, support in totals.items() if isinstance(support, Native)]


def test_memory_in_use_is_not_guessed_from_active_memory():
    assert isinstance(SUPPORT["hypervisor_guest_memory_used_bytes"], Absent)
    assert isinstance(SUPPORT["hypervisor_guest_memory_active_bytes"], Native)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_family_that_a_document_names_exists(document):
    named = set(re.findall(r"`(hypervisor_[a-z0-9_]+)", document.read_text(encoding="utf-8")))
    assert named
    assert named <= EVERY_NAME


def test_every_row_of_the_migration_names_a_family_that_is_delivered_or_says_why_there_is_none():
    rows = MIGRATION.findall(DOCUMENTS[0].read_text(encoding="utf-8"))
    assert len(rows) > 60
    own = {family.name for family in FAMILIES}
    for row in rows:
        _, _there, here, mind, _ = row.split("|")
        named = set(re.findall(r"`(hypervisor_[a-z0-9_]+)", here))
        if not named:
            assert here.strip() == "not offered, because", row
            assert mind.strip(), row
        for name in named - own - parents():
            assert not isinstance(SUPPORT[name], Absent), row


def parents():
    """Families that the exporter itself tells of every target."""
    return {family.name for family in SHARED if family.group == PARENT}


def test_the_declaration_loads_no_pyvmomi():
    code = "import collectors.vsphere.platform, sys; sys.exit(any(name.startswith('pyV') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
