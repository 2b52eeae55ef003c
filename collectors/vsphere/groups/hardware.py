"""Hosts' hardware: what their sensors see, and when their certificates end. Read slowly: there are hundreds a host.

Hosts that the deadline leaves no time for are carried over, and read first by the next collection.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy, Refused
from collectors.vsphere.findings import INACCESSIBLE
from collectors.vsphere.groups.layouts import note
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping import certificates, health
from collectors.vsphere.mapping.checked import Facts, Oddities
from collectors.vsphere.mapping.guest import connected
from collectors.vsphere.mapping.paths import HOST
from exporter.errors import TimedOut
from exporter.model import Counter

PORTION = 50
"""Hosts in one query: each answers with some hundred structures."""
RESERVE_SECONDS = 0.5
CERTIFICATE_SECONDS = 3600.0
"""How long the end of a certificate is true: it comes as two thousand elements for each host, and rarely changes."""

Told = dict[str, Counter | None]


def read_hardware(around: Surroundings) -> Iterator[tuple[Ref, Told]]:
    """What hosts tell of their hardware; nothing of one that is not connected, whose word is old."""
    upkeep = around.memory.upkeep
    hosts = around.memory.of_kind(HOST)
    for ref in (upkeep.examined_at.keys() | upkeep.certificates.keys()) - hosts.keys():
        upkeep.examined_at.pop(ref, None)
        upkeep.certificates.pop(ref, None)
    yield from ((ref, {}) for ref, facts in hosts.items() if not connected(facts))
    wanted = sorted(
        (ref for ref, facts in hosts.items() if connected(facts)), key=lambda ref: upkeep.examined_at.get(ref, 0.0)
    )
    around.lane.within(around.asking_until().remaining_seconds)
    try:
        yield from _in_portions(around, wanted)
    except (TimedOut, Busy):  # what else the inventory tells is known by now, and need not be lost
        around.findings.unread = True
    finally:
        around.lane.within(around.deadline.remaining_seconds)


def _in_portions(around: Surroundings, wanted: Sequence[Ref]) -> Iterator[tuple[Ref, Told]]:
    slowest = 0.0
    for start in range(0, len(wanted), PORTION):
        if around.deadline.remaining_seconds < 2 * slowest + RESERVE_SECONDS:
            around.findings.unread = True
            return
        begun = time.monotonic()
        yield from _portion(around, wanted[start : start + PORTION])
        slowest = max(slowest, time.monotonic() - begun)


def _portion(around: Surroundings, wanted: Sequence[Ref]) -> Iterator[tuple[Ref, Told]]:
    paths = _paths(around, wanted)
    try:
        pages = list(around.lane.some(wanted, {HOST: paths}))
    except Refused as error:
        if len(wanted) == 1:
            around.findings.note(INACCESSIBLE, wanted[0], f"{HOST} {wanted[0].id}: {error}")
            around.findings.unread = True
            return
        middle = len(wanted) // 2  # one of them is the trouble: find out by halves
        yield from _portion(around, wanted[:middle])
        yield from _portion(around, wanted[middle:])
        return
    for page in pages:
        around.findings.lost(page.lost)
        for ref, facts in page.objects.items():
            around.memory.upkeep.examined_at[ref] = time.monotonic()
            yield ref, _told(around, ref, facts, anew=certificates.PATH in paths)


def _paths(around: Surroundings, wanted: Sequence[Ref]) -> list[str]:
    known, now = around.memory.upkeep.certificates, time.monotonic()
    due = any(now - known[ref][0] > CERTIFICATE_SECONDS if ref in known else True for ref in wanted)
    return [*health.PATHS, certificates.PATH] if due else [*health.PATHS]


def _told(around: Surroundings, ref: Ref, facts: Facts, *, anew: bool) -> Told:
    """What a host tells. `anew`: its certificate was asked for; one without keeps none for as long."""
    odd: Oddities = []
    known = around.memory.upkeep.certificates
    if anew:
        known[ref] = time.monotonic(), certificates.certificate_end(facts, odd)
    _, end = known.get(ref, (0.0, None))
    told: Told = {**health.health_of(facts, odd), certificates.NOT_AFTER: end}
    note(around, ref, odd)
    return told
