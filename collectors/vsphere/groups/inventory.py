"""The slow facts of the inventory: read in full once, then kept by what the endpoint says has changed.

Vitals follow the changes over their lane; the other groups use what vitals know.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.updates import ENTER, LEAVE, Change, Changes, Update
from collectors.vsphere.groups import upkeep
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import tools
from collectors.vsphere.mapping.attributes import ATTRIBUTES, described
from collectors.vsphere.mapping.devices import SHAPES, devices_of
from collectors.vsphere.mapping.guest import LASTING, guest_id, guest_kind, guest_name
from collectors.vsphere.mapping.paths import CLUSTER, GUEST, PORTGROUP, SLOW
from collectors.vsphere.mapping.places import Places, network_names
from collectors.vsphere.memory import Memory
from exporter.contract import Deadline
from exporter.errors import TimedOut
from exporter.model import Counter, Guest, GuestNic, Observation

Facts = dict[str, Any]


def follow(around: Surroundings, until: Deadline) -> bool:
    """Learn what has changed; whether everything was told before it was time to stop."""
    memory = around.memory
    told = _follow(around, until)
    while memory.gone:
        ref = memory.gone.pop()
        if ref not in memory.followed:  # it may have come again
            memory.forget(ref)
    return told


def refresh(around: Surroundings) -> None:
    """Have every slow fact at the begin: read by this lane, by vitals, or page by page in turns, but only once.

    Raises `TimedOut` where there was no time for all of it; the next collection goes on behind what was read.
    """
    memory = around.memory
    if not (memory.whole or (_follow(around, around.asking_until()) and memory.whole)):
        raise TimedOut("the inventory could not be read to its end before the deadline")


def _follow(around: Surroundings, until: Deadline) -> bool:
    """Read pages while there is time; whether everything was told.

    An answer that does not come in time costs every page that was read before it: none is begun for which the time may
    be too short, because of this lane's pages before or the other lane's, but the first, if nobody has taken its time.
    """
    memory, paths = around.memory, paths_of(around)
    more, first = True, True
    while more and (until.remaining_seconds > 0 if first else _time_for_a_page(memory, until)):
        free = memory.following.acquire(blocking=False)
        if not (free or memory.following.acquire(timeout=max(0.0, until.remaining_seconds))):
            break  # the other lane is waiting for a page
        try:
            if not free and not _time_for_a_page(memory, until):
                break
            more, first = _page(around, paths), False
        finally:
            memory.following.release()
    memory.slow = memory.followed if memory.whole else memory.slow | memory.followed
    return not more


def _time_for_a_page(memory: Memory, until: Deadline) -> bool:
    return until.remaining_seconds > 2 * memory.page_seconds


def _page(around: Surroundings, paths: Mapping[str, Any]) -> bool:
    """Read a page of changes and make it part of what is known; whether there is more."""
    begun = time.monotonic()
    try:
        found = around.lane.changes(paths, SHAPES)
        _apply(around, found)
    except BaseException:
        around.lane.tell_anew()  # what was told may not have become part of what is known
        raise
    finally:
        around.memory.page_seconds = time.monotonic() - begun
    return found.truncated


def paths_of(around: Surroundings) -> Mapping[str, Any]:
    """What is read slowly; an ESXi does not know what only a vCenter has."""
    if around.lane.service.vcenter:
        return SLOW
    return {kind: paths for kind, paths in SLOW.items() if kind not in _OF_VCENTER}


_OF_VCENTER = {CLUSTER, PORTGROUP}
_FOLLOWED = {kind: frozenset(paths) for kind, paths in SLOW.items()}


def collect(around: Surroundings) -> Observation:
    """The inventory of one endpoint: networks of guests, hardware of hosts, licences, custom attributes."""
    refresh(around)
    memory = around.memory
    places = Places(memory.slow, around.lane.service.instance)
    networks = network_names(memory.slow)
    endpoint, hosts = upkeep.endpoint_of(around), upkeep.hosts_of(around, places)
    attributes = memory.upkeep.attributes
    guests = []
    for ref, facts in memory.of_kind(GUEST).items():
        if not around.options.system_guests and guest_kind(facts) == "system":
            continue
        known = memory.last.get(ref, {}) | facts
        guests.append(
            Guest(
                id=guest_id(ref, known, memory.uuids.get(ref, "")),
                name=guest_name(places, ref, facts, memory.last.get(ref, {})),
                native_id=ref.id,
                described=False,
                nics=tuple(
                    GuestNic(nic=nic.key, mac=nic.mac, network=nic.network_name(networks))
                    for nic in devices_of(facts).nics
                ),
                extra=_extra(facts, attributes.get(ref)),
            )
        )
    return Observation(
        around.now,
        hosts=hosts,
        guests=tuple(guests),
        endpoint=endpoint,
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _extra(facts: Facts, attributes: Mapping[str, str] | None) -> Mapping[str, Counter | None]:
    found = tools.described(facts)
    return {**found, ATTRIBUTES: described(attributes)} if attributes else found


# Changes.


def _apply(around: Surroundings, found: Changes) -> None:
    memory = around.memory
    if not found.updates and found.everything is None:
        return
    slow = dict(memory.followed)
    again: dict[Ref, set[str]] = {}
    for update in found.updates:
        if update.kind == LEAVE:
            slow.pop(update.ref, None)
            memory.gone.append(update.ref)
            again.pop(update.ref, None)
        elif update.ref.kind in _FOLLOWED:
            again.pop(update.ref, None) if update.kind == ENTER else None
            slow[update.ref], unclear = _changed(around, update, slow.get(update.ref, {}))
            if unclear:
                again.setdefault(update.ref, set()).update(unclear)
    if found.everything is not None:
        for ref in slow.keys() - found.everything:
            del slow[ref]
            memory.gone.append(ref)
        memory.whole = True
    if again:
        _read_again(around, again, slow)
    memory.followed = slow


def _changed(around: Surroundings, update: Update, before: Facts) -> tuple[Facts, set[str]]:
    """An object's facts after an update, and the paths whose new value the update does not tell."""
    after = {} if update.kind == ENTER else dict(before)
    lost = {} if update.kind == ENTER else around.memory.lost.pop(update.ref, {})
    unclear: set[str] = set()
    for change in update.changes:
        touched = _touched(change, update.ref.kind)
        if touched is None:
            _assign(after, change.path, change.value)
            lost.pop(change.path, None)
        else:
            unclear |= touched
    lost |= dict(update.lost)
    for path, _ in update.lost:
        after.pop(path, None)
    if lost:
        around.memory.lost[update.ref] = lost
    else:
        around.memory.lost.pop(update.ref, None)
    _keep(around, update.ref, before, after)
    return after, unclear


