"""Answers that are cut without a tree: the tree has the same rows, and what is not of the usual shape is left to it."""

import re
from itertools import count
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.hyperv.client.flat import flat
from collectors.hyperv.client.parsing import LARGEST_BYTES, answer, page
from collectors.hyperv.client.rows import Rows, columns
from tests.fuzz.wsman import check

CAPTURES = Path(__file__).parents[4] / "shared" / "captures" / "wsman" / "server_2012"
XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
W = ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
HEAD = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    f'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"{W}>'
    "<s:Header><a:Action>x</a:Action><a:RelatesTo>uuid:1</a:RelatesTo></s:Header><s:Body>"
)
TAIL = "</s:Body></s:Envelope>"
FIRST = "<A>1</A><B>web</B><C><Datetime>2026-01-02T03:04:05Z</Datetime></C>"


def row(inner):
    return f"<w:XmlFragment{XSI}{W}>{inner}</w:XmlFragment>"


def pull(*rows, context="", end="<n:EndOfSequence/>", head=HEAD):
    given_ = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else ""
    items = f"<n:Items>{''.join(map(row, rows))}</n:Items>"
    return f"{head}<n:PullResponse>{given_}{items}{end}</n:PullResponse>{TAIL}"


def anew(text, numbers=count()):  # noqa: B008  counts on
    """With a name that no page had before: nothing is remembered of such rows, as that something in them was nil."""
    return re.sub(r"<(/?)A(?=[ />])", rf"<\1A{next(numbers)}", text)


def by_tree(text):
    found = answer(text.encode(), "Pull")
    return found.relates_to, page(found.content, "Pull")


def test_a_page_as_windows_writes_it():
    text = pull(FIRST, '<A xsi:nil="true"/><B></B><C><Datetime>x</Datetime></C>', context=" uuid:c ", end="")
    relates_to, found = flat(text.encode())
    assert (relates_to, found.context, found.ended) == ("uuid:1", "uuid:c", False)
    expected = [{"A": "1", "B": "web", "C": "2026-01-02T03:04:05Z"}, {"A": None, "B": "", "C": "x"}]
    assert list(found.rows) == expected
    assert (relates_to, found) == by_tree(text)


@pytest.mark.parametrize("context", [None, "", " ", "uuid:c"])
@pytest.mark.parametrize("end", ["", "<w:EndOfSequence/>"])
@pytest.mark.parametrize("operation", ["Enumerate", "Pull"])
def test_the_end_of_an_enumeration_is_the_trees(context, end, operation):
    given_ = "" if context is None else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
    body = f"<n:{operation}Response>{given_}<w:Items>{row(FIRST)}</w:Items>{end}</n:{operation}Response>"
    assert flat((HEAD + body + TAIL).encode()) == by_tree(HEAD + body + TAIL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pull(FIRST, "<A>1</A><B>R&amp;D</B><C><Datetime>x</Datetime></C>"), id="an entity"),
        pytest.param(pull(FIRST, "<A>1</A><B><![CDATA[x]]></B><C><Datetime>x</Datetime></C>"), id="a section"),
        pytest.param(pull(FIRST, FIRST + "<!-- no -->"), id="a comment"),
        pytest.param(pull(FIRST) + "<!-- no -->", id="a comment at the end"),
        pytest.param(pull(FIRST, "<A>1</A><A>2</A><B>b</B><C><Datetime>x</Datetime></C>"), id="an array"),
        pytest.param(pull("<A>1</A><A>2</A>"), id="an array in the first row"),
        pytest.param(pull(FIRST, "<B>b</B><A>1</A><C><Datetime>x</Datetime></C>"), id="another order"),
        pytest.param(pull(FIRST, "<A>1</A><B>b</B>"), id="an array of none"),
        pytest.param(pull(FIRST, "<A>1</A><B/><C><Datetime>x</Datetime></C>"), id="empty in short"),
        pytest.param(pull(FIRST, '<A>1</A><B>b</B><C xsi:nil="true"/>'), id="a time that is nil"),
        pytest.param(pull(FIRST, "<A>1</A><B>b</B><C><Datetime> x</Datetime></C>"), id="blanks around a time"),
        pytest.param(pull(FIRST, "<A>1</A><B><X>1</X></B><C><Datetime>x</Datetime></C>"), id="an instance"),
        pytest.param(pull(FIRST, "<A>1</A><B>a\rb</B><C><Datetime>x</Datetime></C>"), id="a carriage return"),
        pytest.param(pull(FIRST).replace("w:", "v:").replace("xmlns:w=", "xmlns:v="), id="another prefix"),
        pytest.param(pull(FIRST).replace("XmlFragment", "Item"), id="another element"),
        pytest.param(pull(FIRST).replace("<A>", '<A b="c">'), id="an attribute"),
        pytest.param(pull(FIRST, head=HEAD.replace("<s:Body>", "\n<s:Body>")), id="a line break"),
        pytest.param(pull(FIRST, head=HEAD.replace("<s:Header>", '<s:Header><a:To b="c"/>')), id="another header"),
        pytest.param(pull("<X>" + row(FIRST) + "</X>"), id="rows within a row"),
        pytest.param(pull(), id="no rows"),
    ],
)
def test_what_is_unusual_is_left_to_the_tree(text):
    assert flat(text.encode()) is None
    assert flat(anew(text).encode()) is None
    by_tree(text)


