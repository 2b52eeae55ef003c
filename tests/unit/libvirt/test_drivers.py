"""The table of drivers is what the code does, and the document shows it. UPDATE_GOLDEN=1 writes it there."""

import os
import re
from pathlib import Path

import collectors.libvirt
from collectors.libvirt.address import DRIVERS as SCHEMES
from collectors.libvirt.drivers import DRIVERS, NO, YES, matrix
from collectors.libvirt.groups.checkpoints import DRIVERS as WITH_CHECKPOINTS
from collectors.libvirt.groups.snapshots import FILTERING_DRIVERS
from collectors.libvirt.groups.vitals import BULK_DRIVERS
from collectors.libvirt.mapping.cpu import CPU_TIME_IS_ALWAYS_ZERO
from exporter.catalogue import SHARED

ROOT = Path(collectors.libvirt.__file__).parents[2]
DOCUMENT = ROOT / "docs/platforms/libvirt.md"
PLACE = re.compile(r"(<!-- drivers:.*? -->\n).*?(<!-- end of drivers -->)", re.DOTALL)


def types(wanted):
    return {driver.type for driver in DRIVERS if wanted(driver)}


def test_the_table_says_what_the_groups_do():
    assert types(lambda driver: driver.bulk not in (NO, "state only")) == BULK_DRIVERS
    assert types(lambda driver: driver.guest_cpu != YES) == CPU_TIME_IS_ALWAYS_ZERO
    assert types(lambda driver: driver.checkpoints == YES) == WITH_CHECKPOINTS
    assert types(lambda driver: driver.snapshots == YES) == FILTERING_DRIVERS
    assert types(lambda driver: driver.agent == YES) == {"qemu"}


def test_every_scheme_that_is_accepted_has_a_driver():
    listed = {scheme for driver in DRIVERS for scheme in driver.scheme.split(", ")}
    assert listed == SCHEMES - {"libxl", "parallels"}, "other names of xen and vz"


def test_the_document_shows_the_table():
    text = DOCUMENT.read_text(encoding="utf-8")
    current = PLACE.sub(lambda found: f"{found[1]}\n{matrix()}\n{found[2]}", text)
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(current, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == current


def test_every_family_that_the_document_names_exists():
    names = {family.name for family in SHARED}
    named = set(re.findall(r"`(hypervisor_[a-z_]+)", DOCUMENT.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named <= names
