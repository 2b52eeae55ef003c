"""Resource pools that somebody made, of clusters and of hosts outside of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.layouts import VALUE_REJECTED, note
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import pools
from collectors.vsphere.mapping.checked import Facts, Oddities, reference
from collectors.vsphere.mapping.paths import APP, CLUSTER, HOST, POOL
from exporter.model import Counter

MOST_POOLS = 1000
"""Of one endpoint."""

Told = Mapping[str, Counter | None]


def pools_by_owner(around: Surroundings, found: Mapping[Ref, dict[str, Any]]) -> dict[Ref, Told]:
    """What the pools have, by the cluster or host that they divide; the pool that either has by itself is no pool."""
    hosts = {facts.get("parent"): ref for ref, facts in around.memory.of_kind(HOST).items()}
    made: dict[Ref, dict[Ref, Facts]] = {}
    for count, (ref, facts) in enumerate(sorted(_made(found), key=lambda each: each[0])):
        owner = _owner(facts, hosts)
        if owner is None:
            continue
        if count >= MOST_POOLS:
            around.findings.note(VALUE_REJECTED, ref, f"only {MOST_POOLS} resource pools are told, {ref.id} is not")
            continue
        made.setdefault(owner, {})[ref] = facts
    told: dict[Ref, Told] = {}
    for owner, of_owner in made.items():
        odd: Oddities = []
        told[owner] = pools.values_of(of_owner, odd)
        note(around, owner, odd)
    return told


def _owner(facts: Facts, hosts: Mapping[Any, Ref]) -> Ref | None:
    """The cluster; of a host outside of one, which has a compute resource to itself, the host."""
    owner = reference(facts, "owner")
    return owner if owner is None or owner.kind == CLUSTER else hosts.get(owner)


def _made(found: Mapping[Ref, dict[str, Any]]) -> list[tuple[Ref, Facts]]:
    pooled = {POOL, APP}
    return [
        (ref, facts)
        for ref, facts in found.items()
        if ref.kind in pooled and "parent" in facts and (reference(facts, "parent") or ref).kind in pooled
    ]
