"""Storage that fills, that was promised more than once, or that nobody reaches."""

from __future__ import annotations

from dashboards.rules.alerts.words import DURATION, MINUTE, PERCENT, STORAGE, days, number
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import Settings

_KEYED = "* on (target, storage_id) group_left (platform, storage_key) storage:hypervisor_info:keyed"
_NAMED = "* on (platform, storage_key) group_left (storage) storage:hypervisor_info:named"


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """Each is about one storage, whoever sees it."""
    return (*_full(settings), *_reached())


def _storage(
    name: str, expr: str, severity: Severity, summary: str, description: str, wait: float, *, holds: bool = False
) -> Alert:
    return Alert(
        name, expr, severity, Level.STORAGE, summary, description, wait, 15 * MINUTE, holds=holds, dashboard="storage"
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
                holds=True,
            )
            for name, limit, severity in (
                ("HypervisorStorageAlmostFull", settings.storage_used_warning, Severity.WARNING),
                ("HypervisorStorageFull", settings.storage_used_critical, Severity.CRITICAL),
            )
        ),
        _storage(
            "HypervisorStorageWillFill",
            f"storage:hypervisor_until_full:seconds < {number(settings.storage_full_within)}\n"
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
            holds=True,
        ),
    )


def _reached() -> tuple[Alert, ...]:
    def by_key(aggregate: str, inner: str) -> str:
        return f"{aggregate} by (platform, storage_key) (({inner})\n{_KEYED})"

    reached = "max by (target, storage_id) (hypervisor_storage_accessible)"
    seen = by_key("max", reached)
    missing = by_key(
        "max",
        "max by (target, storage_id) (hypervisor_storage_hosts)\n"
        "- max by (target, storage_id) (hypervisor_storage_hosts_accessible)",
    )
    cut_off = f"count by (platform, storage_key) (({reached} == 0)\n{_KEYED})"
    return (
        _storage(
            "HypervisorStorageInaccessible",
            f"({seen} == 0)\n{_NAMED}",
            Severity.CRITICAL,
            f"Storage {STORAGE} is not accessible",
            f"No host reaches storage {STORAGE}, or its pool is not active. Guests on it stand still or will not start.",
            5 * MINUTE,
        ),
        # Where each host is a target of its own, those that cannot use the storage are counted instead.
        _storage(
            "HypervisorStoragePathLost",
            f"({missing} > 0\nor {cut_off} and on (platform, storage_key) {seen} == 1)\n{_NAMED}",
            Severity.WARNING,
            f"{{{{ $value }}}} hosts do not reach storage {STORAGE}",
            f"{{{{ $value }}}} of the hosts that mount storage {STORAGE} do not reach it. Guests cannot move or fail over to them.",
            15 * MINUTE,
        ),
    )
