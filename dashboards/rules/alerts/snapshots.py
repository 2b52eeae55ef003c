"""Snapshots that somebody forgot."""

from __future__ import annotations

from dashboards.rules.forms import Alert, Severity
from dashboards.rules.settings import Settings

_AGE = "guest:hypervisor_oldest_snapshot:age_seconds"
_GUEST = "{{ $labels.guest }} ({{ $labels.platform }}, {{ $labels.target }})"


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Each is about one guest and outlives a target that does not answer."""
    return tuple(
        Alert(
            name,
            f"{_AGE} > {limit:.10g}",
            severity,
            "guest",
            f"Snapshot of {_GUEST} is {{{{ $value | humanizeDuration }}}} old",
            f"The oldest snapshot of {_GUEST} was taken {{{{ $value | humanizeDuration }}}} ago; the limit is "
            f"{limit / 86400:g} days. It grows with every write of the guest and slows its disks.",
            for_seconds=600,
            keep_firing_seconds=900,
            holds=True,
            dashboard="snapshots",
        )
        for name, limit, severity in (
            ("HypervisorSnapshotOld", settings.snapshot_age_warning, Severity.WARNING),
            ("HypervisorSnapshotVeryOld", settings.snapshot_age_critical, Severity.CRITICAL),
        )
    )
