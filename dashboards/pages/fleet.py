"""All of it at a glance: what is wrong, and where."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_OF_PLATFORM = 'platform=~"$platform"'
_RUNNING = f"max by (platform, guest_id) (hypervisor_guest_running{{{CHOSEN}}})"
_UP = f"max by (target, platform) (hypervisor_target_up{{{CHOSEN}}})"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "fleet",
        "Fleet overview",
        "All hypervisors at a glance: what is wrong, and where.",
        (
            Row("Is everything there?", _there()),
            Row("Is anything about to go wrong?", _wrong(settings)),
            Row("Is it busy?", _busy(settings)),
            Row("Where is the trouble?", _where(settings)),
        ),
        (PLATFORM, TARGET, MIN_STEP),
    )


def _there() -> tuple[Panel, ...]:
    return (
        number(
            "Targets that do not answer",
            "Endpoints that no exporter reaches.",
            f"count({_UP} == 0) or vector(0)",
            warns=limits(critical=1),
        ),
        number(
            "Hosts that are down",
            "Hosts that are down or not connected.",
            f"count(max by (target, host_id) (hypervisor_host_up{{{CHOSEN}}}) == 0) or vector(0)",
            warns=limits(critical=1),
        ),
        number("Hosts", "All hosts that are known.", f"count(host:hypervisor_info:placed{{{CHOSEN}}})"),
        number("Guests that run", "A guest that is moving counts once.", f"sum({_RUNNING})"),
        number("Guests", "Running or not; templates and replicas are left out.", f"count({_RUNNING} >= 0)"),
        number(
            "Guests that stand still",
            "Stopped by the hypervisor after an I/O error.",
            f"count(max by (target, guest_id) (hypervisor_guest_io_error{{{CHOSEN}}}) == 1) or vector(0)",
            warns=limits(critical=1),
        ),
    )


def _wrong(settings: Settings) -> tuple[Panel, ...]:
    age, memory = settings.snapshot_age_warning, settings.memory_overcommit
    return (
        number(
            "Guests with a snapshot that is too old",
            f"Older than {age / 86400:g} days.",
            f"count(guest:hypervisor_oldest_snapshot:age_seconds{{{CHOSEN}}} > {age:.10g}) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Hosts that are overcommitted",
            f"Guests may take more than {memory:.0%} of the host's memory.",
            f"count(host:hypervisor_memory_overcommit:ratio{{{CHOSEN}}} > {memory:g}) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Guests that wait for a CPU",
            f"More than {settings.guest_cpu_ready:.0%} of the time.",
            f"count(guest:hypervisor_cpu_ready:ratio_rate{{{CHOSEN}}} > {settings.guest_cpu_ready:g}) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Storages that are nearly full",
            f"More than {settings.storage_used_warning:.0%} used.",
            f"count(storage:hypervisor_used:ratio{{{_OF_PLATFORM}}} > {settings.storage_used_warning:g}) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Clusters that cannot lose a host",
            "Without their largest host guests would not start again.",
            "count(cluster:hypervisor_memory_n1_headroom:bytes < 0) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Alerts that fire",
            "Alerts of these rules that fire now.",
            'count(ALERTS{alertname=~"Hypervisor.*", alertstate="firing"}) or vector(0)',
            warns=limits(1),
        ),
    )


def _busy(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How busy are the hosts' CPUs?",
            "The busiest host and the mean of all, by platform.",
            (f"max by (platform) (host:hypervisor_cpu_busy:ratio_rate{{{CHOSEN}}})", "{{platform}} busiest"),
            (f"avg by (platform) (host:hypervisor_cpu_busy:ratio_rate{{{CHOSEN}}})", "{{platform}} mean"),
            unit=Unit.SHARE,
            warns=limits(settings.host_cpu),
            highest=1,
        ),
        course(
            "How full is the hosts' memory?",
            "The fullest host and the mean of all, by platform.",
            (f"max by (platform) (host:hypervisor_memory_used:ratio{{{CHOSEN}}})", "{{platform}} fullest"),
            (f"avg by (platform) (host:hypervisor_memory_used:ratio{{{CHOSEN}}})", "{{platform}} mean"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
        ),
        course(
            "How many guests run?",
            "Guests that run, by platform.",
            (f"sum by (platform) ({_RUNNING})", "{{platform}}"),
            stacked=True,
        ),
        course(
            "How full is the storage?",
            "The fullest storage of each platform.",
            (f"max by (platform) (storage:hypervisor_used:ratio{{{_OF_PLATFORM}}})", "{{platform}} fullest"),
            unit=Unit.SHARE,
            warns=limits(settings.storage_used_warning, settings.storage_used_critical),
            highest=1,
        ),
    )


def _where(settings: Settings) -> tuple[Panel, ...]:
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return (
        bars(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits.",
            f"topk(8, guest:hypervisor_cpu_ready:ratio_rate{{{CHOSEN}}})",
            "{{guest}} on {{host}}",
            unit=Unit.SHARE,
            warns=limits(settings.guest_cpu_ready),
            no_data=untold("the time guests wait for a CPU"),
        ),
        table(
            "Which snapshots are the oldest?",
            "Guests by the age of their oldest snapshot.",
            f"topk(20, guest:hypervisor_oldest_snapshot:age_seconds{{{CHOSEN}}})",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("platform", "Platform"),
                Column("Value", "Age", Unit.SECONDS, age),
            ),
            width=12,
            height=8,
            no_data="no guest has a snapshot",
        ),
        table(
            "How are the targets?",
            "What each of them shows, and how many problems were found.",
            _UP,
            f'max by (target, platform) (hypervisor_target_objects{{{CHOSEN}, kind="hosts"}})',
            f'max by (target, platform) (hypervisor_target_objects{{{CHOSEN}, kind="guests"}})',
            f"sum by (target, platform) (max by (target, platform, group, problem) "
            f"(hypervisor_target_problems{{{CHOSEN}}}))",
            columns=(
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("Value #A", "Answers", Unit.BOOL),
                Column("Value #B", "Hosts"),
                Column("Value #C", "Guests"),
                Column("Value #D", "Problems", Unit.NUMBER, limits(1)),
            ),
        ),
    )