def _touched(change: Change, kind: str) -> set[str] | None:
    """None for a path that is followed as it is; else the followed paths that lie above or below it."""
    if change.path in _FOLLOWED[kind]:
        return None
    return {path for path in SLOW[kind] if _within(change.path, path) or _within(path, change.path)}


def _within(path: str, above: str) -> bool:
    return path.startswith((f"{above}.", f"{above}["))


def _assign(facts: Facts, path: str, value: Any) -> None:
    if value is None:
        facts.pop(path, None)
    else:
        facts[path] = value


def _keep(around: Surroundings, ref: Ref, before: Facts, after: Facts) -> None:
    """Remember what a guest was when it stops telling: one that becomes inaccessible tells nothing of itself."""
    if ref.kind != GUEST:
        return
    gone = {path: before[path] for path in LASTING if path in before and path not in after}
    renamed = "name" in before and after.get("name") != before["name"]
    known = around.memory.last.get(ref, {}) | gone | ({"name": before["name"]} if renamed else {})
    if known:
        around.memory.last[ref] = known


def _read_again(around: Surroundings, again: Mapping[Ref, Iterable[str]], slow: dict[Ref, Facts]) -> None:
    """Read the followed paths of which only a part was told."""
    by_kind: dict[str, list[Ref]] = defaultdict(list)
    paths: dict[str, set[str]] = defaultdict(set)
    for ref, of_ref in again.items():
        by_kind[ref.kind].append(ref)
        paths[ref.kind].update(of_ref)
    for kind, refs in by_kind.items():
        wanted = sorted(paths[kind])
        for page in around.lane.some(refs, {kind: wanted}, SHAPES):
            lost = {(ref, path) for ref, path, _ in page.lost}
            for ref, facts in page.objects.items():
                after = dict(slow[ref])
                for path in wanted:
                    if (ref, path) not in lost:
                        _assign(after, path, facts.get(path))
                _keep(around, ref, slow[ref], after)
                slow[ref] = after


def note_lost(around: Surroundings) -> None:
    """What cannot be read of the inventory is a problem of every collection, not only of the one that found out."""
    for ref, lost in list(around.memory.lost.items()):
        around.findings.lost((ref, path, why) for path, why in lost.items())
