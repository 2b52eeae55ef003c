"""Storage that fills, that was promised more than once, or that nobody reaches."""

from __future__ import annotations

from dashboards.rules.alerts.words import DURATION, MINUTE, PERCENT, STORAGE, days, number
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.recording.storage import CUT_OFF, REACHED, REDIRECTED, UNTIL_FULL
from dashboards.rules.settings import Settings


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Each is about one storage, whoever sees it; all outlive a target that does not answer."""
    return (*_full(settings), *_reached())


def _storage(name: str, expr: str, severity: Severity, summary: str, description: str, wait: float) -> Alert:
    return Alert(
        name, expr, severity, Level.STORAGE, summary, description, wait, 15 * MINUTE, holds=True, dashboard="storage"
    )


def _full(settings: Settings) -> tuple[Alert, ...]:
    used = "storage:hypervisor_used:ratio"
    return (
        *(
            _storage(
                name,
                f"{used} > {number(limit)}",
                severity,
                f"Storage {STORAGE} is {PERCENT} full",
                f"Storage {STORAGE} is {PERCENT} full; the limit is {limit:.0%}. When it is full, guests on it stand still.",
                15 * MINUTE,
            )
            for name, limit, severity in (
                ("HypervisorStorageAlmostFull", settings.storage_used_warning, Severity.WARNING),
                ("HypervisorStorageFull", settings.storage_used_critical, Severity.CRITICAL),
            )
        ),
        _storage(
            "HypervisorStorageWillFill",
            f"{UNTIL_FULL} < {number(settings.storage_full_within)}\n"
            f"and on (platform, storage_key) {used} > {number(settings.storage_fill_floor)}",
            Severity.WARNING,
            f"Storage {STORAGE} will be full in {DURATION}",
            f"At the pace of the last 6 hours storage {STORAGE} is full in {DURATION}; the limit is "
            f"{days(settings.storage_full_within)}.",
            60 * MINUTE,
        ),
        _storage(
            "HypervisorStorageOvercommitted",
            f"storage:hypervisor_overcommit:ratio > {number(settings.storage_overcommit)}",
            Severity.WARNING,
            f"{PERCENT} of storage {STORAGE} is promised to disks",
            f"Thin disks on {STORAGE} may grow to {PERCENT} of its capacity; the limit is {settings.storage_overcommit:.0%}. "
            "If they do, guests on it stand still.",
            60 * MINUTE,
        ),
    )


def _reached() -> tuple[Alert, ...]:
    return (
        _storage(
            "HypervisorStorageInaccessible",
            f"{REACHED} == 0",
            Severity.CRITICAL,
            f"Storage {STORAGE} is not accessible",
            f"No host reaches storage {STORAGE}, or its pool is not active. Guests on it stand still or will not start.",
            5 * MINUTE,
        ),
        _storage(
            "HypervisorStoragePathLost",
            f"{CUT_OFF} > 0",
            Severity.WARNING,
            f"{{{{ $value }}}} hosts do not reach storage {STORAGE}",
            f"{{{{ $value }}}} of the hosts that mount storage {STORAGE} do not reach it. Guests cannot move or fail over to them.",
            15 * MINUTE,
        ),
        _storage(
            "HypervisorStorageRedirected",
            f"{REDIRECTED} == 1",
            Severity.WARNING,
            f"All I/O of storage {STORAGE} takes the way over another node",
            f"No direct I/O reaches the cluster shared volume {STORAGE}: all of it is redirected over the network to the node "
            "that owns it, and is slow.",
            30 * MINUTE,
        ),
    )
