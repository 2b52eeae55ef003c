"""Whether the exporter sees what it is meant to see."""

from __future__ import annotations

from dashboards.rules.alerts.words import COUNT, DURATION, HOUR, MINUTE, NUMBER, TARGET, days, number, short
from dashboards.rules.expressions import GUEST, PLACES
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import RATE_INTERVALS, Settings

_DASHBOARD = "exporter"
_GUESTS = f'{PLACES[GUEST]}{{host_id!=""}}'
_DROPS, _DROPPED = "hypervisor_exporter_series_dropped_total", "instance, job, target, reason"
_OF_LICENSE = "target, platform, license, license_id"
_LICENSE_END = f"min by ({_OF_LICENSE}) (hypervisor_vsphere_license_expiration_timestamp_seconds)"
_LICENSE = "{{ $labels.license }} ({{ $labels.license_id }})"
_WHY = "`hypervisor_target_collections_total` by outcome and the page of the exporter say why."


def alerts(settings: Settings) -> tuple[Alert, ...]:
    """About targets first, then about the exporter itself."""
    return (*_reached(), *_told(settings), *_timely(settings), *_exporter(settings))


def _target(  # the exceptions come last
    name: str, expr: str, severity: Severity, summary: str, description: str, wait: float = 10 * MINUTE
) -> Alert:
    return Alert(name, expr, severity, Level.TARGET, summary, description, wait, 5 * MINUTE, dashboard=_DASHBOARD)


def _reached() -> tuple[Alert, ...]:
    return (
        _target(
            "HypervisorTargetDown",
            "max by (target, platform) (hypervisor_target_up) == 0",
            Severity.CRITICAL,
            f"{TARGET} does not answer",
            f"No exporter has reached {TARGET} for 5 minutes. Nothing is known of its hosts and guests meanwhile. {_WHY}",
            5 * MINUTE,
        ),
        _target(
            "HypervisorTargetNeverCollected",
            "max by (target, platform, group) (hypervisor_target_interval_seconds)\n"
            "unless on (target, group) max by (target, group) (hypervisor_target_last_success_timestamp_seconds)",
            Severity.WARNING,
            f"{TARGET}: {{{{ $labels.group }}}} was never collected",
            f"{TARGET} is configured, but its {{{{ $labels.group }}}} was never collected successfully. {_WHY}",
            15 * MINUTE,
        ),
        _target(
            "HypervisorTargetDataOld",
            "target_group:hypervisor_data_expired:bool == 1\n"
            "and on (target) max by (target) (hypervisor_target_up) == 1",
            Severity.WARNING,
            f"{TARGET}: {{{{ $labels.group }}}} is out of date",
            f"{TARGET} answers, but its {{{{ $labels.group }}}} was not collected for more than three intervals. {_WHY}",
        ),
        _target(
            "HypervisorTargetLoginRefused",
            'max by (target, platform) (hypervisor_target_breaker_state{state="auth_locked"}) == 1',
            Severity.CRITICAL,
            f"{TARGET} refused the account",
            f"{TARGET} refused the user name or password. To keep the account from being locked, nothing is tried again "
            "before the secret or the configuration changes.",
            MINUTE,
        ),
    )


