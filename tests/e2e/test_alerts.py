"""Alerts from the guest to the Alertmanager: old snapshots and too much memory, and what an outage does to them."""

import json
import re
import signal
import urllib.request

import pytest

from tests.backends.alertmanager import BINARIES
from tests.backends.daemon import libvirt
from tests.backends.need import need
from tests.backends.processes import until
from tests.backends.vcenter import BUILT
from tests.e2e.alerts_world import (
    GONE,
    HV,
    INTERVALS,
    LAB,
    MONTHS_OLD,
    RUNBOOKS,
    VC,
    WEEKS_OLD,
    Given,
    Hv,
    Lab,
    Vc,
    Watched,
)

OLD, VERY_OLD, OVERCOMMITTED = "HypervisorSnapshotOld", "HypervisorSnapshotVeryOld", "HypervisorHostMemoryOvercommitted"
DOWN, NEVER = "HypervisorTargetDown", "HypervisorTargetNeverCollected"
SNAPSHOTS = [(WEEKS_OLD, OLD, "warning"), (MONTHS_OLD, VERY_OLD, "critical")]
BACK_OFF_SECONDS = 120
"""A target that did not answer may be left alone so long."""
OUTAGE_SECONDS = 15
"""Of nothing known: longer than any of these alerts keeps firing by itself (15 minutes, scaled: 13.5)."""

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim"),
]


@pytest.fixture(scope="module")
def world(libvirt_lab, tmp_path_factory):
    need(["prometheus", *BINARIES])
    gone = Given(**libvirt(GONE, "qemu+unix:///session?socket=/nonexistent/libvirt-sock"))
    with Watched(Lab(libvirt_lab), Vc(tmp_path_factory.mktemp("vcenter")), Hv(), gone) as world:
        yield world


def wrong(*targets):
    """Labels of every alert that is to be told of these targets, from what was done to them."""
    for target in targets:
        yield {"alertname": OVERCOMMITTED, "target": target}
        for guest, name, _ in SNAPSHOTS:
            yield {"alertname": name, "target": target, "guest": guest}


@pytest.mark.parametrize("target", [LAB, VC, HV])
@pytest.mark.parametrize(("guest", "name", "severity"), SNAPSHOTS)
def test_an_old_snapshot_warns_and_a_very_old_one_is_critical(world, target, guest, name, severity):
    told = world.manager.wait_told("firing", alertname=name, guest=guest, target=target)
    there = world.estates[target]
    assert told.labels == {
        "alertname": name,
        "severity": severity,
        "target": target,
        "platform": there.platform,
        "guest": guest,
        "guest_id": there.identity(guest),
    }
    age = {WEEKS_OLD: "10d", MONTHS_OLD: "40d"}[guest] + r" 0h \d+m \d+s"
    summary = rf"The oldest snapshot of {guest} \({there.platform}, {target}\) is {age} old"
    assert re.fullmatch(summary, told.annotations["summary"])
    assert told.annotations["runbook_url"] == f"{RUNBOOKS}/{name}.md"
    assert not world.manager.told(alertname=VERY_OLD, guest=WEEKS_OLD)


def silenced(manager, number, **labels):
    """By which alerts each of so many is silenced: fingerprints."""

    def found():
        by = [each["status"]["inhibitedBy"] for each in manager.alerts(**labels)]
        return by if len(by) == number and all(by) else []

    return until(found, 90, f"{number} silenced alerts {labels}", manager.child)


@pytest.mark.parametrize("target", [LAB, VC, HV])
def test_of_two_limits_only_the_stronger_one_is_told(world, target):
    manager, guest = world.manager, {"guest": MONTHS_OLD, "target": target}
    manager.wait_told("firing", alertname=VERY_OLD, **guest)
    stronger = manager.alert(alertname=VERY_OLD, **guest)
    assert silenced(manager, 1, alertname=OLD, **guest) == [[stronger["fingerprint"]]]
    assert not manager.told(alertname=OLD, **guest)


