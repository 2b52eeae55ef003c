"""Files of guests (`layoutEx`), read only where they have changed: they are the most an endpoint is asked for.

Used by the groups of the slow lane. What does not fit before the deadline is read by the next collection.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from collectors.vsphere.client.decode import Ref, Shape, Shapes
from collectors.vsphere.client.faults import Refused
from collectors.vsphere.findings import INACCESSIBLE
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.checked import Facts, Oddities, part
from collectors.vsphere.mapping.devices import Disk, devices_of
from collectors.vsphere.mapping.guest import guest_id, guest_kind, guest_name
from collectors.vsphere.mapping.layout import Layout, layout_of
from collectors.vsphere.mapping.paths import GUEST
from collectors.vsphere.mapping.places import Places

TIMESTAMP = "layoutEx.timestamp"
PORTION = 100
"""Guests in one query."""
RESERVE_SECONDS = 0.5
"""Left for making an observation of what was read."""
_TOLD = frozenset(
    {
        "accessible",
        "chain",
        "dataKey",
        "disk",
        "file",
        "fileKey",
        "key",
        "memoryKey",
        "name",
        "size",
        "snapshot",
        "timestamp",
        "uniqueSize",
    }
)
_SHAPES: Shapes = {"layoutEx": Shape(frozenset(), _TOLD, lambda told: told)}
"""What is read of files, at any depth."""
UNREAD = "layouts_unread"
VALUE_REJECTED = "value_rejected"


Known = tuple[Ref, str, str, Sequence[tuple[str, Disk]]]
"""A guest: reference, id, name, and disks by labels that differ."""


def guests_of(around: Surroundings, places: Places) -> Iterator[Known]:
    """The guests that get series."""
    memory = around.memory
    for ref, facts in memory.of_kind(GUEST).items():
        if not around.options.system_guests and guest_kind(facts) == "system":
            continue
        last = memory.last.get(ref, {})
        identity = guest_id(ref, last | facts, memory.uuids.get(ref, ""))
        yield ref, identity, guest_name(places, ref, facts, last), devices_of(facts).disks


def read_layouts(around: Surroundings, wanted: Sequence[Ref]) -> Iterator[tuple[Ref, Layout]]:
    """The files of some guests. Ends early, with a finding, when the deadline comes near."""
    slowest = 0.0
    for start in range(0, len(wanted), PORTION):
        if around.deadline.remaining_seconds < 2 * slowest + RESERVE_SECONDS:
            for ref in wanted[start:]:
                around.findings.note(
                    UNREAD, ref, f"{len(wanted) - start} guests: there was no time to read their files"
                )
            return
        begun = time.monotonic()
        yield from _portion(around, wanted[start : start + PORTION])
        slowest = max(slowest, time.monotonic() - begun)


def _portion(around: Surroundings, wanted: Sequence[Ref]) -> Iterator[tuple[Ref, Layout]]:
    try:
        pages = list(around.lane.some(wanted, {GUEST: ["layoutEx"]}, _SHAPES))
    except Refused as error:
        if len(wanted) == 1:
            around.findings.note(INACCESSIBLE, wanted[0], f"{GUEST} {wanted[0].id}: {error}")
            return
        middle = len(wanted) // 2  # one of them is the trouble: find out by halves
        yield from _portion(around, wanted[:middle])
        yield from _portion(around, wanted[middle:])
        return
    for page in pages:
        around.findings.lost(page.lost)
        for ref, facts in page.objects.items():
            layout = checked(around, ref, facts)
            if layout is not None:
                yield ref, layout


def checked(around: Surroundings, ref: Ref, facts: Facts) -> Layout | None:
    """A guest's files out of its answer; what makes no sense in it is noted."""
    odd: Oddities = []
    layout = layout_of(part(facts, "layoutEx", odd), odd)
    note(around, ref, odd)
    return layout


def note(around: Surroundings, ref: Ref, odd: Oddities) -> None:
    """What made no sense about an object."""
    for sentence in odd:
        around.findings.note(VALUE_REJECTED, ref, f"{ref.kind} {ref.id}: {sentence}")


def state_of(facts: Facts, disks: Sequence[Disk]) -> object:
    """What a guest's files are true for: when the endpoint last looked at them, and what its disks write to."""
    return facts.get(TIMESTAMP), tuple(disk.path for disk in disks)


def outdated(
    wanted: Mapping[Ref, object], known: Mapping[Ref, tuple[object, object]], read: Mapping[Ref, Facts]
) -> list[Ref]:
    """The guests whose files have changed, those first that were never read. One that has none is not asked."""
    changed = [
        ref
        for ref, state in wanted.items()
        if TIMESTAMP in read.get(ref, {}) and (ref not in known or known[ref][0] != state)
    ]
    return sorted(changed, key=lambda ref: ref in known)
