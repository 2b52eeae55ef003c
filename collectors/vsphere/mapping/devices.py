"""Virtual devices of a guest: disks and adapters, with the names under which the endpoint counts what they do.

A device that makes no sense is left out or named by its place; it never costs the guest its other devices.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import KIND, Ref, Shape, Shapes
from collectors.vsphere.mapping.checked import Facts, reference
from exporter.units import kibibytes

_BUSES = {
    "VirtualAHCIController": "sata",
    "VirtualIDEController": "ide",
    "VirtualNVMEController": "nvme",
}
"""Every other controller that disks hang on is SCSI."""

DEVICES = "config.hardware.device"
_NO_MATTER = frozenset(
    f"Virtual{name}"
    for name in (
        "Cdrom",
        "EnsoniqPCI",
        "Floppy",
        "HdAudioCard",
        "Keyboard",
        "MachineVMCIDevice",
        "MachineVideoCard",
        "PCIController",
        "PCIPassthrough",
        "PS2Controller",
        "ParallelPort",
        "PointingDevice",
        "PrecisionClock",
        "SIOController",
        "SerialPort",
        "SoundBlaster16",
        "SoundCard",
        "TPM",
        "USB",
        "USBController",
        "USBXHCIController",
        "WDT",
    )
)
"""Types of devices that are neither a disk nor an adapter, and on which no disk hangs."""
_FIELDS = frozenset(
    {
        "backing",
        "busNumber",
        "capacityInBytes",
        "capacityInKB",
        "controllerKey",
        "datastore",
        "deviceInfo",
        "deviceName",
        "diskMode",
        "fileName",
        "key",
        "label",
        "macAddress",
        "network",
        "opaqueNetworkId",
        "parent",
        "port",
        "portgroupKey",
        "thinProvisioned",
        "unitNumber",
    }
)
"""What is read of the others, at any depth."""
_OVERLAY = re.compile(r"-\d{6}\.vmdk$")
_MOST_LAYERS = 1000


Place = tuple[Ref | None, str]
"""A file: its datastore and its path there."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtual disk. `instance` is its name in counters, `key` its key in layouts.

    `below` are the files under the newest one as far as the device names them, the nearest first.
    `format` is `thin`, `thick`, `rdm` for a raw device, or "" where that is not told.
    """

    label: str
    instance: str
    key: int
    capacity_bytes: float | None
    path: str
    storage: Ref | None
    format: str = ""
    below: tuple[Place, ...] = ()
    persistent: bool = True
    """False for a disk whose writes are thrown away when the guest is turned off: its overlay belongs there."""

    @property
    def layered(self) -> bool:
        """Whether something lies below the file that the disk writes to, judged by its parents or its name."""
        return bool(self.below) or _OVERLAY.search(self.path) is not None

    @property
    def layers(self) -> tuple[Place, ...]:
        """Every file that the device names, the newest first."""
        return ((self.storage, self.path), *self.below)


@dataclass(frozen=True, slots=True)
class Nic:
    """A virtual adapter; its key is also its name in counters.

    `network` is what its backing holds: the key of a port group, else the id of a network, of NSX's one its own id;
    `named` is its name there.
    """

    key: str
    mac: str
    network: str = ""
    named: str = ""

    def network_name(self, networks: Mapping[str, str]) -> str:
        """The name of its network. `networks`: names of networks by the id or key that backings hold."""
        return networks.get(self.network, "") or self.named


@dataclass(frozen=True, slots=True)
class Devices:
    """What is kept of a guest's devices: disks by labels that differ, and adapters."""

    disks: tuple[tuple[str, Disk], ...] = ()
    nics: tuple[Nic, ...] = ()

    @classmethod
    def of(cls, raw: object) -> Devices:
        """Out of a list of virtual devices."""
        known = _structures(raw)
        return cls(tuple(unique(disks_of(known))), tuple(nics_of(known)))


SHAPES: Shapes = {DEVICES: Shape(_NO_MATTER, _FIELDS, Devices.of)}


def devices_of(facts: Facts) -> Devices:
    """The devices of a guest by its facts; none where they are not told."""
    found = facts.get(DEVICES)
    return found if isinstance(found, Devices) else Devices.of(found)


def _structures(devices: object) -> list[Facts]:
    return [each for each in devices if isinstance(each, dict)] if isinstance(devices, list | tuple) else []


def _part(device: Facts, name: str) -> Facts:
    found = device.get(name)
    return found if isinstance(found, dict) else {}


def disks_of(devices: Sequence[Mapping[str, Any]]) -> list[Disk]:
    """The disks among a guest's devices."""
    known = _structures(devices)
    controllers = {each.get("key"): each for each in known if isinstance(each.get("key"), int)}
    return [_disk(each, controllers) for each in known if each.get(KIND) == "VirtualDisk"]


def _disk(device: Facts, controllers: Mapping[Any, Facts]) -> Disk:
    at = device.get("controllerKey")
    controller = controllers.get(at, {}) if isinstance(at, int) else {}
    bus = _BUSES.get(str(controller.get(KIND, "")), "scsi")
    backing = _part(device, "backing")
    size = _count(device.get("capacityInBytes"))
    key = device.get("key")
    return Disk(
        label=_label(device),
        instance=sys.intern(f"{bus}{controller.get('busNumber') or 0}:{device.get('unitNumber') or 0}"),
        key=key if isinstance(key, int) else 0,
        capacity_bytes=size if size is not None else kibibytes(_count(device.get("capacityInKB"))),
        path=_path(backing),
        storage=reference(backing, "datastore"),
        format=_format(backing),
        below=_below(backing),
        persistent=str(backing.get("diskMode", "")) not in {"independent_nonpersistent", "nonpersistent", "undoable"},
    )


def _count(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _path(backing: Facts) -> str:
    found = backing.get("fileName")
    return found if isinstance(found, str) else ""


def _format(backing: Facts) -> str:
    if "RawDisk" in str(backing.get(KIND, "")):
        return "rdm"
    thin = backing.get("thinProvisioned")
    return "" if not isinstance(thin, bool) else "thin" if thin else "thick"


def _below(backing: Facts) -> tuple[Place, ...]:
    found: list[Place] = []
    at = _part(backing, "parent")
    while at and len(found) < _MOST_LAYERS:
        found.append((reference(at, "datastore"), _path(at)))
        at = _part(at, "parent")
    return tuple(found)


def nics_of(devices: Sequence[Mapping[str, Any]]) -> list[Nic]:
    """The adapters among a guest's devices."""
    return [_nic(each, _part(each, "backing")) for each in _structures(devices) if each.get("macAddress")]


def _nic(device: Facts, backing: Facts) -> Nic:
    key, mac = sys.intern(str(device.get("key", ""))), str(device["macAddress"]).lower()
    port, network = backing.get("port"), backing.get("network")
    if isinstance(port, dict):
        return Nic(key, mac, network=str(port.get("portgroupKey", "")))
    at = network.id if isinstance(network, Ref) else str(backing.get("opaqueNetworkId") or "")
    return Nic(key, mac, network=at, named=sys.intern(str(backing.get("deviceName") or "")))


def _label(device: Facts) -> str:
    return sys.intern(str(_part(device, "deviceInfo").get("label") or device.get("key") or ""))


def unique(disks: Sequence[Disk]) -> Iterator[tuple[str, Disk]]:
    """The disks with labels that differ: a label that comes twice is followed by the disk's place."""
    labels = [disk.label for disk in disks]
    for disk in disks:
        yield disk.label if labels.count(disk.label) == 1 else f"{disk.label} ({disk.instance})", disk
