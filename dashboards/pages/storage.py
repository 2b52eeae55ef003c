"""Which storage fills, which was promised more than once, and which nobody reaches."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, because, course, enough, how_many, limits, number, table, untold
from dashboards.lib.variables import (
    CHOSEN,
    MIN_STEP,
    OF_STORAGE,
    PLATFORM,
    SEEN_STORAGE,
    STORAGE,
    TARGET,
    among,
    top,
    value,
)
from dashboards.rules.settings import Settings

_RAW = f"{CHOSEN}, {among('storage')}"
_NAME = "{{storage}} ({{platform}})"
_UNTIL_FULL = (
    "storage:hypervisor_until_full:seconds\n"
    f"* on (platform, storage_key) group_left (storage) storage:hypervisor_info:named{{{OF_STORAGE}}}"
)
_NO_STORAGE = untold("of storage")


def _of(what: str) -> str:
    """A recorded series of the chosen storages."""
    return f"storage:hypervisor_{what}{{{OF_STORAGE}}}"


def _sum(what: str) -> str:
    return f"sum({_of(what)}{SEEN_STORAGE})"


def _top(what: str) -> str:
    return top(15, _of(what), SEEN_STORAGE)


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
        since="now-7d",
    )


def _room(settings: Settings) -> tuple[Panel, ...]:
    used = limits(settings.storage_used_warning, settings.storage_used_critical)
    return (
        number(
            "Storages nearly full",
            f"More than {settings.storage_used_warning:.0%} used.",
            how_many(f"{_of('used:ratio')}{SEEN_STORAGE}", f"> {settings.storage_used_warning:g}"),
            warns=limits(1),
            no_data=_NO_STORAGE,
        ),
        number("Capacity", "Of all storages.", _sum("capacity:bytes"), unit=Unit.BYTES, no_data=_NO_STORAGE),
        number("Free", "Of all storages.", _sum("free:bytes"), unit=Unit.BYTES, no_data=_NO_STORAGE),
        number(
            "Promised",
            "What disks may grow to.",
            _sum("provisioned:bytes"),
            unit=Unit.BYTES,
            no_data=untold("what was promised"),
        ),
        number(
            "Storages out of reach",
            "Or with an inactive pool.",
            how_many(value("hypervisor_storage_accessible", _RAW, "storage_id"), "== 0"),
            warns=limits(critical=1),
            no_data=_NO_STORAGE,
        ),
        number(
            "Snapshots",
            "Bytes that snapshots hold.",
            _sum("snapshots_size:bytes"),
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
        table(
            "Which storage is the fullest?",
            "Used share, free space, what was promised, and when it is full at the pace of the last 6 hours.",
            *(
                f"{_of(what)}{SEEN_STORAGE}"
                for what in ("used:ratio", "free:bytes", "overcommit:ratio", "capacity:bytes", "snapshots_size:bytes")
            ),
            f"{_UNTIL_FULL}{SEEN_STORAGE}",
            by="platform, storage, storage_key",
            columns=(
                Column("storage", "Storage"),
                Column("platform", "Platform"),
                Column("storage_key", "Key"),
                Column("Value #A", "Used", Unit.SHARE, used, width=100),
                Column("Value #B", "Free", Unit.BYTES, width=110),
                Column("Value #D", "Capacity", Unit.BYTES, width=110),
                Column("Value #C", "Promised", Unit.SHARE, limits(settings.storage_overcommit), width=110),
                Column("Value #E", "Snapshots", Unit.BYTES, width=110),
                Column("Value #F", "Full in", Unit.SECONDS, enough(settings.storage_full_within), width=130),
            ),
            sort="Used",
        ),
    )


def _filling(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How full is each storage?",
            "Share of the capacity that is used; the 15 fullest.",
            (_top("used:ratio"), _NAME),
            unit=Unit.SHARE,
            warns=limits(settings.storage_used_warning, settings.storage_used_critical),
            highest=1,
        ),
        course(
            "How long until it is full?",
            "At the pace of the last 6 hours; only what is full within 90 days.",
            (f"{_UNTIL_FULL} < 90 * 86400{SEEN_STORAGE}", _NAME),
            unit=Unit.SECONDS,
            no_data=because("no storage is known to fill within 90 days"),
        ),
        course(
            "How much was promised?",
            "What is used and what thin disks may grow by, over the capacity; the 15 highest.",
            (_top("overcommit:ratio"), _NAME),
            unit=Unit.SHARE,
            warns=limits(settings.storage_overcommit),
            no_data=untold("what was promised"),
        ),
        course(
            "How much of it are snapshots?",
            "Bytes that snapshots hold; the 15 storages with the most.",
            (_top("snapshots_size:bytes"), _NAME),
            unit=Unit.BYTES,
            stacked=True,
            no_data=untold("the size of snapshots"),
        ),
    )


def _takers() -> tuple[Panel, ...]:
    disks = (
        f"max by (target, guest, guest_id, disk) (hypervisor_guest_disk_allocated_bytes{{{CHOSEN}}})\n"
        "* on (target, guest_id, disk) group_left (storage) topk by (target, guest_id, disk) (1, "
        f"max by (target, guest_id, disk, storage) (hypervisor_guest_disk_info{{{CHOSEN}, {among('storage')}}}))"
    )
    return (
        bars(
            "Which guests take the most space?",
            "Bytes that the guest's disks occupy, now.",
            f"topk(9, sum by (target, guest) ({disks}))",
            "{{guest}}",
            unit=Unit.BYTES,
            no_data=untold("what disks occupy"),
        ),
        bars(
            "Which guests' snapshots take the most space?",
            "Bytes that the guest's snapshots hold, on any storage, now.",
            f"topk(9, guest:hypervisor_snapshots_size:bytes{{{CHOSEN}}})",
            "{{guest}}",
            unit=Unit.BYTES,
            no_data=untold("the size of snapshots"),
        ),
    )
