"""XML that nobody should trust, and numbers that nobody wrote."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.libvirt.mapping.cells import Cells, cells
from collectors.libvirt.mapping.description import describe
from collectors.libvirt.mapping.snapshots import checkpoint_time, snapshot
from collectors.libvirt.mapping.storage import pool_facts, promised_bytes
from collectors.libvirt.mapping.xml import LARGEST, parse, whole
from exporter.errors import Malformed

LEVELS = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<?xml version="1.0"?>\n<!-- hello --><!DOCTYPE domain [<!ENTITY e0 "ha">{LEVELS}]><domain>&e9;</domain>'
EXTERNAL = '<!DOCTYPE domain [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>'


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("no XML at all", id="words"),
        pytest.param('{"domain": {}}', id="JSON"),
        pytest.param("<domain>", id="cut off"),
        pytest.param("<domain/><domain/>", id="two"),
        pytest.param("<domain>\x00</domain>", id="a zero byte"),
        pytest.param("<domain>\ud800</domain>", id="half a character"),
        pytest.param("<domain>&unknown;</domain>", id="an entity that nobody declared"),
        pytest.param(BOMB, id="entities that would expand to 2 GB"),
        pytest.param(f"\ufeff{BOMB}", id="the same behind a byte order mark"),
        pytest.param(EXTERNAL, id="an entity from a file"),
        pytest.param("<!DOCTYPE domain><domain/>", id="a document type alone"),
    ],
)
def test_what_is_no_plain_xml_is_malformed_named_and_cheap(text):
    tracemalloc.start()
    with pytest.raises(Malformed, match=r"^guest 'web': ") as error:
        parse(text, "guest 'web'")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert error.value.where == "guest 'web'"
    assert "passwd" not in str(error.value)


@pytest.mark.parametrize(
    "inner",
    [
        "<description>&lt;!DOCTYPE html&gt;</description>",
        "<description><![CDATA[<!DOCTYPE html>]]></description>",
        "<!-- <!DOCTYPE html> -->",
    ],
)
def test_a_document_type_in_somebodys_words_is_none(inner):
    assert describe(f"<domain>{inner}<vcpu>1</vcpu></domain>", "guest").oddities == ()


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (lambda text: describe(text, "guest 'web'"), "domain"),
        (lambda text: snapshot(text, "monday", None), "domainsnapshot"),
        (lambda text: checkpoint_time(text, "web"), "domaincheckpoint"),
        (lambda text: pool_facts(text, "1", "images", "kvm-7"), "pool"),
    ],
)
def test_a_description_of_something_else_is_malformed(reader, expected):
    with pytest.raises(Malformed, match=f"is described by <html>, not by <{expected}>"):
        reader("<html><body>404</body></html>")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 12\n", 12),
        ("-1", -1),
        ("+7", 7),
        (str(LARGEST), LARGEST),
        (str(LARGEST + 1), None),
        ("9" * 5000, None),
        ("--1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x10", None),
        ("١٢", None),
        ("²", None),
        ("nan", None),
        ("", None),
    ],
)
def test_whole_numbers(text, number):
    assert whole(text) == number


@given(st.text() | st.integers().map(str))
def test_no_text_raises(text):
    number = whole(text)
    assert number is None or abs(number) <= LARGEST
    assert float(number or 0) >= -(2**64)


HUGE = "9" * 5000


def test_numbers_beyond_any_measure_raise_nowhere():
    domain = (
        f"<domain><vcpu current='{HUGE}'>{HUGE}</vcpu><cputune><quota>{HUGE}</quota><period>{HUGE}</period>"
        f"<global_quota>{LARGEST}</global_quota><global_period>1</global_period></cputune><memtune>"
        f"<hard_limit unit='TiB'>{HUGE}</hard_limit><min_guarantee unit='TB'>{LARGEST}</min_guarantee></memtune>"
        f"<devices><memballoon><stats period='{HUGE}'/></memballoon></devices></domain>"
    )
    found = describe(domain, "guest")
    assert (found.limit_cpus, found.memory_limit_bytes, found.memory_reservation_bytes) == (float(LARGEST), None, None)
    assert found.balloon_period_seconds is None
    assert [sentence.split()[0] for sentence in found.oddities] == [
        "cputune/quota", "cputune/period", "memtune/hard_limit",
    ]  # fmt: skip
    assert max(map(len, found.oddities)) < 120
    ids = f"<cell id='{HUGE}'/><cell id='1'/>"
    assert cells(f"<c><host><topology><cells>{ids}</cells></topology></host></c>") == Cells((1,), ())


@pytest.mark.parametrize(
    "inner", [f"<capacity>{HUGE}</capacity><allocation>5</allocation>", "<capacity>5</capacity>", "<name>x</name>"]
)
def test_a_volume_without_sizes_makes_the_sum_unknown_not_too_small(inner):
    with pytest.raises(Malformed, match=r"'images': '.*' does not tell its sizes"):
        promised_bytes([f"<volume>{inner}<target><path>/a</path></target></volume>"], "images")


def test_a_thousand_elements_in_each_other_are_read():
    deep = f"<domain>{'<a>' * 50_000}{'</a>' * 50_000}<devices/></domain>"
    assert describe(deep, "guest").disks == ()
    layers = "<backingStore><source file='/a'/>" * 1000 + "</backingStore>" * 1000
    disk = f"<disk type='file'><source file='/top'/><target dev='vda'/>{layers}</disk>"
    (found,) = describe(f"<domain><devices>{disk}</devices></domain>", "guest").disks
    assert found.known_layers_below == 1000


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        (None, 1024), ("b", 1), ("bytes", 1), ("k", 1024), ("KiB", 1024), ("KB", 1000), ("M", 1_048_576),
        ("MiB", 1_048_576), ("MB", 1_000_000), ("G", 1_073_741_824), ("GiB", 1_073_741_824), ("GB", 1_000_000_000),
        ("T", 1_099_511_627_776), ("TiB", 1_099_511_627_776), ("TB", 1_000_000_000_000), ("kib", None), ("PiB", None),
    ],
)  # fmt: skip
def test_units_of_sizes_are_libvirts(unit, size):
    attribute = f" unit='{unit}'" if unit else ""
    found = describe(f"<domain><memtune><hard_limit{attribute}>3</hard_limit></memtune></domain>", "guest")
    assert found.memory_limit_bytes == (None if size is None else 3 * size)
    assert len(found.oddities) == (size is None)
