"""Clusters: can they lose their largest host."""

from __future__ import annotations

from dashboards.rules.forms import Record
from dashboards.rules.settings import Settings

_BY = "compute_cluster_id, compute_cluster"
_SOME = '{compute_cluster_id!=""}'


def _headroom(usable: str, allocated: str) -> str:
    return (
        f"(sum by ({_BY}) ({usable}{_SOME})\n"
        f" - max by ({_BY}) ({usable}{_SOME})\n"
        f" - sum by ({_BY}) ({allocated}{_SOME}))\n"
        f"and on (compute_cluster_id) count by (compute_cluster_id) ({usable}{_SOME}) > 1"
    )


def records(_settings: Settings) -> tuple[Record, ...]:
    """One series for each cluster of two hosts or more."""
    return (
        Record(
            "cluster:hypervisor_memory_n1_headroom:bytes",
            _headroom("host:hypervisor_memory_usable:bytes", "host:hypervisor_memory_allocated:bytes"),
        ),
        Record(
            "cluster:hypervisor_memory_overcommit:ratio",
            f"sum by ({_BY}) (host:hypervisor_memory_allocated:bytes{_SOME})\n"
            f"/ sum by ({_BY}) (host:hypervisor_memory_usable:bytes{_SOME})",
        ),
        Record(
            "cluster:hypervisor_cpu_overcommit:ratio",
            f"sum by ({_BY}) (host:hypervisor_vcpus_allocated:cpus{_SOME})\n"
            f"/ sum by ({_BY}) (host:hypervisor_cpu_usable:cores{_SOME})",
        ),
    )
