"""What is known of a target's data: how old it is, and whether what was recorded last still counts."""

from __future__ import annotations

from dashboards.rules.expressions import HELD, ROUTED
from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

INTERVAL, AGE = "target_group:hypervisor_interval:seconds", "target_group:hypervisor_data_age:seconds"
_TOLD, _SUCCESS = "hypervisor_target_interval_seconds", "hypervisor_target_last_success_timestamp_seconds"
_BY = "target, platform, group"
_GAP = "10m"
"""What an exporter may need to start again: its targets are those it had."""


def records(settings: Settings) -> tuple[Record, ...]:
    """Rules that all others build upon."""
    hold = settings.held()
    return (
        Record(
            INTERVAL,
            f"max by ({_BY}) (last_over_time({_TOLD}[{_GAP}]))\n"
            f"or (max by ({_BY}) (last_over_time({_TOLD}[{hold}])) and on () absent(hypervisor_exporter_build_info))",
        ),
        Record(
            # An exporter that starts while a target is down does not know when it was last collected; Prometheus does.
            AGE,
            f"time() - max by ({_BY}) (last_over_time({_SUCCESS}[{hold}]))\nand on (target, group) {INTERVAL}",
        ),
        Record("target_group:hypervisor_data_expired:bool", f"{AGE} > bool 3 * {INTERVAL}"),
        # Age is measured at the scrape: the page that shows a fresh success is the one that lacks what was removed.
        Record(
            HELD,
            f"({AGE} <= bool {settings.hold:.10g})\nunless on (target, group) (\n"
            f"  min by (target, group) (timestamp({_SUCCESS}) - {_SUCCESS})\n"
            f"  <= 1.5 * max by (target, group) ({INTERVAL}))",
        ),
        Record(
            "target:hypervisor_blind_spot:bool",
            'max by (target) (hypervisor_target_problems{problem="blind_spot"}) > bool 0',
        ),
        *_routed(settings),
    )


def _routed(settings: Settings) -> tuple[Record, ...]:
    """One series for each target: two exporters may not have read the same configuration yet."""
    if not settings.target_labels:
        return ()
    found = f"max by (target, {', '.join(settings.target_labels)}) (last_over_time(hypervisor_target_info[{{}}]))"
    return (
        Record(
            ROUTED,
            f"topk by (target) (1, {found.format(_GAP)})\n"
            f"or on (target) topk by (target) (1, {found.format(settings.held())}\n"
            f"  and on (target) {HELD} == 1)",
        ),
    )
