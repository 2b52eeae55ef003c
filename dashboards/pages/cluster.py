"""One cluster: are its hosts there, are they evenly busy, and could it lose one."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import course, limits, number, table, untold
from dashboards.lib.variables import CHOSEN, COMPUTE_CLUSTER, IN_CLUSTER, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_NAMED = 'compute_cluster=~"$compute_cluster", compute_cluster_id!=""'
_OF = f"{CHOSEN}, {_NAMED}"
_BY = "compute_cluster, compute_cluster_id"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "cluster",
        "Cluster",
        "One cluster: are its hosts there, are they evenly busy, and could it lose one.",
        (
            Row("Is it whole?", _whole()),
            Row("Could it lose a host?", _spare(settings)),
            Row("Is the load even?", _even(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, MIN_STEP),
    )


def _told(family: str, aggregate: str = "max") -> str:
    return f"sum({aggregate} by ({_BY}) (hypervisor_cluster_{family}{{{_OF}}}))"


def _whole() -> tuple[Panel, ...]:
    none = untold("of clusters")
    return (
        number("Hosts", "Hosts that belong to the cluster.", _told("hosts"), no_data=none),
        number("Hosts that are up", "Hosts that are connected and not down.", _told("hosts_up"), no_data=none),
        number(
            "Hosts in maintenance",
            "Hosts that take no guests now.",
            f"sum(max by (target, host_id) (hypervisor_host_maintenance_mode{{{CHOSEN}}}) "
            f"* on (target, host_id) group_left () host:hypervisor_info:placed{{{_OF}}})",
            warns=limits(1),
            no_data=untold("maintenance mode"),
        ),
        number(
            "Clusters without high availability",
            "Guests of a host that fails stay down there.",
            f"count(max by ({_BY}) (hypervisor_cluster_ha_enabled{{{_OF}}}) == 0) or vector(0)",
            warns=limits(1),
        ),
        number(
            "Clusters without quorum",
            "They start and move no guests.",
            f"count(max by ({_BY}) (hypervisor_cluster_quorate{{{_OF}}}) == 0) or vector(0)",
            warns=limits(critical=1),
        ),
        number(
            "Guests that run",
            "Guests that run on the cluster's hosts.",
            f"sum(max by (target, guest_id) (hypervisor_guest_running{{{CHOSEN}}}) "
            f"* on (target, guest_id) group_left () guest:hypervisor_info:placed{{{_OF}}})",
            no_data=untold("of clusters"),
        ),
    )


def _spare(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "Memory left for guests if the largest host fails",
            "Memory of the hosts that are up, without the largest of them, less what guests may take. "
            "Below 0 some guests would not start again.",
            (f"cluster:hypervisor_memory_n1_headroom:bytes{{{_NAMED}}}", "{{compute_cluster}}"),
            unit=Unit.BYTES,
            lowest=None,
            no_data=untold("of a cluster with two hosts or more"),
        ),
        course(
            "Is more promised than there is?",
            "Memory that guests may take over the memory of the hosts that are up.",
            (f"cluster:hypervisor_memory_overcommit:ratio{{{_NAMED}}}", "{{compute_cluster}}"),
            unit=Unit.SHARE,
            warns=limits(settings.memory_overcommit),
            no_data=untold("of clusters"),
        ),
    )


def _even(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How busy is each host?",
            "Share of the host's CPUs that is busy.",
            (f"host:hypervisor_cpu_busy:ratio_rate{{{_OF}}}", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_cpu),
            highest=1,
            no_data=untold("of clusters"),
        ),
        course(
            "How full is each host's memory?",
            "Share of the host's memory that is used.",
            (f"host:hypervisor_memory_used:ratio{{{_OF}}}", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
            no_data=untold("of clusters"),
        ),
        table(
            "Which hosts are in the cluster?",
            "CPU and memory in use now, and how much is promised for each core and byte.",
            *(
                f"host:hypervisor_{what}{{{IN_CLUSTER}}}"
                for what in (
                    "cpu_busy:ratio_rate",
                    "memory_used:ratio",
                    "cpu_overcommit:ratio",
                    "memory_overcommit:ratio",
                )
            ),
            columns=(
                Column("host", "Host", to="host"),
                Column("compute_cluster", "Cluster"),
                Column("target", "Target"),
                Column("Value #A", "CPU busy", Unit.SHARE, limits(settings.host_cpu)),
                Column("Value #B", "Memory used", Unit.SHARE, limits(settings.host_memory)),
                Column("Value #C", "Virtual CPUs per core", Unit.SHORT, limits(settings.cpu_overcommit)),
                Column("Value #D", "Memory promised", Unit.SHARE, limits(settings.memory_overcommit)),
            ),
        ),
    )
