"""The declaration: every shared family is spoken for, own families follow the rules, series per guest stay few."""

from collectors.hyperv.families import FAMILIES
from collectors.hyperv.platform import PLATFORM
from exporter.catalogue import SHARED
from exporter.catalogue.family import PARENT, Entity
from exporter.contract import Absent

TOLD_BY_THE_PARENT = {"hypervisor_target_tls_verified", "hypervisor_target_tls_not_after_timestamp_seconds"}


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