def _told(settings: Settings) -> tuple[Alert, ...]:
    problems = 'max by (target, platform) (hypervisor_target_problems{{problem="{}"}}) > 0'
    return (
        _target(
            "HypervisorTargetRightsMissing",
            problems.format("missing_right"),
            Severity.INFO,
            f"{TARGET}: the account lacks rights",
            f"The account at {TARGET} may not read {NUMBER} objects; their values are absent. `hypervisor-exporter check "
            "--connect` names each missing right.",
            HOUR,
        ),
        _target(
            "HypervisorTargetBlindSpot",
            problems.format("blind_spot"),
            Severity.WARNING,
            f"{TARGET} has more than the account sees",
            f"{TARGET} counts {NUMBER} more objects than it shows to the account. Sums and overcommit are too low; "
            "the warnings of overcommit are silent for this target.",
            30 * MINUTE,
        ),
        # The same guest on the same host: one that moves is on two, and a host may well have two drivers of libvirt.
        _target(
            "HypervisorTargetsOverlap",
            f"{problems.format('overlapping_target')}\n"
            f"or count by (target, platform) ({_GUESTS} and on (platform, host_id, guest_id)\n"
            f"  count by (platform, host_id, guest_id) ({_GUESTS}) > 1)",
            Severity.WARNING,
            f"{TARGET} is watched twice",
            f"Another target shows the same estate as {TARGET}, or a part of it: guests and hosts count twice, and every "
            "alert on them comes twice. Remove one of them.",
            30 * MINUTE,
        ),
        _target(
            "HypervisorTargetTlsUnverified",
            "max by (target, platform) (hypervisor_target_tls_verified) == 0",
            Severity.INFO,
            f"The certificate of {TARGET} is not verified",
            f"The configuration turns off the verification of {TARGET}'s certificate: a password could be sent to "
            "anybody. Give the CA's file instead.",
            HOUR,
        ),
        _target(
            "HypervisorTargetCertificateEnds",
            "min by (target, platform) (hypervisor_target_tls_not_after_timestamp_seconds) - time() < "
            f"{number(settings.certificate_left)}",
            Severity.WARNING,
            f"The certificate of {TARGET} ends in {DURATION}",
            f"The certificate of {TARGET} ends in {DURATION}; from then on it is not collected. "
            f"The limit is {days(settings.certificate_left)}.",
            HOUR,
        ),
        _target(
            "HypervisorLicenseEnds",
            # What is over and unused is nobody's trouble: a vCenter lists its evaluation for ever.
            f"({_LICENSE_END} - time() < {number(settings.certificate_left)})\n"
            f"unless (max by ({_OF_LICENSE}) (hypervisor_vsphere_license_used) == 0 and {_LICENSE_END} < time())",
            Severity.WARNING,
            f"Licence {_LICENSE} of {TARGET} ends in {DURATION}",
            f"Licence {_LICENSE} of {TARGET} ends in {DURATION}; the limit is {days(settings.certificate_left)}. From then on "
            "its hosts are disconnected, and guests that stop cannot be started.",
            HOUR,
        ),
        _target(
            "HypervisorAlarmsTriggered",
            'max by (target, platform) (hypervisor_vsphere_alarms{severity="red",acknowledged="0"}) > 0',
            Severity.WARNING,
            f"{TARGET} has {NUMBER} red alarms that nobody has acknowledged",
            f"{TARGET} has {NUMBER} red alarms of its own that nobody has acknowledged. They may be about what no other alert "
            "sees: vSAN, networks, hardware, services of the vCenter.",
            15 * MINUTE,
        ),
        _target(
            "HypervisorTargetClockSkew",
            f"max by (target, platform) (abs(hypervisor_target_clock_offset_seconds)) > {number(settings.clock_offset)}",
            Severity.WARNING,
            f"The clock of {TARGET} is {DURATION} off",
            f"The clocks of {TARGET} and of the exporter differ by {DURATION}; the limit is "
            f"{short(settings.clock_offset)}. Ages of snapshots, certificates and Kerberos are wrong. Check NTP on both.",
            30 * MINUTE,
        ),
    )


def _timely(settings: Settings) -> tuple[Alert, ...]:
    return (
        _target(
            "HypervisorCollectionSlow",
            "max by (target, platform, group) (hypervisor_target_collection_duration_seconds)\n"
            f"/ on (target, platform, group) target_group:hypervisor_interval:seconds > {number(settings.collection_slow)}",
            Severity.WARNING,
            f"{TARGET}: {{{{ $labels.group }}}} takes nearly its whole interval",
            f"Collecting {{{{ $labels.group }}}} of {TARGET} takes {{{{ $value | humanizePercentage }}}} of its interval; "
            f"the limit is {settings.collection_slow:.0%}. Lengthen the interval or collect fewer families.",
            30 * MINUTE,
        ),
        _target(
            "HypervisorCollectionsSkipped",
            "max by (target, platform, group) "
            '(increase(hypervisor_target_collections_total{outcome="skipped"}[1h])) > '
            f"{number(settings.collections_skipped)}",
            Severity.WARNING,
            f"{TARGET}: {{{{ $labels.group }}}} misses its turns",
            f"{COUNT} collections of {{{{ $labels.group }}}} of {TARGET} were left out in the last hour, "
            f"as the one before still ran; the limit is {settings.collections_skipped:g}.",
            15 * MINUTE,
        ),
        _target(
            "HypervisorRateWindowTooShort",
            f'max by (target, platform) (hypervisor_target_interval_seconds{{group="vitals"}}) * {RATE_INTERVALS} > '
            f"{number(settings.rate_window)}",
            Severity.INFO,
            f"{TARGET} is collected too rarely for the rules' rates",
            f"Rates need five collections of {TARGET}, which take {DURATION}, and the rules look back {settings.window()}. "
            "Make the rules with a longer --rate-window, or collect more often.",
            HOUR,
        ),
    )


