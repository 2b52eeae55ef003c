"""Which snapshots were forgotten, what they cost, and where they will fill the storage."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Limit, Panel, Row, Unit
from dashboards.lib.panels import course, limits, number, table
from dashboards.lib.variables import CHOSEN, COMPUTE_CLUSTER, GUEST, HOST, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_AGE = "guest:hypervisor_oldest_snapshot:age_seconds"
_GUEST = f'{CHOSEN}, guest=~"$guest"'


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return Dashboard(
        "snapshots",
        "Snapshots",
        "Which snapshots were forgotten, what they cost, and where they will fill the storage.",
        (Row("What is forgotten", _forgotten(settings, age)), Row("What they cost", _cost())),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, HOST, GUEST, MIN_STEP),
    )


def _forgotten(settings: Settings, age: tuple[Limit, ...]) -> tuple[Panel, ...]:
    return (
        number(
            "Guests with a snapshot that is too old",
            f"Guests whose oldest snapshot is older than {settings.snapshot_age_warning / 86400:g} days.",
            f"count({_AGE}{{{_GUEST}}} > {settings.snapshot_age_warning:.10g}) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Oldest snapshot",
            "Age of the oldest snapshot of all.",
            f"max({_AGE}{{{_GUEST}}})",
            unit=Unit.SECONDS,
            warns=age,
            no_data="no guest has a snapshot",
        ),
        table(
            "Which snapshots are the oldest?",
            "Guests by the age of their oldest snapshot.",
            f"topk(50, {_AGE}{{{_GUEST}}})",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("platform", "Platform"),
                Column("target", "Target"),
                Column("Value", "Age", Unit.SECONDS, age),
            ),
            no_data="no guest has a snapshot",
        ),
    )


def _cost() -> tuple[Panel, ...]:
    return (
        course(
            "Do snapshots grow?",
            "Bytes that snapshots hold, by storage.",
            (
                (
                    f"sum by (platform, storage) (max by (target, platform, storage, storage_id) "
                    f"(hypervisor_storage_snapshots_size_bytes{{{CHOSEN}}}))"
                ),
                "{{storage}}",
            ),
            unit=Unit.BYTES,
            stacked=True,
            no_data="no data because the platform does not tell the size of snapshots",
        ),
    )