@pytest.mark.parametrize("target", [LAB, VC, HV])
def test_a_host_whose_guests_may_take_more_memory_than_it_has_warns(world, target):
    told = world.manager.wait_told("firing", alertname=OVERCOMMITTED, target=target)
    there = world.estates[target]
    host, host_id = there.host()
    assert told.labels == {
        "alertname": OVERCOMMITTED,
        "severity": "warning",
        "target": target,
        "platform": there.platform,
        "host": host,
        "host_id": host_id,
    }
    summary = rf"Guests of host {re.escape(host)} \({there.platform}, {target}\) may take ([\d.]+)% of its memory"
    said = re.fullmatch(summary, told.annotations["summary"])
    assert said, told.annotations
    assert float(said[1]) / 100 == pytest.approx(there.overcommit(), rel=0.01)
    assert told.annotations["runbook_url"] == f"{RUNBOOKS}/{OVERCOMMITTED}.md"


def test_what_follows_from_a_target_that_never_answered_is_silenced(world):
    manager = world.manager
    manager.wait_told("firing", alertname=DOWN, target=GONE)
    down = manager.alert(alertname=DOWN, target=GONE)
    number = len(INTERVALS)
    assert silenced(manager, number, alertname=NEVER, target=GONE) == [[down["fingerprint"]]] * number
    assert not manager.told(alertname=NEVER, target=GONE)


def began(manager):
    """Since when each alert about the vCenter's guests and host fires."""
    found = {str(labels): manager.alert(**labels) for labels in wrong(VC)}
    return {labels: alert and alert["startsAt"] for labels, alert in found.items()}


def test_an_outage_is_told_once_and_what_was_wrong_before_neither_resolves_nor_fires_again(world):
    manager, vcenter = world.manager, world.estates[VC].vcenter
    for labels in wrong(VC):
        manager.wait_told("firing", **labels)
    before = began(manager)
    vcenter.child.stop(signal.SIGKILL)
    down = manager.wait_told("firing", alertname=DOWN, target=VC)
    assert down.labels == {"alertname": DOWN, "severity": "critical", "target": VC, "platform": "vsphere"}
    assert down.annotations["summary"] == "vc (vsphere) does not answer"
    assert down.annotations["runbook_url"] == f"{RUNBOOKS}/{DOWN}.md"
    forgotten = f'absent_over_time({{__name__=~"hypervisor_(guest|host)_.+", target="{VC}"}}[{OUTAGE_SECONDS}s])'
    world.prometheus.wait_for(forgotten, timeout_seconds=90)
    assert began(manager) == before

    world.estates[VC].restart()
    manager.wait_told("firing", "resolved", timeout_seconds=BACK_OFF_SECONDS + 30, alertname=DOWN, target=VC)
    for group in ("vitals", "snapshots"):
        fresh = f'target_group:hypervisor_data_expired:bool{{target="{VC}", group="{group}"}} == 0'
        world.prometheus.wait_for(fresh, timeout_seconds=60)
    assert began(manager) == before
    assert [told.status for labels in wrong(VC) for told in manager.told(**labels)] == ["firing"] * len(before)
    assert {told.labels["target"] for told in manager.told(alertname=DOWN)} == {VC, GONE}


def test_prometheus_evaluates_every_rule_without_an_error(world):
    """Of three real platforms and one that never answered, after an outage: no join has met two series for one."""

    def rules():
        with urllib.request.urlopen(f"http://{world.prometheus.address}/api/v1/rules", timeout=10) as answer:
            groups = json.load(answer)["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    assert len(rules()) > 100
    assert [(rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"] == []


def test_what_is_put_right_is_resolved(world):
    for labels in wrong(LAB, VC, HV):
        world.manager.wait_told("firing", **labels)
    for there in (world.estates[target] for target in (LAB, VC, HV)):
        there.remove_snapshot(WEEKS_OLD)
        there.remove_snapshot(MONTHS_OLD)
        there.give_memory_back()
    for labels in wrong(LAB, VC, HV):
        world.manager.wait_told("firing", "resolved", **labels)
        assert world.manager.alert(**labels) is None
