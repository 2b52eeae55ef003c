"""How much is promised, what is left, and can every cluster lose its largest host."""

from __future__ import annotations

from dashboards.lib.forms import Column, Dashboard, Panel, Row, Unit
from dashboards.lib.panels import course, enough, how_many, limits, number, table, untold
from dashboards.lib.variables import (
    COMPUTE_CLUSTER,
    IN_CLUSTER,
    MIN_STEP,
    OF_NAMED_CLUSTER,
    PLATFORM,
    SEEN_CLUSTER,
    TARGET,
    top,
)
from dashboards.rules.settings import Settings

_OF = IN_CLUSTER
_HEADROOM = f"cluster:hypervisor_memory_n1_headroom:bytes{{{OF_NAMED_CLUSTER}}}"
_SEEN = f"{_HEADROOM}{SEEN_CLUSTER}"
_NO_CPUS, _NO_MEMORY = untold("how many virtual CPUs are promised"), untold("how much memory is promised")
_NO_CLUSTER = untold("of a cluster with two hosts or more")


def dashboard(settings: Settings) -> Dashboard:
    """Thresholds are those of the alerts."""
    return Dashboard(
        "capacity",
        "Capacity and overcommit",
        "How much is promised, what is left, and can every cluster lose its largest host.",
        (
            Row("Is more promised than there is, and can every cluster lose a host?", _summary(settings)),
            Row("Where is the most promised?", _promised(settings)),
            Row("What is left if a cluster loses its largest host?", _spare(settings)),
            Row("Where is room for more?", _room(settings)),
        ),
        (PLATFORM, TARGET, COMPUTE_CLUSTER, MIN_STEP),
        since="now-7d",
    )


def _summary(settings: Settings) -> tuple[Panel, ...]:
    def over(what: str, limit: float) -> str:
        return how_many(f"host:hypervisor_{what}_overcommit:ratio{{{_OF}}}", f"> {limit:g}")

    return (
        number(
            "Overcommitted memory",
            f"Hosts with over {settings.memory_overcommit:.0%} promised.",
            over("memory", settings.memory_overcommit),
            warns=limits(1),
            no_data=_NO_MEMORY,
        ),
        number(
            "Overcommitted CPUs",
            f"Hosts with over {settings.cpu_overcommit:g} virtual CPUs per core.",
            over("cpu", settings.cpu_overcommit),
            warns=limits(1),
            no_data=_NO_CPUS,
        ),
        number(
            "Virtual CPUs per core",
            "Of all hosts together.",
            f"sum(host:hypervisor_vcpus_allocated:cpus{{{_OF}}}) / sum(host:hypervisor_cpu_usable:cores{{{_OF}}})",
            no_data=_NO_CPUS,
        ),
        number(
            "Memory promised",
            "Of all hosts together.",
            f"sum(host:hypervisor_memory_allocated:bytes{{{_OF}}}) / sum(host:hypervisor_memory_usable:bytes{{{_OF}}})",
            unit=Unit.SHARE,
            no_data=_NO_MEMORY,
        ),
        number(
            "Clusters without N+1",
            "They cannot lose their largest host: its guests would find no memory elsewhere.",
            how_many(_SEEN, "< 0"),
            warns=limits(critical=1),
            no_data=_NO_CLUSTER,
        ),
        number(
            "Left after a failure",
            "Memory not promised if the largest host fails; of the worst cluster. Below 0 some guests stay down.",
            f"min({_SEEN})",
            unit=Unit.BYTES,
            warns=enough(0, "red"),
            no_data=_NO_CLUSTER,
        ),
    )


def _promised(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "Which hosts have the most memory promised?",
            "What guests may take over what the host has; the 10 highest.",
            (top(10, f"host:hypervisor_memory_overcommit:ratio{{{_OF}}}"), "{{host}}"),
            unit=Unit.SHARE,
            warns=limits(settings.memory_overcommit),
        ),
        course(
            "Which hosts have the most virtual CPUs for a core?",
            "Virtual CPUs of guests over physical cores; the 10 highest.",
            (top(10, f"host:hypervisor_cpu_overcommit:ratio{{{_OF}}}"), "{{host}}"),
            warns=limits(settings.cpu_overcommit),
        ),
    )


def _spare(settings: Settings) -> tuple[Panel, ...]:
    return (
        course(
            "How much would be left?",
            "Memory of the hosts that are up, without the largest, less what guests may take.",
            (_SEEN, "{{compute_cluster}} ({{platform}})"),
            unit=Unit.BYTES,
            lowest=None,
            no_data=_NO_CLUSTER,
        ),
        table(
            "How are the clusters?",
            "What is promised, and what is left if the largest host fails.",
            f"cluster:hypervisor_memory_overcommit:ratio{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}",
            f"cluster:hypervisor_cpu_overcommit:ratio{{{OF_NAMED_CLUSTER}}}{SEEN_CLUSTER}",
            _SEEN,
            by="platform, compute_cluster, compute_cluster_id",
            columns=(
                Column("compute_cluster", "Cluster", to="cluster"),
                Column("platform", "Platform", width=90),
                Column("Value #A", "Memory promised", Unit.SHARE, limits(settings.memory_overcommit)),
                Column("Value #B", "Virtual CPUs per core", Unit.SHORT, limits(settings.cpu_overcommit), decimals=2),
                Column("Value #C", "Left after a failure", Unit.BYTES, enough(0, "red")),
            ),
            width=12,
            height=8,
            sort="-Left after a failure",
            no_data=_NO_CLUSTER,
        ),
    )


def _room(settings: Settings) -> tuple[Panel, ...]:
    return (
        table(
            "Which hosts have room?",
            "Hosts by the memory that is not promised yet.",
            f"host:hypervisor_memory_usable:bytes{{{_OF}}}"
            f" - on (target, host_id) group_left () host:hypervisor_memory_allocated:bytes{{{_OF}}}",
            f"host:hypervisor_memory_used:ratio{{{_OF}}}",
            f"host:hypervisor_cpu_overcommit:ratio{{{_OF}}}",
            f"host:hypervisor_cpu_busy:ratio_rate{{{_OF}}}",
            by="target, host, host_id, compute_cluster",
            columns=(
                Column("host", "Host", to="host"),
                Column("compute_cluster", "Cluster", to="cluster"),
                Column("target", "Target"),
                Column("Value #A", "Memory not promised", Unit.BYTES),
                Column("Value #B", "Memory used", Unit.SHARE, limits(settings.host_memory)),
                Column("Value #C", "Virtual CPUs per core", Unit.SHORT, limits(settings.cpu_overcommit), decimals=2),
                Column("Value #D", "CPU busy", Unit.SHARE, limits(settings.host_cpu)),
            ),
            sort="Memory not promised",
        ),
    )
