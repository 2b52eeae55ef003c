"""What only a vCenter tells of hosts and of itself: alarms, sensors, certificates, licences, missing rights."""

import pytest

from collectors.simulated import observe
from collectors.simulated.curves import DAY, ORIGIN
from exporter.config.model import Target
from exporter.contract import Context, Deadline, Meter
from exporter.model import HostState
from exporter.platforms import installed

OPTIONS = {"like": "vsphere", "guests": 100, "seed": "vc"}
INSTANTS = [ORIGIN + day * DAY + day * 4000 for day in range(0, 900, 9)]


def told(group, at, options=OPTIONS):
    """What a group tells of hosts, in their order, and of the endpoint."""
    seen = observe(options, group, at)
    return {host.id: host.extra for host in seen.hosts}, seen.endpoint.extra


@pytest.mark.parametrize("at", INSTANTS[:10])
def test_alarms_of_everything_are_those_of_its_hosts(at):
    hosts, endpoint = told("storage", at)
    for key, count in endpoint["alarms_in_all"].values.items():
        assert count == sum(extra["alarms"].values[key] for extra in hosts.values())


def test_a_sensor_that_is_red_has_raised_an_alarm_that_nobody_has_seen():
    hosts, _ = told("inventory", INSTANTS[0])
    alarms, _ = told("storage", INSTANTS[0])
    red = [host for host, extra in hosts.items() if extra["sensors"].values["red"]]
    assert len(red) == 1
    assert alarms[red[0]]["alarms"].values["red 0"] >= 1
    assert {extra["sensors"].values["yellow"] for extra in hosts.values()} == {0, 1}


def test_a_host_that_is_lost_raises_an_alarm_and_tells_of_no_sensors():
    lost = {HostState.NOT_RESPONDING, HostState.DISCONNECTED}
    found = 0
    for at in (ORIGIN + half_hour * 1800 for half_hour in range(9 * 48)):
        gone = {host.id for host in observe(OPTIONS, "vitals", at).hosts if host.state in lost}
        if gone:
            hosts, alarms = told("inventory", at)[0], told("storage", at)[0]
            assert not gone & hosts.keys()
            assert all(alarms[one]["alarms"].values["red 0"] for one in gone)
            found += 1
        if found == 3:
            break
    assert found == 3


def test_certificates_and_licences_are_replaced_a_week_before_they_end_and_stay_until_then():
    before = {}
    replaced = 0
    for at in INSTANTS:
        hosts, endpoint = told("inventory", at)
        ends = {host: extra["certificate_not_after"] for host, extra in hosts.items()}
        ends |= endpoint["license_expiration"].values
        assert min(ends.values()) - at >= 7 * DAY
        for one in ends.keys() & before.keys():
            assert ends[one] == before[one] or before[one] - at < 7 * DAY
            replaced += ends[one] != before[one]
        before |= ends
    assert replaced


def test_licences_allow_what_is_taken():
    hosts = observe(OPTIONS, "vitals", INSTANTS[0]).hosts
    _, endpoint = told("inventory", INSTANTS[0])
    used, allowed = endpoint["license_used"].values, endpoint["license_capacity"].values
    assert set(used) == set(allowed)
    assert all(0 < used[one] <= allowed[one] for one in used)
    assert sum(host.cpu.sockets for host in hosts) in used.values()
    assert len(endpoint["license_expiration"].values) == 1 < len(used)


def test_what_may_not_be_read_is_a_right_that_is_missing():
    def missing(*faults):
        platform = installed().platforms["simulated.vsphere"]
        target = Target("t", "simulated.vsphere", "simulated://t", options={"faults": list(faults)})
        session = platform.open(target, Context(Meter(), None))
        seen = session.collect("inventory", Deadline.after(9))
        return seen.endpoint.extra["missing_rights"].values, sum(problem.count for problem in seen.problems)

    assert missing() == ({"System.Read": 0, "Global.Licenses": 0}, 0)
    assert missing({"kind": "break_part"}) == ({"System.Read": 3, "Global.Licenses": 0}, 3)
