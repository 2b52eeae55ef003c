"""Clusters: their hosts, what they have together, and how they are set up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.places import Places
from collectors.vsphere.mapping.usage import usage_of
from exporter.model import Cluster
from exporter.units import mebibytes, megahertz


def cluster_vitals(
    ref: Ref, facts: Mapping[str, Any], fast: Mapping[str, Any], hosts: Iterable[Mapping[str, Any]], places: Places
) -> Cluster:
    """A cluster as vitals know it. `hosts` are the facts of its hosts.

    Capacity is in bytes and effective memory in MB, in the same structure: so the API's reference has it.
    """
    summary = fast.get("summary") or {}
    setup = facts.get("configurationEx") or {}
    ha, drs = setup.get("dasConfig") or {}, setup.get("drsConfig") or {}
    members = list(hosts)
    return Cluster(
        id=places.cluster_id(ref),
        name=places.name(ref),
        ha=_word(ha.get("enabled")),
        drs=_word(drs.get("enabled"), str(drs.get("defaultVmBehavior", ""))),
        hosts=summary.get("numHosts", len(members)),
        hosts_up=sum(host.get("runtime.connectionState") == "connected" for host in members),
        cpu_capacity_cpus=summary.get("numCpuThreads"),
        memory_capacity_bytes=summary.get("totalMemory"),
        cpu_effective_hertz=megahertz(summary.get("effectiveCpu")),
        memory_effective_bytes=mebibytes(summary.get("effectiveMemory")),
        ha_enabled=ha.get("enabled"),
        admission_control_enabled=ha.get("admissionControlEnabled") if ha.get("enabled") else None,
        failover_hosts=summary.get("currentFailoverLevel") if ha.get("enabled") else None,
        extra=usage_of(summary),
    )


def _word(enabled: bool | None, how: str = "") -> str:
    if enabled is None:
        return ""
    return (how or "on") if enabled else "off"
