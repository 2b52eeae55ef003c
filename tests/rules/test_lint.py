"""The rules break none of the rules about rules, and each of those finds what it is there for."""

from dataclasses import replace

import promql_parser as pq
import pytest

from dashboards.rules.settings import Settings
from tests.backends import grafana
from tests.rules.bench import needed, parsed
from tests.rules.lint import AT_ONCE, CHECKS, findings
from tests.rules.promql import Known, names
from tests.rules.test_alerts import STORIES
from tests.rules.texts import shortcomings

RULES = parsed()
ALERTS = [rule for rule in RULES if "alert" in rule]
UIDS = {document["uid"] for document in grafana.documents().values()}


def known_at_the_end():
    known = Known()
    for rule in RULES:
        known = known.then(rule)
    return known


KNOWN = known_at_the_end()
USED = sorted({name for rule in RULES for name in names(rule["expr"])} & KNOWN.families.keys())


def test_the_rules_break_no_rule():
    assert not list(findings(RULES))


def test_nor_do_they_with_exceptions_and_labels_of_targets():
    family = KNOWN.families["hypervisor_target_info"]
    routed = replace(family, labels=(*family.labels, "site", "team"))
    known = Known({**KNOWN.families, family.name: routed})
    settings = Settings(target_labels=("site", "team"), exclude_guests='lab.*"', exclude_tag="ok")
    assert not list(findings(parsed(settings), known))


@pytest.mark.parametrize("rule", ALERTS, ids=[rule["alert"] for rule in ALERTS])
def test_an_alert_says_of_what_how_much_and_where_to_go_on(rule):
    assert not list(shortcomings(rule, KNOWN, UIDS))


def test_who_does_not_wait_is_there():
    assert AT_ONCE.keys() <= {rule["alert"] for rule in ALERTS}


UP, INFO = "max by (target) (hypervisor_target_up)", "guest:hypervisor_info:placed"
VCPUS = "max by (target, platform, guest_id) (hypervisor_guest_vcpus)"
BROKEN = [
    ("reads_what_there_is", "max by (target) (hypervisor_target_upp) == 0", "there is no series hypervisor_target_upp"),
    ("reads_what_there_is", "host:hypervisor_cpu:busy > 1", "there is no series host:hypervisor_cpu:busy"),
    ("reads_what_there_is", 'max by (target) (hypervisor_target_up{node="a"}) == 0', "has no label node"),
    ("survives_two_exporters", "hypervisor_target_up == 0", "is not reduced"),
    ("survives_two_exporters", "sum by (target) (hypervisor_target_up) == 0", "is not reduced"),
    ("survives_two_exporters", "max by (target) (hypervisor_guest_running) == 0", "is not reduced"),
    ("survives_two_exporters", "max without (instance) (hypervisor_target_up) == 0", "is not reduced"),
    (
        "survives_two_exporters",
        f"max by (target, guest_id) ({INFO} * on (target, guest_id) group_left () hypervisor_guest_vcpus) > 0",
        "hypervisor_guest_vcpus is not reduced",
    ),
    ("survives_two_exporters", "sum(hypervisor_exporter_abandoned_calls) > 0", "is not reduced"),
    ("joins_by_ids", f"{VCPUS} * on (target, guest) group_left (host) {INFO} > 0", "joins by ['guest', 'target']"),
    ("joins_by_ids", f"{VCPUS} * on (guest_id) group_left (host) {INFO} > 0", "joins by ['guest_id']"),
    ("joins_by_ids", f"{VCPUS} * ignoring (guest) {INFO} > 0", "ignores labels"),
    ("joins_by_ids", f"{VCPUS} * {INFO} > 0", "joins series with different labels"),
    ("joins_by_ids", f"{VCPUS} * on (target) group_left (host) {INFO} > 0", "several series of one ['target']"),
    ("joins_by_ids", f"{VCPUS} * on (target, guest_id) group_left (room) {INFO} > 0", "takes ['room']"),
    ("joins_by_ids", f"{VCPUS} > 0 and on (target, host_id) {INFO}", "labels that one side has not"),
    (
        "joins_by_ids",
        f"{VCPUS} * on (target, guest_id) group_left (host) hypervisor_guest_info > 0",
        "several series of one",
    ),
    ("names_labels_that_are_there", "max by (target, gruop) (hypervisor_target_up) == 0", "not there: ['gruop']"),
    ("counts_what_grows", "max by (target, group) (hypervisor_target_collections_total) > 3", "is a counter"),
    ("counts_what_grows", "max by (target) (rate(hypervisor_target_up[5m])) > 3", "is no counter"),
    (
        "counts_what_grows",
        "max by (target, group) (last_over_time(hypervisor_target_collections_total[10m])) > 3",
        "is a counter",
    ),
    (
        "counts_what_grows",
        f"max by (target) (last_over_time(hypervisor_target_collections_total[10m])) > 0 unless on (target) {UP}",
        "is a counter",
    ),
    (
        "looks_back_far_enough",
        "max by (target, guest_id) (rate(hypervisor_guest_cpu_seconds_total[30s])) > 1",
        "too few",
    ),
    ("looks_back_far_enough", "rate(guest:hypervisor_cpu_ready:ratio_rate[5m]) > 1", "no scraped counter"),
    (
        "looks_back_far_enough",
        "rate(max by (target, group) (hypervisor_target_collections_total)[5m:1m]) > 1",
        "no scraped counter",
    ),
    ("is_not_absent_at_once", "absent(hypervisor_target_up)", "it does not wait for 180 s"),
    ("is_aggregated_by_names", "max without (instance, job) (hypervisor_target_up) == 0", "`without` over"),
    ("fires_on_a_condition", UP, "compares nothing"),
    ("fires_on_a_condition", f"{UP} == bool 0", "compares nothing"),
    ("fires_on_a_condition", f"{UP} == 0 or {UP}", "compares nothing"),
]


