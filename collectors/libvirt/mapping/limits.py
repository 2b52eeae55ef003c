"""How much I/O a guest is allowed: limits of its disks and its weight among others, as its description has them."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from collectors.libvirt.mapping.xml import Oddities, attribute, number_of

DIRECTIONS = ("total", "read", "write")
BYTES, OPERATIONS, WEIGHT = "limit bytes ", "limit operations ", "io weight"
_ELEMENTS = {BYTES: "bytes_sec", OPERATIONS: "iops_sec"}


def io_limits(domain: Element, odd: Oddities) -> Mapping[str, float]:
    """`iotune` of every disk (`total_bytes_sec`, `read_iops_sec`, …; 0 is no limit) and `blkiotune/weight`.

    Keys are `BYTES` or `OPERATIONS` with the direction and the disk, `WEIGHT` alone.
    """
    found: dict[str, float] = {}
    for disk in domain.iterfind("devices/disk"):
        name, tune = attribute(disk, "target", "dev"), disk.find("iotune")
        if not name or tune is None:
            continue
        for what, element in _ELEMENTS.items():
            for direction in DIRECTIONS:
                limit = number_of(tune, f"{direction}_{element}", odd)
                if limit is not None and limit > 0:
                    found[f"{what}{direction} {name}"] = float(limit)
    weight = number_of(domain, "blkiotune/weight", odd)
    if weight is not None and weight > 0:
        found[WEIGHT] = float(weight)
    return found
