"""What the parent holds and answers: one gzip member, families together, nothing mistaken for the newest."""

import gzip
import random
import threading
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.catalogue.family import VITALS, Entity, Family, Kind, Priority
from exporter.exposition.chunk import compress
from exporter.exposition.negotiation import Format
from exporter.runtime.page import Page
from exporter.runtime.store import Store

TEXT, OPENMETRICS = Format
SERIALS = count(1)


def family(name, entity=Entity.GUEST, kind=Kind.GAUGE):
    return Family(name, kind, f"About {name}.", entity, VITALS, Priority.GUEST)


ABOUT = family("about", Entity.EXPORTER)
ONE, TWO, UP = family("one"), family("two_total", kind=Kind.COUNTER), family("up", Entity.TARGET)
FAMILIES = (UP, ABOUT, ONE, TWO)


def chunk(text):
    return compress(text.encode(), text.count("\n"))


def page(*, unchanged=(), follows=None, **chunks):
    return Page(next(SERIALS), {name: chunk(text) for name, text in chunks.items()}, 0.0, follows, tuple(unchanged))


def shown(store, targets=None, wanted=TEXT, tail=b""):
    member = store.member(wanted, targets, tail)
    text = gzip.decompress(b"".join(member.gzip()))
    assert text == b"".join(member.inflate())
    assert len(text) == member.size
    return text.decode()


def samples(store, targets=None):
    return [line for line in shown(store, targets).splitlines() if not line.startswith("#")]


@pytest.fixture
def store():
    return Store(FAMILIES)


def test_families_come_together_in_the_order_of_the_catalogue(store):
    store.swap("a", "vitals", page(two_total="two a\n", one="one a\n"), 10)
    store.swap("b", "vitals", page(one="one b\n"), 10)
    store.swap("a", "storage", page(up="up a\n"), 10)

    assert samples(store) == ["up a", "one a", "one b", "two a"]


def test_a_family_without_series_has_no_header(store):
    store.swap("a", "vitals", page(one="one a\n"), 10)

    assert shown(store) == "# HELP one About one.\n# TYPE one gauge\none a\n"


def test_openmetrics_has_its_own_headers_and_its_end(store):
    store.swap("a", "vitals", page(two_total="two_total 1\n"), 10)

    expected = "# TYPE two counter\n# HELP two About two_total.\ntwo_total 1\n"
    assert shown(store, wanted=OPENMETRICS) == expected + "# EOF\n"
    assert shown(store, wanted=OPENMETRICS, tail=b"tail 1\n") == expected + "tail 1\n# EOF\n"
    assert shown(store, ["a"], wanted=OPENMETRICS) == expected + "# EOF\n"


def test_the_tail_is_appended_and_not_kept(store):
    store.swap("a", "vitals", page(one="one a\n"), 10)

    assert shown(store, tail=b"tail 1\n").endswith("one a\ntail 1\n")
    assert shown(store).endswith("one a\n")


def test_an_empty_store_answers(store):
    assert shown(store) == ""
    assert shown(store, wanted=OPENMETRICS) == "# EOF\n"


def test_a_page_takes_the_place_of_the_one_before(store):
    first = page(one="one 1\n", two_total="two 1\n")
    store.swap("a", "vitals", first, 10)

    assert samples(store) == ["one 1", "two 1"]
    assert store.swap("a", "vitals", page(one="one 2\n", unchanged=["two_total"], follows=first.serial), 10)
    assert samples(store) == ["one 2", "two 1"]


def test_a_family_that_a_page_does_not_name_is_gone(store):
    store.swap("a", "vitals", page(one="one 1\n", two_total="two 1\n"), 10)

    store.swap("a", "vitals", page(one="one 2\n"), 10)

    assert samples(store) == ["one 2"]


def test_a_page_that_follows_another_one_is_refused_and_changes_nothing(store):
    first = page(one="one 1\n")
    store.swap("a", "vitals", first, 10)
    lost = page(one="one 2\n", follows=first.serial)

    assert not store.swap("a", "vitals", page(unchanged=["one"], follows=lost.serial), 99)
    assert samples(store) == ["one 1"]
    assert store.expire(10) == [("a", "vitals")]


def test_an_unchanged_chunk_that_is_not_held_is_refused(store):
    assert not store.swap("a", "vitals", page(unchanged=["one"]), 10)
    assert not store.swap("a", "vitals", page(unchanged=["one"], follows=1), 10)
    first = page(two_total="two 1\n")
    store.swap("a", "vitals", first, 10)
    assert not store.swap("a", "vitals", page(unchanged=["one"], follows=first.serial), 10)
    assert samples(store) == ["two 1"]


def test_pages_past_their_time_disappear_and_what_the_parent_says_stays(store):
    store.put_report("a", {"up": chunk("up a 0\n")})
    store.swap("a", "vitals", page(one="one a\n"), 10)
    store.swap("a", "storage", page(two_total="two a\n"), 20)

    assert store.expire(9.9) == []
    assert store.expire(10) == [("a", "vitals")]
    assert samples(store) == ["up a 0", "two a"]
    assert (store.holds("a", "vitals"), store.holds("a", "storage")) == (False, True)
    assert store.expire(10) == []


