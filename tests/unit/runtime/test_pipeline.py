"""From an observation to a page."""

import logging
import pickle
import sys
import zlib
from dataclasses import replace

import pytest

from exporter.catalogue import SHARED
from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority, Section
from exporter.config.model import Filters, Limits, Profile, Selection, Target
from exporter.contract import Absent, Derived, Native, Platform
from exporter.model import (
    EndpointFacts,
    Guest,
    GuestCpu,
    GuestDisk,
    GuestState,
    Host,
    Observation,
    Parts,
    Problem,
    Samples,
    Snapshot,
)
from exporter.runtime.pipeline import Pipeline, families_of

OWN = Family("hypervisor_fake_gem", Kind.GAUGE, "A gem.", Entity.GUEST, VITALS, Priority.GUEST, value=lambda _: 1)
PLATFORM = Platform(
    "fake",
    "Fake",
    {family.name: Native("made up") for family in SHARED},
    open=lambda *_: None,
    families=(OWN,),
)
CATALOGUE = (*SHARED, OWN)
TARGET = Target("t", "fake", "fake://")
RUNNING = "hypervisor_guest_running"
CPU = "hypervisor_guest_cpu_seconds_total"


def text(chunk):
    return zlib.decompressobj(-15).decompress(chunk.body).decode()


def pipeline(*names, group=VITALS, target=TARGET, platform=PLATFORM, **rest):
    families = families_of(target, platform, group, CATALOGUE)
    return Pipeline(target, platform, group, [f for f in families if not names or f.name in names], **rest)


def vitals(*guests, **rest):
    return Observation(1e9, guests=guests, **rest)


def guest(guest_id, **rest):
    return Guest(guest_id, f"n{guest_id}", state=GuestState.RUNNING, **rest)


def names_of(group=VITALS, target=TARGET, **changes):
    return {family.name for family in families_of(target, replace(PLATFORM, **changes), group, CATALOGUE)}


def profiled(**profile):
    return replace(TARGET, profile=Profile(**profile))


def test_a_group_feeds_the_families_that_the_platform_delivers():
    support = {
        RUNNING: Native("x"),
        CPU: Derived("y"),
        "hypervisor_guest_vcpus": Absent("z"),
        "hypervisor_guest_autostart": Native("x"),
    }

    assert names_of(support=support) == {RUNNING, CPU, OWN.name}
    assert names_of("inventory", support=support) == {"hypervisor_guest_autostart"}


def test_a_platform_may_move_a_family_to_another_group():
    moved = {RUNNING: "inventory"}

    assert RUNNING not in names_of(groups_of=moved)
    assert RUNNING in names_of("inventory", groups_of=moved)


def test_the_parents_families_are_never_in_a_page():
    assert not {name for name in names_of() | names_of("") if name.startswith(("hypervisor_target", "hypervisor_exp"))}


def test_whether_a_single_host_is_up_is_never_in_a_page():
    assert "hypervisor_host_up" in names_of()
    assert "hypervisor_host_up" not in names_of(single_host=True)


def test_the_profile_turns_families_on_and_off():
    flushes = "hypervisor_guest_disk_flushes_total"

    assert flushes not in names_of()
    assert flushes in names_of(target=profiled(family_include=("hypervisor_guest_disk_*",)))
    assert RUNNING not in names_of(target=profiled(family_exclude=("hypervisor_guest_run*",)))
    both = profiled(family_include=("*",), family_exclude=(flushes,))
    assert flushes not in names_of(target=both)


def test_a_page_holds_a_chunk_per_family_that_has_series():
    page = pipeline().page(vitals(guest("1"), guest("2")), whole=False)

    assert text(page.chunks[RUNNING]) == (
        'hypervisor_guest_running{target="t",platform="fake",guest="n1",guest_id="1"} 1\n'
        'hypervisor_guest_running{target="t",platform="fake",guest="n2",guest_id="2"} 1\n'
    )
    assert CPU not in page.chunks
    assert page.series == sum(chunk.series for chunk in page.chunks.values())
    assert (page.follows, page.unchanged) == (None, ())


def test_the_next_page_names_what_did_not_change_and_which_page_it_follows():
    line = pipeline(RUNNING, CPU)
    first = line.page(vitals(guest("1", cpu=GuestCpu(seconds=1.0))), whole=False)

    second = line.page(vitals(guest("1", cpu=GuestCpu(seconds=2.0))), whole=False)

    assert (list(second.chunks), second.unchanged, second.follows) == ([CPU], (RUNNING,), first.serial)
    assert second.series == 2


def test_a_family_whose_series_are_gone_is_named_nowhere():
    line = pipeline(RUNNING, CPU)
    line.page(vitals(guest("1", cpu=GuestCpu(seconds=1.0))), whole=False)

    page = line.page(vitals(guest("1")), whole=False)

    assert (dict(page.chunks), page.unchanged) == ({}, (RUNNING,))


