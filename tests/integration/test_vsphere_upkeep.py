"""Sensors, certificates, licences and missing rights of a simulated vCenter, set by hand or as govc shows them."""

import base64
import datetime as dt
import json
from collections import Counter

import pytest
import trustme

from collectors.vsphere.families import FAMILIES
from tests.backends.vcenter import BUILT, VCenter
from tests.integration.vsphere_storage_world import estate

pytestmark = pytest.mark.skipif(not (BUILT / "vcenter").exists(), reason="make vcsim")

STATES = ("green", "yellow", "red", "unknown")
LICENSES = "LicenseManager:LicenseManager"
KEYS = ("AAAAA-BBBBB-CCCCC-DDDDD-EEEE1", "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2")


@pytest.fixture(scope="module")
def vcenter():
    with VCenter("--hosts=2", "--standalone=1", "--machines=2", "--api-version=8.0.3.0") as started:
        yield started


@pytest.fixture
def seen(vcenter):
    with estate(vcenter) as one:
        yield one
    vcenter.clear()


def rows(thing, name):
    """What a family of vSphere tells of a thing."""
    (family,) = (each for each in FAMILIES if each.name == f"hypervisor_vsphere_{name}")
    return dict(family.each(thing)) if family.each else family.value(thing)


def whole(seen):
    """What is told of the endpoint itself."""
    return seen.seen.endpoint


def hosts(seen):
    return {each.name: each for each in seen.seen.hosts}


def reference(vcenter, name):
    return next(ref for path, ref in vcenter.references("h").items() if path.endswith(f"/{name}"))


def state(key):
    return {"_typeName": "ElementDescription", "label": key, "summary": "", "key": key}


def element(name, key):
    return {"_typeName": "HostHardwareElementInfo", "name": name, "status": state(key)}


# Sensors.


def test_sensors_are_counted_by_state_as_govc_shows_them(vcenter, seen):
    path = "runtime.healthSystemRuntime"
    held = vcenter.collect(reference(vcenter, "DC0_H0"), path)[path]
    said = Counter(each["healthState"]["key"].lower() for each in held["systemHealthInfo"]["numericSensorInfo"])
    assert said.total() > 50
    seen.collect("inventory")
    assert rows(hosts(seen)["DC0_H0"], "host_sensors") == {(each,): said[each] for each in STATES}


def test_a_sensor_that_turns_red_and_words_in_other_letters(vcenter, seen):
    sensors = [
        {
            "name": "Fan 1",
            "healthState": state(key),
            "currentReading": 1,
            "unitModifier": 0,
            "baseUnits": "RPM",
            "sensorType": "fan",
        }
        for key in ("Green", "red", "Red", "yellow", "made up")
    ]
    hardware = {
        "cpuStatusInfo": [element("CPU 1", "Green"), element("CPU 2", "Red")],
        "memoryStatusInfo": [element("Memory", "Unknown")],
    }
    health = {"systemHealthInfo": {"numericSensorInfo": sensors}, "hardwareStatusInfo": hardware}
    vcenter.set(reference(vcenter, "DC0_C0_H0"), {"runtime.healthSystemRuntime": health})
    seen.collect("inventory")
    found = hosts(seen)["DC0_C0_H0"]
    assert rows(found, "host_sensors") == {("green",): 1, ("yellow",): 1, ("red",): 2, ("unknown",): 1}
    told = {key: count for key, count in rows(found, "host_hardware_elements").items() if count}
    assert told == {("cpu", "green"): 1, ("cpu", "red"): 1, ("memory", "unknown"): 1}


def test_a_host_that_tells_of_no_sensors_or_is_out_of_reach_has_no_numbers(vcenter, seen):
    vcenter.set(reference(vcenter, "DC0_C0_H1"), {"runtime.healthSystemRuntime": None})
    lost = reference(vcenter, "DC0_H0")
    vcenter.set(lost, {"runtime.connectionState": "notResponding"})
    try:
        seen.collect("inventory")
    finally:
        vcenter.set(lost, {"runtime.connectionState": "connected"})
    bare = hosts(seen)["DC0_C0_H1"]
    assert (rows(bare, "host_sensors"), rows(bare, "host_hardware_elements")) == ({}, {})
    assert rows(bare, "host_certificate_not_after_timestamp_seconds") is not None
    gone = hosts(seen)["DC0_H0"]
    assert (rows(gone, "host_sensors"), rows(gone, "host_certificate_not_after_timestamp_seconds")) == ({}, None)
    assert not seen.seen.partial


def test_sensors_of_all_hosts_are_one_question_whatever_guests_there_are(vcenter, seen):
    seen.collect("vitals")
    seen.collect("inventory")
    assert seen.asked("inventory") == 2  # licences, and three hosts
    vcenter.govc("vm.clone", "-vm=DC0_H0_VM0", "-on=false", "-pool=/DC0/host/DC0_C0/Resources", "another")
    seen.collect("vitals")
    assert seen.asked("inventory") == 2


# Certificates.


