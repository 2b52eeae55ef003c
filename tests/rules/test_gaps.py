"""Gaps in what is known, one by one: exporters that start again, guests without snapshots, storage with two views.

Minute by minute; vitals come every 30 s, snapshots every 5 minutes, and their alerts wait for 10 and keep for 15.
"""

import pytest

from dashboards.rules.settings import Settings
from tests.backends.need import need
from tests.rules.bench import Bench
from tests.rules.story import OF_GUEST, OF_STORAGE, World, labels_of, scraped, written

pytestmark = [pytest.mark.backend, pytest.mark.timeout(600)]
OLD = "hypervisor_guest_oldest_snapshot_timestamp_seconds"
UP = "hypervisor_target_up"
BUILD = "hypervisor_exporter_build_info"
INTERVALS = {"vitals": 30, "storage": 120, "snapshots": 300}
ALERT = "HypervisorSnapshotOld"
LONG_AGO = "-700000"


def told(success, interval="{}x*"):
    """What the exporter says of every group; `{}` stands for the interval."""
    found = {}
    for group, seconds in INTERVALS.items():
        found[f'hypervisor_target_interval_seconds{{group="{group}"}}'] = interval.format(seconds)
        found[f'hypervisor_target_last_success_timestamp_seconds{{group="{group}"}}'] = success
    return found


DOWN_AT_60 = told("0+60x59 3540x*")
"""The target answers up to minute 59."""


def case(series, expected, *, alert=ALERT, settings=None, minutes=300, instances=("",)):
    return alert, series, expected, settings, minutes, instances


_IN = 'compute_cluster="c",compute_cluster_id="c"'
_MISSED, _SPARE = "HypervisorClusterHostsMissing", "HypervisorClusterMemoryNPlusOneLost"


def _pair(success, shown):
    """Hosts of 100, of which guests may take 40 each; the second one's target is told of by `success` and `shown`."""
    found = told("0+60x*")
    found |= {f'{key[:-1]},target="<target> too"}}': values for key, values in told(success).items()}
    for host, target, lasts in (("1", "", "x*"), ("2", ' too"', shown)):
        of = f'host_id="{host}"' + (f',target="<target>{target}' if target else "")
        found[f"hypervisor_host_info{{{_IN},{of}}}"] = f"1{lasts}"
        found[f"hypervisor_host_up{{{of}}}"] = f"1{lasts}"
        found[f"hypervisor_host_memory_capacity_bytes{{{of}}}"] = f"100{lasts}"
        found[f"hypervisor_host_memory_allocated_bytes{{{of}}}"] = f"40{lasts}"
    return found


