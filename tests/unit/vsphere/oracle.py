"""pyVmomi's own decoder as the oracle of ours: its objects as plain data, and where two answers differ."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from pyVmomi import VmomiSupport

from collectors.vsphere.client.decode import KIND, Ref


def plain(found: Any) -> Any:
    """What pyVmomi decoded, as our plain data, without the names of types."""
    return next((convert(found) for kind, convert in _PLAIN if isinstance(found, kind)), None)


def _fields(found: Any) -> dict[str, Any]:
    held = {each.name: getattr(found, each.name) for each in found._GetPropertyList()}
    return {name: plain(one) for name, one in held.items() if not (one is None or (isinstance(one, list) and not one))}


_PLAIN = (
    (VmomiSupport.ManagedObject, lambda found: Ref(VmomiSupport.GetWsdlName(type(found)), found._moId)),
    (VmomiSupport.DataObject, _fields),
    (list, lambda found: [plain(each) for each in found]),
    (dt.datetime, lambda found: found.timestamp()),
    (type, VmomiSupport.GetWsdlName),
    (bool, bool),
    (int, int),
    (float, float),
    (str, str),
)


def differences(ours: Any, its: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two decoded values differ; pyVmomi makes up False, 0 and "" for fields that the answer does not have."""
    if isinstance(ours, dict) and isinstance(its, dict):
        for name in (ours.keys() | its.keys()) - {KIND}:
            if name in ours:
                yield from differences(ours[name], its.get(name), f"{where}.{name}")
            elif its[name]:
                yield f"{where}.{name}", None, its[name]
    elif type(ours) is list and type(its) is list and len(ours) == len(its):
        for place, (one, other) in enumerate(zip(ours, its, strict=True)):
            yield from differences(one, other, f"{where}[{place}]")
    elif (ours or None) != (its or None) or (ours is not None and its is not None and type(ours) is not type(its)):
        yield where, ours, its
