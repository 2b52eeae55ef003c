"""Checkpoints of guests: whose they are, their kind, tree and age; backups, replication, leftovers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from collectors.hyperv.client.rows import Instance, Reference, Row, Value
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.settings import Answers, DiskFile
from collectors.hyperv.mapping.states import operation, replication
from collectors.hyperv.mapping.values import Oddities, flag, guid, is_guid, when, word
from exporter.model import Guest, Snapshot

_SNAPSHOT, _REPLICA = "microsoft:hyper-v:snapshot:", "replica:"
_KINDS = {"realized": "user", "recovery": "backup"}
_BUSY = {"creating_snapshot", "applying_snapshot", "deleting_snapshot", "merging_disks", "exporting"}
"""While one of these is under way, a differencing disk without a checkpoint is no leftover."""


def is_snapshot(row: Row) -> bool:
    """Whether a row of Msvm_VirtualSystemSettingData is a checkpoint."""
    return word(row, "VirtualSystemType").lower().startswith(_SNAPSHOT)


def snapshot_id(row: Row) -> str:
    """The checkpoint's own id, in lower case."""
    instance = word(row, "InstanceID")
    return guid(instance) or instance.lower()


def kind(row: Row, odd: Oddities) -> str:
    """`user`, `backup`, `schedule`, `replication` or `unknown`."""
    rest = word(row, "VirtualSystemType").lower().removeprefix(_SNAPSHOT)
    if rest.startswith(_REPLICA):
        return "replication"
    found = _KINDS.get(rest, "unknown")
    return "schedule" if found == "user" and flag(row, "IsAutomaticSnapshot", odd) else found


def owners(rows: Iterable[Row], guests: Collection[str], links: Iterable[Row]) -> dict[str, str]:
    """The guest of every checkpoint, by the checkpoint's id.

    A checkpoint names its guest, on builds that do; else the guest is found along the tree, which begins at the guest's
    own settings, or through the association of both.
    """
    rows = list(rows)
    found = {snapshot_id(row): owner for row in rows if is_snapshot(row) and (owner := _named(row, guests))}
    parents = {snapshot_id(row): guid(_link(row.get("Parent"))) for row in rows}
    for identity in guests:
        at, seen = parents.get(identity, ""), {identity}
        while at and at not in seen:
            seen.add(at)
            found.setdefault(at, identity)
            at = parents.get(at, "")
    for row in links:
        pair = [guid(_link(row.get(name))) for name in ("Antecedent", "Dependent")]
        whose, snapshots = [each for each in pair if each in guests], [each for each in pair if each not in guests]
        if len(whose) == 1 and len(snapshots) == 1:
            found.setdefault(snapshots[0], whose[0])
    return found


def unowned(rows: Iterable[Row], guests: Collection[str]) -> bool:
    """Whether some checkpoint does not name its guest itself."""
    return any(is_snapshot(row) and not _named(row, guests) for row in rows)


def _named(row: Row, guests: Collection[str]) -> str:
    named = guid(word(row, "VirtualSystemIdentifier"))
    return named if named in guests else ""


def _link(value: Value) -> str:
    """The key of another instance, from a path, a reference or an instance."""
    if isinstance(value, Reference):
        return " ".join(value.selectors.get(key, "") for key in ("InstanceID", "Name"))
    if isinstance(value, Instance):
        return word(value.row, "InstanceID") or word(value.row, "Name")
    return value.partition("=")[2] or value if isinstance(value, str) else ""


def snapshots_of(
    rows: Sequence[Row], whose: Mapping[str, str], sizes: Mapping[str, float], odd: Oddities
) -> dict[str, list[Snapshot]]:
    """Checkpoints by guest, oldest first; `sizes` are bytes by the checkpoint's id."""
    current = {guid(_link(row.get("Parent"))) for row in rows if not is_snapshot(row)}
    found: dict[str, list[Snapshot]] = {}
    for row in rows:
        identity = snapshot_id(row)
        if not is_snapshot(row) or identity not in whose:
            continue
        parent = guid(_link(row.get("Parent")))
        found.setdefault(whose[identity], []).append(
            Snapshot(
                id=identity,
                name=word(row, "ElementName") or identity,
                created_timestamp_seconds=when(row, "CreationTime", odd),
                parent_id=parent if parent != whose[identity] else "",
                kind=kind(row, odd),
                memory=flag(row, "IsSaved", odd),
                current=identity in current,
                size_bytes=sizes.get(identity),
            )
        )
    for each in found.values():
        each.sort(key=lambda snapshot: (snapshot.created_timestamp_seconds or 0.0, snapshot.id))
    return found


def protection(answers: Answers, odd: Oddities) -> dict[str, dict[str, object]]:
    """Last backup and replication by guest, as fields of the model."""
    relations = _relations(answers.get(tables.REPLICATION, ()))
    found: dict[str, dict[str, object]] = {}
    for row in answers.get(tables.PROTECTION, ()):
        identity = word(row, "Name").lower()
        if not is_guid(identity):
            continue
        relation = relations.get(identity, {})
        found[identity] = {
            "last_backup_timestamp_seconds": when(row, "LastSuccessfulBackupTime", odd),
            "last_replication_timestamp_seconds": when(relation, "LastReplicationTime", odd)
            or when(row, "LastReplicationTime", odd),
            "replication_state": replication(relation, odd) or replication(row, odd),
        }
    return found


def _relations(rows: Iterable[Row]) -> dict[str, Row]:
    r"""The primary relation of every guest: `...\0` is it, `...\1` that with the replica's own replica."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: word(row, "InstanceID"), reverse=True):
        found[guid(word(row, "InstanceID"))] = row
    return found


def busy(answers: Answers) -> set[str]:
    """Guests whose disks are being changed by Hyper-V now."""
    rows = answers.get(tables.PROTECTION, ())
    return {word(row, "Name").lower() for row in rows if operation(row) in _BUSY}


def consolidation_needed(
    disks: Sequence[DiskFile] | None, snapshots: Sequence[Snapshot], *, is_busy: bool
) -> bool | None:
    """Whether a differencing disk is written to with no checkpoint that would need it; None where disks are unknown."""
    if disks is None:
        return None
    return any(disk.differencing for disk in disks) and not snapshots and not is_busy


def bare(identity: str, name: str) -> Guest:
    """A guest of which another group tells what it is."""
    return Guest(id=identity, name=name, native_id=identity.upper(), described=False)
