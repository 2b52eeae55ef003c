"""Does the exporter see everything, and what does it cost."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_UP = f"max by (target, platform) (hypervisor_target_up{{{CHOSEN}}})"
_LOCKED = f'max by (target) (hypervisor_target_breaker_state{{{CHOSEN}, state="auth_locked"}})'
_TAKEN = f"max by (target, platform, group) (hypervisor_target_collection_duration_seconds{{{CHOSEN}}})"
_AGE = f"target_group:hypervisor_data_age:seconds{{{CHOSEN}}}"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "exporter",
        "Exporter and targets",
        "Does the exporter see everything, and what does it cost.",
        (
            Row("Is every target collected?", _collected(settings)),
            Row("Which problems were found?", _problems()),
            Row("What does it cost?", _cost()),
        ),
        (PLATFORM, TARGET, MIN_STEP),
    )


def _collected(settings: Settings) -> tuple[Panel, ...]:
    return (
        number(
            "Targets that do not answer",
            "Endpoints that no exporter reaches.",
            f"count({_UP} == 0) or vector(0)",
            warns=limits(critical=1),
            width=6,
        ),
        number("Targets", "Endpoints that are configured.", f"count({_UP})", width=6),
        number(
            "Accounts that were refused",
            "Nothing is tried again before the secret or the configuration changes.",
            f"count({_LOCKED} == 1) or vector(0)",
            warns=limits(critical=1),
            width=6,
        ),
        number(
            "Data that is out of date",
            "Groups of targets that were not collected for three intervals.",
            f"count(target_group:hypervisor_data_expired:bool{{{CHOSEN}}} == 1) or vector(0)",
            warns=limits(1),
            width=6,
        ),
        table(
            "How is each target?",
            "Whether it answers, and how old its data is.",
            _UP,
            f"max by (target, platform) ({_AGE})",
            columns=(
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("Value #A", "Answers", Unit.BOOL),
                Column("Value #B", "Oldest data", Unit.SECONDS),
            ),
        ),
        course(
            "How do collections end?",
            "Collections per second, by outcome.",
            (
                (
                    f"sum by (outcome) (max by (target, group, outcome) "
                    f"(rate(hypervisor_target_collections_total{{{CHOSEN}}}[$__rate_interval])))"
                ),
                "{{outcome}}",
            ),
            unit=Unit.PER_SECOND,
            stacked=True,
        ),
        course(
            "How much of its interval does a collection take?",
            "Duration of the last collection over the interval.",
            (
                f"topk(15, {_TAKEN}\n/ on (target, platform, group) target_group:hypervisor_interval:seconds)",
                "{{target}} {{group}}",
            ),
            unit=Unit.SHARE,
            warns=limits(settings.collection_slow),
        ),
    )


def _problems() -> tuple[Panel, ...]:
    return (
        table(
            "What could not be collected?",
            "Objects with a problem in the last collection; the exporter's own page has a sentence for each.",
            f"max by (target, platform, group, problem) (hypervisor_target_problems{{{CHOSEN}}}) > 0",
            columns=(
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("group", "Group"),
                Column("problem", "Problem"),
                Column("Value", "Objects"),
            ),
            width=12,
            no_data="no problems",
        ),
        table(
            "When do certificates end, and are clocks right?",
            "Days left of each endpoint's certificate, and how far its clock is off.",
            f"(min by (target) (hypervisor_target_tls_not_after_timestamp_seconds{{{CHOSEN}}}) - time())",
            f"max by (target) (hypervisor_target_clock_offset_seconds{{{CHOSEN}}})",
            columns=(
                Column("target", "Target"),
                Column("Value #A", "Certificate ends in", Unit.SECONDS),
                Column("Value #B", "Clock is off by", Unit.SECONDS),
            ),
            width=12,
            no_data=untold("of certificates and clocks"),
        ),
    )


def _cost() -> tuple[Panel, ...]:
    return (
        course(
            "How many requests does it make?",
            "Requests per second to each endpoint.",
            (
                (
                    f"sum by (target) (max by (target, operation) "
                    f"(rate(hypervisor_target_api_requests_total{{{CHOSEN}}}[$__rate_interval])))"
                ),
                "{{target}}",
            ),
            unit=Unit.PER_SECOND,
        ),
        course(
            "How long do endpoints work for it?",
            "Seconds per second that requests take at each endpoint.",
            (
                (
                    f"sum by (target) (max by (target, operation) "
                    f"(rate(hypervisor_target_api_request_seconds_total{{{CHOSEN}}}[$__rate_interval])))"
                ),
                "{{target}}",
            ),
            unit=Unit.SECONDS,
        ),
        course(
            "How many series does it show?",
            "Series of each exporter.",
            ("sum by (instance) (hypervisor_exporter_series)", "{{instance}}"),
            no_data=untold("of the exporter itself"),
        ),
        course(
            "How much CPU do its workers use?",
            "Cores in use, by exporter.",
            (
                "sum by (instance) (rate(hypervisor_exporter_worker_cpu_seconds_total[$__rate_interval]))",
                "{{instance}}",
            ),
            no_data=untold("of the exporter itself"),
        ),
        course(
            "How much memory do its workers use?",
            "Resident memory, by exporter.",
            ("sum by (instance) (hypervisor_exporter_worker_resident_memory_bytes)", "{{instance}}"),
            unit=Unit.BYTES,
            no_data=untold("of the exporter itself"),
        ),
        course(
            "Do calls hang, do workers restart, are series left out?",
            "All three should be 0.",
            ("sum by (instance) (hypervisor_exporter_abandoned_calls)", "{{instance}} calls that hang"),
            (
                "sum by (instance) (increase(hypervisor_exporter_worker_restarts_total[1h]))",
                "{{instance}} restarts in an hour",
            ),
            (
                "sum by (instance) (increase(hypervisor_exporter_series_dropped_total[1h]))",
                "{{instance}} series left out in an hour",
            ),
            no_data=untold("of the exporter itself"),
        ),
    )
