"""The groups storage and snapshots: what disks, snapshots and storages hold at one moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from collectors.simulated import snaps
from collectors.simulated.curves import MINUTE, ORIGIN, saw
from collectors.simulated.fleet import Fleet
from collectors.simulated.looks.look import Look
from collectors.simulated.plans import DiskPlan, GuestPlan, Pattern, Snaps, StoragePlan
from collectors.simulated.vitals import display_name
from exporter.model import Guest, GuestDisk, GuestFilesystem, Storage

MEASURED_EVERY = 5 * MINUTE
_STILL = (Pattern.OFF, Pattern.SUSPENDED, Pattern.CRASHED, Pattern.TEMPLATE)


def allocated_bytes(disk: DiskPlan, at: float) -> float:
    """What is written of a disk; it grows evenly until somebody cleans up."""
    storage = disk.storage
    filled = storage.filling * saw(storage.period, storage.offset, at)
    return float(int(disk.capacity * (disk.written + filled)))


def accessible(storage: StoragePlan, at: float) -> bool:
    """Whether the storage can be used now."""
    return storage.outage is None or not storage.outage.covers(at)


class Space:
    """Makes the two groups of a fleet in one look."""

    def __init__(self, fleet: Fleet, look: Look) -> None:
        self._fleet, self._look = fleet, look
        self._has = frozenset(name.removeprefix("hypervisor_") for name in look.support if look.delivers(name))

    # The group storage.

    def guest(self, guest: GuestPlan, at: float, *, filesystems: bool) -> Guest:
        """Sizes of a guest's disks and file systems."""
        has, words = self._has, self._look.words
        # libvirt would have to open the files of guests that are off.
        sizes = not (self._look.single_host and guest.pattern in _STILL)
        disks = tuple(
            GuestDisk(
                words.disk(number),
                capacity_bytes=disk.capacity if sizes else None,
                allocated_bytes=self._where(allocated_bytes(disk, at), "disk_allocated_bytes") if sizes else None,
                physical_bytes=self._where(allocated_bytes(disk, at), "disk_physical_bytes") if sizes else None,
                chain_depth=int(guest.snaps is not Snaps.NONE) if sizes and "guest_disk_chain_depth" in has else None,
                storage=disk.storage.name,
                storage_id=words.storage_id(disk.storage),
                path=words.path(guest, number),
                format=words.format,
            )
            for number, disk in enumerate(guest.disks)
        )
        files = self.filesystems(guest, at) if filesystems else ()
        return Guest(guest.id, display_name(guest, at), disks=disks, filesystems=files)

    def _where(self, value: float, family: str) -> float | None:
        return value if f"guest_{family}" in self._has else None

    @staticmethod
    def filesystems(guest: GuestPlan, at: float) -> tuple[GuestFilesystem, ...]:
        """One on every disk of a guest whose agent tells."""
        if not guest.agent or guest.pattern in (*_STILL, Pattern.PAUSED):
            return ()
        windows = "Windows" in guest.os
        names = ("C:\\", "D:\\", "E:\\", "F:\\") if windows else ("/", "/srv", "/var", "/opt")
        return tuple(
            GuestFilesystem(names[number], disk.capacity, disk.capacity - allocated_bytes(disk, at))
            for number, disk in enumerate(guest.disks)
        )

    def storages(self, at: float) -> tuple[Storage, ...]:
        """Every storage; what is used is what its disks, its snapshots and files beside them take."""
        used: dict[str, float] = defaultdict(float)
        promised: dict[str, float] = defaultdict(float)
        for guest in self._fleet.guests:
            for disk in guest.disks:
                held = allocated_bytes(disk, at)
                used[disk.storage.id] += held
                promised[disk.storage.id] += disk.capacity - held
            if guest.snaps is not Snaps.NONE:
                used[guest.disks[0].storage.id] += snaps.size_bytes(guest, at)
        return tuple(
            self._storage(storage, at, used[storage.id] + storage.overhead, promised[storage.id])
            for storage in self._fleet.storages
        )

    def _storage(self, storage: StoragePlan, at: float, used: float, promised: float) -> Storage:
        has, look = self._has, self._look
        usable = accessible(storage, at)
        hosts = storage.hosts if "storage_hosts" in has else None
        measured = at - (at - ORIGIN) % MEASURED_EVERY
        return Storage(
            id=look.words.storage_id(storage),
            name=storage.name,
            backing=look.words.backing(storage),
            shared=storage.shared,
            key=storage.key or f"{self._fleet.seed}/{storage.id}",
            accessible=usable,
            hosts=hosts,
            hosts_accessible=hosts if usable or hosts is None else 0,
            capacity_bytes=storage.capacity if usable else None,
            free_bytes=storage.capacity - used if usable else None,
            provisioned_bytes=used + promised if usable and "storage_provisioned_bytes" in has else None,
            data_timestamp_seconds=measured if "storage_data_timestamp_seconds" in has else None,
            extra=look.storage_extra(storage, at - ORIGIN) if look.storage_extra is not None else {},
        )

    # The group snapshots.

    def protected(self, guest: GuestPlan, at: float) -> Guest:
        """A guest's snapshots, backups and replication."""
        has = self._has
        kinds = self._look.name == "hyperv" or self._look.name is None
        found = snaps.snapshots(guest, at, kinds=kinds)
        held = sum(snapshot.size_bytes or 0.0 for snapshot in found)
        if "snapshot_size_bytes" not in has:
            found = tuple(replace(snapshot, size_bytes=None) for snapshot in found)
        template = guest.pattern is Pattern.TEMPLATE
        measured = at - (at - ORIGIN) % MEASURED_EVERY
        replication = "guest_replication_state" in has and guest.replica
        return Guest(
            guest.id,
            display_name(guest, at),
            snapshots=found,
            snapshots_size_bytes=held if "guest_snapshots_size_bytes" in has else None,
            consolidation_needed=snaps.consolidation_needed(guest, at) if "guest_consolidation_needed" in has else None,
            orphaned_overlays=snaps.orphaned_overlays(guest, at) if "guest_orphaned_overlays" in has else None,
            last_backup_timestamp_seconds=None
            if template or "guest_last_backup_timestamp_seconds" not in has
            else snaps.last_backup(guest, at),
            last_checkpoint_timestamp_seconds=None
            if template or "guest_last_checkpoint_timestamp_seconds" not in has
            else snaps.last_backup(guest, at),
            last_replication_timestamp_seconds=snaps.last_replication(guest, at) if replication else None,
            replication_state=("warning" if guest.index % 5 == 0 else "normal") if replication else None,
            storage_data_timestamp_seconds=measured if "guest_storage_data_timestamp_seconds" in has else None,
        )

    def snapshots_of_storages(self, at: float) -> tuple[Storage, ...]:
        """What snapshots hold, per storage."""
        if "storage_snapshots_size_bytes" not in self._has:
            return ()
        held: dict[str, float] = defaultdict(float)
        for guest in self._fleet.guests:
            if guest.snaps is not Snaps.NONE:
                held[guest.disks[0].storage.id] += snaps.size_bytes(guest, at)
        return tuple(
            Storage(self._look.words.storage_id(storage), storage.name, snapshots_size_bytes=held[storage.id])
            for storage in self._fleet.storages
        )
