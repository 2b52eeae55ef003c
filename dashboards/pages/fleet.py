"""All of it at a glance: what is wrong, and where."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import bars, because, course, how_many, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, MIN_STEP, OF_PLATFORM, PLATFORM, SEEN_CLUSTER, SEEN_STORAGE, TARGET
from dashboards.rules.settings import Settings

_RUNNING = f"max by (platform, guest_id) (hypervisor_guest_running{{{CHOSEN}}})"
_UP = f"hypervisor_target_up{{{CHOSEN}}}"
_STORAGE_USED = f"storage:hypervisor_used:ratio{{{OF_PLATFORM}}}"
_SNAPSHOTS = f"guest:hypervisor_snapshots:count{{{CHOSEN}}}"
_FIRING = 'ALERTS{alertname=~"Hypervisor.*", alertstate="firing"}'


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "fleet",
        "Fleet overview",
        "All hypervisors at a glance: what is wrong, and where.",
        (
            Row("Is everything there?", _there()),
            Row("Is anything about to go wrong?", _wrong(settings)),
            Row("Where is the trouble?", _where(settings)),
            Row("Is it busy?", _busy(settings)),
        ),
        (PLATFORM, TARGET, MIN_STEP),
    )


def _there() -> tuple[Panel, ...]:
    return (
        number(
            "Targets down",
            "Endpoints that no exporter reaches.",
            how_many(f"max by (target) ({_UP})", "== 0"),
            warns=limits(critical=1),
            no_data=untold("of targets"),
            to="exporter",
        ),
        number(
            "Hosts down",
            "Down, or not connected.",
            how_many(f"max by (target, host_id) (hypervisor_host_up{{{CHOSEN}}})", "== 0"),
            warns=limits(critical=1),
            no_data=untold("of hosts"),
            to="cluster",
        ),
        number(
            "Hosts",
            "All that are known.",
            f"count(host:hypervisor_info:placed{{{CHOSEN}}})",
            to="capacity",
            no_data=untold("of hosts"),
        ),
        number("Guests that run", "One that is moving counts once.", f"sum({_RUNNING})", no_data=untold("of guests")),
        number("Guests", "Running or not; no templates.", f"count({_RUNNING})", no_data=untold("of guests")),
        number(
            "Guests halted by I/O",
            "Stopped by an I/O error: they stand still until somebody resumes them.",
            how_many(f"max by (platform, guest_id) (hypervisor_guest_io_error{{{CHOSEN}}})", "== 1"),
            warns=limits(critical=1),
            no_data=untold("of I/O errors"),
            to="storage",
        ),
    )


def _wrong(settings: Settings) -> tuple[Panel, ...]:
    age, memory = settings.snapshot_age_warning, settings.memory_overcommit
    return (
        number(
            "Forgotten snapshots",
            f"Guests with one older than {age / 86400:g} days.",
            f"count(guest:hypervisor_oldest_snapshot:age_seconds{{{CHOSEN}}} > {age:.10g}) or 0 * count({_SNAPSHOTS})",
            warns=limits(1),
            no_data=untold("of snapshots"),
            to="snapshots",
        ),
        number(
            "Overcommitted hosts",
            f"Over {memory:.0%} of memory promised.",
            how_many(f"host:hypervisor_memory_overcommit:ratio{{{CHOSEN}}}", f"> {memory:g}"),
            warns=limits(1),
            no_data=untold("how much memory is promised"),
            to="capacity",
        ),
        number(
            "Guests short of CPU",
            f"They wait for a CPU more than {settings.guest_cpu_ready:.0%} of the time.",
            how_many(f"guest:hypervisor_cpu_ready:ratio_rate{{{CHOSEN}}}", f"> {settings.guest_cpu_ready:g}"),
            warns=limits(1),
            no_data=untold("the time guests wait for a CPU"),
            to="contention",
        ),
        number(
            "Storages nearly full",
            f"More than {settings.storage_used_warning:.0%} used.",
            how_many(f"{_STORAGE_USED}{SEEN_STORAGE}", f"> {settings.storage_used_warning:g}"),
            warns=limits(1),
            no_data=untold("of storage"),
            to="storage",
        ),
        number(
            "Clusters without N+1",
            "They cannot lose their largest host: its guests would find no memory elsewhere.",
            how_many(f"cluster:hypervisor_memory_n1_headroom:bytes{SEEN_CLUSTER}", "< 0"),
            warns=limits(critical=1),
            no_data=untold("of a cluster with two hosts or more"),
            to="capacity",
        ),
        number(
            "Alerts that fire",
            "Of these rules, now; platform and target do not choose among them.",
            f"count({_FIRING}) or 0 * count(target_group:hypervisor_interval:seconds)",
            warns=limits(1),
            no_data=because("no rules run"),
        ),
    )


def _sum(what: str) -> str:
    return f"sum by (platform) (storage:hypervisor_{what}:bytes{{{OF_PLATFORM}}}{SEEN_STORAGE})"


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
            "By platform.",
            (f"sum by (platform) ({_RUNNING})", "{{platform}}"),
            stacked=True,
        ),
        course(
            "How full is the storage?",
            "The fullest storage and all storage together, by platform.",
            (
                f"max by (platform) ({_STORAGE_USED}{SEEN_STORAGE})",
                "{{platform}} fullest",
            ),
            (f"1 - {_sum('free')} / {_sum('capacity')}", "{{platform}} together"),
            unit=Unit.SHARE,
            warns=limits(settings.storage_used_warning, settings.storage_used_critical),
            highest=1,
        ),
    )


def _where(settings: Settings) -> tuple[Panel, ...]:
    age = limits(settings.snapshot_age_warning, settings.snapshot_age_critical)
    return (
        table(
            "Which alerts fire?",
            "The rules' alerts that fire now; platform and target do not choose among them.",
            _FIRING,
            by="severity, alertname, target, host, guest, storage, compute_cluster",
            columns=(
                Column("severity", "Severity", width=90),
                Column("alertname", "Alert"),
                Column("target", "Target"),
                Column("host", "Host", to="host"),
                Column("guest", "Guest", to="guest"),
                Column("storage", "Storage", to="storage"),
                Column("compute_cluster", "Cluster", to="cluster"),
            ),
            width=12,
            no_data=because("no alert of these rules fires"),
        ),
        table(
            "How is each target?",
            "Whether it answers, what it shows, and how many problems its last collections met.",
            _UP,
            f'hypervisor_target_objects{{{CHOSEN}, kind="hosts"}}',
            f'hypervisor_target_objects{{{CHOSEN}, kind="guests"}}',
            f"sum by (target, platform) (max by (target, platform, group, problem) "
            f"(hypervisor_target_problems{{{CHOSEN}}})) or 0 * {_UP}",
            by="target, platform",
            columns=(
                Column("target", "Target", to="exporter"),
                Column("platform", "Platform"),
                Column("Value #A", "Answers", Unit.BOOL, width=100),
                Column("Value #B", "Hosts", width=80),
                Column("Value #C", "Guests", width=80),
                Column("Value #D", "Problems", Unit.NUMBER, limits(1), width=100),
            ),
            width=12,
            sort="-Answers",
        ),
        bars(
            "Which guests wait the most?",
            "Share of the time that a virtual CPU is ready and waits, now.",
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
            by="target, platform, guest, guest_id",
            columns=(
                Column("guest", "Guest", to="guest"),
                Column("target", "Target"),
                Column("platform", "Platform"),
                Column("Value", "Age", Unit.SECONDS, age, width=110),
            ),
            width=12,
            height=8,
            no_data=because("no guest is known to have a snapshot"),
            sort="Age",
        ),
    )
