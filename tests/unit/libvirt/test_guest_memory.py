"""Memory of guests: KiB to bytes, and a guest's own report only while it is fresh."""

import pytest

from collectors.libvirt.mapping.memory import guest_memory
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.memory import Memory
from exporter.model import GuestMemory

HOST = {"balloon.maximum": 8192, "balloon.current": 4096, "balloon.rss": 1000}
SIZES = {"configured_bytes": 8388608, "assigned_bytes": 4194304, "host_used_bytes": 1024000}


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            {"available": 4000, "usable": 3000, "unused": 1000},
            {"used_bytes": 1024000, "available_bytes": 3072000},
            id="available less usable",
        ),
        pytest.param(
            {"available": 4000, "unused": 1000},
            {"used_bytes": 3072000, "available_bytes": 1024000},
            id="an old guest kernel: available less unused",
        ),
        pytest.param(
            {"swap_in": 3, "swap_out": 0}, {"os_swap_in_bytes": 3072, "os_swap_out_bytes": 0}, id="swap of the guest"
        ),
        pytest.param({"available": 10, "usable": 11}, {"available_bytes": 11264}, id="never less than nothing used"),
        pytest.param({}, {}, id="no balloon driver: the host's view only"),
    ],
)
def test_what_the_guest_reports(report, expected):
    stats = Stats(HOST | {f"balloon.{key}": value for key, value in report.items()})
    assert guest_memory(stats, active=True, fresh=True) == GuestMemory(**SIZES, **expected)


def test_an_old_report_is_not_shown():
    stats = Stats(HOST | {"balloon.available": 4000, "balloon.usable": 3000, "balloon.swap_in": 3})
    assert guest_memory(stats, active=True, fresh=False) == GuestMemory(**SIZES)


def test_a_guest_that_is_off_is_configured_but_has_nothing():
    assert guest_memory(Stats(HOST), active=False, fresh=False) == GuestMemory(configured_bytes=8388608)


@pytest.mark.parametrize(
    ("reports", "fresh"),
    [
        pytest.param([(None, 1000)], False, id="libvirt knows of no report"),
        pytest.param([(990, 1000)], True, id="ten seconds old"),
        pytest.param([(900, 1000)], False, id="older than a minute"),
        pytest.param([(900, 1000), (930, 1030)], True, id="the host's clock is 100 s behind, but the report is new"),
        pytest.param([(900, 1000), (930, 1030), (930, 1060), (930, 1089)], True, id="59 s since it last moved"),
        pytest.param([(900, 1000), (930, 1030), (930, 1060), (930, 1091)], False, id="61 s since it last moved"),
    ],
)
def test_a_report_is_fresh_while_it_moves(reports, fresh):
    memory = Memory()
    answers = [memory.fresh("guest", reported, now, None) for reported, now in reports]
    assert answers[-1] is fresh


def test_a_long_period_keeps_a_report_fresh_for_five_of_them():
    memory = Memory()
    assert memory.fresh("guest", 1000, 1149, 30)
    assert not memory.fresh("other", 1000, 1151, 30)


def test_the_first_uuid_of_a_host_is_kept_while_its_name_stays():
    memory = Memory()
    assert memory.host_id("kvm-7", "", fallback="target") == "target"
    assert memory.host_id("kvm-7", "aaaa", fallback="target") == "aaaa"
    assert memory.host_id("kvm-7", "bbbb", fallback="target") == "aaaa"
    assert memory.host_id("kvm-8", "bbbb", fallback="target") == "bbbb"


def test_what_is_gone_is_forgotten():
    memory = Memory()
    memory.vcpus |= {"stays": 2, "goes": 4}
    memory.fresh("goes", 1000, 1000, None)
    memory.forget_all_but({"stays"})
    assert memory.vcpus == {"stays": 2}
    assert not memory.fresh("goes", 1000, 2000, None)
