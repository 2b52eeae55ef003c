"""Alarms, sensors, licences, certificates and attributes as the mappings read them, also where they make no sense."""

import pytest

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Fault, Refused
from collectors.vsphere.client.properties import Page
from collectors.vsphere.findings import Findings
from collectors.vsphere.groups.optional import by_itself, of_manager
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import alarms, attributes, certificates, health, licenses
from collectors.vsphere.memory import Memory
from collectors.vsphere.options import VsphereOptions
from exporter.contract import Deadline
from exporter.errors import Forbidden, Malformed, TimedOut, Unreachable

VM, ESX = Ref("VirtualMachine", "vm-1"), Ref("HostSystem", "host-1")
NOW = 1_000_000.0


def alarm(key, entity=VM, status="red", **more):
    return {"key": key, "entity": entity, "overallStatus": status, "acknowledged": False, **more}


@pytest.mark.parametrize(
    ("states", "counts"),
    [
        pytest.param([], {}, id="none"),
        pytest.param("", {}, id="an empty list comes as a text"),
        pytest.param(
            [alarm("1.1"), alarm("2.1", acknowledged=True)], {VM: {"red 0": 1, "red 1": 1}}, id="acknowledged"
        ),
        pytest.param([alarm("1.1"), alarm("1.1")], {VM: {"red 0": 1}}, id="told twice"),
        pytest.param([alarm("", VM), alarm("", ESX)], {VM: {"red 0": 1}, ESX: {"red 0": 1}}, id="without keys"),
        pytest.param([alarm("1", status="gray"), alarm("2", status="green")], {}, id="neither yellow nor red"),
        pytest.param([alarm("1", disabled=True), alarm("2", disabled=False)], {VM: {"red 0": 1}}, id="switched off"),
        pytest.param([{"key": "1", "overallStatus": "yellow", "entity": ESX}], {ESX: {"yellow 0": 1}}, id="ack unset"),
        pytest.param([alarm("1", entity="vm-1")], {}, id="of nothing"),
    ],
)
def test_alarms(states, counts):
    odd = []
    assert alarms.alarms_of({"triggeredAlarmState": states}, odd) == counts
    assert odd == []


def test_alarms_that_make_no_sense_are_told():
    odd = []
    assert alarms.alarms_of({"triggeredAlarmState": ["x", alarm(1, status=2)]}, odd) == {}
    assert len(odd) == 3


def test_a_million_words_of_sensors_are_four():
    words = ["Green", "GREEN", "yellow", "Red", "Unknown", "", "nominal", None]
    sensors = [{"name": "same name", "healthState": {"key": word}} for word in words] + [{"name": "no state"}]
    odd = []
    told = health.health_of({health.PATHS[0]: sensors}, odd)
    assert told[health.SENSORS].values == {"green": 2, "yellow": 1, "red": 1, "unknown": 5}
    assert told[health.ELEMENTS] is None
    assert odd == []


def test_hardware_that_is_not_told_of_has_no_count():
    status = {"dpuStatusInfo": [{"status": {"key": "Red"}}], "cpuStatusInfo": [], "memoryStatusInfo": "?"}
    odd = []
    told = health.health_of({health.PATHS[1]: status}, odd)
    assert told[health.ELEMENTS].values == {"dpu green": 0, "dpu yellow": 0, "dpu red": 1, "dpu unknown": 0}
    assert told[health.SENSORS] is None
    assert odd == ["memoryStatusInfo is '?'"]


@pytest.mark.parametrize("found", ["no", [1, 2, 3], [None], ["a"], 7, [-1, -128, 255]])
def test_a_certificate_that_is_none_is_told(found):
    odd = []
    assert certificates.certificate_end({"config.certificate": found}, odd) is None
    assert odd == ["config.certificate is no certificate"]


@pytest.mark.parametrize("found", [{}, {"config.certificate": ""}, {"config.certificate": None}])
def test_no_certificate_is_nothing_odd(found):
    odd = []
    assert certificates.certificate_end(found, odd) is None
    assert odd == []


def ends(*properties, now=NOW):
    one = {"licenseKey": "A-B-C-D-E", "name": "x", "properties": [{"key": k, "value": v} for k, v in properties]}
    (found,) = licenses.licenses_of({"licenses": [one]}, now, [])
    return found.expiration