CASES = {
    # Removed at 40: nothing comes back when the target goes down at 60.
    "a snapshot that was removed stays removed": case(
        {OLD: f"{LONG_AGO}x40 stale", **DOWN_AT_60}, {40: 1, 56: 0, 80: 0, 120: 0, 240: 0}
    ),
    # Removed at 58, in the page that also shows the success of that minute.
    "one that was removed just before the target went down, too": case(
        {OLD: f"{LONG_AGO}x57 stale", **DOWN_AT_60}, {57: 1, 73: 0, 120: 0, 240: 0}
    ),
    "the guest's page ends and the alert does not": case(
        {OLD: f"{LONG_AGO}x74 stale", **DOWN_AT_60}, {74: 1, 120: 1, 299: 1}
    ),
    # Restarted from 100 to 105, it knows the target, but not when it was last collected.
    "an exporter that starts again while the target is down": case(
        {OLD: f"{LONG_AGO}x74 stale", **told("0+60x59 3540x39 stale", "{0}x99 stale _x5 {0}x*")},
        {99: 1, 103: 1, 299: 1},
    ),
    "a scrape that fails while the target is down": case(
        {OLD: f"{LONG_AGO}x74 stale", **told("0+60x59 3540x39 stale 3540x*", "{0}x99 stale {0}x*")}, {100: 1, 299: 1}
    ),
    # Without any exporter for three hours from 60 on; it is another alert that says so.
    "no exporter at all": case(
        {OLD: f"{LONG_AGO}x59 stale", **told("0+60x59 stale", "{}x59 stale"), BUILD: "1x59 stale"}, {60: 1, 240: 1}
    ),
    "a target that left the configuration": case(
        {OLD: f"{LONG_AGO}x59 stale", **told("0+60x59 stale", "{}x59 stale"), BUILD: "1x*"}, {60: 1, 90: 0, 240: 0}
    ),
    "a target that is back": case(
        {OLD: f"{LONG_AGO}x74 stale", **told("0+60x59 3540x59 7200+60x*")}, {119: 1, 134: 1, 135: 0, 240: 0}
    ),
    # Prometheus finds the storage 96 % full from both; at 100 the second target goes down, and the first frees some.
    "storage that another target still sees": case(
        {
            **OF_STORAGE,
            **told("0+60x*"),
            "hypervisor_storage_capacity_bytes": "100x*",
            "hypervisor_storage_free_bytes": "4x119 50x*",
        },
        {119: 1, 134: 1, 135: 0},
        alert="HypervisorStorageFull",
    ),
    # Excepted by its name or by a tag, and not only while its target answers.
    "a guest that is excepted by name": case(
        {**OF_GUEST, OLD: f"{LONG_AGO}x74 stale", **DOWN_AT_60},
        {50: 0, 120: 0, 240: 0},
        settings=Settings(exclude_guests="other|vsphere guest.*"),
    ),
    "a guest that is excepted by a tag": case(
        {
            'hypervisor_guest_info{kind="guest",tags=",a,snapshot+ok,"}': "1x62 stale",
            OLD: f"{LONG_AGO}x74 stale",
            **DOWN_AT_60,
        },
        {50: 0, 120: 0, 240: 0},
        settings=Settings(exclude_tag="snapshot+ok"),
        instances=(" one", " two"),
    ),
    "a guest with another tag": case(
        {'hypervisor_guest_info{kind="guest",tags=",a,snapshot-ok-not,"}': "1x*", OLD: f"{LONG_AGO}x*"},
        {50: 1},
        settings=Settings(exclude_tag="snapshot-ok", exclude_guests="other"),
    ),
    # A virtual machine moves at 20: what is wrong with it stays the same.
    "a guest that moves to another host": case(
        {
            'hypervisor_guest_info{host="one",host_id="1",kind="guest"}': "1x19 stale",
            'hypervisor_guest_info{host="two",host_id="2",kind="guest"}': "_x20 1x*",
            "hypervisor_guest_running": "0x*",
            "hypervisor_guest_autostart": "1x*",
        },
        {14: 0, 15: 1, 20: 1, 25: 1, 40: 1},
        alert="HypervisorGuestNotRunning",
    ),
    # An ESXi beside its vCenter: the same guest on the same host. In a move it is on two hosts.
    "an estate that two targets watch": case(
        {
            'hypervisor_guest_info{kind="guest",host_id="one"}': "1x*",
            'hypervisor_guest_info{kind="guest",host_id="one",target="<target> too"}': "_x5 1x40 stale",
        },
        {34: 0, 35: 2, 50: 2, 51: 0},
        alert="HypervisorTargetsOverlap",
    ),
    "guests that move all day long": case(
        {
            'hypervisor_guest_info{kind="guest",host_id="one"}': "1x*",
            'hypervisor_guest_info{kind="guest",host_id="two",target="<target> too"}': "1x*",
        },
        {35: 0, 200: 0},
        alert="HypervisorTargetsOverlap",
    ),
    # Two libvirt hosts of a cluster, each a target: one of them does not answer from 60 on. It is missed, and no spare.
    "a libvirt host of a cluster that is down is missed": case(
        _pair("0+60x59 3540x*", "x74 stale"), {104: 0, 105: 1, 299: 1}, alert=_MISSED
    ),
    "and the other one cannot be lost": case(
        _pair("0+60x59 3540x*", "x74 stale"), {104: 0, 105: 1, 299: 1}, alert=_SPARE
    ),
    "while both answer none is missed": case(_pair("0+60x*", "x*"), {105: 0, 299: 0}, alert=_MISSED),
    "and one can be lost": case(_pair("0+60x*", "x*"), {105: 0, 299: 0}, alert=_SPARE),
    # Of four hosts a vCenter has one asleep from 10 on, and another one down from 60 on.
    "a host that power management has sent to sleep is not missed": case(
        {
            **{f'hypervisor_host_info{{{_IN},host_id="{one}"}}': "1x*" for one in "1234"},
            **{f'hypervisor_host_up{{host_id="{one}"}}': "1x*" for one in "34"},
            'hypervisor_host_up{host_id="1"}': "1x9 0x*",
            'hypervisor_host_state{host_id="1",state="standby"}': "0x9 1x*",
            'hypervisor_host_up{host_id="2"}': "1x59 0x*",
            'hypervisor_host_state{host_id="2",state="standby"}': "0x*",
            'hypervisor_cluster_hosts{compute_cluster_id="c"}': "4x*",
            'hypervisor_cluster_hosts_up{compute_cluster_id="c"}': "4x9 3x49 2x*",
            **told("0+60x*"),
        },
        {45: 0, 89: 0, 90: 1, 299: 1},
        alert=_MISSED,
    ),
    # Of the other's hosts nothing is known, so none is said to be missing: the target is what is down.
    "a target of a whole cluster that is down": case(
        {
            **{f'hypervisor_host_info{{{_IN},host_id="{one}"}}': "1x74 stale" for one in "12"},
            **{f'hypervisor_host_up{{host_id="{one}"}}': "1x74 stale" for one in "12"},
            **DOWN_AT_60,
        },
        {105: 0, 299: 0},
        alert=_MISSED,
    ),
    "a target that is down and held": case(
        {UP: "1x59 0x*", **DOWN_AT_60}, {64: 0, 65: 1}, alert="HypervisorTargetDown"
    ),
    "its data are old, but that is not what is wrong": case(
        {UP: "1x59 0x*", **DOWN_AT_60}, {80: 0, 240: 0}, alert="HypervisorTargetDataOld"
    ),
}


