"""Every flag of `rules` changes the rules that it is about, and no others."""

import dataclasses
import re

import pytest
import yaml

from dashboards.rules.settings import DURATION, NUMBER, RATIO, Settings
from exporter.cli import main
from exporter.config.durations import seconds, written

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}

WHERE = {
    "rate_window": "guest:hypervisor_cpu_ready:ratio_rate",
    "hold": "target_group:hypervisor_data_held:bool",
    "snapshot_age_warning": "HypervisorSnapshotOld",
    "snapshot_age_critical": "HypervisorSnapshotVeryOld",
    "snapshot_count": "HypervisorSnapshotsTooMany",
    "snapshot_depth": "HypervisorSnapshotChainDeep",
    "snapshot_size": "HypervisorSnapshotsLarge",
    "backup_snapshot_age": "HypervisorBackupSnapshotLeftBehind",
    "cpu_overcommit": "HypervisorHostCpuOvercommitted",
    "memory_overcommit": "HypervisorHostMemoryOvercommitted",
    "storage_overcommit": "HypervisorStorageOvercommitted",
    "storage_used_warning": "HypervisorStorageAlmostFull",
    "storage_used_critical": "HypervisorStorageFull",
    "storage_full_within": "HypervisorStorageWillFill",
    "storage_fill_floor": "HypervisorStorageWillFill",
    "storage_snapshots_fill": "HypervisorSnapshotsFillStorage",
    "host_cpu": "HypervisorHostCpuSaturated",
    "host_memory": "HypervisorHostMemoryFull",
    "host_maintenance": "HypervisorHostMaintenanceForgotten",
    "host_rebooted": "HypervisorHostRebooted",
    "host_swap_in": "HypervisorHostSwapping",
    "host_network_errors": "HypervisorHostNetworkErrors",
    "guest_cpu_ready": "HypervisorGuestCpuContention",
    "guest_cpu_costop": "HypervisorGuestCpuCostop",
    "guest_memory_taken": "HypervisorGuestMemoryTaken",
    "guest_memory_pressure": "HypervisorGuestMemoryTaken",
    "guest_disk_latency": "HypervisorGuestDiskSlow",
    "guest_filesystem_used": "HypervisorGuestFilesystemFull",
    "guest_flaps": "HypervisorGuestFlapping",
    "guest_replication_age": "HypervisorGuestReplicationOld",
    "collection_slow": "HypervisorCollectionSlow",
    "collections_skipped": "HypervisorCollectionsSkipped",
    "worker_restarts": "HypervisorExporterWorkersRestart",
    "clock_offset": "HypervisorTargetClockSkew",
    "certificate_left": "HypervisorTargetCertificateEnds",
}
"""The rule that a limit is for; others may read it, too."""
OTHERS = {"for_scale", "target_labels", "exclude_guests", "exclude_tag", "runbook_url", "dashboard_url"}
BEYOND = {"rate_window", "hold"}
"""Those that change many rules."""


def rules(capsys, *flags):
    assert main(["rules", *flags]) == 0
    found = yaml.safe_load(capsys.readouterr().out)
    return {rule.get("alert") or rule["record"]: rule for group in found["groups"] for rule in group["rules"]}


def flag(name):
    return f"--{name.replace('_', '-')}"


def other(name):
    """Another value than the default's: how it is written, and how PromQL writes it."""
    field = FIELDS[name]
    if field.metadata["form"] == DURATION:
        found = field.default + 7
        return written(found), {written(found), f"{found:.10g}"}
    found = 0.777 if field.metadata["form"] == RATIO else field.default + 7
    return f"{found:.10g}", {f"{found:.10g}"}


def changed(before, after):
    return {name for name in after if before.get(name) != after[name]}


def test_every_parameter_is_tried():
    assert WHERE.keys() | OTHERS == FIELDS.keys()
    assert {FIELDS[name].metadata["form"] for name in WHERE} == {DURATION, RATIO, NUMBER}


