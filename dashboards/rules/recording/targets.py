"""What is known of a target's data: whether it is too old to be shown."""

from __future__ import annotations

from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings


def records(_settings: Settings) -> tuple[Record, ...]:
    """Rules that all others build upon."""
    return (
        Record(
            "target_group:hypervisor_interval:seconds",
            "max by (target, platform, group) (hypervisor_target_interval_seconds)",
        ),
        Record(
            "target_group:hypervisor_data_age:seconds",
            "time() - max by (target, platform, group) (hypervisor_target_last_success_timestamp_seconds)",
        ),
        Record(
            "target_group:hypervisor_data_expired:bool",
            "target_group:hypervisor_data_age:seconds > bool 3 * target_group:hypervisor_interval:seconds",
        ),
        Record(
            "target:hypervisor_blind_spot:bool",
            'max by (target) (hypervisor_target_problems{problem="blind_spot"}) > bool 0',
        ),
    )