def second_target():
    """Its view of the storage: it says nothing from 100 on, and was as full."""
    names = {**World().names(), "target": "second", "storage_id": "second"}
    series = {
        **OF_STORAGE,
        **told("0+60x99 5940x*"),
        "hypervisor_storage_capacity_bytes": "100x105 stale",
        "hypervisor_storage_free_bytes": "4x105 stale",
    }
    return [(written(key, labels_of(key, names)), values) for key, values in series.items()]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    need(["promtool"])
    benches = {}
    for name, (alert, series, expected, settings, minutes, instances) in CASES.items():
        if settings not in benches:
            benches[settings] = Bench(tmp_path_factory.mktemp("gaps"), settings)
        samples = scraped(series, World(), minutes, instances=instances)
        if "another target" in name:
            samples += [
                {"series": key, "values": values.replace("x*", f"x{minutes}")} for key, values in second_target()
            ]
        benches[settings].count(name, alert, samples, expected)
    return {name: verdict for bench in benches.values() for name, verdict in bench.run().items()}


@pytest.mark.parametrize("name", CASES)
def test_a_gap_neither_ends_nor_begins_an_alert(verdicts, name):
    assert not verdicts[name], verdicts[name]


ROUTES = Settings(target_labels=("site", "team"))


def test_alerts_carry_the_operators_labels_of_their_target_whoever_shows_it(tmp_path):
    need(["promtool"])
    bench = Bench(tmp_path, ROUTES)
    names = World().names()
    # A label that an operator chose is none of the catalogue's; two exporters differ while one reads the new one.
    info = 'hypervisor_target_info{{site="{}",team="t",target="{}",platform="{}",instance="{}"}}'
    series = [
        {"series": info.format(site, names["target"], names["platform"], site), "values": "1x30"}
        for site in ("x", "x2")
    ] + scraped({UP: "0x*"}, World(), 30, instances=(" one", " two"))
    labelled = 'count(ALERTS{alertname="HypervisorTargetDown",site=~"x2?",team="t"})'
    bench.ask("routed", ["HypervisorTargetDown"], series, [(labelled, 10, 1)])
    assert bench.run() == {"routed": ""}
