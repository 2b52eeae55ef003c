"""Rights that the account lacks: told by what was refused, and by what answers with less than there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.hyperv.client.errors import (
    CLUSTER_ACCESS,
    EXECUTE_METHODS,
    HYPERV_ADMINISTRATORS,
    PERFORMANCE_MONITOR_USERS,
    REMOTE_ENABLE,
    REMOTE_MANAGEMENT_USERS,
    WINRM_ACCESS,
)
from collectors.hyperv.client.rows import Namespace
from collectors.hyperv.memory import Memory
from exporter.contract import MissingRight

_GUESTS = "guests, their state, disks and checkpoints are absent"
_USAGE = "usage of processors, memory, disks and network is absent"
_CLUSTER = "the cluster is taken for a single host, and its shared volumes are absent"
_COSTS = {
    HYPERV_ADMINISTRATORS: _GUESTS,
    PERFORMANCE_MONITOR_USERS: _USAGE,
    REMOTE_MANAGEMENT_USERS: "nothing at all is told",
    WINRM_ACCESS: "nothing at all is told",
    CLUSTER_ACCESS: _CLUSTER,
    f"{EXECUTE_METHODS} on {Namespace.VIRTUALIZATION}": "size, kind and chain of virtual disks' files are absent",
    f"{REMOTE_ENABLE} on {Namespace.VIRTUALIZATION}": _GUESTS,
    f"{REMOTE_ENABLE} on {Namespace.CIMV2}": f"what the host is and its volumes are absent, {_USAGE}",
    f"{REMOTE_ENABLE} on {Namespace.CLUSTER}": _CLUSTER,
}
_SCRIPT = "deploy/permissions/hyperv/Grant-Monitoring.ps1 grants it"


def missing_rights(memory: Memory) -> Sequence[MissingRight]:
    """What the collections so far have run into, by right."""
    lacking: dict[str, list[str]] = {}
    for node, right in memory.denied:
        lacking.setdefault(right, []).append(node)
    for node, right in memory.blind.items():
        lacking.setdefault(right, []).append(node)
    if memory.unseen_cluster:
        lacking.setdefault(CLUSTER_ACCESS, []).append("")
    return [
        MissingRight(
            right=right,
            on=_where(nodes, memory.slow),
            costs=_COSTS.get(right, "what it tells is absent"),
            remedy=f"{_remedy(right)} ({_SCRIPT})",
        )
        for right, nodes in sorted(lacking.items())
    ]


def _remedy(right: str) -> str:
    group = right.removeprefix("membership of ")
    if group != right:
        return f"add it to the local group {group}"
    if right == CLUSTER_ACCESS:
        return "run Grant-ClusterAccess -User ACCOUNT -ReadOnly on one node"
    if right == WINRM_ACCESS:
        return "run winrm quickconfig"
    if right.startswith(EXECUTE_METHODS):
        return "grant it in wmimgmt.msc, or set the option disk_files to false"
    return "grant both in wmimgmt.msc"


def _where(nodes: Sequence[str], known: Mapping[str, object]) -> str:
    named = sorted(each for each in set(nodes) if each)
    if not named:
        return "the host"
    shown = ", ".join(named[:3]) + (", ..." if len(named) > 3 else "")
    return f"{len(named)} of {max(len(known), len(named))} nodes ({shown})"