@pytest.mark.parametrize("name", WHERE)
def test_a_limit_changes_its_rule_and_what_is_said_of_it(capsys, name):
    before, (text, forms) = rules(capsys), other(name)
    after = rules(capsys, flag(name), text)
    assert before.keys() == after.keys()
    rule = after[WHERE[name]]
    numbers = set(re.findall(r"[\w.]+", f"{rule['expr']} {rule.get('for', '')}"))
    assert numbers & forms
    assert name in BEYOND or len(changed(before, after)) <= 3
    if "alert" in rule and name != "storage_fill_floor":
        assert rule["annotations"]["description"] != before[WHERE[name]]["annotations"]["description"]


def test_the_window_changes_every_rate_and_no_name(capsys):
    before, after = rules(capsys), rules(capsys, "--rate-window", "20m")
    assert [*before] == [*after]
    windows = {window for rule in after.values() for window in re.findall(r"\brate\([^\[]*\[(\w+)\]", rule["expr"])}
    assert windows == {"20m"}
    assert "> 1200" in after["HypervisorRateWindowTooShort"]["expr"]


def test_waiting_is_scaled_everywhere_and_nothing_else(capsys):
    before, after = rules(capsys), rules(capsys, "--for-scale", "0.01")
    for name, rule in after.items():
        assert rule["expr"] == before[name]["expr"]
        for what in ("for", "keep_firing_for"):
            if what in before[name]:
                assert seconds(rule[what]) == pytest.approx(seconds(before[name][what]) / 100, abs=0.001)


def test_labels_of_targets_are_carried_by_every_alert_that_has_a_target(capsys):
    before, after = rules(capsys), rules(capsys, "--target-labels", "site, team")
    routed = {name for name, rule in after.items() if "group_left (site, team)" in rule["expr"]}
    assert changed(before, after) == routed | {"target:hypervisor_info:routed"}
    assert {"HypervisorTargetDown", "HypervisorHostDown", "HypervisorSnapshotOld"} <= routed
    assert not any(name.startswith(("HypervisorStorage", "HypervisorCluster", "HypervisorExporter")) for name in routed)
    assert len(routed) > 30


@pytest.mark.parametrize(
    ("flags", "selector"),
    [
        (("--exclude-guests", 'lab-.*|"odd"'), r'hypervisor_guest_info{guest=~"lab-.*|\"odd\""}'),
        (("--exclude-tag", "snapshot-ok"), r'hypervisor_guest_info{tags=~".*,snapshot\\-ok,.*"}'),
    ],
)
def test_guests_are_left_out_of_every_alert_on_guests(capsys, flags, selector):
    before, after = rules(capsys), rules(capsys, *flags)
    excepted = {name for name, rule in after.items() if "unless on (target, guest_id)" in rule["expr"]}
    assert selector in after["guest:hypervisor_info:excepted"]["expr"]
    assert changed(before, after) == excepted | {"guest:hypervisor_info:excepted"}
    assert {name for name in after if name.startswith("HypervisorGuest")} <= excepted
    assert {"HypervisorSnapshotOld", "HypervisorOrphanedOverlays"} <= excepted
    assert "HypervisorSnapshotsLarge" not in excepted


def test_both_exceptions_count(capsys):
    found = rules(capsys, "--exclude-guests", "a.*", "--exclude-tag", "b")["guest:hypervisor_info:excepted"]["expr"]
    assert 'guest=~"a.*"' in found
    assert 'tags=~".*,b,.*"' in found


def test_addresses_are_in_every_alert(capsys):
    after = rules(capsys, "--runbook-url", "https://wiki/r/", "--dashboard-url", "https://g/d")
    texts = [rule["annotations"] for rule in after.values() if "alert" in rule]
    assert all(text["runbook_url"].startswith("https://wiki/r/Hypervisor") for text in texts)
    assert all(text["dashboard_url"].startswith("https://g/d/hypervisor-") for text in texts)
