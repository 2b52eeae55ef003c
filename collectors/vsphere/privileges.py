"""The privileges that an account needs: the one list of them, what each is for, and what a check finds missing.

`deploy/permissions/vsphere` grants exactly these; a test compares them.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.mapping.paths import CLUSTER, DATACENTER, DATASTORE, FOLDER, GUEST, HOST, POOL
from collectors.vsphere.mapping.places import plain
from exporter.contract import MissingRight

READ, LICENSES = "System.Read", "Global.Licenses"
MISSING_RIGHTS = "missing_rights"
"""Key of the objects that cannot be read in full, by the right that is missing."""
NEEDED: Mapping[str, str] = {
    "System.Anonymous": "the endpoint does not say what it is, and nothing can be collected",
    "System.View": "these objects and what lies below them do not exist for the exporter: no series",
    READ: "no property and no sample can be read: nothing has numbers",
}
"""Every privilege that is used, by what is lost without it. All are needed at the root of the inventory, propagated."""

OPTIONAL: Mapping[str, str] = {
    LICENSES: "licences, what they allow and when they end are absent",
}
"""Privileges that allow more than to look, so that nobody has to give them; by what is absent without them."""

_NAMES: Mapping[str, tuple[str, str]] = {
    DATACENTER: ("datacenters", "names of these datacenters are missing from labels"),
    HOST: ("hosts", "state, capacity and counters of these hosts are absent"),
    CLUSTER: ("clusters", "capacity, HA and DRS of these clusters are absent"),
    DATASTORE: ("datastores", "sizes and states of these datastores are absent"),
    POOL: ("resource pools", "limits and use of these pools are absent"),
    FOLDER: ("folders", "names of these folders are missing from labels"),
    GUEST: ("guests", "numbers, disks and snapshots of these guests are absent"),
}
"""By type what people call it, and what a missing `System.Read` costs. In the order in which they are asked about."""
_ROOT = "the root of the inventory"
_EXAMPLES = 3
MOST_OBJECTS = 5_000

Facts = Mapping[Ref, Mapping[str, Any]]


def asked(root: Ref, facts: Facts) -> list[Ref]:
    """What is asked about: the root, and of the objects that the exporter reads the first 5,000, guests last."""
    order = {kind: number for number, kind in enumerate(_NAMES)}
    known = sorted((ref for ref in facts if ref.kind in order and ref != root), key=lambda ref: order[ref.kind])
    return [root, *known][:MOST_OBJECTS]


def told(missing: Iterable[tuple[Ref, str]], objects: Sequence[Ref], facts: Facts, account: str) -> list[MissingRight]:
    """The missing rights, one sentence each, in the order of the list. `objects[0]` is the root."""
    by_right: dict[str, set[Ref]] = defaultdict(set)
    for ref, right in missing:
        by_right[right].add(ref)
    order = {right: number for number, right in enumerate((*NEEDED, *OPTIONAL))}
    return [
        _told(right, by_right[right], objects, facts, account)
        for right in sorted(by_right, key=lambda each: order.get(each, len(order)))
    ]


def _told(right: str, lacking: set[Ref], objects: Sequence[Ref], facts: Facts, account: str) -> MissingRight:
    if right in OPTIONAL:
        remedy = f"it allows to change them too, so give it only if you want: {_script('--licenses', account)}"
        return MissingRight(right, _ROOT, OPTIONAL[right], remedy, optional=True)
    generally = NEEDED.get(right, "what needs it is absent")
    if lacking >= set(objects):
        everywhere = f"{_ROOT} and everything below ({len(objects) - 1} objects)" if len(objects) > 1 else _ROOT
        return MissingRight(right, everywhere, generally, _at_the_root(right, account))
    costs = ", ".join(cost for kind, (_, cost) in _NAMES.items() if any(ref.kind == kind for ref in lacking))
    if objects[0] not in lacking:
        return MissingRight(
            right,
            _where(lacking, objects, facts),
            costs if right == READ else generally,
            "the permission at the root is not propagated, or one that lies nearer replaces it: govc permissions.ls "
            f"OBJECT shows it, {_script(account)} propagates the one at the root",
        )
    if lacking == {objects[0]}:
        costs = "what lies outside of the account's permissions does not exist for the exporter"
    where = _where(lacking, objects, facts)
    return MissingRight(right, where, costs if right == READ else generally, _at_the_root(right, account))


def _where(lacking: set[Ref], objects: Sequence[Ref], facts: Facts) -> str:
    parts = [_ROOT] if objects[0] in lacking else []
    for kind, (name, _) in _NAMES.items():
        of_kind = [ref for ref in objects[1:] if ref.kind == kind]
        without = [ref for ref in of_kind if ref in lacking]
        if without:
            shown = ", ".join(plain(str(facts.get(ref, {}).get("name") or ref.id)) for ref in without[:_EXAMPLES])
            rest = ", ..." if len(without) > _EXAMPLES else ""
            parts.append(f"{len(without)} of {len(of_kind)} {name} ({shown}{rest})")
    return ", ".join(parts)


def _at_the_root(right: str, account: str) -> str:
    return f"give it a role with {right} at {_ROOT}, propagated: {_script(account)}, or role.ps1"


def _script(*arguments: str) -> str:
    return f"deploy/permissions/vsphere/role.sh {shlex.join(arguments)}"
