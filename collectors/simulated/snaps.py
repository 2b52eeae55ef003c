"""Snapshots of guests at an instant: forgotten ones that grow, chains of days, trees, and what backups left behind."""

from __future__ import annotations

from math import exp, floor

from collectors.simulated import names
from collectors.simulated.curves import DAY, HOUR, ORIGIN
from collectors.simulated.dice import Dice
from collectors.simulated.plans import GuestPlan, Pattern, Snaps
from exporter.model import Snapshot

_DAILY_HOUR, _BACKUP_HOUR = 2, 1
_BACKUP_SECONDS = 0.6 * HOUR
_BRANCH_AT = 2
_RECOVERY_POINTS = 4


def snapshots(guest: GuestPlan, at: float, *, kinds: bool) -> tuple[Snapshot, ...]:
    """The guest's snapshots, the oldest first; with `kinds` their kind is told, otherwise names must do."""
    if guest.pattern is Pattern.TEMPLATE:
        return ()
    return (*_MADE[guest.snaps](guest, at, kinds), *(_recovery_points(guest, at) if kinds and guest.replica else ()))


def _none(_guest: GuestPlan, _at: float, _kinds: bool) -> tuple[Snapshot, ...]:
    return ()


def _forgotten(guest: GuestPlan, at: float, kinds: bool) -> tuple[Snapshot, ...]:
    """One that nobody thinks of; after a year or two somebody does, and forgets the next."""
    life = (200 + 500 * guest.snapped) * DAY
    created = _newest(guest.snapped * life, life, at)
    name = names.FORGOTTEN[int(guest.snapped * 100) % len(names.FORGOTTEN)]
    return (_snapshot(guest, name, created, at, "user" if kinds else None, share=1.0, memory=guest.index % 2 == 0),)


def _daily(guest: GuestPlan, at: float, kinds: bool) -> tuple[Snapshot, ...]:
    """One of each of the last three to seven days, each on top of the one before."""
    kept = 3 + int(guest.snapped * 5)
    newest = _newest(_DAILY_HOUR * HOUR + guest.snapped * HOUR, DAY, at)
    found: list[Snapshot] = []
    for age in range(kept - 1, -1, -1):
        created = newest - age * DAY
        name = f"daily-{floor((created - ORIGIN) / DAY)}"
        parent = found[-1].id if found else ""
        kind = "schedule" if kinds else None
        found.append(_snapshot(guest, name, created, at, kind, share=1 / kept, parent=parent, current=age == 0))
    return tuple(found)


def _tree(guest: GuestPlan, at: float, kinds: bool) -> tuple[Snapshot, ...]:
    """A chain made over some weeks, and a branch that was tried and left."""
    life = 420 * DAY
    first = _newest(guest.snapped * life, life, at)
    found: list[Snapshot] = []
    for step, name in enumerate(names.BRANCHES):
        created = first + step * (2 + guest.snapped) * DAY
        if created > at:
            break
        parent = "" if not found else found[_BRANCH_AT if step > _BRANCH_AT else -1].id
        kind, share = "user" if kinds else None, 1 / len(names.BRANCHES)
        current = step == len(names.BRANCHES) - 1
        found.append(_snapshot(guest, name, created, at, kind, share=share, parent=parent, current=current))
    return tuple(found)


def _backup(guest: GuestPlan, at: float, kinds: bool) -> tuple[Snapshot, ...]:
    """There for as long as a backup runs; every other week one stays for days."""
    left = _newest(guest.snapped * 14 * DAY, 14 * DAY, at)
    created = _newest(_BACKUP_HOUR * HOUR, DAY, at)
    if at - left < _left_days(guest) * DAY:
        created = left
    elif at - created >= _BACKUP_SECONDS:
        return ()
    return (_snapshot(guest, "VEEAM BACKUP TEMPORARY SNAPSHOT", created, at, "backup" if kinds else None, share=0.5),)


def _left_days(guest: GuestPlan) -> float:
    """How long one stays; of one guest there is always one, so that every fleet has something to find."""
    return 14 if guest.first_of_its_kind else 4 + 6 * guest.snapped


_MADE = {
    Snaps.NONE: _none,
    Snaps.FORGOTTEN: _forgotten,
    Snaps.DAILY: _daily,
    Snaps.TREE: _tree,
    Snaps.BACKUP: _backup,
}


def consolidation_needed(guest: GuestPlan, at: float) -> bool:
    """For two days after a backup's leftover went, its disks were not merged."""
    if guest.snaps is not Snaps.BACKUP:
        return False
    left = _newest(guest.snapped * 14 * DAY, 14 * DAY, at)
    return 0 <= at - left - _left_days(guest) * DAY < 2 * DAY


def orphaned_overlays(guest: GuestPlan, at: float) -> int:
    """Overlays of the same leftover."""
    return int(consolidation_needed(guest, at)) * len(guest.disks)


def last_backup(guest: GuestPlan, at: float) -> float | None:
    """The end of the newest backup; one guest in seven has never had any."""
    if guest.index % 7 == 6:
        return None
    return _newest(_BACKUP_HOUR * HOUR + _BACKUP_SECONDS, DAY, at)


def last_replication(guest: GuestPlan, at: float) -> float | None:
    """The newest replication of a guest that is replicated."""
    return _newest(guest.snapped * HOUR, HOUR / 2, at) if guest.replica else None


def size_bytes(guest: GuestPlan, at: float) -> float:
    """What all its snapshots hold."""
    return sum(snapshot.size_bytes or 0.0 for snapshot in snapshots(guest, at, kinds=False))


def _newest(offset: float, period: float, at: float) -> float:
    """The newest of the instants that come back every period."""
    return ORIGIN + offset + floor((at - ORIGIN - offset) / period) * period


def _snapshot(
    guest: GuestPlan,
    name: str,
    created: float,
    at: float,
    kind: str | None,
    *,
    share: float,
    parent: str = "",
    memory: bool = False,
    current: bool = True,
) -> Snapshot:
    """Fast growth at first, ever slower: after a month two thirds of what it may come to hold."""
    held = guest.snapshot_bytes * share * (1 - exp(-max(0.0, at - created) / (30 * DAY)))
    stamp = floor(created)
    return Snapshot(
        id=f"snapshot-{Dice(guest.id, name, stamp).number(10**9):09d}",
        name=name,
        created_timestamp_seconds=float(stamp),
        parent_id=parent,
        kind=kind,
        memory=memory,
        quiesced=not memory,
        current=current,
        state="running" if memory else "disk",
        size_bytes=float(int(held)),
    )


def _recovery_points(guest: GuestPlan, at: float) -> tuple[Snapshot, ...]:
    newest = _newest(guest.snapped * HOUR, HOUR, at)
    points = (newest - age * HOUR for age in range(_RECOVERY_POINTS))
    return tuple(
        Snapshot(
            id=f"replica-{int(at)}",
            name=f"Replica {int(at)}",
            created_timestamp_seconds=float(int(at)),
            kind="replication",
            memory=False,
            quiesced=True,
            current=False,
            state="disk",
            size_bytes=0.0,
        )
        for at in points
    )
