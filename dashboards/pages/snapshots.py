"""Which snapshots were forgotten, what backups left behind, and what they cost."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Limit, Panel, Row, Unit
from dashboards.lib.panels import bars, course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, COMPUTE_CLUSTER, GUEST, HOST, MIN_STEP, OF_GUEST, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_AGE = "guest:hypervisor_oldest_snapshot:age_seconds"
_NONE = "no guest has a snapshot"
_AGES = (
    (0, 1, "up to a day"),
    (1, 7, "up to a week"),
    (7, 30, "up to a month"),
    (30, 365, "up to a year"),
    (365, 36500, "older than a year"),
)


def _aged(low: int, high: int, name: str) -> str:
    """How many guests have an oldest snapshot of so many days."""
    found = f"count({_AGE}{{{OF_GUEST}}} > {low * 86400} <= {high * 86400}) or vector(0)"
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
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, GUEST, MIN_STEP),
    )


def _forgotten(settings: Settings, age: tuple[Limit, ...]) -> tuple[Panel, ...]:
    warning, critical = settings.snapshot_age_warning, settings.snapshot_age_critical
    return (
        number(
            "Guests with a snapshot that is too old",
            f"Guests whose oldest snapshot is older than {warning / 86400:g} days.",
            f"count({_AGE}{{{OF_GUEST}}} > {warning:.10g}) or vector(0)",
            warns=limits(1),
            width=6,
        ),
        number(
            "Guests with one that is far too old",
            f"Guests whose oldest snapshot is older than {critical / 86400:g} days.",
            f"count({_AGE}{{{OF_GUEST}}} > {critical:.10g}) or vector(0)",
            warns=limits(critical=1),
            width=6,
        ),
        number(
            "Oldest snapshot",
            "Age of the oldest snapshot of all.",
            f"max({_AGE}{{{OF_GUEST}}})",
            unit=Unit.SECONDS,
            warns=age,
            width=6,
            no_data=_NONE,
        ),
        number(
            "Snapshots",
            "Of all guests, those of backups included.",
            f"sum(guest:hypervisor_snapshots:count{{{OF_GUEST}}})",
            width=6,
        ),
        table(
            "Which snapshots are the oldest?",
            "Guests by the age of their oldest snapshot, with number, depth and size.",
            f"topk(50, {_AGE}{{{OF_GUEST}}})",
            f"guest:hypervisor_snapshots:count{{{OF_GUEST}}} > 0",
            f"guest:hypervisor_snapshot_chain_depth:count{{{OF_GUEST}}} > 0",
            f"guest:hypervisor_snapshots_size:bytes{{{OF_GUEST}}} > 0",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("platform", "Platform"),
                Column("target", "Target"),
                Column("Value #A", "Age of the oldest", Unit.SECONDS, age),
                Column("Value #B", "Snapshots", Unit.SHORT, limits(settings.snapshot_count)),
                Column("Value #C", "Depth", Unit.SHORT, limits(settings.snapshot_depth)),
                Column("Value #D", "Size", Unit.BYTES),
            ),
            no_data=_NONE,
        ),
        bars(
            "How old are they?",
            "Guests by the age of their oldest snapshot.",
            "\nor ".join(_aged(*each) for each in _AGES),
            "{{age}}",
            width=24,
        ),
    )


def _cost(settings: Settings) -> tuple[Panel, ...]:
    none = untold("the size of snapshots")
    return (
        course(
            "Do snapshots grow?",
            "Bytes that snapshots hold, by storage.",
            ('storage:hypervisor_snapshots_size:bytes{platform=~"$platform"}', "{{storage}}"),
            unit=Unit.BYTES,
            stacked=True,
            no_data=none,
        ),
        course(
            "Where will they fill the storage first?",
            "Snapshots' size over the storage's free space.",
            (
                'storage:hypervisor_snapshots_size:bytes{platform=~"$platform"}\n/ (storage:hypervisor_free:bytes > 0)',
                "{{storage}}",
            ),
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
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("Value", "Age", Unit.SECONDS, limits(settings.backup_snapshot_age)),
            ),
            width=12,
            no_data="no snapshot of a backup",
        ),
        table(
            "Which guests run on leftovers of snapshots?",
            "Disks that need consolidation, and overlays that no snapshot accounts for.",
            f"guest:hypervisor_consolidation_needed:bool{{{CHOSEN}}} == 1 or "
            f"guest:hypervisor_orphaned_overlays:count{{{CHOSEN}}} > 0",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("Value", "Disks"),
            ),
            width=12,
            no_data="no leftovers",
        ),
    )
