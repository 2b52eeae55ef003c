"""Clusters that could not lose a host, or that have lost one already. All outlive a target that does not answer."""

from __future__ import annotations

from dashboards.rules.alerts.words import CLUSTER, HOUR, MINUTE, NUMBER
from dashboards.rules.forms import Alert, Level, Severity
from dashboards.rules.recording.clusters import FAILED, HA, HEADROOM, MISSING, QUORATE, VERSIONS
from dashboards.rules.settings import Settings


def alerts(_settings: Settings) -> tuple[Alert, ...]:
    """Each is about one cluster."""
    return (
        _cluster(
            "HypervisorClusterMemoryNPlusOneLost",
            f"0 - {HEADROOM} > 0",
            Severity.WARNING,
            f"Cluster {CLUSTER} cannot lose its largest host",
            f"If the largest host of cluster {CLUSTER} fails, {{{{ $value | humanize1024 }}}}B of memory are missing for the guests.",
            30 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterHostsMissing",
            f"{MISSING} > 0",
            Severity.WARNING,
            f"{NUMBER} hosts of cluster {CLUSTER} are not up",
            f"{NUMBER} hosts of cluster {CLUSTER} are down or not connected.",
            30 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterQuorumLost",
            f"{QUORATE} == 0",
            Severity.CRITICAL,
            f"Cluster {CLUSTER} has no quorum",
            f"Cluster {CLUSTER} has no quorum: it starts and moves no guests, and may stop those that run.",
            2 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterGroupsFailed",
            f"{FAILED} > 0",
            Severity.WARNING,
            f"{NUMBER} groups of cluster {CLUSTER} have failed",
            f"{NUMBER} groups of the failover cluster {CLUSTER} have failed: guests or roles that it has given up to start.",
            15 * MINUTE,
        ),
        _cluster(
            "HypervisorClusterHaDisabled",
            f"{HA} == 0",
            Severity.INFO,
            f"Cluster {CLUSTER} does not restart guests of a host that fails",
            f"High availability of cluster {CLUSTER} is off: guests of a host that fails stay down until somebody acts.",
            HOUR,
        ),
        _cluster(
            "HypervisorClusterVersionsDiffer",
            f"{VERSIONS} > 1",
            Severity.INFO,
            f"Hosts of cluster {CLUSTER} run {NUMBER} versions",
            f"Hosts of cluster {CLUSTER} run {NUMBER} versions of the hypervisor: an upgrade that stopped halfway.",
            24 * HOUR,
        ),
    )


def _cluster(name: str, expr: str, severity: Severity, summary: str, description: str, wait: float) -> Alert:
    return Alert(
        name,
        expr,
        severity,
        Level.CLUSTER,
        summary,
        description,
        wait,
        10 * MINUTE,
        holds=True,
        dashboard="cluster",
    )
