"""One family over its subjects: what is shown, what is left out and why, and what is not done again."""

import logging

import pytest

from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority
from exporter.exposition.render import FamilyRenderer
from exporter.exposition.subjects import Subjects
from exporter.exposition.text import Labels


def family(name="hypervisor_guest_vcpus", kind=Kind.GAUGE, labels=(), **reads):
    return Family(name, kind, "Help.", Entity.GUEST, VITALS, Priority.GUEST, labels=labels, **reads)


class World:
    """Guests by (name, id), each a value that the family under test reads as it is."""

    def __init__(self, declared, settle=None):
        self.labels = Labels(256)
        self.subjects = Subjects(Entity.GUEST, "t", "p", self.labels)
        self.renderer = FamilyRenderer(declared, self.labels, settle)

    def render(self, things, *, whole=False):
        self.subjects.update([((f"name-{key}", key), value) for key, value in things])
        return self.renderer.render(self.subjects, whole=whole)


def as_is(thing):
    return thing


def boom(thing):
    if thing == "boom":
        raise ZeroDivisionError
    return thing


ONE = 'hypervisor_guest_vcpus{target="t",platform="p",guest="name-1",guest_id="1"}'
TWO = 'hypervisor_guest_vcpus{target="t",platform="p",guest="name-2",guest_id="2"}'


def test_a_line_per_subject():
    rendered = World(family(value=as_is)).render([("1", 2), ("2", 4.5)])

    assert rendered.text.decode() == f"{ONE} 2\n{TWO} 4.5\n"
    assert rendered.series == 2


def test_unknown_is_absent_and_nothing_to_count():
    rendered = World(family(value=as_is)).render([("1", None), ("2", 0)])

    assert rendered.text.decode() == f"{TWO} 0\n"
    assert not rendered.rejected


@pytest.mark.parametrize(
    ("value", "reason"),
    [("N/A", "not_a_number"), (float("nan"), "not_finite"), (10**5000, "not_finite")],
    ids=["a word", "NaN", "a huge integer"],
)
def test_an_impossible_value_costs_its_sample_and_says_why(value, reason):
    rendered = World(family(value=as_is)).render([("1", value), ("2", 3)])

    assert rendered.text.decode() == f"{TWO} 3\n"
    assert rendered.rejected == {reason: 1}
    assert 'guest_id="1"' in rendered.example


def test_a_negative_counter_is_refused_and_a_negative_gauge_shown():
    counter = World(family("hypervisor_guest_x_total", Kind.COUNTER, value=as_is)).render([("1", -1), ("2", 1)])
    gauge = World(family(value=as_is)).render([("1", -1)])

    assert (counter.series, counter.rejected) == (1, {"negative": 1})
    assert gauge.text.decode() == f"{ONE} -1\n"


def test_an_exception_costs_one_sample_and_one_line_in_the_log(caplog):
    world = World(family(value=boom))

    with caplog.at_level(logging.ERROR):
        first = world.render([("1", "boom"), ("2", 3)])
        world.render([("1", "boom"), ("2", 4)])

    assert first.text.decode() == f"{TWO} 3\n"
    assert first.rejected == {"bug": 1}
    assert len(caplog.records) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("rows", [5, [5], [("a", 1, 2)], [(["unhashable", []], 1)], [({}, {}, {})]], ids=str)
def test_rows_that_are_no_rows_never_raise(rows, caplog):
    world = World(family(labels=("own", "more"), each=lambda thing: thing))

    rendered = world.render([("1", rows)])

    assert rendered.series == 0
    assert rendered.rejected.total() == 1


def test_what_was_shown_before_a_broken_family_is_rendered_again_after_it(caplog):
    world = World(family(labels=("own",), each=lambda thing: thing))
    good = world.render([("1", [(("x",), 1)])])
    broken = [world.render([("1", [(([],), 1)])]) for _ in range(2)]

    assert [rendered.series for rendered in broken] == [0, 0]
    assert world.render([("1", [(("x",), 1)])]).text == good.text
    assert "cannot be read" in caplog.text


def test_own_labels_stand_after_the_identity_in_declared_order():
    world = World(family(labels=("b", "a"), each=lambda thing: [(("x", "y"), thing)]))

    assert world.render([("1", 7)]).text.decode() == f'{ONE[:-1]},b="x",a="y"}} 7\n'


