"""Files of many guests in portions: a refused one costs itself, and what has no time is left for the next time."""

from types import SimpleNamespace

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Fault, Refused
from collectors.vsphere.client.properties import Page
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups.layouts import PORTION, TIMESTAMP, outdated, read_layouts

GUESTS = [Ref("VirtualMachine", f"vm-{number}") for number in range(2 * PORTION + 50)]


class Lane:
    """Answers what a vCenter would of guests of which some make it refuse the whole call."""

    def __init__(self, *sick):
        self.sick = set(sick)
        self.calls = 0

    def some(self, objects, paths, _shapes):
        self.calls += 1
        assert len(objects) <= PORTION
        assert paths == {"VirtualMachine": ["layoutEx"]}
        if self.sick & set(objects):
            raise Refused("RetrievePropertiesEx", Fault("SystemError", "an internal error", {}))
        yield Page({each: {"layoutEx": {"timestamp": 5.0, "file": "oops"}} for each in objects})


class Deadline:
    def __init__(self, *remaining):
        self.left = list(remaining)

    @property
    def remaining_seconds(self):
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.fixture
def findings():
    return Findings()


def around(lane, findings, *remaining):
    return SimpleNamespace(lane=lane, findings=findings, deadline=Deadline(*remaining))


def told(findings):
    return {each.name: each.count for each in findings.problems}


def test_all_are_read_in_portions(findings):
    lane = Lane()
    found = dict(read_layouts(around(lane, findings, 60), GUESTS))
    assert list(found) == GUESTS
    assert lane.calls == 3


def test_a_guest_that_is_refused_costs_itself(findings):
    lane = Lane(GUESTS[17], GUESTS[101])
    found = dict(read_layouts(around(lane, findings, 60), GUESTS))
    assert set(GUESTS) - set(found) == {GUESTS[17], GUESTS[101]}
    assert told(findings)["object_inaccessible"] == 2


def test_what_has_no_time_is_left_for_the_next_collection(findings):
    found = dict(read_layouts(around(Lane(), findings, 60, 0.1), GUESTS))
    assert list(found) == GUESTS[:PORTION]
    assert told(findings)["layouts_unread"] == len(GUESTS) - PORTION


def test_odd_files_are_counted_by_guest(findings):
    dict(read_layouts(around(Lane(), findings, 60), GUESTS[:3]))
    assert told(findings) == {"value_rejected": 3}


def test_only_what_has_changed_is_asked_for_the_unknown_first():
    same, changed, new, without = GUESTS[:4]
    read = {each: {TIMESTAMP: 1.0} for each in (same, changed, new)} | {without: {}}
    known = {same: ("a", None), changed: ("a", None)}
    wanted = {changed: "b", same: "a", without: "a", new: "a"}
    assert outdated(wanted, known, read) == [new, changed]
