"""Properties of many objects, as many as there is time for; who was not come to is first the next time.

For statistics of vitals, and for what the groups of the slow lane read of all guests.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from collectors.vsphere.client.decode import NO_SHAPES, Ref, Shapes
from collectors.vsphere.client.faults import Busy
from collectors.vsphere.client.properties import Page
from collectors.vsphere.findings import OBJECTS_LATE
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.paths import GUEST
from collectors.vsphere.memory import MOST_OBJECTS, Turn
from exporter.contract import Deadline
from exporter.errors import TimedOut

LARGE_SHARE = 0.25
"""Of the time there is: a page that takes longer is too large."""
LEAST_OBJECTS = 50
SHARE = 0.6
"""Of the time for asking, for what the slow lane reads of all guests; the rest is for their files."""

Paths = Mapping[str, Sequence[str]]


def read(
    around: Surroundings,
    turn: Turn,
    everything: Sequence[Ref],
    paths: Paths,
    *,
    until: Deadline,
    shapes: Shapes = NO_SHAPES,
) -> Page:
    """These properties of everything; if the last collection did not come to all, of those first that wait longest.

    Afterwards `turn` has those that there was no time for. Raises `TimedOut` and `Busy` where nothing could be read.
    """
    found = Page()
    took, large = 0.0, LARGE_SHARE * until.remaining_seconds
    in_turns, asked = bool(turn.behind), turn.page_objects
    pages = _pages(around, turn, everything, paths, shapes)
    try:
        while until.remaining_seconds > 2 * took:
            begun = time.monotonic()
            asked = turn.page_objects if in_turns else asked  # pages of one query are of one size
            page = next(pages, None)
            if page is None:
                turn.behind = ()
                return found
            found.objects |= page.objects
            found.lost += page.lost
            turn.read_at |= dict.fromkeys(page.objects, begun)
            around.findings.lost(page.lost)
            took = time.monotonic() - begun
            if took > large:
                turn.page_objects = max(LEAST_OBJECTS, asked // 2)
            elif took < large / 2:
                turn.page_objects = min(MOST_OBJECTS, turn.page_objects + LEAST_OBJECTS)
            around.lane.within(until.remaining_seconds)  # now that there are some, the others leave time for the rest
    except (TimedOut, Busy):
        turn.page_objects = max(LEAST_OBJECTS, asked // 2)
        if not found.objects:
            raise
    turn.behind = tuple(ref for ref in everything if ref not in found.objects)
    return found


def read_guests(around: Surroundings, turn: Turn, paths: Sequence[str], shapes: Shapes) -> Page:
    """These properties of the guests, within a share of the time for asking.

    Those that there was no time for are left out, so that they are told as they were, and counted.
    """
    guests = list(around.memory.of_kind(GUEST))
    try:
        until = Deadline.after(SHARE * around.asking_until().remaining_seconds)
        around.lane.within(until.remaining_seconds)
        page = read(around, turn, guests, {GUEST: paths}, until=until, shapes=shapes)
    except (TimedOut, Busy):
        page, turn.behind = Page(), tuple(guests)
    finally:
        around.lane.within(around.deadline.remaining_seconds)
    if turn.behind:
        first = turn.behind[0]
        around.findings.unread = True
        around.findings.count(OBJECTS_LATE, len(turn.behind), f"{first.kind} {first.id}: no time to read it")
    return page


def _pages(around: Surroundings, turn: Turn, everything: Sequence[Ref], paths: Paths, shapes: Shapes) -> Iterator[Page]:
    if not turn.behind:
        yield from around.lane.every(paths, shapes, turn.page_objects)
        return
    order = deque(sorted(everything, key=lambda ref: turn.read_at.get(ref, 0.0)))
    while order:
        portion = [order.popleft() for _ in range(min(turn.page_objects, len(order)))]
        yield from around.lane.some(portion, paths, shapes)
