"""Rights that the account lacks: told by what was refused, and by what answers with less than there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.hyperv.client.rows import Namespace
from collectors.hyperv.memory import Memory
from exporter.contract import MissingRight

_COSTS = {
    Namespace.VIRTUALIZATION: "guests, their state, disks and checkpoints are absent",
    Namespace.CIMV2: "usage of processors, memory, disks and network is absent",
    Namespace.CLUSTER: "the cluster is taken for a single host, and its shared volumes are absent",
}
_REMEDIES = {
    Namespace.VIRTUALIZATION: "add it to the local group Hyper-V Administrators",
    Namespace.CIMV2: "add it to the local group Performance Monitor Users",
    Namespace.CLUSTER: "run Grant-ClusterAccess -User ACCOUNT -ReadOnly on one node",
}
_SCRIPT = "deploy/permissions/hyperv/Grant-Monitoring.ps1 grants it"
_OF_GROUP = {
    "Hyper-V Administrators": Namespace.VIRTUALIZATION,
    "Performance Monitor Users": Namespace.CIMV2,
}


def missing_rights(memory: Memory) -> Sequence[MissingRight]:
    """What the collections so far have run into, by namespace and group."""
    refused: dict[tuple[str, str], list[str]] = {}
    for (node, namespace), error in memory.denied.items():
        right = error.right or f"Remote Enable on {namespace}"
        refused.setdefault((namespace, right), []).append(node)
    for node, group in memory.blind.items():
        refused.setdefault((_OF_GROUP[group], f"membership of {group}"), []).append(node)
    if memory.unseen_cluster:
        refused.setdefault((Namespace.CLUSTER, "access to the cluster"), []).append("")
    return [
        MissingRight(
            right=right,
            on=_where(nodes, memory.slow),
            costs=_COSTS.get(namespace, "what it tells is absent"),
            remedy=f"{_REMEDIES.get(namespace, 'grant it')} ({_SCRIPT})",
        )
        for (namespace, right), nodes in sorted(refused.items())
    ]


def _where(nodes: Sequence[str], known: Mapping[str, object]) -> str:
    named = sorted(each for each in set(nodes) if each)
    if not named:
        return "the host"
    shown = ", ".join(named[:3]) + (", ..." if len(named) > 3 else "")
    return f"{len(named)} of {max(len(known), len(named))} nodes ({shown})"
