"""What `plan --assume` reckons, against what pipelines make of an estate of that size and against measured memory."""

import pytest

from exporter.catalogue import GROUPS, PARENT, SHARED
from exporter.commands.plan import assumed, expected_series, memory_bytes
from exporter.platforms import Installed
from exporter.runtime.pipeline import Pipeline, families_of
from tests.bench import fleet


@pytest.mark.parametrize(("guests", "running"), [(200, 200), (200, 140), (200, 0)])
def test_series_are_within_a_tenth_of_those_that_are_made(guests, running):
    target, size = fleet.target(0), fleet.Size(guests, hosts=5, snapshots=2 * guests, running=running / guests)
    made = 0
    for group in GROUPS:
        families = families_of(target, fleet.PLATFORM, group, fleet.FAMILIES)
        page = Pipeline(target, fleet.PLATFORM, group, families).page(fleet.observed(group, 0, size), whole=True)
        made += page.series
    found = Installed({"bench": fleet.PLATFORM}, (), SHARED)
    families = [family for family in found.families if family.group == PARENT]
    own = sum(family.cost for family in families if family.entity.identity[:1] == ("target",))
    counts = assumed(f"guests={guests},running={running},hosts=5,disks=1,nics=1,snapshots=2,storages=2")

    assert expected_series(target, fleet.PLATFORM, found, counts) - own == pytest.approx(made, rel=0.1)


def test_without_a_number_of_running_guests_all_of_them_run():
    assert assumed("guests=10")["running"] == 10
    assert assumed("guests=10,running=12")["running"] == 10
    with pytest.raises(ValueError, match="running=NUMBER"):
        assumed("runing=3")


@pytest.mark.parametrize(
    ("series", "targets", "workers", "measured_mb"),
    [
        pytest.param(578, 1, 1, 79.6, id="one of ten guests"),
        pytest.param(40_314, 10, 2, 132.1, id="ten of 100 guests"),
        pytest.param(396_224, 10, 2, 247.4, id="ten of 1,000 guests"),
        pytest.param(102_804, 50, 2, 157.2, id="fifty of fifty guests"),
        pytest.param(71_654, 150, 2, 174.9, id="150 of ten guests"),
        pytest.param(143_204, 300, 2, 235.6, id="300 of ten guests"),
    ],
)
def test_memory_is_within_a_twentieth_of_what_daemons_were_measured_to_hold(series, targets, workers, measured_mb):
    """Sums of PSS by tests/bench/measuring.py; docs/benchmarks.md has the table."""
    assert sum(memory_bytes(series, targets, workers)) / 1e6 == pytest.approx(measured_mb, rel=0.05)
