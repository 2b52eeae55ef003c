"""Takes names out of an inventory that `govc object.save` has written: python3 redact.py FROM TO. Needs only Python.

What is kept is a list, not what is removed: the objects and properties that the exporter reads, references (`vm-12`),
numbers, dates, flags and the words of the API below. Every other word becomes another one, the same wherever it stands,
made with a key that is thrown away. Signs that are no letters or digits stay: they are what bugs are made of.
"""

import argparse
import hashlib
import hmac
import re
import secrets
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

OBJECTS = frozenset({
    "ClusterComputeResource", "ComputeResource", "Datacenter", "Datastore", "DistributedVirtualPortgroup",
    "DistributedVirtualSwitch", "Folder", "HostSystem", "Network", "OpaqueNetwork", "ResourcePool", "StoragePod",
    "VirtualApp", "VirtualMachine", "VirtualMachineSnapshot", "VmwareDistributedVirtualSwitch",
})  # fmt: skip
PROPERTIES = frozenset({
    "alarmActionsEnabled", "childEntity", "childSnapshot", "childType", "config", "configStatus", "configurationEx",
    "datastore", "datastoreFolder", "guest", "guestHeartbeatStatus", "host", "hostFolder", "info", "key", "layout",
    "layoutEx", "name", "network", "networkFolder", "overallStatus", "owner", "parent", "parentVApp",
    "podStorageDrsEntry", "portgroup", "resourcePool", "rootSnapshot", "runtime", "snapshot", "storage", "summary",
    "vm", "vmFolder",
})  # fmt: skip
LEFT_OUT = frozenset({
    "annotation", "certificate", "customValue", "extraConfig", "licensableResource", "option",
    "otherIdentifyingInfo", "sslThumbprint", "vAppConfig",
})  # fmt: skip
"""Elements that hold what an operator has written, and nothing that the exporter needs."""
WORDS = frozenset({
    "accessMode", "accessible", "apiVersion", "behavior", "build", "childType", "configStatus", "connectionState",
    "cpuModel", "defaultVmBehavior", "diskMode", "extensionKey", "faultToleranceState", "filesystemType",
    "guestFamily", "guestFullName", "guestHeartbeatStatus", "guestId", "guestState", "inaccessibleReason", "level",
    "maintenanceMode", "model", "overallStatus", "powerState", "productLineId", "recordReplayState", "sharing",
    "standbyMode", "state", "status", "toolsInstallType", "toolsRunningStatus", "toolsStatus", "toolsVersionStatus",
    "toolsVersionStatus2", "type", "vendor", "version",
})  # fmt: skip
"""Elements whose text is a word of the API or of a product."""
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_PLAIN = re.compile(r"true|false|-?\d+(\.\d+)?|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)?")
_NAMES = frozenset({"hostName", "ipAddress", "name", "value"})
"""Elements whose text may look like a number and be a name."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_PART = re.compile(rf"{_UUID.pattern}|{_MAC.pattern}|%[0-9a-fA-F]{{2}}|[^\W_]+")
OF_FILES = re.compile(
    r"%..|ds|vmfs|volumes|vmdk|vmx|vmxf|vmsd|vmsn|vmem|nvram|vswp|log|flat|delta|ctk|sesparse|rdmp?|Snapshot\d+|0\d{5}"
)
"""Parts of paths by which files are known."""


class Redaction:
    """Other words for words: the same word, the same other one."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def text(self, text: str) -> str:
        """The text with every word replaced."""
        return _PART.sub(lambda found: self._word(found[0]), text)

    def _word(self, word: str) -> str:
        if OF_FILES.fullmatch(word):
            return word
        made = hmac.new(self._key, word.encode(), hashlib.sha256).hexdigest()
        if _UUID.fullmatch(word):
            return "-".join((made[:8], made[8:12], made[12:16], made[16:20], made[20:32]))
        if _MAC.fullmatch(word):
            return ":".join(("00", "50", "56", made[:2], made[2:4], made[4:6]))
        return f"x{made[:8]}"

    def element(self, element: ET.Element) -> None:
        """Replace what stands in an element and below."""
        for each in [each for each in element if each.tag in LEFT_OUT]:
            element.remove(each)
        for each in element:
            self.element(each)
        text = (element.text or "").strip()
        if len(element) or not text or "type" in element.attrib or element.tag in WORDS:
            return
        if element.tag in _NAMES or not _PLAIN.fullmatch(text):
            element.text = self.text(text)


def redacted(text: str, redaction: Redaction) -> str | None:
    """One file; None where it holds nothing that is needed."""
    root = ET.fromstring(text)
    head = root.find("{*}obj")
    if head is None or head.get("type") not in OBJECTS:
        return None
    for each in root.findall("{*}propSet"):
        name, value = (each.findtext("{*}name") or "").partition(".")[0], each.find("{*}val")
        if name not in PROPERTIES or value is None:
            root.remove(each)
        elif value.get(TYPE, "").endswith("string") and name in {"name", "key"}:
            value.text = redaction.text(value.text or "")
        else:
            redaction.element(value)
    return ET.tostring(root, encoding="unicode")


def main() -> int:
    """Read one folder, write another."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="folder that govc object.save has written")
    parser.add_argument("to", type=Path, help="folder to make")
    options = parser.parse_args()
    options.to.mkdir(parents=True)
    redaction = Redaction()
    kept = 0
    for file in sorted(options.source.glob("*.xml")):
        text = redacted(file.read_text(), redaction)
        if text is not None:
            (options.to / file.name).write_text(text)
            kept += 1
    print(f"{kept} objects; look through {options.to} before you give it away")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
