"""One cluster: are its hosts there, are they evenly busy, and could it lose one."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import because, course, how_many, limits, number, table, untold
from dashboards.lib.variables import (
    CHOSEN,
    COMPUTE_CLUSTER,
    MIN_STEP,
    OF_NAMED_CLUSTER,
    PLATFORM,
    SEEN_CLUSTER,
    TARGET,
    last_placed,
    top,
)
from dashboards.rules.settings import Settings

_OF = f"{CHOSEN}, {OF_NAMED_CLUSTER}"
_BY = "compute_cluster, compute_cluster_id"
_NONE, _NO_CLUSTER = because("nothing that is chosen is in a cluster"), because("no cluster")
_NAMED = "{{compute_cluster}} ({{platform}})"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "cluster",
        "Cluster",
        "One cluster: are its hosts there, are they evenly busy, and could it lose one.",
        (
            Row("Is it whole?", _whole(settings)),
            Row("Is the load even?", _even(settings)),
            Row("Could it lose a host?", _spare(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, MIN_STEP),
    )


def _told(family: str) -> str:
    return f"sum(max by ({_BY}) (hypervisor_cluster_{family}{{{_OF}}}))"


def _whole(settings: Settings) -> tuple[Panel, ...]:
    return (
        number("Hosts", "They belong to the cluster.", _told("hosts"), no_data=_NO_CLUSTER),
        number(
            "Hosts not up",
            "Down, disconnected or in maintenance.",
            f"{_told('hosts')} - {_told('hosts_up')}",
            warns=limits(1),
            no_data=_NO_CLUSTER,
        ),
        number(
            "Hosts in maintenance",
            "They take no guests now.",
            f"sum(max by (target, host_id) (hypervisor_host_maintenance_mode{{{CHOSEN}}}) "
            f"* on (target, host_id) group_left () host:hypervisor_info:placed{{{_OF}}})",
            warns=limits(1),
            no_data=untold("maintenance mode"),
        ),
        number(
            "Clusters without HA",
            "High availability is off: their guests stay down with a host.",
            how_many(f"cluster:hypervisor_ha_enabled:bool{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}", "== 0"),
            warns=limits(1),
            no_data=untold("of high availability"),
        ),
        number(
            "Without quorum",
            "Clusters that start and move no guests.",
            how_many(f"cluster:hypervisor_quorate:bool{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}", "== 0"),
            warns=limits(critical=1),
            no_data=untold("of quorum"),
        ),
        number(
            "Guests that run",
            "On the cluster's hosts.",
            f"sum(max by (target, guest_id) (hypervisor_guest_running{{{CHOSEN}}}) "
            f"* on (target, guest_id) group_left () {last_placed(_OF)})",
            no_data=_NO_CLUSTER,
        ),
        table(
            "How is each host?",
            "Whether it is up, its guests, what is in use now, and how much is promised.",
            f"hypervisor_host_up{{{CHOSEN}}} * on (target, host_id) "
            f"group_left (compute_cluster) host:hypervisor_info:placed{{{_OF}}}",
            f'hypervisor_host_guests{{{CHOSEN}, state="running"}} * on (target, host_id) '
            f"group_left (compute_cluster) host:hypervisor_info:placed{{{_OF}}}",
            *(
                f"host:hypervisor_{what}{{{_OF}}}"
                for what in (
                    "cpu_busy:ratio_rate",
                    "memory_used:ratio",
                    "cpu_overcommit:ratio",
                    "memory_overcommit:ratio",
                )
            ),
            by="target, host, host_id, compute_cluster",
            columns=(
                Column("host", "Host", to="host"),
                Column("compute_cluster", "Cluster"),
                Column("target", "Target"),
                Column("Value #A", "Up", Unit.BOOL, width=70),
                Column("Value #B", "Guests that run", width=130),
                Column("Value #C", "CPU busy", Unit.SHARE, limits(settings.host_cpu), width=110),
                Column("Value #D", "Memory used", Unit.SHARE, limits(settings.host_memory), width=130),
                Column(
                    "Value #E",
                    "Virtual CPUs per core",
                    Unit.SHORT,
                    limits(settings.cpu_overcommit),
                    width=180,
                    decimals=2,
                ),
                Column("Value #F", "Memory promised", Unit.SHARE, limits(settings.memory_overcommit), width=150),
            ),
            no_data=_NONE,
            sort="CPU busy",
        ),
    )


def _spare(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How much memory is left if the largest host fails?",
            "Memory of the hosts that are up, without the largest, less what guests may take. "
            "Below 0 some would not start again.",
            (
                f"cluster:hypervisor_memory_n1_headroom:bytes{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}",
                _NAMED,
            ),
            unit=Unit.BYTES,
            lowest=None,
            no_data=untold("of a cluster with two hosts or more"),
        ),
        course(
            "Is more promised than there is?",
            "Memory that guests may take over the memory of the hosts that are up.",
            (
                f"cluster:hypervisor_memory_overcommit:ratio{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}",
                _NAMED,
            ),
            unit=Unit.SHARE,
            warns=limits(settings.memory_overcommit),
            no_data=_NONE,
        ),
    )


def _even(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How busy is each host?",
            "Share of the host's CPUs that is busy; the 20 busiest.",
            (top(20, f"host:hypervisor_cpu_busy:ratio_rate{{{_OF}}}"), "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_cpu),
            highest=1,
            no_data=_NONE,
        ),
        course(
            "How full is each host's memory?",
            "Share of the host's memory that is used; the 20 fullest.",
            (top(20, f"host:hypervisor_memory_used:ratio{{{_OF}}}"), "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.host_memory),
            highest=1,
            no_data=_NONE,
        ),
    )