@pytest.mark.parametrize(
    "text",
    [
        pull(FIRST, "<A>1</A><B>a]]>b</B><C><Datetime>x</Datetime></C>"),
        pull(FIRST, "<A>1</A><B>\x01</B><C><Datetime>x</Datetime></C>"),
        pull(FIRST, "<A>1</A><B>\uffff</B><C><Datetime>x</Datetime></C>"),
        pull("<1A>1</1A>"),
        pull("<A>1<A>2</A>"),
        pull('<A xsi:nil="true"/>').replace(XSI, ""),
        pull(FIRST).replace(W, W * 2, 1),
        pull(FIRST).replace(W, ""),
        pull(FIRST)[:-1],
        pull(FIRST) + "x",
        pull(FIRST).replace("</n:PullResponse>", "</n:EnumerateResponse>"),
        "",
        "<html/>",
    ],
)
def test_what_is_no_xml_is_left_to_the_tree(text):
    assert flat(text.encode()) is None
    assert flat(anew(text).encode()) is None
    check(text.encode())


def test_bytes_that_are_no_text_and_too_many_of_them_are_left_to_the_tree():
    assert flat(pull(FIRST).encode().replace(b"web", b"w\xffb")) is None
    assert flat(pull(FIRST).encode("utf-16")) is None
    assert flat(pull(*[FIRST] * (LARGEST_BYTES // len(row(FIRST)) + 1)).encode()) is None
    assert flat(pull("".join(f"<A{n}>1</A{n}>" for n in range(1000))).encode()) is None, "columns of nobody's query"


@pytest.mark.parametrize("first", ["<A>1</A><B>x</B>", '<A xsi:nil="true"/><B>x</B>', "<A></A><B></B>"])
@pytest.mark.parametrize("second", ["<A>2</A><B></B>", '<A>2</A><B xsi:nil="true"/>', '<A></A><B xsi:nil="true"/>'])
def test_nil_and_empty_are_told_apart_whatever_came_before(first, second):
    """What is remembered of an earlier page, that something was nil in it, is only about where to look first."""
    for rows in ((first, first), (first, second), (second, first), (first, first), (second, second)):
        for text in (pull(*rows), anew(pull(*rows))):
            assert flat(text.encode()) == by_tree(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(pull(FIRST, FIRST).replace("ment><w", "ment> \n x <w"), id="text between rows"),
        pytest.param(pull("<A>]</A><B>]></B>"), id="brackets of two values"),
        pytest.param(pull('<A>></A><B>"/></B>'), id="what tags end with"),
        pytest.param(pull('<A> xsi:nil="true"/></A>', "<A></A>"), id="what nil looks like"),
        pytest.param(pull("<A>\t\n</A>", "<A>\x7f\u0085\u2028</A>"), id="blanks"),
        pytest.param(pull("<A>\U0001f600</A>", "<A>\ufffd</A>"), id="beyond ASCII"),
    ],
)
def test_what_looks_unusual_and_is_not_is_cut_or_left_with_the_same_rows(text):
    for each in (text, anew(text)):
        found = flat(each.encode())
        assert found is None or found == by_tree(each)
        assert found is not None or "]>" in text


@pytest.mark.parametrize("sent", ["&amp;", "\x01", "\r", "\uffff", "]]>"])
def test_what_is_not_plain_is_left_to_the_tree_wherever_it_is(sent):
    for text in (
        pull(FIRST, head=HEAD.replace("uuid:1", f"uuid:{sent}")),
        pull(FIRST, context=f"uuid:{sent}", end=""),
        pull(FIRST.replace("web", sent)),
        pull(FIRST, f'<A xsi:nil="true"/><B>{sent}</B><C><Datetime>x</Datetime></C>'),
    ):
        assert flat(text.encode()) is None
        assert flat(anew(text).encode()) is None
        check(text.encode())


NAMES = st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), min_size=1, max_size=5, unique=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="&<>"), max_size=12)


