"""What only a vCenter tells: alarms, sensors, certificates of hosts, licences, and rights that its account lacks.

On the first host of a fleet a sensor is red, and nobody has looked yet; one on the second is yellow, and somebody has.
What is about to end is renewed.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from collectors.simulated.curves import DAY, ORIGIN
from collectors.simulated.dice import Dice, identity
from collectors.simulated.fleet import Fleet
from collectors.simulated.life import host_seen
from collectors.simulated.plans import HostPlan
from collectors.vsphere.mapping.alarms import ALARMS, IN_ALL
from collectors.vsphere.mapping.certificates import NOT_AFTER
from collectors.vsphere.mapping.health import ELEMENTS, SENSORS
from collectors.vsphere.mapping.licenses import License, told_of
from collectors.vsphere.privileges import LICENSES, MISSING_RIGHTS, READ
from exporter.catalogue.family import INVENTORY, STORAGE
from exporter.model import Counter, Parts

Told = Mapping[str, Counter | None]
RENEWED = 7 * DAY
"""Before its end a certificate or licence is replaced by another one."""
YEAR = 365 * DAY
_WORN, _REPORTED = 0, 1
_SENSORS = 60
_SOLD_SOCKETS = 16
_HOSTS = "host_alarms host_sensors host_hardware_elements host_certificate_not_after_timestamp_seconds"
_ENDPOINT = "alarms license_info license_capacity license_used license_expiration_timestamp_seconds missing_rights"
NAMES = frozenset(f"hypervisor_vsphere_{name}" for name in (_HOSTS + " " + _ENDPOINT).split())
"""Families that are made of it."""


def of_host(host: HostPlan, group: str, at: float) -> Told:
    """What a group other than vitals tells of a host at an instant, in Unix seconds."""
    if group == STORAGE:
        return {ALARMS: Parts(_alarms(host, at))}
    if group == INVENTORY and host_seen(host, at):
        end = _end(Dice(host.id, "certificate"), 5 * YEAR, at)
        return {SENSORS: Parts(_sensors(host)), ELEMENTS: Parts(_elements(host)), NOT_AFTER: end}
    return {}


def of_endpoint(fleet: Fleet, group: str, at: float) -> Told:
    """What a group tells of the vCenter itself at an instant, in Unix seconds."""
    if group == STORAGE:
        each = [_alarms(host, at) for host in fleet.hosts]
        return {IN_ALL: Parts({key: sum(alarms[key] for alarms in each) for key in each[0]})}
    return {**_licenses(fleet, at), **unreadable(0)} if group == INVENTORY else {}


def unreadable(objects: int) -> Told:
    """The rights that are missing where so many objects cannot be read."""
    return {MISSING_RIGHTS: Parts({READ: objects, LICENSES: 0})}


def _alarms(host: HostPlan, at: float) -> dict[str, float]:
    """By severity and whether somebody has acknowledged them; of a host that is lost, one more."""
    return {
        "yellow 0": float(host.pressure > 0),
        "yellow 1": float(host.index == _REPORTED),
        "red 0": float(host.index == _WORN) + (not host_seen(host, at)),
        "red 1": 0.0,
    }


def _sensors(host: HostPlan) -> dict[str, float]:
    red, yellow = float(host.index == _WORN), float(host.index == _REPORTED)
    return {"green": _SENSORS - red - yellow, "yellow": yellow, "red": red, "unknown": 0.0}


def _elements(host: HostPlan) -> dict[str, float]:
    """Processors and memory are well, whatever becomes of fans."""
    there = {"cpu": host.sockets, "memory": 4 * host.sockets}
    states = ("green", "yellow", "red", "unknown")
    return {f"{part} {state}": float(count * (state == "green")) for part, count in there.items() for state in states}


def _licenses(fleet: Fleet, at: float) -> Told:
    """Processors of hosts for a year at a time; the vCenter's own for good."""
    sockets = float(sum(host.sockets for host in fleet.hosts))
    sold = float(_SOLD_SOCKETS * ceil(sockets / _SOLD_SOCKETS))
    end = _end(Dice(fleet.seed, "licence"), YEAR, at)
    hosts = License(_id(fleet, 0), "vSphere 8 Enterprise Plus", "esx.enterprisePlus", "cpuPackage", sold, sockets, end)
    own = License(_id(fleet, 1), "vCenter Server 8 Standard", "vc.standard", "server", 1.0, 1.0, None)
    return told_of([(hosts, end), (own, None)])


def _id(fleet: Fleet, number: int) -> str:
    """The last letters of a key."""
    return identity(fleet.seed, "licence", number)[-5:].upper()


def _end(dice: Dice, lasts: float, at: float) -> float:
    """When what lasts so many seconds ends, as of an instant."""
    first = ORIGIN + dice.between(0, lasts)
    return float(int(first + ceil(max(0.0, at + RENEWED - first) / lasts) * lasts))
