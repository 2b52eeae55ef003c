"""Choices at the top of dashboards, as Grafana asks for them; any name that a guest can have can be chosen."""

import re
import urllib.parse

import pytest

from collectors.simulated.names import NASTY
from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends import grafana
from tests.backends.need import need
from tests.backends.past import Past

LOOKS = ("vsphere", "hyperv", "libvirt", "proxmox")
pytestmark = [pytest.mark.backend, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def past():
    need(["prometheus", "promtool"])
    targets = [
        {"name": look, "platform": f"simulated.{look}", "address": f"simulated://{look}", "options": {"seed": "names"}}
        for look in LOOKS
    ]
    with Past(targets, hours=0.5, rules=rules_text(Settings())) as past:
        yield past


VARIABLES = {
    f"{slug}-{variable['name']}": variable
    for slug, document in grafana.documents().items()
    for variable in document["templating"]["list"]
    if variable["type"] == "query"
}


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=VARIABLES)
def test_a_variable_finds_its_options(past, variable):
    options = grafana.options(past.prometheus, variable, at=past.now)
    assert options
    assert all(options)
    assert len(set(options)) == len(options)


@pytest.mark.parametrize("slug", grafana.documents())
def test_a_variable_names_only_what_is_chosen_before_it_on_its_page(slug):
    known = {"datasource"}
    for variable in grafana.documents()[slug]["templating"]["list"][1:]:
        assert set(re.findall(r"\$\{?(\w+)", variable["definition"])) <= known
        known.add(variable["name"])


def test_the_least_step_is_a_number_a_quarter_above_the_interval(past):
    (step,) = {
        tuple(grafana.options(past.prometheus, variable, at=past.now))
        for variable in VARIABLES.values()
        if variable["name"] == "min_step"
    }
    assert step == ("38",)


def test_the_least_step_is_a_number_before_there_is_a_target(past):
    nothing = {**grafana.EVERYTHING, "target": ("none",)}
    assert grafana.options(past.prometheus, VARIABLES["fleet-min_step"], nothing, past.now) == ["38"]


def test_what_is_chosen_narrows_what_is_offered(past):
    guests = VARIABLES["guest-guest"]
    here = {**grafana.EVERYTHING, "target": ("libvirt",)}
    found = grafana.options(past.prometheus, guests, here, past.now)
    assert set(found) < set(grafana.options(past.prometheus, guests, at=past.now))
    seen = past.prometheus.query('group by (guest) (hypervisor_guest_info{target="libvirt"})', past.now)
    assert set(found) == {each.labels["guest"] for each in seen}


def guest_queries():
    found = grafana.asked("guest", grafana.documents()["guest"])
    return [query for query in found if "${guest:regex}" in query.expr]


@pytest.mark.parametrize("name", NASTY)
def test_a_guest_of_any_name_can_be_chosen(past, name):
    assert name in grafana.options(past.prometheus, VARIABLES["guest-guest"], at=past.now)
    chosen = {**grafana.EVERYTHING, "guest": (name,)}
    told = set()
    for query in guest_queries():
        found = past.prometheus.query(grafana.filled(query.expr, chosen), past.now)
        assert {each.labels.get("guest", name) for each in found} <= {name}
        told |= {query.panel} if found else set()
    assert "Where is it?" in told


def test_several_guests_are_chosen_at_once(past):
    chosen = {**grafana.EVERYTHING, "guest": NASTY[:3]}
    (query,) = (each for each in guest_queries() if each.panel == "Where is it?")
    found = past.prometheus.query(grafana.filled(query.expr, chosen), past.now)
    assert {each.labels["guest"] for each in found} == set(NASTY[:3])


def test_a_name_with_quotes_needs_the_raw_string(past):
    """In quotes Grafana up to 13 leaves the quotes of a name as they are: Prometheus could not read the query."""
    chosen = {"guest": ('the "new" web server',)}
    assert grafana.filled('{guest=~"$guest"}', chosen) == '{guest=~"the "new" web server"}'
    assert grafana.filled("{guest=~`${guest:regex}`}", chosen) == '{guest=~`the "new" web server`}'
    assert grafana.filled("{guest=~`${guest:regex}`}", {"guest": ("C:\\a.b", "c")}) == "{guest=~`(C:\\\\a\\.b|c)`}"


def links():
    """Page, panel and address of every link; and the columns of the table that it is in."""
    for slug, document in grafana.documents().items():
        for panel in grafana.panels(document):
            overrides = panel["fieldConfig"]["overrides"]
            columns = {override["matcher"]["options"] for override in overrides}
            found = [each for override in overrides for each in override["properties"] if each["id"] == "links"]
            for link in [*panel["links"], *(link for each in found for link in each["value"])]:
                yield slug, panel["title"], link["url"], columns


DRILLED = re.compile(r"var-(\w+)=\$\{__(?:value\.raw|data\.fields\.(\w+)):percentencode\}")


@pytest.mark.parametrize(("slug", "title", "url", "columns"), list(links()))
def test_a_link_opens_a_page_that_exists_and_hands_on_every_choice(slug, title, url, columns):
    choices = {
        f"hypervisor-{name}": {each["name"] for each in page["templating"]["list"] if not each["hide"]}
        for name, page in grafana.documents().items()
    }
    uid, _, query = url.removeprefix("/d/").partition("?")
    assert uid in choices
    handed = set(re.findall(r"\$\{(\w+):queryparam\}", query))
    parts = [DRILLED.fullmatch(part) for part in query.split("&") if part.startswith("var-")]
    assert all(parts), "a name must be encoded"
    drilled = {part[1] for part in parts}
    assert not handed & drilled, "chosen twice"
    assert handed | drilled == choices[f"hypervisor-{slug}"] | drilled, "a choice is lost, or stays as it is written"
    assert drilled <= choices[uid]
    assert {part[2] for part in parts} - {None} <= columns
    assert "${__url_time_range}" in query
    if drilled & {"host", "guest"} and "target" in columns:
        assert "target" in drilled, "another target may have one of the same name"


def test_every_page_has_the_others_in_a_list_that_hands_on_choices():
    for document in grafana.documents().values():
        (every,) = document["links"]
        assert (every["type"], every["includeVars"], every["keepTime"]) == ("dashboards", True, True)
        assert set(every["tags"]) <= set(document["tags"])


def test_a_link_hands_on_any_name():
    """Grafana's percentencode is encodeURIComponent and more; what comes back is the name."""
    for name in NASTY:
        assert urllib.parse.parse_qs(f"var-guest={urllib.parse.quote(name, safe='')}")["var-guest"] == [name]


def test_no_query_has_a_choice_in_quotes():
    asked = [query.expr for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]
    asked += [variable["definition"] for variable in VARIABLES.values()]
    assert not [expr for expr in asked if re.search(r'[=!]~?"\$', expr)]
