"""Series of vitals while a vCenter is slow in one way after the other: none goes, and no counter falls."""

import logging
import zlib

import pytest

from collectors.vsphere.client import properties
from collectors.vsphere.session import open_session
from exporter.contract import Context, Deadline, Meter
from exporter.platforms import installed
from exporter.runtime.pipeline import Pipeline, families_of
from tests.backends.vcenter import VCenter, flags_of
from tests.integration.vsphere_vitals_world import target_of

GUESTS, PAGE = 240, 40


class Shown:
    """A session and its pipeline, as a worker has them: every series of the page of vitals, and what it says."""

    def __init__(self, vcenter):
        found, target = installed(), target_of(vcenter)
        platform = found.platforms["vsphere"]
        families = families_of(target, platform, "vitals", found.families)
        self.session = open_session(target, Context(Meter(), logging.getLogger("lab")))
        self.pipeline = Pipeline(target, platform, "vitals", families)

    def series(self, seconds=60):
        self.page = self.pipeline.page(self.session.collect("vitals", Deadline.after(seconds)), whole=True)
        texts = [zlib.decompressobj(-15).decompress(each.body).decode() for each in self.page.chunks.values()]
        rows = [row.rsplit(" ", 1) for text in texts for row in text.splitlines()]
        return {series: float(value) for series, value in rows}

    @property
    def problems(self):
        return {name: count for name, (count, _) in self.page.problems.items()}


@pytest.fixture
def vcenter(monkeypatch):
    whole = properties.retrieve
    monkeypatch.setattr(properties, "retrieve", lambda of, what, most=PAGE: whole(of, what, min(most, PAGE)))
    with VCenter(*flags_of(hosts=1, machines=120)) as started:
        yield started


def slow_samples(vcenter):
    vcenter.order("delay", QueryPerf=9000)


def slow_statistics(vcenter):
    vcenter.order("delay", ContinueRetrievePropertiesEx=9000)


def slow_inventory_of_a_new_session(vcenter):
    vcenter.order("sessions/end")
    vcenter.order("delay", WaitForUpdatesEx=2000)  # 260 objects come by the hundred


SLOW = {
    slow_samples: "samples_late",
    slow_statistics: "statistics_late",
    slow_inventory_of_a_new_session: "inventory_late",
}


@pytest.mark.parametrize("slow", SLOW)
def test_a_slow_vcenter_costs_no_series_and_no_counter(vcenter, slow):
    shown = Shown(vcenter)
    shown.series()
    before = shown.series()
    assert sum(series.startswith("hypervisor_guest_info") for series in before) == GUESTS
    slow(vcenter)
    for _ in range(2):
        now = shown.series(seconds=8)
        assert slow_of(shown) == {SLOW[slow]}
        assert same(before, now)
        before = now
    vcenter.clear()
    assert same(before, shown.series())
    assert same(before, shown.series())
    assert (shown.page.partial, shown.problems) == (False, {})
    shown.session.close()


def slow_of(shown):
    assert shown.page.partial
    return shown.problems.keys()


def same(before, now):
    """Whether these are the same series, and none that counts has fallen."""
    assert now.keys() == before.keys()
    assert [each for each in now if "_total{" in each and now[each] < before[each]] == []
    return True


def test_a_guest_that_goes_while_the_vcenter_is_slow_goes_at_once_and_no_other_does():
    with VCenter(*flags_of(hosts=1, machines=2)) as vcenter:
        shown = Shown(vcenter)
        before = shown.series()
        slow_samples(vcenter)
        vcenter.govc("vm.destroy", "/DC0/vm/DC0_H0_VM1")
        now = shown.series(seconds=10)
        assert shown.page.partial
        assert now.keys() == {each for each in before if 'guest="DC0_H0_VM1"' not in each}
        shown.session.close()
