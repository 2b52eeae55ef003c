"""Stand-ins: the label of another platform, its families, and no harm to the real one."""

from importlib.metadata import EntryPoint

import pytest

from exporter import platforms
from exporter.catalogue import VITALS, Entity, Priority, Section
from exporter.config.model import Target
from exporter.contract import Native, Platform, label_of
from exporter.exposition.subjects import Subjects
from exporter.exposition.text import Labels
from exporter.model import Guest
from exporter.runtime.pipeline import families_of

SECTION = Section(Entity.GUEST, VITALS, Priority.GUEST)


def family(name):
    return SECTION.gauge(name, "help", value=lambda guest: guest.extra.get(name))


SHARED_GEM = family("hypervisor_acme_shared")
REAL = Platform("acme", "Acme", {}, open=lambda _t, _c: None, families=(SHARED_GEM, family("hypervisor_acme_gem")))
STAND_IN = Platform(
    "toy.acme",
    "Toy",
    {"hypervisor_guest_vcpus": Native("made up")},
    open=lambda _t, _c: None,
    families=(SHARED_GEM, family("hypervisor_acme_gem"), family("hypervisor_acme_toy")),
    real=False,
)
STRAY = Platform("toy.other", "Toy", {}, open=lambda _t, _c: None, families=(family("hypervisor_toy_gem"),))


@pytest.fixture
def found(monkeypatch):
    """What is found behind these entry points."""
    values = {"acme": REAL, "toy.acme": STAND_IN, "toy.other": STRAY}

    class Point(EntryPoint):
        def load(self):
            return values[self.name]

    points = [Point(name, "somewhere:PLATFORM", "group") for name in values]
    monkeypatch.setattr(platforms, "entry_points", lambda **_: points)
    platforms.installed.cache_clear()
    yield platforms.installed()
    platforms.installed.cache_clear()


def test_a_label_is_what_stands_behind_the_dot():
    assert label_of("vsphere") == "vsphere"
    assert label_of("simulated.vsphere") == "vsphere"
    subjects = Subjects(Entity.GUEST, "t", "simulated.vsphere", Labels(99))
    subjects.update([(("web", "1"), Guest("1", "web"))])
    assert subjects.texts == ['target="t",platform="vsphere",guest="web",guest_id="1"']


def test_of_two_families_of_one_name_the_real_platforms_is_shown(found):
    names = [one.name for one in found.families if one.name.startswith("hypervisor_acme_")]
    assert sorted(names) == ["hypervisor_acme_gem", "hypervisor_acme_shared", "hypervisor_acme_toy"]
    (gem,) = [one for one in found.families if one.name == "hypervisor_acme_gem"]
    assert gem is REAL.families[1]
    target = Target("t", "toy.acme", "toy://t")
    mine = families_of(target, found.platforms["toy.acme"], VITALS, found.families)
    # The very object is kept; another one of that name would be read with the real platform's eyes.
    assert {one.name for one in mine} == {
        "hypervisor_guest_vcpus",
        "hypervisor_acme_shared",
        "hypervisor_acme_toy",
    }
    real = families_of(Target("r", "acme", "a"), found.platforms["acme"], VITALS, found.families)
    assert {one.name for one in real} == {"hypervisor_acme_shared", "hypervisor_acme_gem"}


def test_families_of_a_stand_in_bear_the_name_that_it_shows(found):
    (broken,) = found.broken
    assert broken.name == "toy.other"
    assert "must begin with hypervisor_other_: hypervisor_toy_gem" in broken.sentence
