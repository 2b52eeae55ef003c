"""The table of drivers is what the code does, and the document shows it. UPDATE_GOLDEN=1 writes it there."""

import logging
import os
import re
from pathlib import Path

import pytest

import collectors.libvirt
from collectors.libvirt.address import DRIVERS as SCHEMES
from collectors.libvirt.drivers import BY_VCPU, DRIVERS, NO, YES, ZERO, advice, matrix
from collectors.libvirt.groups.checkpoints import DRIVERS as WITH_CHECKPOINTS
from collectors.libvirt.groups.snapshots import FILTERING_DRIVERS
from collectors.libvirt.groups.vitals import BULK_DRIVERS
from collectors.libvirt.mapping.cpu import CPU_TIME_IS_ALWAYS_ZERO
from collectors.libvirt.mapping.single import TIME_BY_VCPU
from collectors.libvirt.platform import PLATFORM
from collectors.libvirt.session import open_session
from exporter.catalogue import SHARED
from exporter.config.model import Target
from exporter.contract import Context, Meter

ROOT = Path(collectors.libvirt.__file__).parents[2]
DOCUMENT = ROOT / "docs/platforms/libvirt.md"
PLACE = re.compile(r"(<!-- drivers:.*? -->\n).*?(<!-- end of drivers -->)", re.DOTALL)


def types(wanted):
    return {driver.type for driver in DRIVERS if wanted(driver)}


def test_the_table_says_what_the_groups_do():
    assert types(lambda driver: driver.bulk not in (NO, "state only")) == BULK_DRIVERS
    assert types(lambda driver: driver.guest_cpu in (ZERO, BY_VCPU)) == CPU_TIME_IS_ALWAYS_ZERO
    assert types(lambda driver: driver.guest_cpu == BY_VCPU) == TIME_BY_VCPU
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
    names = {family.name for family in (*SHARED, *PLATFORM.families)}
    named = set(re.findall(r"`(hypervisor_[a-z_]+)", DOCUMENT.read_text(encoding="utf-8")))
    assert len(named) > 30
    assert named <= names


@pytest.mark.parametrize(
    ("address", "native"),
    [
        ("esx://root@esx-1/", "vsphere"),
        ("vpx://root@vcenter/dc/cluster/esx-1", "vsphere"),
        ("hyperv://admin@hv-1/?transport=https", "hyperv"),
        ("qemu+ssh://monitor@kvm-7/system", None),
        ("lxc:///system", None),
        ("test:///default", None),
    ],
)
def test_who_watches_another_platforms_host_through_libvirt_is_told_once(address, native, caplog):
    target = Target("here", "libvirt", address)
    open_session(target, Context(Meter(), logging.getLogger("libvirt"))).close()
    said = [record.getMessage() for record in caplog.records]
    if native is None:
        assert (said, advice(address)) == ([], "")
    else:
        assert said == [advice(address)]
        assert f"the platform {native} sees far more" in said[0]
