"""The declaration: every shared family is spoken for, own families follow the rules, series per guest stay few."""

import re
from pathlib import Path

from collectors.hyperv.families import FAMILIES
from collectors.hyperv.platform import PLATFORM
from exporter.catalogue import SHARED
from exporter.catalogue.family import PARENT, Entity
from exporter.contract import Absent

ROOT = Path(__file__).parents[3]
DOCUMENT, README = ROOT / "docs/platforms/hyperv.md", ROOT / "collectors/hyperv/README.md"


def test_every_shared_family_is_native_derived_or_absent():
    shared = {family.name for family in SHARED if family.group != PARENT}
    assert shared - set(PLATFORM.support) == set()
    assert set(PLATFORM.support) - {family.name for family in SHARED} == set()


def test_reasons_are_sentences():
    assert all(len(told.why) > 15 for told in PLATFORM.support.values() if isinstance(told, Absent))


def test_own_families_carry_the_platforms_name():
    assert all(family.name.startswith("hypervisor_hyperv_") for family in FAMILIES)
    wanted = {
        "hypervisor_hyperv_host_root_cpu_seconds_total",
        "hypervisor_hyperv_switch_receive_bytes_total",
        "hypervisor_hyperv_switch_transmit_bytes_total",
        "hypervisor_hyperv_guest_remote_pages",
        "hypervisor_hyperv_csv_redirected_bytes_total",
        "hypervisor_hyperv_guest_cpu_wait_raw_total",
        "hypervisor_hyperv_guest_cpu_wait_dispatches_total",
    }
    assert wanted <= {family.name for family in FAMILIES}


def test_a_guest_with_two_disks_and_one_adapter_has_at_most_sixty_series():
    each = {Entity.GUEST: 1, Entity.DISK: 2, Entity.NIC: 1}
    delivered = [family for family in (*SHARED, *FAMILIES) if family.default and PLATFORM.delivers(family)]
    assert sum(each.get(family.entity, 0) * family.cost for family in delivered) <= 60


def rows_of(heading):
    """Cells of every table row below a heading of the document, up to the next one."""
    text = DOCUMENT.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| `")
    ]
    assert cells
    return cells


def test_the_document_has_every_family_as_it_is_declared():
    told = {name.strip("` "): (kind, text) for name, kind, text in rows_of("What is native, derived and absent")}
    for name, support in PLATFORM.support.items():
        kind = type(support).__name__.lower()
        words = {"native": "source", "derived": "how", "absent": "why"}[kind]
        assert told.pop(name) == (kind, getattr(support, words)), name
    assert set(told) == {family.name for family in FAMILIES}


def test_every_row_of_the_migration_names_a_family_that_we_have_or_says_why_not():
    ours = {family.name for family in (*SHARED, *FAMILIES) if PLATFORM.delivers(family)}
    for there, here, *mind in rows_of("Coming from windows_exporter"):
        assert there.startswith("`windows_")
        named = here.strip("`")
        assert named in ours or (here == "not offered, because" and mind[0]), there


def test_no_family_that_we_do_not_have_is_named_anywhere():
    known = {family.name for family in (*SHARED, *FAMILIES)}
    text = DOCUMENT.read_text() + README.read_text()
    assert set(re.findall(r"(?<!_)hypervisor_[a-z0-9_]+[a-z0-9]", text)) <= known


def test_the_script_of_rights_says_that_it_grants_more_than_reading():
    script = " ".join((ROOT / "deploy/permissions/hyperv/Grant-Monitoring.ps1").read_text().replace("#", "").split())
    assert "Hyper-V Administrators" in script
    assert "is MORE than reading" in script
    assert "-Revoke" in script
