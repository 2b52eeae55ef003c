"""Limits of a guest's disks and its weight, from descriptions written by hand."""

from xml.etree import ElementTree as ET

import pytest

from collectors.libvirt.families import FAMILIES
from collectors.libvirt.mapping.limits import io_limits
from exporter.model import Guest

DISK = "<disk><target dev='vd {}'/><iotune>{}</iotune></disk>"


def rows(inner, weight=""):
    """What the families make of the description: their own labels and the value."""
    odd = []
    domain = ET.fromstring(f"<domain><devices>{inner}</devices>{weight}</domain>")
    guest = Guest(id="g", name="g", extra=io_limits(domain, odd))
    told = {
        family.name.removeprefix("hypervisor_libvirt_guest_"): dict(family.each(guest))
        if family.each
        else family.value(guest)
        for family in FAMILIES
    }
    return told, odd


def test_limits_are_told_by_disk_and_direction():
    disks = DISK.format("a", "<total_bytes_sec>1048576</total_bytes_sec><read_iops_sec>200</read_iops_sec>")
    disks += DISK.format("b", "<write_bytes_sec>5</write_bytes_sec><write_iops_sec>7</write_iops_sec>")
    told, odd = rows(disks, "<blkiotune><weight>800</weight></blkiotune>")
    assert told == {
        "disk_limit_bytes": {("vd a", "total"): 1048576, ("vd b", "write"): 5},
        "disk_limit_operations": {("vd a", "read"): 200, ("vd b", "write"): 7},
        "io_weight": 800,
    }
    assert not odd


@pytest.mark.parametrize(
    "inner", ["", "<total_bytes_sec>0</total_bytes_sec>", "<total_bytes_sec_max>9</total_bytes_sec_max>"]
)
def test_no_limit_is_no_series(inner):
    told, odd = rows(DISK.format("a", inner))
    assert (told, odd) == ({"disk_limit_bytes": {}, "disk_limit_operations": {}, "io_weight": None}, [])


def test_a_limit_that_makes_no_sense_costs_itself():
    disk = DISK.format("a", "<total_bytes_sec>much</total_bytes_sec><total_iops_sec>3</total_iops_sec>")
    told, odd = rows(disk + "<disk><iotune><total_iops_sec>3</total_iops_sec></iotune></disk>")
    assert told["disk_limit_operations"] == {("vd a", "total"): 3}
    assert len(odd) == 1
