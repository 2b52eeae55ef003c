"""Does the exporter see everything, and what does it cost."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import because, course, enough, how_many, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, MIN_STEP, PLATFORM, TARGET, rate
from dashboards.rules.settings import Settings

_UP = f"hypervisor_target_up{{{CHOSEN}}}"
_OWN = because("no exporter's own metrics are there: is its /metrics scraped without a target?")
_LOCKED = f'max by (target) (hypervisor_target_breaker_state{{{CHOSEN}, state="auth_locked"}})'
_TAKEN = f"max by (target, platform, group) (hypervisor_target_collection_duration_seconds{{{CHOSEN}}})"
_FAMILY, _FAILED = "hypervisor_target_collections_total", f'{CHOSEN}, outcome!="success"'
_ALARM, _LICENCE = "target, severity", "target, license, license_id"
_AGE = f"target_group:hypervisor_data_age:seconds{{{CHOSEN}}}"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "exporter",
        "Exporter and targets",
        "Does the exporter see everything, and what does it cost.",
        (
            Row("Is every target collected?", _collected(settings)),
            Row("Which problems were found?", _problems(settings)),
            Row("What does it cost?", _cost()),
        ),
        (PLATFORM, TARGET, MIN_STEP),
    )


def _collected(settings: Settings) -> tuple[Panel, ...]:
    return (
        number(
            "Targets down",
            "Endpoints that no exporter reaches.",
            how_many(f"max by (target) ({_UP})", "== 0"),
            warns=limits(critical=1),
            no_data=untold("of targets"),
            width=6,
        ),
        number(
            "Targets",
            "Endpoints that are configured.",
            f"count(max by (target) ({_UP}))",
            width=6,
            no_data=untold("of targets"),
        ),
        number(
            "Accounts that were refused",
            "They are locked until the secret changes.",
            f"count({_LOCKED} == 1) or 0 * count(max by (target) ({_UP}))",
            warns=limits(critical=1),
            no_data=untold("of targets"),
            width=6,
        ),
        number(
            "Data that is out of date",
            "Groups not collected for three intervals.",
            f"sum(target_group:hypervisor_data_expired:bool{{{CHOSEN}}})",
            warns=limits(1),
            no_data=untold("how old its data is"),
            width=6,
        ),
        table(
            "How is each target?",
            "Whether it answers, how old its data is, and what it shows.",
            _UP,
            f'target_group:hypervisor_data_age:seconds{{{CHOSEN}, group="vitals"}}',
            f"{_AGE} / on (target, platform, group) target_group:hypervisor_interval:seconds",
            *(f'hypervisor_target_objects{{{CHOSEN}, kind="{kind}"}}' for kind in ("hosts", "guests", "storages")),
            f"sum by (target, platform) (max by (target, platform, group, problem) "
            f"(hypervisor_target_problems{{{CHOSEN}}})) or 0 * {_UP}",
            by="target, platform",
            columns=(
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("Value #A", "Answers", Unit.BOOL, width=100),
                Column("Value #B", "Age of vitals", Unit.SECONDS, width=130),
                Column("Value #C", "Oldest group, in intervals", Unit.NUMBER, limits(3), width=210, decimals=1),
                Column("Value #D", "Hosts", width=90),
                Column("Value #E", "Guests", width=90),
                Column("Value #F", "Storages", width=90),
                Column("Value #G", "Problems", Unit.NUMBER, limits(1), width=100),
            ),
            sort="-Answers",
        ),
        course(
            "Which collections do not succeed?",
            "Collections per minute by outcome, without those that succeed.",
            (
                f"60 * sum by (target, outcome) ({rate(_FAMILY, _FAILED, 'group', 'outcome')}) > 0",
                "{{target}} {{outcome}}",
            ),
            unit=Unit.PER_MINUTE,
            no_data=because("no collection is known to fail"),
        ),
        course(
            "How much of its interval does a collection take?",
            "Duration of the last collection over the interval; the slowest group of each target.",
            (
                f"max by (target) ({_TAKEN}\n/ on (target, platform, group) target_group:hypervisor_interval:seconds)",
                "{{target}}",
            ),
            unit=Unit.SHARE,
            warns=limits(settings.collection_slow),
        ),
    )


def _problems(settings: Settings) -> tuple[Panel, ...]:
    return (
        table(
            "What could not be collected?",
            "Objects with a problem in the last collection; the exporter's own page has a sentence for each.",
            f"max by (target, platform, group, problem) (hypervisor_target_problems{{{CHOSEN}}}) > 0",
            by="target, platform, group, problem",
            columns=(
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("group", "Group"),
                Column("problem", "Problem"),
                Column("Value", "Objects"),
            ),
            width=12,
            no_data=because("no problem is known"),
        ),
        table(
            "When do certificates end, and are clocks right?",
            "Time left of each endpoint's certificate, and how far its clock is off the exporter's.",
            f"min by (target) (hypervisor_target_tls_not_after_timestamp_seconds{{{CHOSEN}}}) - time()",
            f"max by (target) (abs(hypervisor_target_clock_offset_seconds{{{CHOSEN}}}))",
            by="target",
            columns=(
                Column("target", "Target"),
                Column("Value #A", "Certificate ends in", Unit.SECONDS, enough(settings.certificate_left)),
                Column("Value #B", "Clock is off by", Unit.SECONDS, limits(settings.clock_offset)),
            ),
            width=12,
            no_data=untold("of certificates and clocks"),
        ),
        table(
            "Which alarms does the endpoint itself raise?",
            "Alarms that are triggered in a vCenter, of everything that it manages; its own client says which.",
            *(
                f'max by ({_ALARM}) (hypervisor_vsphere_alarms{{{CHOSEN}, acknowledged="{known}"}}) > 0'
                for known in (0, 1)
            ),
            by=_ALARM,
            columns=(
                Column("target", "Target"),
                Column("severity", "Severity", width=90),
                Column("Value #A", "Nobody knows of", Unit.NUMBER, limits(1), width=150),
                Column("Value #B", "Acknowledged", width=130),
            ),
            width=7,
            no_data=because("no alarm is known"),
        ),
        table(
            "Which rights does an account lack?",
            "Objects of which something cannot be read, by the right that would allow it.",
            f"max by (target, right) (hypervisor_vsphere_missing_rights{{{CHOSEN}}}) > 0",
            by="target, right",
            columns=(Column("target", "Target"), Column("right", "Right"), Column("Value", "Objects", width=100)),
            width=6,
            no_data=because("no right is known to be missing"),
        ),
        table(
            "Do licences last?",
            "What is taken of each licence, in its own unit, and the time that is left.",
            _licence("used"),
            _licence("capacity"),
            f"{_licence('expiration_timestamp_seconds')} - time()",
            by=_LICENCE,
            columns=(
                Column("license", "Licence"),
                Column("target", "Target", width=150),
                Column("Value #A", "Taken", width=80),
                Column("Value #B", "Allowed", width=90),
                Column("Value #C", "Ends in", Unit.SECONDS, enough(settings.certificate_left), width=110),
            ),
            width=11,
            sort="-Ends in",
            no_data=untold("of licences"),
        ),
    )


def _licence(what: str) -> str:
    return f"max by ({_LICENCE}) (hypervisor_vsphere_license_{what}{{{CHOSEN}}})"


def _asked(what: str) -> str:
    """Over an hour, because most groups are collected every few minutes only."""
    family = f"hypervisor_target_api_{what}_total{{{CHOSEN}}}"
    return f"sum by (target) (max by (target, operation) (rate({family}[1h])))"


def _cost() -> tuple[Panel, ...]:
    return (
        course(
            "How many requests does it make?",
            "Requests per second to each endpoint, mean of an hour.",
            (_asked("requests"), "{{target}}"),
            unit=Unit.PER_SECOND,
        ),
        course(
            "How long do endpoints work for it?",
            "Share of the time that an endpoint has a request of the exporter to answer, mean of an hour.",
            (_asked("request_seconds"), "{{target}}"),
            unit=Unit.SHARE,
        ),
        course(
            "How many series does it show?",
            "Series of each exporter.",
            ("sum by (instance) (hypervisor_exporter_series)", "{{instance}}"),
            no_data=_OWN,
        ),
        course(
            "How much CPU do its workers use?",
            "Cores in use, by exporter.",
            (
                "sum by (instance) (rate(hypervisor_exporter_worker_cpu_seconds_total[$__rate_interval]))",
                "{{instance}}",
            ),
            no_data=_OWN,
        ),
        course(
            "How much memory do its workers use?",
            "Resident memory, by exporter.",
            ("sum by (instance) (hypervisor_exporter_worker_resident_memory_bytes)", "{{instance}}"),
            unit=Unit.BYTES,
            no_data=_OWN,
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
            no_data=_OWN,
        ),
    )