def test_the_next_page_to_expire_is_known_also_when_the_first_was_replaced_or_dropped(store):
    assert store.next_expiry() == float("inf")
    store.swap("a", "vitals", page(one="one a\n"), 10)
    store.swap("b", "vitals", page(one="one b\n"), 15)
    assert store.next_expiry() == 10
    store.swap("a", "vitals", page(one="one a\n"), 40)
    assert store.next_expiry() == 15
    assert store.expire(12) == []
    store.drop("b")
    assert store.next_expiry() == 40
    assert store.expire(40) == [("a", "vitals")]
    assert store.next_expiry() == float("inf")


def test_a_dropped_target_is_forgotten_and_its_place_used_again(store):
    for name in "abc":
        store.swap(name, "vitals", page(one=f"one {name}\n"), 10)
    store.put_report("a", {"up": chunk("up a\n")})

    store.drop("a")
    store.drop("never seen")
    store.swap("d", "vitals", page(one="one d\n"), 10)
    store.swap("e", "vitals", page(one="one e\n"), 10)

    assert sorted(samples(store)) == ["one b", "one c", "one d", "one e"]
    with pytest.raises(KeyError, match="a"):
        store.member(TEXT, ["a"])


def test_hidden_families_are_not_shown_not_counted_and_come_back_without_a_new_page(store):
    first = page(one="one a\n", two_total="two a\n")
    store.swap("a", "vitals", first, 10)
    store.swap("b", "vitals", page(one="one b\n"), 10)
    store.hide("a", frozenset({"one"}))
    assert (samples(store), samples(store, ["a"]), store.series) == (["one b", "two a"], ["two a"], 2)

    assert store.swap("a", "vitals", page(unchanged=["one"], follows=first.serial, two_total="two A\n"), 10)
    assert samples(store) == ["one b", "two A"]
    store.hide("a", frozenset())
    assert (samples(store), store.series) == (["one a", "one b", "two A"], 3)


def test_a_target_that_was_dropped_hides_nothing_when_it_comes_again(store):
    store.swap("a", "vitals", page(one="one a\n"), 10)
    store.hide("a", frozenset({"one"}))
    store.drop("a")
    store.swap("a", "vitals", page(one="one a\n"), 10)
    assert samples(store) == ["one a"]


def test_targets_are_shown_alone_without_the_exporters_own_families(store):
    store.put_report(None, {"about": chunk("about 1\n")})
    store.put_report("b", {"up": chunk("up b\n")})
    for name in "abc":
        store.swap(name, "vitals", page(one=f"one {name}\n"), 10)

    assert samples(store, ["b"]) == ["up b", "one b"]
    assert samples(store, ["c", "a", "c"]) == ["one c", "one a"]
    assert samples(store, []) == []
    assert "about 1" in samples(store)


def test_an_unknown_target_is_named_in_the_error(store):
    with pytest.raises(KeyError, match="nobody"):
        store.member(TEXT, ["nobody"])


def test_series_are_counted_by_target_and_in_all(store):
    store.put_report(None, {"about": chunk("about 1\n")})
    store.put_report("a", {"up": chunk("up a\n")})
    store.swap("a", "vitals", page(one="one 1\none 2\n"), 10)
    store.swap("b", "vitals", page(one="one 3\n"), 10)

    assert store.series == 4
    store.expire(10)
    assert store.series == 1


def test_a_family_that_the_catalogue_does_not_know_is_left_out(store):
    assert store.swap("a", "vitals", page(one="one a\n", stray="stray\n"), 10)
    assert samples(store) == ["one a"]


def test_a_member_in_hand_is_not_touched_by_later_changes(store):
    store.swap("a", "vitals", page(one="one a\n"), 10)
    member = store.member(TEXT, None)

    store.drop("a")

    assert b"one a" in gzip.decompress(b"".join(member.gzip()))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("vs"), st.integers(0, 3), st.integers(0, 3)), max_size=40))
def test_any_history_leaves_what_was_put_last(history):
    """Against a dictionary: swaps with any mix of families, each 0 to 3 series; both 0 drops the target."""
    store, truth = Store(FAMILIES), {}
    for number, group, ones, twos in history:
        name = f"t{number}"
        if not ones and not twos:
            store.drop(name)
            truth = {key: lines for key, lines in truth.items() if key[0] != name}
            continue
        # Each family belongs to one group.
        key, lines = ("one", ones) if group == "v" else ("two_total", twos)
        text = "".join(f"{key} {name} {random.random()}\n" for _ in range(lines))
        store.swap(name, group, page(**({key: text} if text else {})), 10)
        truth[name, group] = text.splitlines()

    assert sorted(samples(store)) == sorted(line for lines in truth.values() for line in lines)
    assert store.series == sum(map(len, truth.values()))


def test_readers_see_one_moment_while_the_writer_works():
    """Every swap writes the same number into both families of all targets' last page; no answer may be torn."""
    store, stop, torn = Store(FAMILIES), threading.Event(), []

    def read():
        while not stop.is_set():
            lines = samples(store)
            if len({line.split()[1] for line in lines}) > 1:
                torn.append(lines)

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(500):
        store.swap("a", "vitals", page(one=f"one {n}\n" * 9, two_total=f"two {n}\n"), 10)
    stop.set()
    reader.join()

    assert not torn
