"""Words fit where they stand: titles in panels, headings in columns, reasons in the place of a number.

Widths are estimated from the letters of Grafana's typeface; on a screen of 1600 pixels they come out within 5 % of what
a real Grafana draws.
"""

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
