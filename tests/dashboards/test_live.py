"""Every panel is asked of a Prometheus that scrapes a living daemon: real guests, a simulated vCenter and a fleet."""

import pytest

from tests.backends import grafana
from tests.backends.alertmanager import BINARIES
from tests.backends.daemon import libvirt
from tests.backends.need import need
from tests.backends.vcenter import BUILT
from tests.e2e.alerts_world import VC, Given, Vc, Watched

COLLECTIONS = 10
"""Of each target before the first panel is asked."""
INTERVAL_SECONDS = 4.0
UNKNOWN = ("no data because nothing that is chosen", "no data because not told", "no data because no exporter")
"""How a panel that is empty says that something is not known; others say that all is well."""

EXCUSED = {"How full are its file systems?", "Clusters without HA", "Do licences last?"}
"""No agent and no VMware Tools run in these guests; the vCenter has no cluster, and Hyper-V's tells nothing of it; and
the simulator's licence has neither a number nor an end."""

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim"),
]


@pytest.fixture(scope="module")
def prometheus(libvirt_lab, estate, tmp_path_factory):
    need(["prometheus", *BINARIES])
    fleet = {"platform": "simulated.hyperv", "address": "simulated://fleet", "options": {"guests": 20, "seed": "live"}}
    lab = Given(**libvirt("lab", libvirt_lab.uri))
    with Watched(lab, Vc(tmp_path_factory.mktemp("vcenter")), Given(name="fleet", **fleet)) as world:
        collected = 'hypervisor_target_collections_total{group="vitals", outcome="success"}'
        world.prometheus.wait_for(f"count({collected} >= {COLLECTIONS}) == 3", timeout_seconds=150)
        # The simulator has a sample every 20 seconds; what is made of two begins then.
        world.prometheus.wait_for(f'hypervisor_guest_cpu_seconds_total{{target="{VC}"}} > 0', timeout_seconds=60)
        yield world.prometheus


QUERIES = [query for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]


def shown(prometheus, query):
    """Every series of the last minute that a query has, with its values."""
    expr = grafana.filled(query.expr, interval=INTERVAL_SECONDS)
    if query.instant:
        return [(sample.labels, [sample.value]) for sample in prometheus.query(expr)]
    ((_, now, _),) = prometheus.query("time()")
    found = prometheus.query_range(expr, now - 60, now, 5)
    return [(series.labels, [value for _, value in series.points]) for series in found]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_panel_is_answered_with_values_of_its_unit_and_every_label_of_its_legend(prometheus, query):
    for labels, values in shown(prometheus, query):
        assert not query.lacks(labels)
        assert all(query.sane(value) for value in values), values


@pytest.mark.parametrize("page", grafana.documents())
def test_a_page_lacks_nothing_that_could_be_known(prometheus, page):
    queries = [query for query in QUERIES if query.dashboard == page]
    assert queries
    told = {query.panel for query in queries if shown(prometheus, query)}
    empty = {query.panel: query.no_value for query in queries if query.panel not in told}
    assert {panel for panel, words in empty.items() if words.startswith(UNKNOWN)} <= EXCUSED


def test_a_choice_offers_what_there_is(prometheus):
    for document in grafana.documents().values():
        for variable in document["templating"]["list"][1:]:
            assert grafana.options(prometheus, variable), variable["name"]
