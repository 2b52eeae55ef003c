"""Which storage fills, which was promised more than once, and which nobody reaches."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, MIN_STEP, PLATFORM, STORAGE, TARGET
from dashboards.rules.settings import Settings

_OF = 'platform=~"$platform", storage=~"$storage"'
"""One storage may be seen by several targets, so its recorded series name none."""


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "storage",
        "Storage",
        "Which storage fills, which was promised more than once, and which nobody reaches.",
        (
            Row("Is there room?", _room(settings)),
            Row("When will it be full?", _filling(settings)),
            Row("Which guests take the space?", _takers()),
        ),
        (PLATFORM, TARGET, STORAGE, MIN_STEP),
    )


def _room(settings: Settings) -> tuple[Panel, ...]:
    used = limits(settings.storage_used_warning, settings.storage_used_critical)
    return (
        number(
            "Storages that are nearly full",
            f"More than {settings.storage_used_warning:.0%} used.",
            f"count(storage:hypervisor_used:ratio{{{_OF}}} > {settings.storage_used_warning:g}) or vector(0)",
            warns=limits(1),
        ),
        number("Capacity", "Of all storages.", f"sum(storage:hypervisor_capacity:bytes{{{_OF}}})", unit=Unit.BYTES),
        number("Free", "Of all storages.", f"sum(storage:hypervisor_free:bytes{{{_OF}}})", unit=Unit.BYTES),
        number(
            "Promised",
            "What thin disks may grow to, and what is used.",
            f"sum(storage:hypervisor_provisioned:bytes{{{_OF}}})",
            unit=Unit.BYTES,
            no_data=untold("what was promised"),
        ),
        number(
            "Storages out of reach",
            "No host reaches them, or their pool is not active.",
            f"count(max by (target, storage_id) (hypervisor_storage_accessible{{{CHOSEN}, {_OF}}}) == 0) or vector(0)",
            warns=limits(critical=1),
        ),
        number(
            "Snapshots",
            "Bytes that snapshots hold.",
            f"sum(storage:hypervisor_snapshots_size:bytes{{{_OF}}})",
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
        table(
            "Which storage is the fullest?",
            "Used share, free space, what was promised, and when it is full at the pace of the last 6 hours.",
            f"storage:hypervisor_used:ratio{{{_OF}}}",
            f"storage:hypervisor_free:bytes{{{_OF}}}",
            f"storage:hypervisor_overcommit:ratio{{{_OF}}}",
            f"storage:hypervisor_until_full:seconds{{{_OF}}}",
            columns=(
                Column("storage", "Storage"),
                Column("platform", "Platform"),
                Column("Value #A", "Used", Unit.SHARE, used),
                Column("Value #B", "Free", Unit.BYTES),
                Column("Value #C", "Promised", Unit.SHARE, limits(settings.storage_overcommit)),
                Column("Value #D", "Full in", Unit.SECONDS),
            ),
        ),
    )


def _filling(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How full is each storage?",
            "Share of the capacity that is used.",
            (f"storage:hypervisor_used:ratio{{{_OF}}}", "{{storage}}"),
            unit=Unit.SHARE,
            warns=limits(settings.storage_used_warning, settings.storage_used_critical),
            highest=1,
        ),
        course(
            "How long until it is full?",
            "At the pace of the last 6 hours; a storage that does not fill has no line.",
            (
                f"storage:hypervisor_until_full:seconds{{{_OF}}} < 90 * 86400",
                "{{storage}}",
            ),
            unit=Unit.SECONDS,
            no_data="nothing fills within 90 days",
        ),
        course(
            "How much was promised?",
            "What thin disks may grow to over the capacity.",
            (f"storage:hypervisor_overcommit:ratio{{{_OF}}}", "{{storage}}"),
            unit=Unit.SHARE,
            warns=limits(settings.storage_overcommit),
            no_data=untold("what was promised"),
        ),
        course(
            "How much of it are snapshots?",
            "Bytes that snapshots hold, by storage.",
            (f"storage:hypervisor_snapshots_size:bytes{{{_OF}}}", "{{storage}}"),
            unit=Unit.BYTES,
            stacked=True,
            no_data=untold("the size of snapshots"),
        ),
    )


def _takers() -> tuple[Panel, ...]:
    disks = (
        f"max by (target, guest, guest_id, disk) (hypervisor_guest_disk_allocated_bytes{{{CHOSEN}}})\n"
        "* on (target, guest_id, disk) group_left (storage) max by (target, guest_id, disk, storage) "
        f'(hypervisor_guest_disk_info{{{CHOSEN}, storage=~"$storage"}})'
    )
    return (
        bars(
            "Which guests take the most space?",
            "Bytes that the guest's disks occupy.",
            f"topk(15, sum by (target, guest) ({disks}))",
            "{{guest}}",
            unit=Unit.BYTES,
            no_data=untold("what disks occupy"),
        ),
        bars(
            "Which guests' snapshots take the most space?",
            "Bytes that the guest's snapshots hold.",
            f"topk(15, guest:hypervisor_snapshots_size:bytes{{{CHOSEN}}})",
            "{{guest}}",
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
    )
