"""Every panel is asked of a Prometheus that scrapes a living daemon: real guests, a simulated vCenter and a fleet."""

import datetime as dt
import time

import pytest

from tests.backends import grafana
from tests.backends.alertmanager import BINARIES
from tests.backends.daemon import libvirt
from tests.backends.need import need
from tests.backends.processes import BackendError
from tests.backends.vcenter import BUILT
from tests.e2e.alerts_world import VC, Given, Vc, Watched

COLLECTIONS = 6
"""Of each target before the first panel is asked."""
INTERVAL_SECONDS = 4.0
UNKNOWN = ("no data because nothing that is chosen", "no data because not told", "no data because no exporter")
"""How a panel that is empty says that something is not known; others say that all is well."""

EXCUSED = {"How full are its file systems?"}
"""No agent and no VMware Tools run in these guests."""
LEFT_DAYS = 100
TAKEN, ALLOWED = 6, 16

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim"),
]


class WornVc(Vc):
    """With a licence that ends, a fan that has failed, and an alarm that nobody has acknowledged."""

    def __enter__(self):
        super().__enter__()
        end = dt.datetime.fromtimestamp(time.time() + LEFT_DAYS * 86_400, dt.UTC)
        licence = {
            "licenseKey": "AAAAA-BBBBB-CCCCC-DDDDD-EEEE1",
            "editionKey": "esx.enterprisePlus",
            "name": "vSphere 8 Enterprise Plus",
            "costUnit": "cpuPackage",
            "total": ALLOWED,
            "used": TAKEN,
            "properties": [{"key": "expirationDate", "value": {"_typeName": "dateTime", "_value": end.isoformat()}}],
        }
        self.vcenter.set("LicenseManager:LicenseManager", {"licenses": [licence]})
        ((path, host),) = self.vcenter.references("h").items()
        fan = {
            "name": "Fan 1",
            "healthState": {"_typeName": "ElementDescription", "label": "Red", "summary": "", "key": "red"},
            "currentReading": 0,
            "unitModifier": 0,
            "baseUnits": "RPM",
            "sensorType": "fan",
        }
        self.vcenter.set(host, {"runtime.healthSystemRuntime": {"systemHealthInfo": {"numericSensorInfo": [fan]}}})
        self.vcenter.govc("alarm.create", "-n", "fan", "-type", "HostSystem", "-red=t.red", "-green=t.green")
        self.vcenter.govc("event.post", "-i=t.red", path)
        return self


@pytest.fixture(scope="module")
def prometheus(libvirt_lab, estate, tmp_path_factory):
    need(["prometheus", *BINARIES])
    fleet = {"platform": "simulated.hyperv", "address": "simulated://fleet", "options": {"guests": 20, "seed": "live"}}
    lab = Given(**libvirt("lab", libvirt_lab.uri))
    with Watched(lab, WornVc(tmp_path_factory.mktemp("vcenter")), Given(name="fleet", **fleet)) as world:
        # A scrape that a busy machine delays by more than a second is not to take all series away.
        patient = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
        world.prometheus.reload({**world.prometheus.config, "global": patient})
        collected = 'hypervisor_target_collections_total{group="vitals", outcome="success"}'
        try:
            world.prometheus.wait_for(f"count({collected} >= {COLLECTIONS}) == 3", timeout_seconds=150)
        except BackendError as error:
            raise BackendError(f"{error}\n{world.prometheus.targets()}\n{world.daemon.log()[-4000:]}") from error
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


def test_what_a_vcenter_says_of_itself_is_on_the_pages(prometheus):
    """Numbers that were given to it; of the alarm, the sensor and the licence each, and nothing beside them."""

    def rows(title, reference):
        query = [query for query in QUERIES if query.panel == title][reference]
        return [(labels.get("license"), values[-1]) for labels, values in shown(prometheus, query)]

    alarms, host, licences = (
        "Which alarms does the endpoint itself raise?",
        "What do its alarms and sensors say?",
        "Do licences last?",
    )
    assert rows(alarms, 0) == [(None, 1)]
    assert rows(alarms, 1) == []
    red = [(None, 1), (None, 0)]
    assert [rows(host, 0)[0], rows(host, 1)[0], rows(host, 2)[0], rows(host, 3)[0]] == [*red, *red]
    name = "vSphere 8 Enterprise Plus"
    assert rows(licences, 0) == [(name, TAKEN)]
    assert rows(licences, 1) == [(name, ALLOWED)]
    ((_, left),) = [row for row in rows(licences, 2) if row[0] == name]
    assert left == pytest.approx(LEFT_DAYS * 86_400, abs=600)


def test_a_choice_offers_what_there_is(prometheus):
    for document in grafana.documents().values():
        for variable in document["templating"]["list"][1:]:
            assert grafana.options(prometheus, variable), variable["name"]
