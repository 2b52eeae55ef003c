"""Columns instead of rows, objects by the thousand: the same as one by one."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.hyperv.client.rows import Alike, Rows
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.found import join
from collectors.hyperv.mapping.guest import Told, guest_vitals
from collectors.hyperv.mapping.making import made
from exporter.model import Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, Parts, Traffic, Wrapping
from tests.unit.hyperv.test_guest_vitals import RUNNING, SETTINGS
from tests.unit.hyperv.world import HOST, SQL, WEB, answers, processor, system

SENT = st.one_of(
    st.integers(0, 2**64).map(str),
    st.sampled_from(
        ["", " ", "0", "-1", "1_0", "+1", " 7 ", "1e3", "NaN", "x", "9" * 25, "9" * 400, "9" * 5000, "\u0663"]
    ),
    st.none(),
    st.just(("1", "2")),
)


FIELDS = [tables.VP_RUN, tables.VP_WAIT, tables.PHYSICAL, tables.PRESSURE, tables.ON_TIME, tables.FREE_MEMORY,
          tables.PARTITION_PAGES, tables.CPU_LIMIT, tables.CLOCK]  # fmt: skip
"""One for each unit."""


@settings(max_examples=300, deadline=None)
@given(st.lists(SENT, max_size=5), st.sampled_from(FIELDS))
def test_a_column_of_numbers_is_what_its_rows_are(column, field):
    odd, expected = {}, {}
    one_by_one = []
    for place, sent in enumerate(column):
        sentences = []
        one_by_one.append(field({field.name: sent}, sentences))
        if sentences:
            expected[place] = sentences[0]
    assert list(field.column(column, odd)) == one_by_one
    assert odd == expected


@pytest.mark.parametrize("kind", [Guest, GuestCpu, GuestDisk, GuestMemory, GuestNic, Parts, Traffic, Wrapping])
def test_what_is_made_by_the_thousand_is_what_the_class_makes(kind):
    given_ = {
        Guest: {"id": ["a", "b"], "name": ["A", "B"], "io_error": [None, True]},
        GuestDisk: {"disk": ["a", "b"]},
        GuestNic: {"nic": ["a", "b"], "mac": [None, "x"]},
        Parts: {"values": [{}, {"x": 1}]},
        Wrapping: {"values": [{}, {"x": 1}], "bits": [32, 64]},
    }.get(kind, {})
    one_by_one = [kind(**{name: column[place] for name, column in given_.items()}) for place in range(2)]
    together = made(kind, 2, **given_)
    assert together == one_by_one
    assert [type(each) for each in together] == [kind, kind]
    assert list(map(dataclasses.replace, together)) == one_by_one
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(together[0], dataclasses.fields(kind)[0].name, None)
    assert made(kind, 0, **dict.fromkeys(given_, ())) == []


@pytest.mark.parametrize(
    ("columns", "error", "sentence"),
    [
        ({"values": [{}], "other": [1]}, TypeError, "no other"),
        ({}, TypeError, "needs values"),
        ({"values": [{}, {}]}, ValueError, "2 times values"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, error, sentence):
    with pytest.raises(error, match=sentence):
        made(Parts, 1, **columns)


def test_guests_in_a_row_are_told_as_each_alone():
    """One runs with everything, one with counters that are nil, one is off."""
    off, silent = "dddddddd-0000-0000-0000-000000000004", SQL
    partly = {**processor("silent", 0, 5), "PercentTotalRunTime": None}
    unread = {**processor("silent", 1, 7), "CPUWaitTimePerDispatch": None}
    rows = {
        **RUNNING,
        "COMPUTER_SYSTEMS": [system(off, "off", 3), system(WEB, "web"), system(silent, "silent")],
        "VIRTUAL_PROCESSORS": [*RUNNING["VIRTUAL_PROCESSORS"], partly, unread],
    }
    found = join(answers(**rows), SETTINGS, []).guests
    told = [Told(), Told(wait_plausible=False), Told(counters_read=False)]
    together = guest_vitals(found, HOST, told)
    assert together == [guest_vitals([each], HOST, [which])[0] for each, which in zip(found, told, strict=True)]
    assert [each.cpu.seconds is None for each in together] == [True, False, False]
    assert together[2].cpu.seconds == Parts({"host-uuid:1": 7e-7}, complete=False)
    assert together[2].cpu.ready_seconds == Parts({"host-uuid:0": 0.0}, complete=False)
    assert guest_vitals([], HOST, []) == []


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("VIRTUAL_PROCESSORS", {"PercentTotalRunTime": "many"}),
        ("BALANCED_GUESTS", {"CurrentPressure": "-1"}),
        ("PARTITIONS", {"RemotePhysicalPages": "NaN"}),
        ("STORAGE_DEVICES", {"ReadCount": ("1", "2")}),
        ("NETWORK_ADAPTERS", {"BytesSentPersec": "x"}),
        ("SUMMARIES", {"Heartbeat": "strong"}),
        ("COMPUTER_SYSTEMS", {"OnTimeInMilliseconds": "long"}),
    ],
)
def test_a_value_that_is_no_number_is_told_of_its_guest(table, changes):
    (first, *rest) = RUNNING[table]
    rows = {**RUNNING, table: [{**first, **changes}, *rest]}
    (found,) = join(answers(**rows), SETTINGS, []).guests
    (name,) = changes
    assert len(found.odd) == 1
    assert found.odd[0].startswith(f"{name} is ")


def test_rows_are_equal_to_rows_and_to_dicts():
    rows = Rows([Alike(("A", "B"), [("1", None), ("2", "")])])
    assert rows == [{"A": "1", "B": None}, {"A": "2", "B": ""}]
    assert rows not in ([], [{"A": "1", "B": None}], [{"A": "1", "B": None}, {"A": "2", "B": None}], "rows")
    assert Rows() == []


def test_what_changes_between_two_cycles_is_seen_in_the_second():
    """Nothing of how counters were put together is carried over: another name, adapter, disk, or nobody any more."""
    before = RUNNING

    def seen(rows):
        joined = join(answers(**rows), SETTINGS, [])
        return joined, guest_vitals(joined.guests, HOST, [Told()] * len(joined.guests))

    _, (web,) = seen(before)
    renamed = {**before, "COMPUTER_SYSTEMS": [system(WEB, "shop")]}
    joined, (shop,) = seen(renamed)
    assert (shop.name, shop.cpu.seconds, joined.unjoined) == ("shop", None, ("web",)), (
        "counters have the old name still"
    )
    joined, (shop,) = seen({**renamed, "VIRTUAL_PROCESSORS": [processor("shop", n, 10_000_000) for n in (0, 1)]})
    assert (shop.cpu.seconds, joined.unjoined) == (Parts({"host-uuid:0": 1.0, "host-uuid:1": 1.0}), ())
    (adapter,) = before["NETWORK_ADAPTERS"]
    other = {**adapter, "Name": adapter["Name"][:-1] + "f"}
    _, (web_other,) = seen({**before, "NETWORK_ADAPTERS": [other]})
    counting = {each.nic: each.traffic.receive_bytes is not None for each in web_other.nics}
    assert counting == {web.nics[0].nic: False, web.nics[0].nic[:-1] + "f": True}
    joined, none = seen({**before, "COMPUTER_SYSTEMS": []})
    assert (none, joined.unjoined, len(joined.unjoined_adapters), len(joined.unjoined_disks)) == ([], ("web",), 1, 1)
    assert seen(before)[1] == [web], "and back again"
