"""Words fit where they stand: titles in panels, headings in columns, reasons in the place of a number.

Widths are estimated from the letters of Grafana's typeface; on a screen of 1600 pixels they come out within 5 % of what
a real Grafana draws.
"""

import re

import pytest

from dashboards.lib.forms import WIDTH
from tests.backends import grafana

SCREEN, MARGIN, GAP = 1600, 16, 8
INFORMATION, LINK = 72, 32
"""Pixels that padding and the sign of the description take from a title, and the sign of a link."""
PADDING, SORTED = 12, 22
LETTERS = {"ijl|'.,:;!I": 0.27, "ft()[]/-r ": 0.34, "1s": 0.5, "mwMW": 0.85, "ABCDEFGHKLNOPQRSTUVXYZ+&%": 0.67}
SIZE = 14
MOST_WORDS = 30
"""Letters of a reason in the place of a number; longer ones are drawn too small to be read."""
DOCUMENTS = grafana.documents()


def width(text):
    """Pixels of a title or heading."""
    return SIZE * sum(next((em for letters, em in LETTERS.items() if each in letters), 0.57) for each in text)


def wide(cells):
    """Pixels of a panel."""
    return (SCREEN - 2 * MARGIN + GAP) / WIDTH * cells - GAP


@pytest.mark.parametrize(
    ("text", "pixels"), [("Guests halted by I/O", 138), ("Clusters without N+1", 134), ("Answers", 54)]
)
def test_estimates_are_what_grafana_draws(text, pixels):
    assert width(text) == pytest.approx(pixels, rel=0.06)


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_titles_are_not_cut(slug):
    cut = [
        panel["title"]
        for panel in grafana.panels(DOCUMENTS[slug])
        if width(panel["title"]) > wide(panel["gridPos"]["w"]) - INFORMATION - LINK * bool(panel["links"])
    ]
    assert not cut


def test_a_title_that_is_too_long_is_noticed():
    assert width("Storages that are nearly full") > wide(4) - INFORMATION - LINK


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_headings_of_columns_are_not_cut(slug):
    for panel in grafana.panels(DOCUMENTS[slug]):
        by = {each["displayName"] for each in panel["options"].get("sortBy", ())}
        for override in panel["fieldConfig"]["overrides"]:
            parts = {each["id"]: each["value"] for each in override["properties"]}
            if "custom.width" in parts:
                room = parts["custom.width"] - PADDING - SORTED * (parts["displayName"] in by)
                assert width(parts["displayName"]) <= room, f"{panel['title']}: {parts['displayName']}"


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_why_there_is_no_number_can_be_read(slug):
    for panel in grafana.panels(DOCUMENTS[slug]):
        if panel["type"] == "stat":
            assert len(panel["fieldConfig"]["defaults"]["noValue"]) <= MOST_WORDS, panel["title"]


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_a_table_shows_only_what_it_names_and_says_why_it_is_empty(slug):
    """Of several queries without an answer Grafana keeps the columns, and shows these: grouping leaves nothing."""
    for panel in grafana.panels(DOCUMENTS[slug]):
        if panel["type"] != "table":
            continue
        steps = {each["id"]: each["options"] for each in panel["transformations"]}
        columns = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert set(steps["filterFieldsByName"]["include"]["names"]) == columns
        assert not columns & {"Time", "job", "instance"}
        if len(panel["targets"]) > 1:
            grouped = {name for name, each in steps["groupBy"]["fields"].items() if each["operation"] == "groupby"}
            assert {"target", "platform"} & grouped or "license" in grouped
            assert columns <= steps["groupBy"]["fields"].keys()


def columns(panel):
    """What a table is left with after its transformations, from left to right, and what told its lines apart."""
    found = {label for each in panel["targets"] for label in by(each["expr"])}
    found |= {f"Value #{each['refId']}" for each in panel["targets"]} if len(panel["targets"]) > 1 else {"Value"}
    lines = set(found)
    for step in panel["transformations"]:
        options = step["options"]
        if step["id"] == "groupBy":
            lines = {name for name, each in options["fields"].items() if each["operation"] == "groupby"}
            shown = {name: each["aggregations"] for name, each in options["fields"].items()}
            found = {name if name in lines else f"{name} ({shown[name][0]})" for name in found & shown.keys()}
        elif step["id"] == "filterFieldsByName":
            found &= set(options["include"]["names"])
        elif step["id"] == "organize":
            found = {options.get("renameByName", {}).get(name, name) for name in found}
            places = options.get("indexByName", {})
            found = dict.fromkeys(sorted(found, key=lambda name: places.get(name, len(places)))).keys()
    return list(found), lines


def by(expr):
    """The labels that a query of a table is reduced to."""
    return set(re.match(r"max by \(([^)]*)\)", expr)[1].split(", "))


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_columns_stand_as_they_are_named_and_lines_are_told_apart_by_every_label(slug):
    for panel in grafana.panels(DOCUMENTS[slug]):
        if panel["type"] == "table":
            found, lines = columns(panel)
            assert found == [override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]]
            assert {label for each in panel["targets"] for label in by(each["expr"])} <= lines, panel["title"]


@pytest.mark.parametrize("slug", DOCUMENTS)
def test_a_cell_is_the_newest_value_as_it_was(slug):
    for panel in grafana.panels(DOCUMENTS[slug]):
        for step in panel["transformations"]:
            fields = step["options"].get("fields", {}).items() if step["id"] == "groupBy" else ()
            told = {name: each["aggregations"] for name, each in fields if each["operation"] == "aggregate"}
            assert set(map(tuple, told.values())) <= {("lastNotNull",)}, panel["title"]
