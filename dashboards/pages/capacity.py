"""How much is promised, what is left, and can every cluster lose its largest host."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import course, limits, number, table, untold
from dashboards.lib.variables import COMPUTE_CLUSTER, IN_CLUSTER, MIN_STEP, PLATFORM, TARGET
from dashboards.rules.settings import Settings

_OF = IN_CLUSTER
_NAMED = 'compute_cluster=~"$compute_cluster", compute_cluster_id!=""'
_HEADROOM = f"cluster:hypervisor_memory_n1_headroom:bytes{{{_NAMED}}}"


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "capacity",
        "Capacity and overcommit",
        "How much is promised, what is left, and can every cluster lose its largest host.",
        (
            Row("Is more promised than there is?", _promised(settings)),
            Row("Can every cluster lose its largest host?", _spare(settings)),
            Row("Where is room for more?", _room(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, MIN_STEP),
    )


def _promised(settings: Settings) -> tuple[Panel, ...]:
    def over(what: str, limit: float) -> str:
        return f"count(host:hypervisor_{what}_overcommit:ratio{{{_OF}}} > {limit:g}) or vector(0)"

    return (
        number(
            "Hosts with too much memory promised",
            f"Guests may take more than {settings.memory_overcommit:.0%} of the host's memory.",
            over("memory", settings.memory_overcommit),
            warns=limits(1),
            width=6,
        ),
        number(
            "Hosts with too many virtual CPUs",
            f"More than {settings.cpu_overcommit:g} virtual CPUs for each core.",
            over("cpu", settings.cpu_overcommit),
            warns=limits(1),
            width=6,
        ),
        number(
            "Virtual CPUs for each core",
            "Of all hosts together.",
            f"sum(host:hypervisor_vcpus_allocated:cpus{{{_OF}}}) / sum(host:hypervisor_cpu_usable:cores{{{_OF}}})",
            width=6,
        ),
        number(
            "Memory promised",
            "What guests may take over what hosts have.",
            f"sum(host:hypervisor_memory_allocated:bytes{{{_OF}}}) / sum(host:hypervisor_memory_usable:bytes{{{_OF}}})",
            unit=Unit.SHARE,
            width=6,
        ),
        course(
            "Which hosts have the most memory promised?",
            "What guests may take over what the host has.",
            (f"topk(10, host:hypervisor_memory_overcommit:ratio{{{_OF}}})", "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.memory_overcommit),
        ),
        course(
            "Which hosts have the most virtual CPUs for a core?",
            "Virtual CPUs of guests over physical cores.",
            (f"topk(10, host:hypervisor_cpu_overcommit:ratio{{{_OF}}})", "{{host}}"),
            warns=limits(settings.cpu_overcommit),
        ),
    )


def _spare(settings: Settings) -> tuple[Panel, ...]:
    none = untold("of a cluster with two hosts or more")
    return (
        number(
            "Clusters that cannot lose a host",
            "Without their largest host guests would not start again.",
            f"count({_HEADROOM} < 0) or vector(0)",
            warns=limits(critical=1),
            width=6,
        ),
        number(
            "Least memory left after a failure",
            "Of the cluster that is worst off; below 0 something is missing.",
            f"min({_HEADROOM})",
            unit=Unit.BYTES,
            width=6,
            no_data=none,
        ),
        course(
            "How much would be left?",
            "Memory of the hosts that are up, without the largest, less what guests may take.",
            (_HEADROOM, "{{compute_cluster}}"),
            unit=Unit.BYTES,
            lowest=None,
            no_data=none,
        ),
        table(
            "How are the clusters?",
            "What is promised, and what is left if the largest host fails.",
            f"cluster:hypervisor_memory_overcommit:ratio{{{_NAMED}}}",
            f"cluster:hypervisor_cpu_overcommit:ratio{{{_NAMED}}}",
            _HEADROOM,
            columns=(
                Column("compute_cluster", "Cluster", to="cluster"),
                Column("Value #A", "Memory promised", Unit.SHARE, limits(settings.memory_overcommit)),
                Column("Value #B", "Virtual CPUs per core", Unit.SHORT, limits(settings.cpu_overcommit)),
                Column("Value #C", "Left after a failure", Unit.BYTES),
            ),
            no_data=none,
        ),
    )


def _room(settings: Settings) -> tuple[Panel, ...]:
    return (
        table(
            "Which hosts have room?",
            "Hosts by the memory that is not promised yet.",
            f"sort_desc(host:hypervisor_memory_usable:bytes{{{_OF}}}"
            f" - on (target, host_id) group_left () host:hypervisor_memory_allocated:bytes{{{_OF}}})",
            f"host:hypervisor_cpu_busy:ratio_rate{{{_OF}}}",
            columns=(
                Column("host", "Host", to="host"),
                Column("compute_cluster", "Cluster", to="cluster"),
                Column("target", "Target"),
                Column("Value #A", "Memory not promised", Unit.BYTES),
                Column("Value #B", "CPU busy", Unit.SHARE, limits(settings.host_cpu)),
            ),
        ),
    )
