"""Families about snapshots: per guest by default, per snapshot on request."""

from __future__ import annotations

from exporter.catalogue.family import SNAPSHOTS, Entity, Family, Priority, Section
from exporter.model import Snapshot

_guest = Section(Entity.GUEST, SNAPSHOTS, Priority.GUEST)
_snapshot = Section(Entity.SNAPSHOT, SNAPSHOTS, Priority.DETAIL)


def _word(flag: bool | None) -> str:
    return "" if flag is None else str(int(flag))


def _describe(snapshot: Snapshot) -> tuple[str, ...]:
    return (
        snapshot.parent_id,
        snapshot.kind or "",
        _word(snapshot.memory),
        _word(snapshot.quiesced),
        _word(snapshot.current),
        snapshot.state,
    )


FAMILIES: tuple[Family, ...] = (
    _guest.gauge(
        "hypervisor_guest_snapshots",
        "Snapshots of the guest, of every kind but replication; 0 where it has none.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.count,
    ),
    _guest.gauge(
        "hypervisor_guest_oldest_snapshot_timestamp_seconds",
        "Creation of the oldest snapshot, Unix time of the endpoint; absent without snapshots.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.oldest_timestamp_seconds,
    ),
    _guest.gauge(
        "hypervisor_guest_oldest_snapshot_age_seconds",
        "Age of the oldest snapshot when it was collected; rules use the timestamp.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.oldest_age_seconds,
    ),
    _guest.gauge(
        "hypervisor_guest_snapshot_chain_depth",
        "Longest path in the tree of snapshots.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.chain_depth,
    ),
    _guest.gauge(
        "hypervisor_guest_snapshots_size_bytes",
        "Bytes that the snapshots hold; absent where that cannot be known.",
        value=lambda g: g.snapshots_size_bytes,
    ),
    _guest.gauge(
        "hypervisor_guest_backup_snapshots",
        "Snapshots left by backup software.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.backups,
    ),
    _guest.gauge(
        "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds",
        "Creation of the oldest snapshot left by backup software, Unix time.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.oldest_backup_timestamp_seconds,
    ),
    _guest.gauge(
        "hypervisor_guest_replication_snapshots",
        "Recovery points of a replica.",
        value=lambda g: g.snapshot_summary and g.snapshot_summary.replications,
    ),
    _guest.gauge(
        "hypervisor_guest_consolidation_needed",
        "1 if disks carry leftovers of deleted snapshots that must be merged.",
        value=lambda g: g.consolidation_needed,
    ),
    _guest.gauge(
        "hypervisor_guest_orphaned_overlays",
        "Disk overlays that no snapshot, guest or template accounts for.",
        value=lambda g: g.orphaned_overlays,
    ),
    Section(Entity.STORAGE, SNAPSHOTS, Priority.STORAGE).gauge(
        "hypervisor_storage_snapshots_size_bytes",
        "Bytes that snapshots hold on the storage.",
        value=lambda s: s.snapshots_size_bytes,
    ),
    _snapshot.gauge(
        "hypervisor_snapshot_created_timestamp_seconds",
        "Creation of the snapshot, Unix time of the endpoint.",
        value=lambda s: s.created_timestamp_seconds,
        default=False,
    ),
    _snapshot.gauge(
        "hypervisor_snapshot_size_bytes", "Bytes the snapshot holds.", value=lambda s: s.size_bytes, default=False
    ),
    _snapshot.info(
        "hypervisor_snapshot_info",
        "What the snapshot is: parent, kind, with memory, quiesced, current.",
        labels=("parent_id", "kind", "memory", "quiesced", "current", "state"),
        describe=_describe,
        default=False,
    ),
)