@pytest.mark.parametrize(
    ("properties", "end"),
    [
        ([], None),
        ([("expirationDate", 5.5)], 5.5),
        ([("expirationDate", None), ("expirationHours", 3)], None),
        ([("expirationHours", 3)], NOW + 10_800),
        ([("expirationHours", 3), ("expirationMinutes", 170)], NOW + 10_200),
        ([("expirationMinutes", -5)], None),
        ([("feature", "dvs"), ("expirationDate", "soon")], None),
    ],
)
def test_the_end_of_a_licence(properties, end):
    assert ends(*properties) == end


def test_licences_with_one_name_are_told_apart_and_repeated_ones_are_not():
    found = [{"licenseKey": key, "name": "x"} for key in ("A-11111", "A-22222", "B-11111")]
    assert [each.id for each in licenses.licenses_of({"licenses": found}, NOW, [])] == ["11111", "22222"]


def test_tags_have_an_end_and_no_false_commas():
    assert attributes.tags({}) == ""
    assert attributes.tags({"b": "2", "a": "1,c=3"}) == ",a=1 c=3,b=2,"
    label = attributes.tags({f"name{number:02}": "x" * 40 for number in range(20)} | {"z": "9"})
    assert len(label) <= 256
    assert label.endswith(",z=9,")


def test_attributes_of_one_name_have_a_key_for_each_type():
    fields = [{"key": 0, "name": "owner"}, {"key": 7, "name": "owner"}, {"key": 8, "name": "other"}, {"name": "owner"}]
    odd = []
    names = attributes.names_of({"field": fields}, {"owner"}, odd)
    assert names == {0: "owner", 7: "owner"}
    held = [{"key": 7, "value": " a\n b "}, {"key": 8, "value": "c"}, {"value": "d"}, {"key": 0, "value": ""}]
    assert attributes.attributes_of({"customValue": held}, names, odd) == {"owner": "a b"}
    assert odd == []


# Questions that may fail by themselves.


class Asked:
    """A lane that answers with what it was given, and knows how long its calls may take."""

    def __init__(self, answer=None):
        self.answer, self.bounds = answer, []

    def within(self, seconds):
        self.bounds.append(seconds)

    def these(self, objects, paths):
        assert (list(paths), len(objects)) == ([objects[0].kind], 1)
        if isinstance(self.answer, Exception):
            raise self.answer
        yield Page(objects={objects[0]: {}}, lost=self.answer)


def around(lane):
    return Surroundings(lane, Memory(), Findings(), Deadline.after(10), VsphereOptions(), NOW)


@pytest.mark.parametrize(
    ("error", "problems", "unread"),
    [
        (Refused("Call", Fault("SystemError", "", {})), {"object_inaccessible": 1}, False),
        (Malformed("no sense"), {"malformed_object": 1}, False),
        (Forbidden("no", right="Global.Licenses"), {"missing_right": 1}, False),
        (TimedOut("too late"), {}, True),
        (Busy("503"), {}, True),
    ],
)
def test_a_question_that_fails_costs_only_itself(error, problems, unread):
    asked = Asked()
    one = around(asked)
    with by_itself(one, "alarms"):
        raise error
    assert {each.name: each.count for each in one.findings.problems} == problems
    assert one.findings.unread is unread
    within, afterwards = asked.bounds
    assert within < 5 < afterwards <= 10  # half of what is left, and then all of it


def test_an_endpoint_that_is_gone_ends_the_collection():
    one = around(Asked())
    with pytest.raises(Unreachable), by_itself(one, "alarms"):
        raise Unreachable("gone")


@pytest.mark.parametrize(
    ("answer", "forbidden", "problems"),
    [
        ([(VM, "licenses", "NoPermission")], True, {"missing_right": 1}),
        ([(VM, "licenses", "SystemError")], False, {"object_inaccessible": 1}),
        (Forbidden("it lacks Global.Licenses", right="Global.Licenses"), True, {"missing_right": 1}),
        ([], False, {}),
    ],
)
@pytest.mark.parametrize("spared", [True, False])
def test_a_property_that_may_not_be_read_is_a_problem_unless_nobody_has_to_give_the_right(
    answer, forbidden, problems, spared
):
    one = around(Asked(answer))
    assert of_manager(one, VM, "licenses", spared=spared) == ({}, forbidden)
    told = {each.name: each.count for each in one.findings.problems}
    assert told == ({} if spared and forbidden else problems)
    assert not one.findings.unread
