"""Virtual devices of a guest: disks and adapters, with the names under which the endpoint counts what they do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collectors.vsphere.client.decode import KIND, Ref

_BUSES = {
    "VirtualAHCIController": "sata",
    "VirtualIDEController": "ide",
    "VirtualNVMEController": "nvme",
}
"""Every other controller that disks hang on is SCSI."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A virtual disk. `instance` is its name in counters, `key` its key in layouts."""

    label: str
    instance: str
    key: int
    capacity_bytes: float | None
    path: str
    storage: Ref | None


@dataclass(frozen=True, slots=True)
class Nic:
    """A virtual adapter; its key is also its name in counters."""

    key: str
    mac: str
    network: str


def disks_of(devices: Sequence[Mapping[str, Any]]) -> list[Disk]:
    """The disks among a guest's devices."""
    controllers = {each.get("key"): each for each in devices}
    return [_disk(each, controllers) for each in devices if each.get(KIND) == "VirtualDisk"]


def _disk(device: Mapping[str, Any], controllers: Mapping[Any, Mapping[str, Any]]) -> Disk:
    controller = controllers.get(device.get("controllerKey"), {})
    bus = _BUSES.get(str(controller.get(KIND, "")), "scsi")
    backing = device.get("backing") or {}
    kilobytes = device.get("capacityInKB")
    size = device.get("capacityInBytes")
    return Disk(
        label=_label(device),
        instance=f"{bus}{controller.get('busNumber', 0)}:{device.get('unitNumber', 0)}",
        key=int(device.get("key", 0)),
        capacity_bytes=size if size is not None else None if kilobytes is None else kilobytes * 1024,
        path=str(backing.get("fileName", "")),
        storage=backing.get("datastore"),
    )


def nics_of(devices: Sequence[Mapping[str, Any]], networks: Mapping[str, str]) -> list[Nic]:
    """The adapters among a guest's devices. `networks`: names of networks by the id or key that backings hold."""
    return [
        Nic(str(each.get("key", "")), str(each["macAddress"]).lower(), _network(each.get("backing") or {}, networks))
        for each in devices
        if each.get("macAddress")
    ]


def _network(backing: Mapping[str, Any], networks: Mapping[str, str]) -> str:
    port = backing.get("port")
    if isinstance(port, dict):
        return networks.get(str(port.get("portgroupKey", "")), "")
    network = backing.get("network")
    known = networks.get(network.id, "") if isinstance(network, Ref) else ""
    return known or str(backing.get("deviceName", ""))


def _label(device: Mapping[str, Any]) -> str:
    return str((device.get("deviceInfo") or {}).get("label", "") or device.get("key", ""))


def unique(disks: Sequence[Disk]) -> Iterator[tuple[str, Disk]]:
    """The disks with labels that differ: a label that comes twice is followed by the disk's place."""
    labels = [disk.label for disk in disks]
    for disk in disks:
        yield disk.label if labels.count(disk.label) == 1 else f"{disk.label} ({disk.instance})", disk
