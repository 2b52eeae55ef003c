"""Which snapshots were forgotten, what backups left behind, and what they cost."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Limit, Panel, Row, Unit
from dashboards.lib.panels import bars, because, course, limits, number, table, untold
from dashboards.lib.variables import (
    GUEST_OF_TARGET,
    MIN_STEP,
    OF_GUEST,
    OF_PLATFORM,
    PLATFORM,
    SEEN_STORAGE,
    TARGET,
    top,
)
from dashboards.rules.settings import Settings

_AGE = "guest:hypervisor_oldest_snapshot:age_seconds"
_NONE = because("no guest is known to have a snapshot")
_ALL = f"guest:hypervisor_snapshots:count{{{OF_GUEST}}}"
_HELD = f"guest:hypervisor_snapshots_size:bytes{{{OF_GUEST}}}"
_SIZE = f"storage:hypervisor_snapshots_size:bytes{{{OF_PLATFORM}}}"
_OLDEST = f"topk(50, {_AGE}{{{OF_GUEST}}})"
_AGES = (
    (0, 1, "up to a day"),
    (1, 7, "up to a week"),
    (7, 30, "up to a month"),
    (30, 365, "up to a year"),
    (365, 36500, "older than a year"),
)


def _aged(low: int, high: int, name: str) -> str:
    """How many guests have an oldest snapshot of so many days."""
    found = f"count({_AGE}{{{OF_GUEST}}} > {low * 86400} <= {high * 86400}) or 0 * count({_ALL})"
    return f'label_replace({found}, "age", "{name}", "", "")'


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return Dashboard(
        "snapshots",
        "Snapshots",
        "Which snapshots were forgotten, what backups left behind, and what they cost.",
        (
            Row("What is forgotten?", _forgotten(settings, age)),
            Row("What do they cost?", _cost(settings)),
            Row("What was left behind?", _left(settings)),
        ),
        (PLATFORM, TARGET, GUEST_OF_TARGET, MIN_STEP),
        since="now-7d",
    )


def _forgotten(settings: Settings, age: tuple[Limit, ...]) -> tuple[Panel, ...]:
    warning, critical = settings.snapshot_age_warning, settings.snapshot_age_critical
    return (
        number(
            "Forgotten snapshots",
            f"Guests with one older than {warning / 86400:g} days.",
            f"count({_AGE}{{{OF_GUEST}}} > {warning:.10g}) or 0 * count({_ALL})",
            warns=limits(1),
            no_data=untold("of snapshots"),
        ),
        number(
            "Very old snapshots",
            f"Guests with one older than {critical / 86400:g} days.",
            f"count({_AGE}{{{OF_GUEST}}} > {critical:.10g}) or 0 * count({_ALL})",
            warns=limits(critical=1),
            no_data=untold("of snapshots"),
        ),
        number(
            "Oldest snapshot",
            "The age of the oldest of all.",
            f"max({_AGE}{{{OF_GUEST}}})",
            unit=Unit.SECONDS,
            warns=age,
            no_data=because("no snapshot"),
        ),
        number(
            "Snapshots",
            "Those of backups included.",
            f"sum({_ALL})",
            no_data=untold("of snapshots"),
        ),
        number(
            "Size of snapshots",
            "Of all of them together.",
            f"sum({_HELD})",
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
        number(
            "Size of forgotten ones",
            f"Of guests with one older than {warning / 86400:g} days.",
            f"sum({_HELD} and on (target, guest_id) {_AGE}{{{OF_GUEST}}} > {warning:.10g}) or 0 * sum({_HELD})",
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
        table(
            "Which snapshots are the oldest?",
            "The 50 guests with the oldest snapshots, with number, depth and size of all of the guest's.",
            _OLDEST,
            *(
                f"guest:hypervisor_{what}{{{OF_GUEST}}}\nand on (target, guest_id) {_OLDEST}"
                for what in ("snapshots:count", "snapshot_chain_depth:count", "snapshots_size:bytes")
            ),
            by="target, platform, guest, guest_id",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("platform", "Platform", width=90),
                Column("Value #A", "Age of oldest", Unit.SECONDS, age, width=140),
                Column("Value #B", "Snapshots", Unit.SHORT, limits(settings.snapshot_count), width=100),
                Column("Value #C", "Depth", Unit.SHORT, limits(settings.snapshot_depth), width=80),
                Column("Value #D", "Size", Unit.BYTES, width=100),
            ),
            width=16,
            no_data=_NONE,
            sort="Age of oldest",
        ),
        bars(
            "How old are they?",
            "Guests by the age of their oldest snapshot.",
            "\nor ".join(_aged(*each) for each in _AGES),
            "{{age}}",
            width=8,
            height=9,
        ),
    )


def _cost(settings: Settings) -> tuple[Panel, ...]:
    none = untold("the size of snapshots")
    return (
        course(
            "Do snapshots grow?",
            "Bytes that snapshots hold; the 15 storages with the most.",
            (top(15, _SIZE, SEEN_STORAGE), "{{storage}} ({{platform}})"),
            unit=Unit.BYTES,
            stacked=True,
            no_data=none,
        ),
        bars(
            "Where will they fill the storage first?",
            "Snapshots' size over the free space of their storage, now.",
            f"topk(9, {_SIZE}\n/ (storage:hypervisor_free:bytes > 0){SEEN_STORAGE})",
            "{{storage}} ({{platform}})",
            unit=Unit.SHARE,
            warns=limits(settings.snapshot_size),
            no_data=none,
        ),
    )


def _left(settings: Settings) -> tuple[Panel, ...]:
    return (
        table(
            "Which backups left a snapshot behind?",
            "Guests by the age of the oldest snapshot that a backup took.",
            f"topk(50, guest:hypervisor_oldest_backup_snapshot:age_seconds{{{OF_GUEST}}})",
            by="target, platform, guest, guest_id",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("platform", "Platform", width=100),
                Column("Value", "Age", Unit.SECONDS, limits(settings.backup_snapshot_age), width=110),
            ),
            width=12,
            sort="Age",
            no_data=because("no snapshot of a backup is known"),
        ),
        table(
            "Which guests run on leftovers of snapshots?",
            "Disks that need consolidation, and overlays that no snapshot accounts for.",
            f"guest:hypervisor_consolidation_needed:bool{{{OF_GUEST}}} == 1",
            f"guest:hypervisor_orphaned_overlays:count{{{OF_GUEST}}} > 0",
            by="target, platform, guest, guest_id",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("platform", "Platform", width=100),
                Column("Value #A", "Needs consolidation", Unit.BOOL, width=160),
                Column("Value #B", "Disks on overlays", width=150),
            ),
            width=12,
            no_data=because("no leftover is known"),
        ),
    )