def _exporter(settings: Settings) -> tuple[Alert, ...]:
    def alert(  # each is about one exporter
        name: str, expr: str, severity: Severity, summary: str, description: str, wait: float = 15 * MINUTE
    ) -> Alert:
        return Alert(name, expr, severity, Level.EXPORTER, summary, description, wait, 5 * MINUTE, dashboard=_DASHBOARD)

    who = "exporter {{ $labels.instance }}"
    return (
        alert(
            "HypervisorExporterAbsent",
            "absent(hypervisor_exporter_build_info)",
            Severity.CRITICAL,
            "No hypervisor-exporter is scraped",
            "Prometheus has no series of any hypervisor-exporter: all other alerts of this file are silent.",
            5 * MINUTE,
        ),
        alert(
            "HypervisorExporterReloadFailed",
            "max by (instance, job) (hypervisor_exporter_config_last_reload_successful) == 0",
            Severity.WARNING,
            f"{who} works with an old configuration",
            f"The last reload of {who} failed, the configuration before is in force. Its log names every mistake; "
            "`hypervisor-exporter check` does so too.",
            5 * MINUTE,
        ),
        alert(
            "HypervisorExporterCallsAbandoned",
            "max by (instance, job) (hypervisor_exporter_abandoned_calls) > 0",
            Severity.WARNING,
            f"{NUMBER} calls of {who} hang",
            f"{NUMBER} calls of {who} did not return by their deadline and were left behind. An endpoint does not "
            "answer what it was asked.",
            30 * MINUTE,
        ),
        alert(
            "HypervisorExporterWorkersRestart",
            "sum by (instance, job) (increase(hypervisor_exporter_worker_restarts_total[1h])) > "
            f"{number(settings.worker_restarts)}",
            Severity.WARNING,
            f"Workers of {who} restart again and again",
            f"Workers of {who} were started anew {COUNT} times in the last hour; the limit is "
            f"{settings.worker_restarts:g}. Its log says which target they had.",
        ),
        alert(
            "HypervisorExporterSeriesDropped",
            # A family with labels begins with its first drop, which is no increase to Prometheus.
            f"(max by ({_DROPPED}) (last_over_time({_DROPS}[10m]))\n"
            f"  unless max by ({_DROPPED}) (last_over_time({_DROPS}[10m] offset 1h))) > 0\n"
            f"or sum by ({_DROPPED}) (increase({_DROPS}[1h])) > 0",
            Severity.WARNING,
            "{{ $labels.target }}: series are left out ({{ $labels.reason }})",
            f"{COUNT} series of {{{{ $labels.target }}}} were left out ({{{{ $labels.reason }}}}) in the last hour. With the reason "
            "`budget` the target is over `limits`, and whole families are missing.",
            5 * MINUTE,
        ),
        alert(
            "HypervisorExporterShardMissing",
            "max by (job) (hypervisor_exporter_shards)\n"
            '- count by (job) (count_values by (job) ("shard", hypervisor_exporter_shard_index)) > 0',
            Severity.CRITICAL,
            "{{ $value | humanize }} shards are missing",
            "The targets are divided among more exporters than are scraped: those of the missing ones are not watched.",
            5 * MINUTE,
        ),
    )