@pytest.mark.parametrize(("check", "expr", "sentence"), BROKEN)
def test_a_check_finds_what_it_is_there_for(check, expr, sentence):
    rule = {"alert": "Broken", "expr": expr, "for": "1m", "keep_firing_for": "1m", "labels": {}, "annotations": {}}
    assert any(check in finding and sentence in finding for finding in findings([rule], KNOWN))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"for": None}, "it does not wait"),
        ({"keep_firing_for": None}, "one scrape that fails resolves it"),
        ({"annotations": {"summary": "{{ $labels.guest }}"}}, "names guest, which is not there"),
        ({"labels": {"how": "{{ $value }}"}}, "a label with the value"),
        ({"labels": {"severity": "{{ $labels.host }}"}}, "names host, which is not there"),
    ],
)
def test_what_else_an_alert_needs_is_missed(change, sentence):
    rule = next(rule for rule in ALERTS if rule["alert"] == "HypervisorTargetDown")
    assert any(sentence in finding for finding in findings([{**rule, **change}], KNOWN))


def test_a_rule_that_is_there_twice_is_found():
    assert any("once more" in finding for finding in findings([*RULES, {**RULES[0], "record": "another:name:of_it"}]))


def test_a_record_that_is_read_before_it_is_made_is_found():
    assert any("there is no series" in finding for finding in findings(reversed(RULES)))


def changed(rule, **texts):
    return {**rule, "annotations": {**rule["annotations"], **texts}}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"summary": ""}, "no summary"),
        ({"summary": "old"}, "does not name the guest"),
        ({"description": "the limit is 7 days"}, "how much it is"),
        ({"description": "{{ $value }}"}, "does not say the limit 604800"),
        ({"runbook_url": "https://example/Other.md"}, "no runbook_url"),
        ({"dashboard_url": "https://example/d/other"}, "no dashboard_url"),
    ],
)
def test_texts_that_say_too_little_are_found(texts, sentence):
    rule = next(rule for rule in ALERTS if rule["alert"] == "HypervisorSnapshotOld")
    assert any(sentence in found for found in shortcomings(changed(rule, **texts), KNOWN, UIDS))


@pytest.mark.parametrize("family", USED)
def test_a_family_that_is_dropped_or_renamed_is_missed(family):
    dropped = list(findings(RULES, Known().without(family)))
    assert any(family in finding and "there is no series" in finding for finding in dropped)


def test_stories_show_every_family_that_alerts_read():
    """So that one of another name would also end a story."""
    told = {key.partition("{")[0] for story in STORIES for key in (*story.series, *story.below)}
    closure = needed(RULES, [rule["alert"] for rule in ALERTS])
    assert {name for rule in closure for name in names(rule["expr"])} & KNOWN.families.keys() <= told


def test_every_check_is_tried():
    tried = {check for check, _, _ in BROKEN} | {"waits", "speaks_of_what_it_has"}
    assert tried == {check.__name__ for check in CHECKS}


def test_the_parser_reads_every_rule():
    assert all(pq.parse(rule["expr"]) for rule in RULES)
