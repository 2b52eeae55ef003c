"""Checkpoints of a guest and the overlays that come with them."""

import itertools
from datetime import datetime

from tests.backends.winrm.cim import Ago
from tests.backends.winrm.devices import add_file, object_path
from tests.backends.winrm.estate import Estate, Row
from tests.backends.winrm.guest import PERF_CLASSES, SETTINGS, STORAGE, Guest, instance_name
from tests.backends.winrm.guests import settings
from tests.backends.winrm.hosts import GIB, stable_id

KINDS = {"user": "Realized", "schedule": "Realized", "backup": "Recovery", "replication": "Replica:Standard"}
_FRESH = itertools.count(1)


def add_checkpoint(
    estate: Estate,
    guest: Guest,
    name: str,
    created: Ago | datetime,
    *,
    kind: str = "user",
    parent: Row | None = None,
    overlay_bytes: int = GIB,
) -> Row:
    """A checkpoint and the overlay that the guest writes to since; returns its settings, to name as a `parent`."""
    own = f"Microsoft:{stable_id('checkpoint', guest.guid, next(_FRESH))}"
    row = {
        **settings(guest),
        "InstanceID": own,
        "ElementName": name,
        "CreationTime": created,
        "VirtualSystemType": f"Microsoft:Hyper-V:Snapshot:{KINDS[kind]}",
        "IsAutomaticSnapshot": kind == "schedule",
        "Parent": object_path(estate, SETTINGS, parent["InstanceID"]) if parent else None,
    }
    with estate.lock:
        estate.add(SETTINGS, **row)
        for disk in estate.rows(STORAGE):
            if not disk["InstanceID"].startswith(guest.path + "\\"):
                continue
            held = disk["HostResource"][0]
            estate.add(STORAGE, **{**disk, "InstanceID": disk["InstanceID"].replace(guest.path, own)})
            overlay = f"{held.rpartition('.')[0].partition('_')[0]}_{stable_id('overlay', own)}.avhdx"
            add_file(estate, guest, overlay, held, overlay_bytes)
            disk["HostResource"] = [overlay]
            for counters in estate.rows(PERF_CLASSES[3], Name=instance_name(held)):
                counters["Name"] = instance_name(overlay)
    return estate.row(SETTINGS, InstanceID=own)


def remove_checkpoint(estate: Estate, row: Row) -> None:
    """Take a checkpoint away; the disks stay on their overlays, as until a merge has ended."""
    with estate.lock:
        estate.remove(SETTINGS, InstanceID=row["InstanceID"])
        for disk in [each for each in estate.rows(STORAGE) if each["InstanceID"].startswith(row["InstanceID"] + "\\")]:
            estate.remove(STORAGE, InstanceID=disk["InstanceID"])
