"""Clusters that could not lose a host, or that have lost one already."""

from __future__ import annotations

from dashboards.rules.alerts.words import CLUSTER, HOUR, MINUTE, NUMBER
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.settings import Settings

_BY = "compute_cluster_id, compute_cluster"


def alerts(_settings: Settings) -> tuple[Alert, ...]:
    """Each is about one cluster."""
    return (
        _cluster(
            "HypervisorClusterMemoryNPlusOneLost",
            "0 - cluster:hypervisor_memory_n1_headroom:bytes > 0",
            Severity.WARNING,
            f"Cluster {CLUSTER} cannot lose its largest host",
            f"If the largest host of cluster {CLUSTER} fails, {{{{ $value | humanize1024 }}}}B of memory are missing for the guests.",
            30 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterHostsMissing",
            f"max by ({_BY}) (hypervisor_cluster_hosts) - max by ({_BY}) (hypervisor_cluster_hosts_up) > 0",
            Severity.WARNING,
            f"{NUMBER} hosts of cluster {CLUSTER} are not up",
            f"{NUMBER} hosts of cluster {CLUSTER} are down or not connected.",
            30 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterQuorumLost",
            f"max by ({_BY}) (hypervisor_cluster_quorate) == 0",
            Severity.CRITICAL,
            f"Cluster {CLUSTER} has no quorum",
            f"Cluster {CLUSTER} has no quorum: it starts and moves no guests, and may stop those that run.",
            2 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterHaDisabled",
            f"max by ({_BY}) (hypervisor_cluster_ha_enabled) == 0 and on (compute_cluster_id) "
            "max by (compute_cluster_id) (hypervisor_cluster_hosts) > 1",
            Severity.INFO,
            f"Cluster {CLUSTER} does not restart guests of a host that fails",
            f"High availability of cluster {CLUSTER} is off: guests of a host that fails stay down until somebody acts.",
            HOUR,
        ),
        _cluster(
            "HypervisorClusterVersionsDiffer",
            f'count by ({_BY}) (max by ({_BY}, version) (hypervisor_host_info{{compute_cluster_id!=""}})) > 1',
            Severity.INFO,
            f"Hosts of cluster {CLUSTER} run {NUMBER} versions",
            f"Hosts of cluster {CLUSTER} run {NUMBER} versions of the hypervisor: an upgrade that stopped halfway.",
            24 * HOUR,
        ),
    )


def _cluster(name: str, expr: str, severity: Severity, summary: str, description: str, wait: float) -> Alert:
    return Alert(name, expr, severity, Level.CLUSTER, summary, description, wait, 10 * MINUTE, dashboard="cluster")
