"""Snapshots that somebody forgot, and what backups leave behind."""

from __future__ import annotations

from dashboards.rules.alerts.words import DURATION, GUEST, HOUR, MINUTE, NUMBER, PERCENT, STORAGE, days, number
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import Settings

_AGE = "guest:hypervisor_oldest_snapshot:age_seconds"
_GROWTH = "storage:hypervisor_snapshots_growth:bytes_per_second6h"


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """All outlive a target that does not answer."""
    return (*_old(settings), *_many(settings), *_left(settings), *_filling(settings))


def _guest(
    name: str, expr: str, severity: Severity, summary: str, description: str, wait: float = 10 * MINUTE
) -> Alert:
    return Alert(
        name, expr, severity, Level.GUEST, summary, description, wait, 15 * MINUTE, holds=True, dashboard="snapshots"
    )


def _old(settings: Settings) -> tuple[Alert, ...]:
    return tuple(
        _guest(
            name,
            f"{_AGE} > {number(limit)}",
            severity,
            f"The oldest snapshot of {GUEST} is {DURATION} old",
            f"The oldest snapshot of {GUEST} was taken {DURATION} ago; the limit is {days(limit)}. It grows with every "
            "write of the guest, slows its disks, and is no backup.",
        )
        for name, limit, severity in (
            ("HypervisorSnapshotOld", settings.snapshot_age_warning, Severity.WARNING),
            ("HypervisorSnapshotVeryOld", settings.snapshot_age_critical, Severity.CRITICAL),
        )
    )


def _many(settings: Settings) -> tuple[Alert, ...]:
    return (
        _guest(
            "HypervisorSnapshotsTooMany",
            f"guest:hypervisor_snapshots:count > {number(settings.snapshot_count)}",
            Severity.WARNING,
            f"{GUEST} has {NUMBER} snapshots",
            f"{GUEST} has {NUMBER} snapshots; the limit is {settings.snapshot_count:g}.",
        ),
        _guest(
            "HypervisorSnapshotChainDeep",
            f"guest:hypervisor_snapshot_chain_depth:count > {number(settings.snapshot_depth)}",
            Severity.WARNING,
            f"Snapshots of {GUEST} build on each other {NUMBER} times",
            f"A read of {GUEST} may have to look through {NUMBER} snapshots; the limit is {settings.snapshot_depth:g}. "
            "Removing them takes long and needs space.",
        ),
    )


def _left(settings: Settings) -> tuple[Alert, ...]:
    return (
        _guest(
            "HypervisorBackupSnapshotLeftBehind",
            f"guest:hypervisor_oldest_backup_snapshot:age_seconds > {number(settings.backup_snapshot_age)}",
            Severity.WARNING,
            f"A backup of {GUEST} left its snapshot behind {DURATION} ago",
            f"A backup took a snapshot of {GUEST} {DURATION} ago and did not remove it; the limit is "
            f"{days(settings.backup_snapshot_age)}. The backup may have failed; the next ones may fail too.",
        ),
        _guest(
            "HypervisorConsolidationNeeded",
            "guest:hypervisor_consolidation_needed:bool == 1",
            Severity.WARNING,
            f"Disks of {GUEST} need consolidation",
            f"{GUEST} runs on leftovers of snapshots that are no longer listed: they grow unseen.",
            HOUR,
        ),
        _guest(
            "HypervisorOrphanedOverlays",
            "guest:hypervisor_orphaned_overlays:count > 0",
            Severity.WARNING,
            f"{NUMBER} disks of {GUEST} run on overlays without a snapshot",
            f"{NUMBER} disks of {GUEST} run on overlays that no snapshot accounts for: somebody removed the snapshot's "
            "record, not its data.",
            HOUR,
        ),
    )


def _filling(settings: Settings) -> tuple[Alert, ...]:
    def storage(name: str, expr: str, severity: Severity, summary: str, description: str) -> Alert:
        return Alert(
            name,
            expr,
            severity,
            Level.STORAGE,
            summary,
            description,
            30 * MINUTE,
            15 * MINUTE,
            holds=True,
            dashboard="snapshots",
        )

    return (
        storage(
            "HypervisorSnapshotsLarge",
            "storage:hypervisor_snapshots_size:bytes / (storage:hypervisor_free:bytes > 0) > "
            f"{number(settings.snapshot_size)}",
            Severity.WARNING,
            f"Snapshots on {STORAGE} are as large as {PERCENT} of its free space",
            f"Snapshots on {STORAGE} are as large as {PERCENT} of its free space; the limit is "
            f"{settings.snapshot_size:.0%}. Merging them back needs space too.",
        ),
        storage(
            "HypervisorSnapshotsFillStorage",
            f"storage:hypervisor_free:bytes / ({_GROWTH} > 0) < {number(settings.storage_snapshots_fill)}",
            Severity.CRITICAL,
            f"Snapshots fill {STORAGE} in {DURATION}",
            f"Snapshots on {STORAGE} grow so fast that it is full in {DURATION}; the limit is "
            f"{days(settings.storage_snapshots_fill)}. Then every guest on it stands still.",
        ),
    )
