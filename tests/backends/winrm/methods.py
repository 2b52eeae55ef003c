"""Methods that only tell: GetSummaryInformation and what is said of a virtual disk's file."""

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

from tests.backends.winrm.cim import CimClass, Reference
from tests.backends.winrm.estate import Estate, Row
from tests.backends.winrm.messages import Asked
from tests.backends.winrm.shapes import cim_xml, out_parameter, reference, text

KEYS = ("CreationClassName", "SystemCreationClassName", "SystemName", "DeviceID", "InstanceID", "Name", "Handle")
NOT_FOUND, FAILED = 32779, 32768  # FailedFileNotFound is what a file that is gone answers with
VHD_FILES = "vhd files"  # the key of an estate's instances that holds what is known of each file


def arguments(body: ET.Element) -> dict[str, Any]:
    """The arguments of a method by name; one that comes more than once is a list."""
    found: dict[str, Any] = {}
    for given in next(iter(body), ()):
        name, value = given.tag.rpartition("}")[2], (given.text or "").strip()
        if len(given):  # a reference: its instance id, where it has one
            value = next((each.text or "" for each in given.iter() if each.get("Name") == "InstanceID"), "")
        if name in found:
            found[name] = [*found[name], value] if isinstance(found[name], list) else [found[name], value]
        else:
            found[name] = value
    return found


def endpoint(cim_class: CimClass, row: Row, item: str) -> str:
    """A row as an endpoint reference, with the object itself where `item` holds it."""
    selectors = {name: str(row[name]) for name in KEYS if row.get(name) is not None}
    said = reference(Reference(cim_class.namespace, cim_class.name, selectors))
    address = (
        f'<a:EndpointReference xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">{said}</a:EndpointReference>'
    )
    return f"<w:Item>{item}{address}</w:Item>" if item else address


def invoke(estate: Estate, asked: Asked) -> str | None:
    """The out parameters of a method, None where there is no such method."""
    known: dict[tuple[str, str], Callable[[Estate, dict[str, Any]], str]] = {
        ("Msvm_VirtualSystemManagementService", "GetSummaryInformation"): _summary,
        ("Msvm_ImageManagementService", "GetVirtualHardDiskSettingData"): _disk_setting,
        ("Msvm_ImageManagementService", "GetVirtualHardDiskState"): _disk_state,
    }
    method = known.get((asked.class_name, asked.method))
    return method(estate, asked.arguments) if method else None


def _summary(estate: Estate, given: dict[str, Any]) -> str:
    cim_class = estate.classes["msvm_summaryinformation"]
    codes = {int(code) for code in _list(given.get("RequestedInformation"))}
    wanted = {_name(identifier) for identifier in _list(given.get("SettingData"))}
    shown = {"Name", *(name for code, name in CODES.items() if code in codes)}
    parts = [
        out_parameter("SummaryInformation", cim_class, {name: row[name] for name in row if name in shown})
        for row in estate.values(cim_class)
        if not wanted or row["Name"] in wanted
    ]
    return _returned(0, "".join(parts))


def _list(given: Any) -> list[str]:
    return given if isinstance(given, list) else [given] if given else []


def _name(instance_id: str) -> str:
    return instance_id.removeprefix("Microsoft:").partition("\\")[0]


def _file(estate: Estate, given: dict[str, Any]) -> Row | None:
    path = str(given.get("Path", "")).lower()
    return next((row for row in estate.instances.get(VHD_FILES, ()) if row["Path"].lower() == path), None)


def _disk_setting(estate: Estate, given: dict[str, Any]) -> str:
    if (row := _file(estate, given)) is None:
        return _returned(NOT_FOUND)
    names = ("Type", "Format", "Path", "ParentPath", "MaxInternalSize", "BlockSize", "LogicalSectorSize",
             "PhysicalSectorSize", "VirtualDiskId")  # fmt: skip
    shown = {name: row.get(name) for name in names}
    return _returned(0, f"<p:SettingData>{text(cim_xml('Msvm_VirtualHardDiskSettingData', shown))}</p:SettingData>")


def _disk_state(estate: Estate, given: dict[str, Any]) -> str:
    if (row := _file(estate, given)) is None:
        return _returned(NOT_FOUND)
    names = ("FileSize", "InUse", "MinInternalSize", "PhysicalSectorSize", "Alignment", "FragmentationPercentage")
    shown = {name: row.get(name) for name in names}
    return _returned(0, f"<p:State>{text(cim_xml('Msvm_VirtualHardDiskState', shown))}</p:State>")


def _returned(value: int, parts: str = "") -> str:
    return f"{parts}<p:ReturnValue>{value}</p:ReturnValue>"


CODES = {
    1: "ElementName", 2: "CreationTime", 3: "Notes", 4: "NumberOfProcessors", 9: "VirtualSwitchNames", 10: "Version",
    11: "Shielded", 100: "EnabledState", 101: "ProcessorLoad", 102: "ProcessorLoadHistory", 103: "MemoryUsage",
    104: "Heartbeat", 105: "UpTime", 106: "GuestOperatingSystem", 109: "HealthState", 110: "OperationalStatus",
    111: "StatusDescriptions", 112: "MemoryAvailable", 113: "AvailableMemoryBuffer", 114: "ReplicationMode",
    115: "ReplicationState", 116: "ReplicationHealth", 117: "ApplicationHealth", 118: "ReplicationStateEx",
    119: "ReplicationHealthEx", 120: "SwapFilesInUse", 121: "IntegrationServicesVersionState",
    122: "ReplicationProviderId", 123: "MemorySpansPhysicalNumaNodes", 132: "OtherEnabledState",
}  # fmt: skip
