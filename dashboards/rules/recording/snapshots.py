"""Snapshots of guests, also of those whose target does not answer just now."""

from __future__ import annotations

from dashboards.rules.expressions import GUEST, held
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_LABELS = "target, platform, guest, guest_id"
OLDEST = "guest:hypervisor_oldest_snapshot:timestamp_seconds"
_HELD = (
    (OLDEST, "min", "oldest_snapshot_timestamp_seconds"),
    ("guest:hypervisor_oldest_backup_snapshot:timestamp_seconds", "min", "oldest_backup_snapshot_timestamp_seconds"),
    ("guest:hypervisor_snapshots:count", "max", "snapshots"),
    ("guest:hypervisor_snapshot_chain_depth:count", "max", "snapshot_chain_depth"),
    ("guest:hypervisor_snapshots_size:bytes", "max", "snapshots_size_bytes"),
    ("guest:hypervisor_consolidation_needed:bool", "max", "consolidation_needed"),
    ("guest:hypervisor_orphaned_overlays:count", "max", "orphaned_overlays"),
)


def records(_settings: Settings) -> tuple[Record, ...]:
    """One series for each guest that has some."""
    return (
        *(
            Record(name, held(name, f"{by} by ({_LABELS}) (hypervisor_guest_{family})", GUEST, "snapshots"))
            for name, by, family in _HELD
        ),
        Record("guest:hypervisor_oldest_snapshot:age_seconds", f"clamp_min(time() - {OLDEST}, 0)"),
        Record(
            "guest:hypervisor_oldest_backup_snapshot:age_seconds",
            "clamp_min(time() - guest:hypervisor_oldest_backup_snapshot:timestamp_seconds, 0)",
        ),
    )