def test_a_whole_page_holds_everything_and_follows_none():
    line = pipeline(RUNNING)
    line.page(vitals(guest("1")), whole=False)

    page = line.page(vitals(guest("1")), whole=True)

    assert (list(page.chunks), page.unchanged, page.follows) == ([RUNNING], (), None)


def test_after_a_page_that_failed_half_way_the_next_one_is_whole():
    line = pipeline(RUNNING)
    line.page(vitals(guest("1")), whole=False)
    with pytest.raises(TypeError, match="not an Observation"):
        line.page("no observation", whole=False)

    page = line.page(vitals(guest("1")), whole=False)
    assert (list(page.chunks), page.follows) == ([RUNNING], None)


def test_counters_pass_through_the_ledger_which_forgets_on_complete_observations():
    line = pipeline(CPU)

    def shown(*guests, **rest):
        page = line.page(vitals(*guests, **rest), whole=True)
        return [row.rsplit(" ", 1)[1] for row in text(page.chunks[CPU]).splitlines()] if page.chunks else []

    def counted(guest_id, value):
        return guest(guest_id, cpu=GuestCpu(seconds=Parts({"0": value})))

    assert shown(counted("1", 10.0), counted("2", 20.0)) == ["10", "20"]
    assert shown(counted("1", 11.0), partial=True) == ["11", "20"]  # carried over
    assert shown(counted("1", 11.0), counted("2", 1.0)) == ["11", "20"]
    assert shown(counted("1", 11.0)) == ["11"]
    assert shown(counted("1", 11.0), counted("2", 1.0)) == ["11", "1"]


def test_a_guest_that_is_renamed_goes_on_counting():
    line = pipeline(CPU)
    line.page(vitals(Guest("1", "old", cpu=GuestCpu(seconds=Parts({"0": 10.0})))), whole=False)

    page = line.page(vitals(Guest("1", "new", cpu=GuestCpu(seconds=Parts({"1": 99.0})))), whole=False)

    assert text(page.chunks[CPU]).endswith('guest="new",guest_id="1"} 10\n')


def test_what_is_left_out_is_counted_and_told_as_a_problem():
    seen = vitals(
        guest("1", cpu=GuestCpu("N/A", seconds=Parts({"0": 1.0}, complete=False))),
        guest("1"),
        guest("\ud800", disks=(GuestDisk("vda", reads=1), GuestDisk("vda", reads=2))),
        problems=(Problem("missing_right", 3, "no Datastore.Browse"), Problem("missing_right", 1, "no other")),
    )

    page = pipeline().page(seen, whole=False)

    assert page.rejected == {"not_a_number": 1, "incomplete": 1}
    assert page.dropped == {"duplicate_series": 1}
    assert page.sanitised == 3 * 2  # name and id, in the labels of the guest and of each disk
    assert page.problems == {
        "missing_right": (4, "no Datastore.Browse"),
        "duplicate_guest_id": (1, ""),
        "value_rejected": (2, page.problems["value_rejected"][1]),
    }
    assert "'N/A' is not a number" in page.problems["value_rejected"][1]


def test_missing_samples_are_a_problem():
    line = pipeline(CPU)
    for at, value in ((20.0, 1.0), (40.0, None)):
        page = line.page(vitals(guest("1", cpu=GuestCpu(seconds=Samples((at,), {"0": (value,)}, 20.0)))), whole=False)

    assert page.problems == {"samples_missing": (1, "")}


def test_a_mistake_in_one_family_costs_that_family_alone(caplog):
    def boom(_guest):
        raise ZeroDivisionError

    broken = replace(OWN, value=boom)
    line = Pipeline(TARGET, PLATFORM, VITALS, [broken, *(f for f in SHARED if f.name == RUNNING)])

    with caplog.at_level(logging.ERROR):
        page = line.page(vitals(guest("1")), whole=False)

    assert (list(page.chunks), page.rejected) == ([RUNNING], {"bug": 1})
    assert "ZeroDivisionError" in caplog.text


def test_filters_snapshots_and_facts_come_along():
    target = replace(TARGET, filters=Filters(Selection(exclude=("nx",))))
    facts = EndpointFacts("Fake", "1.0")
    seen = Observation(
        1e9,
        hosts=(Host("h", "host"),),
        guests=(Guest("1", "n1", snapshots=(Snapshot("s", "s", 1e9 - 60),)), Guest("x", "nx", snapshots=())),
        endpoint=facts,
        partial=True,
    )
    single = replace(PLATFORM, single_host=True)

    page = pipeline(group="snapshots", target=target, platform=single).page(seen, whole=False)

    assert text(page.chunks["hypervisor_guest_oldest_snapshot_age_seconds"]).endswith('guest="n1",guest_id="1"} 60\n')
    assert page.chunks["hypervisor_guest_snapshots"].series == 1
    assert (page.endpoint, page.partial, page.collected_at) == (facts, True, 1e9)
    assert page.single_host == (("host", "h"),)
    assert page.objects["guests"] == 2