@st.composite
def pages(draw):
    names = draw(NAMES)
    values = st.tuples(*[st.one_of(st.none(), TEXTS)] * len(names))
    found = draw(st.lists(values, min_size=1, max_size=4))
    return [dict(zip(names, each, strict=True)) for each in found]


def written(rows):
    return pull(*[
        "".join(f'<{name} xsi:nil="true"/>' if value is None else f"<{name}>{escape(value)}</{name}>"
                for name, value in each.items())
        for each in rows
    ])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(pages())
def test_every_page_of_the_usual_shape_is_cut(rows):
    text = written(rows)
    found = flat(text.encode())
    assert found == by_tree(text)
    assert list(found.page.rows) == rows
    names = [*rows[0], "Other"]
    assert columns(found.page.rows, names) == [[each.get(name) for each in rows] for name in names]


PIECES = st.sampled_from([
    "<", ">", "/", "&", "&amp;", "<A>", "</A>", "<A/>", ' xsi:nil="true"/>', "<Datetime>", "</Datetime>", "]]>",
    "<!---->", "</w:XmlFragment>", "<w:XmlFragment>", row("<A>1</A>"), row(FIRST), "</n:Items>", "<n:Items>",
    "<n:EndOfSequence/>",
    " ", "\n", "\r", "x", "\x00", "\ufffe", XSI, W, TAIL, "<?x?>", 'xmlns:n="x"', "<a:RelatesTo>y</a:RelatesTo>",
])  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(pages(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), min_size=1, max_size=3))
def test_what_is_cut_of_a_spoiled_page_is_what_the_tree_says(rows, changes):
    text = written(rows) if len(rows) > 1 else pull(FIRST, FIRST)
    for where, length, piece in changes:
        at = int(where * len(text))
        text = text[:at] + piece + text[at + length :]
    check(text.encode("utf-8", "surrogatepass"))


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the genuine captures (../shared/captures) are not here")
def test_genuine_answers():
    cut = {}
    for path in sorted(CAPTURES.glob("*.xml")):
        text = path.read_text(encoding="utf-8")
        found = flat(text.encode())
        cut[path.name] = found is not None
        assert found is None or found == by_tree(text), path.name
    named = [name for name in cut if "_all_" in name]
    assert sum(cut[name] for name in named) >= 0.7 * len(named), cut


def test_rows_of_several_answers_are_one_sequence():
    rows = Rows([[{"A": "0"}]])
    rows.extend(flat(pull(FIRST).encode()).page.rows)
    assert (len(rows), rows[0], rows[-1]["B"]) == (2, {"A": "0"}, "web")
    assert rows == [{"A": "0"}, {"A": "1", "B": "web", "C": "2026-01-02T03:04:05Z"}]
    assert columns(rows, ["B", "A"]) == [[None, "web"], ["0", "1"]]
    assert columns([], ["B"]) == [[]]
    assert not Rows()