def test_rows_may_name_labels_beyond_the_declared_ones():
    world = World(family(labels=("address",), each=lambda _: [({"site": "ham", "address": "a", "env": "e"}, 1)]))

    assert world.render([("1", 7)]).text.decode() == f'{ONE[:-1]},address="a",env="e",site="ham"}} 1\n'


@pytest.mark.parametrize("name", ["guest_id", "target", "0x", "a-b", "__name__", "", "le\n"])
def test_a_row_may_not_name_a_label_that_is_taken_or_illegal(name):
    world = World(family(labels=("address",), each=lambda _: [({"address": "a", name: "x"}, 1), ({}, 2)]))

    rendered = world.render([("1", 7)])

    assert rendered.text.decode() == f"{ONE} 2\n"
    assert rendered.rejected == {"label": 1}


def test_of_two_rows_with_the_same_labels_the_first_wins():
    world = World(family(labels=("own",), each=lambda _: [(("x",), 1), (("x",), 2), (("y",), 3)]))

    rendered = world.render([("1", 7)])

    assert rendered.text.decode() == f'{ONE[:-1]},own="x"}} 1\n{ONE[:-1]},own="y"}} 3\n'
    assert rendered.dropped == {"duplicate_series": 1}


def test_labels_that_only_sanitising_makes_equal_are_duplicates_too():
    world = World(family(labels=("own",), each=lambda _: [(("\ud800",), 1), (("\ud801",), 2)]))

    assert world.render([("1", 7)]).dropped == {"duplicate_series": 1}


def test_of_two_subjects_with_the_same_labels_the_first_wins_and_only_lost_samples_count():
    world = World(family(value=as_is))

    assert world.render([("1", 5), ("1", 6), ("2", 7)]).text.decode() == f"{ONE} 5\n{TWO} 7\n"
    assert world.render([("1", 5), ("1", 6), ("2", 8)]).dropped == {"duplicate_series": 1}
    assert world.render([("1", 5), ("1", None), ("2", 9)]).dropped == {}


def test_a_subject_without_identity_gets_no_series():
    rendered = World(family(value=as_is)).render([(None, 5), ("2", 7)])

    assert rendered.text.decode() == f"{TWO} 7\n"
    assert rendered.dropped == {"no_identity": 1}


def test_unchanged_families_are_not_rendered_again_but_still_counted():
    world = World(family(value=as_is))
    world.render([("1", 2), ("2", "N/A")])

    again = world.render([("1", 2.0), ("2", "N/A")])

    assert again.text is None
    assert (again.series, again.rejected) == (1, {"not_a_number": 1})


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([("1", 3), ("2", 4)], id="a value"),
        pytest.param([("1", 2)], id="a subject gone"),
        pytest.param([("1", 2), ("3", 4)], id="another subject with the same value"),
        pytest.param([("1", 2), ("2", None)], id="a value unknown now"),
    ],
)
def test_any_change_renders_the_family_again(second):
    world = World(family(value=as_is))
    world.render([("1", 2), ("2", 4)])

    assert world.render(second).text is not None


def test_a_changed_label_of_a_row_renders_the_family_again():
    world = World(family(labels=("state",), each=lambda thing: [((thing,), 1)]))
    world.render([("1", "running")])

    assert world.render([("1", "stopped")]).text.decode() == f'{ONE[:-1]},state="stopped"}} 1\n'
    assert world.render([("1", "stopped")]).text is None


def test_whole_renders_what_did_not_change():
    world = World(family(value=as_is))
    first = world.render([("1", 2)])

    assert world.render([("1", 2)], whole=True).text == first.text


def test_label_text_is_made_once_per_subject():
    world = World(family(value=as_is))
    world.render([("\ud800", 1)])
    world.render([("\ud800", 2), ("new", 1)])

    assert world.labels.sanitised == 2  # name and id, the first time only


def test_settled_values_decide_what_changed():
    world = World(family("hypervisor_guest_x_total", Kind.COUNTER, value=as_is), lambda *_: [8])

    assert world.render([("1", object())]).series == 1
    assert world.render([("1", object())]).text is None