def test_label_values_are_cut_to_the_configured_length():
    page = pipeline(RUNNING, limits=Limits(label_value_length=20)).page(
        vitals(Guest("1", "x" * 99, state=GuestState.RUNNING)), whole=True
    )

    assert 'guest="xxxxxxx~' in text(page.chunks[RUNNING])
    assert page.sanitised == 1


@pytest.mark.parametrize(
    "flaw",
    [{"disks": None}, {"state": "N/A"}, {"id": []}, {"nics": 7}, {"host_id": [1]}],
    ids=lambda flaw: next(iter(flaw)),
)
def test_one_impossible_guest_costs_itself_and_is_told(flaw):
    line = pipeline()
    guests = guest("1"), replace(guest("2"), **flaw), guest("3")
    page = line.page(vitals(*guests, hosts=(Host("h", "h"),)), whole=True)

    assert page.chunks[RUNNING].series == 2
    assert page.problems["malformed_object"] == (1, "")
    assert line.page(vitals(guest("1"), guest("2"), guest("3")), whole=True).chunks[RUNNING].series == 3


def test_no_more_than_the_newest_observation_is_kept():
    line, shown = pipeline(), guest("1", disks=(GuestDisk("vda"), GuestDisk("vda")))
    before = sys.getrefcount(shown), sys.getrefcount(shown.disks[1])

    line.page(vitals(shown), whole=False)
    line.page(vitals(guest("1")), whole=False)

    assert (sys.getrefcount(shown), sys.getrefcount(shown.disks[1])) == before


def test_things_that_a_partial_observation_lacks_are_carried_over_and_told():
    line = pipeline(RUNNING)
    line.page(vitals(guest("1"), guest("2")), whole=True)

    page = line.page(vitals(guest("1"), partial=True), whole=True)

    assert page.series == 2
    assert page.problems == {"carried_over": (1, "")}


def test_what_a_collector_that_remembers_does_not_tell_is_gone_with_its_counters():
    """A target that is never read in time would else be remembered with every guest that it ever had."""
    line = pipeline(CPU)

    def shown(*guests, **rest):
        seen = [guest(name, cpu=GuestCpu(seconds=Samples((float(end),), (1.0,), 20.0))) for name, end in guests]
        page = line.page(vitals(*seen, partial=True, remembered=True, **rest), whole=True)
        return {row.split('"')[-2]: row.split()[-1] for row in text(page.chunks[CPU]).splitlines()}

    shown(("1", 20), ("2", 20))
    assert shown(("1", 40), ("2", 40)) == {"1": "20", "2": "20"}
    assert shown(("1", 60)) == {"1": "40"}
    assert shown(("1", 80), ("2", 80)) == {"1": "60", "2": "0"}


def test_a_group_that_is_too_large_for_its_target_loses_whole_families():
    guests = [guest(str(n), disks=(GuestDisk("vda", reads=1),)) for n in range(100)]
    reads = "hypervisor_guest_disk_reads_total"
    whole = pipeline(RUNNING, reads).page(vitals(*guests), whole=True)
    cut = pipeline(RUNNING, reads, limits=Limits(series_per_target=150)).page(vitals(*guests), whole=True)

    assert (whole.series, set(whole.chunks)) == (200, {RUNNING, reads})
    assert (cut.series, set(cut.chunks)) == (100, {RUNNING})
    assert (cut.dropped, cut.wanted) == ({"budget": 100}, {RUNNING: 100, reads: 100})


def test_families_that_the_parent_sheds_are_left_out_and_come_back():
    line, reads = pipeline(RUNNING, "hypervisor_guest_disk_reads_total"), "hypervisor_guest_disk_reads_total"
    seen = vitals(guest("1", disks=(GuestDisk("vda", reads=1),)))
    assert set(line.page(seen, whole=False).chunks) == {RUNNING, reads}

    page = line.page(seen, whole=False, shed=frozenset({reads}))
    assert (set(page.chunks), page.unchanged, page.dropped) == (set(), (RUNNING,), {"budget": 1})

    assert set(line.page(seen, whole=False).chunks) == {reads}


def test_a_platform_tells_of_the_whole_endpoint_without_the_labels_of_anything():
    about = Section(Entity.TARGET, VITALS, Priority.TARGET)
    family = about.gauge("hypervisor_fake_licences", "Licences.", value=lambda endpoint: endpoint.extra.get("licences"))
    line = Pipeline(TARGET, PLATFORM, VITALS, (family,))
    page = line.page(replace(vitals(), endpoint=EndpointFacts(version="1", extra={"licences": 3})), whole=True)

    (chunk,) = page.chunks.values()
    assert text(chunk) == 'hypervisor_fake_licences{target="t",platform="fake"} 3\n'
    assert page.endpoint == EndpointFacts(version="1")
    assert not line.page(vitals(), whole=True).chunks


def test_a_page_is_small_when_it_travels():
    page = pipeline().page(vitals(*(guest(str(n)) for n in range(100))), whole=False)

    assert pickle.loads(pickle.dumps(page)) == page
    assert len(pickle.dumps(page)) < 40 * page.series