def test_a_hosts_certificate_ends_when_cryptography_says(vcenter, seen):
    end = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
    chain = trustme.CA().issue_cert("esx.example.net", not_after=end).cert_chain_pems
    pem = b"".join(each.bytes() for each in chain) * 2  # an endpoint may tell of the authority as well
    ref = reference(vcenter, "DC0_C0_H0")
    vcenter.set(ref, {"config.certificate": base64.b64encode(pem).decode()})
    vcenter.set(reference(vcenter, "DC0_C0_H1"), {"config.certificate": base64.b64encode(b"no certificate").decode()})
    seen.collect("inventory")
    name = "host_certificate_not_after_timestamp_seconds"
    assert rows(hosts(seen)["DC0_C0_H0"], name) == end.timestamp()
    assert rows(hosts(seen)["DC0_C0_H1"], name) is None
    assert rows(hosts(seen)["DC0_C0_H1"], "host_sensors") is not None
    assert seen.problems() == {"value_rejected": 1}
    vcenter.set(reference(vcenter, "DC0_C0_H1"), {"config.certificate": base64.b64encode(pem).decode()})


# Licences.


def license_(key, name, **more):
    properties = [{"key": key, "value": value} for key, value in more.pop("properties", {}).items()]
    return {
        "licenseKey": key,
        "editionKey": "esx.enterprisePlus",
        "name": name,
        "costUnit": "cpuPackage",
        "total": 0,
        "properties": properties,
        **more,
    }


def test_licences_are_told_as_govc_lists_them_without_their_keys(vcenter, seen):
    ends = {"_typeName": "dateTime", "_value": "2027-03-04T05:06:07Z"}
    vcenter.set(
        LICENSES,
        {
            "licenses": [
                license_(KEYS[0], "vSphere 8 Enterprise Plus", total=16, used=6, properties={"expirationDate": ends}),
                license_(KEYS[1], "vSphere 8 Enterprise Plus", total=4, used=0),
            ]
        },
    )
    said = {each["licenseKey"][-5:]: each for each in json.loads(vcenter.govc("license.ls", "-json"))}
    seen.collect("inventory")
    labels = {key: ("vSphere 8 Enterprise Plus", key) for key in said}
    assert rows(whole(seen), "license_capacity") == {labels[key]: each["total"] for key, each in said.items()}
    used = {labels[key]: each["used"] for key, each in said.items() if "used" in each}
    assert rows(whole(seen), "license_used") == used
    assert used[labels["EEEE1"]] == 6
    end = dt.datetime(2027, 3, 4, 5, 6, 7, tzinfo=dt.UTC).timestamp()
    assert rows(whole(seen), "license_expiration_timestamp_seconds") == {labels["EEEE1"]: end}
    described = {(*labels[key], each["editionKey"], each["costUnit"]): 1 for key, each in said.items()}
    assert rows(whole(seen), "license_info") == described
    assert "AAAAA" not in repr(seen.seen)


def test_an_evaluation_ends_when_its_hours_are_over_and_does_not_flicker(vcenter, seen):
    def left(hours):
        one = license_("00000-00000-00000-00000-00000", "Evaluation Mode", properties={"expirationHours": hours})
        vcenter.set(LICENSES, {"licenses": [one]})
        seen.collect("inventory")
        return rows(whole(seen), "license_expiration_timestamp_seconds")["Evaluation Mode", "00000"]

    first = left({"_typeName": "int", "_value": 100})
    assert first == pytest.approx(seen.seen.collected_at + 360_000, abs=1)
    assert left({"_typeName": "int", "_value": 99}) == first  # an hour may just have passed
    assert left({"_typeName": "int", "_value": 50}) == pytest.approx(seen.seen.collected_at + 180_000, abs=1)


# Rights.


def test_licences_that_may_not_be_seen_cost_themselves_and_the_right_is_named(vcenter, seen):
    seen.collect("vitals")
    vcenter.refuse(**{"LicenseManager.licenses": "Global.Licenses"})
    seen.collect("inventory")
    assert rows(whole(seen), "missing_rights") == {("System.Read",): 0, ("Global.Licenses",): 1}
    assert rows(whole(seen), "license_info") == {}
    assert rows(hosts(seen)["DC0_C0_H0"], "host_sensors")
    assert not seen.problems()  # the right allows to change licences too: nobody has to give it
    assert not seen.seen.partial
    vcenter.clear()
    seen.collect("inventory")
    assert rows(whole(seen), "missing_rights") == {("System.Read",): 0, ("Global.Licenses",): 0}


def test_hosts_that_do_not_answer_in_time_cost_the_inventory_nothing_else(vcenter, seen):
    seen.collect("vitals")
    seen.collect("inventory")
    vcenter.order("delay", RetrievePropertiesEx=5000)
    seen.collect("inventory", seconds=3)
    assert seen.seen.partial  # so that hosts and licences are carried over
    assert seen.seen.hosts == ()
    assert all(guest.nics for guest in seen.seen.guests)
    vcenter.clear()
    assert len(seen.seen.guests) == len(vcenter.references("m"))
    seen.collect("inventory")
    assert len(seen.seen.hosts) == 3
    assert not seen.seen.partial


def test_a_refusal_of_licences_still_leaves_the_rest(vcenter, seen):
    seen.collect("vitals")
    seen.collect("inventory")
    vcenter.set(LICENSES, {"licenses": [license_(KEYS[0], "vSphere 8 Standard")]})
    vcenter.fault("SystemError", method="RetrievePropertiesEx", times=1)
    seen.collect("inventory")
    assert rows(whole(seen), "license_info") == {}
    assert rows(hosts(seen)["DC0_C0_H0"], "host_sensors")
    assert seen.problems() == {"object_inaccessible": 1}
