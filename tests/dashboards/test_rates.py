"""Rates on dashboards are true however rarely a target is collected, and no exporter beside the first one doubles them.

A counter steps when its target is collected, so what is shown lags behind by up to two intervals: the truth that a
panel is held against is what the counters did in a window of the same length that ended no longer ago than that.
"""

import re

import pytest

from collectors.simulated import observe
from dashboards.rules.settings import Settings
from dashboards.rules.text import rules_text
from tests.backends import grafana
from tests.backends.need import need
from tests.backends.past import Past

NOW = 1_781_090_400.0
"""A Wednesday at 11:20 UTC, when nothing reboots in these fleets: their counters are the same at every run."""
FLEETS = {"vsphere": 16, "hyperv": 14, "libvirt": 8, "proxmox": 12}
INTERVALS = {"30s": 30.0, "60s": 60.0, "5m": 300.0, "10m": 600.0}
TOLERANCE = 0.3
ONE_EVENT = 1.5
"""What a counter of rare events may be off by in a window: one of them comes into it, or has just left."""
pytestmark = [pytest.mark.backend, pytest.mark.timeout(300)]


def options(look):
    return {"guests": FLEETS[look], "seed": "rates"}


def past(interval, window, *, hours=None, exporters=1, evaluated=None):
    """Collected every so many seconds, with rules of this window."""
    step = min(60.0, interval)
    targets = [
        {"name": look, "platform": f"simulated.{look}", "address": f"simulated://{look}", "options": options(look)}
        for look in FLEETS
    ]
    return Past(
        targets,
        hours=hours or (2 * window + interval) / 3600,
        step=step,
        now=NOW,
        evaluated=evaluated or 2 * step,
        rules=rules_text(Settings(rate_window=window)),
        intervals={"vitals": f"{interval:.0f}s"},
        exporters=exporters,
    )


QUERIES = [query for slug, document in grafana.documents().items() for query in grafana.asked(slug, document)]
RATES = [
    query
    for query in QUERIES
    if re.search(r"\brate\(|_rate\{", query.expr)
    and not re.search(r"count| bool ", query.expr)  # of things beyond a limit: no rate itself
    and not re.search(r"hypervisor_(target|exporter)_", query.expr)  # of the collecting, not of what is collected
]


@pytest.fixture(scope="module", params=INTERVALS.values(), ids=INTERVALS)
def seen(request):
    """An interval with the window of its rules, what is seen, and what is so: a past that is seen at every scrape."""
    need(["prometheus", "promtool"])
    interval = request.param
    window = max(300.0, 5 * interval)
    with past(interval, window) as rare, past(min(60.0, interval), window) as exact:
        yield interval, window, rare, exact


def counters(look, at):
    """Exact counters by family and thing, from the fleet itself."""
    vitals = observe({"like": look, **options(look)}, "vitals", at)
    found = {("host_cpu_busy_seconds", host.id): host.cpu.busy_seconds for host in vitals.hosts}
    for guest in vitals.guests:
        found["guest_cpu_seconds", guest.id] = guest.cpu.seconds
        found["guest_cpu_ready_seconds", guest.id] = guest.cpu.ready_seconds
        for disk in guest.disks:
            found["guest_disk_read_bytes", guest.id, disk.disk] = disk.read_bytes
        for nic in guest.nics:
            found["guest_network_receive_bytes", guest.id, nic.nic] = nic.traffic.receive_bytes
    return {key: value for key, value in found.items() if value is not None}


def truth(look, end, interval, window):
    """Least and most growth per second of every counter in windows that end up to two intervals before `end`."""
    instants = [end - lag * interval / 2 for lag in range(5)]
    grown = []
    for at in instants:
        before, after = counters(look, at - window), counters(look, at)
        grown.append({key: (after[key] - before[key]) / window for key in after if key in before})
    common = set.intersection(*(set(each) for each in grown))
    return {key: (min(each[key] for each in grown), max(each[key] for each in grown)) for key in common}


@pytest.mark.parametrize(
    ("family", "labels"),
    [
        ("host_cpu_busy_seconds", ("host_id",)),
        ("guest_cpu_seconds", ("guest_id",)),
        ("guest_cpu_ready_seconds", ("guest_id",)),
        ("guest_disk_read_bytes", ("guest_id", "disk")),
        ("guest_network_receive_bytes", ("guest_id", "nic")),
    ],
)
def test_a_rate_is_what_the_counters_of_the_fleet_did(seen, family, labels):
    interval, _, rare, _ = seen
    window = 4 * -(-1.25 * interval // 1)
    shown = 0
    for look in FLEETS:
        so = truth(look, rare.now, interval, window)
        expr = f'rate(hypervisor_{family}_total{{target="{look}"}}[$__rate_interval])'
        for sample in rare.prometheus.query(grafana.filled(expr, interval=interval), rare.now):
            key = (family, *(sample.labels[label] for label in labels))
            if key in so:
                least, most = so[key]
                assert (1 - TOLERANCE) * least - 1e-6 <= sample.value <= (1 + TOLERANCE) * most + 1e-6, sample
                shown += 1
    assert shown >= len(FLEETS) - 1


def asked(query, interval):
    """With all series, where only the largest are shown."""
    return re.sub(r"topk\(\d+,", "topk(10000,", grafana.filled(query.expr, interval=interval))


@pytest.mark.parametrize("query", RATES, ids=str)
def test_every_panel_of_rates_shows_the_truth(seen, query):
    interval, window, rare, exact = seen
    expr = asked(query, interval)
    so = {
        frozenset(series.labels.items()): [value for _, value in series.points]
        for series in exact.prometheus.query_range(expr, exact.now - 2 * interval, exact.now, exact.evaluated)
    }
    found = rare.prometheus.query(expr, rare.now)
    assert found or not so
    spare = ONE_EVENT * 4 / window if query.unit in ("pps", "ops") else 1e-6
    for sample in found:
        values = so[frozenset(sample.labels.items())]
        least, most = (1 - TOLERANCE) * min(values) - spare, (1 + TOLERANCE) * max(values) + spare
        assert least <= sample.value <= most, f"{sample.labels}: {sample.value} is not within {values}"


@pytest.fixture(scope="module")
def once_and_twice():
    need(["prometheus", "promtool"])
    with past(30.0, 300.0, hours=0.5) as once, past(30.0, 300.0, hours=0.5, exporters=2) as twice:
        yield once, twice


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_second_exporter_changes_no_number(once_and_twice, query):
    def shown(past):
        found = past.prometheus.query(grafana.filled(query.expr), past.now)
        assert not any("instance" in sample.labels for sample in found)
        return {frozenset(sample.labels.items()): pytest.approx(sample.value, rel=1e-9) for sample in found}

    once, twice = map(shown, once_and_twice)
    assert twice == once


def test_the_second_exporter_is_there(once_and_twice):
    once, twice = (past.prometheus.query("count(hypervisor_guest_vcpus)", past.now)[0].value for past in once_and_twice)
    assert twice == 2 * once
