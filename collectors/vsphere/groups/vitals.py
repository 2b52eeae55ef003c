"""State, CPU, memory, disks and network of all guests, of their hosts and clusters.

What the endpoint does not answer before it is time to stop is what it was for a while, and the next collection begins
with it. Changes, statistics and samples have each a share of the time, so that none leaves nothing to the others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Busy
from collectors.vsphere.findings import INVENTORY_LATE, LATE, MISSING_RIGHT, STATISTICS_LATE
from collectors.vsphere.groups import inventory, turns
from collectors.vsphere.groups.estate import Estate
from collectors.vsphere.groups.sampling import Reading, commit, count_gaps, forget_made, read_samples
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.guest import connected
from collectors.vsphere.mapping.paths import CLUSTER, FAST, GUEST, HOST
from exporter.contract import Deadline
from exporter.errors import Forbidden, TimedOut
from exporter.model import EndpointFacts, Observation

FOLLOW_SHARE = 0.6
"""Of the time for asking, for pages of changes: a large inventory takes several collections, each with vitals."""
QUICK_SHARE = 0.6
"""Of the time that is left then, for quick statistics; the rest is for samples."""


def collect(around: Surroundings) -> Observation:
    """The vitals of one endpoint."""
    until = around.asking_until()
    around.lane.within(until.remaining_seconds)
    told = inventory.follow(around, Deadline.after(FOLLOW_SHARE * until.remaining_seconds))
    fast = _quick(around, Deadline.after(QUICK_SHARE * until.remaining_seconds))
    around.lane.within(until.remaining_seconds)
    reading = _samples(around, until)
    begun = time.monotonic()
    behind = around.memory.statistics.behind
    around.findings.unread |= bool(behind or reading.left)
    inventory.note_lost(around)
    count_gaps(around, reading)
    if not (told and around.memory.whole):
        around.findings.unread = True
        around.findings.count(INVENTORY_LATE, 1, "no time to read the inventory, or its changes, to the end")
    if reading.left:
        around.findings.count(LATE, len(reading.left), f"{_first(reading.left)}: no time for its samples")
    if behind:
        around.findings.count(STATISTICS_LATE, len(behind), f"{_first(behind)}: no time for its memory")
    try:
        observation = _observation(around, Estate(around, fast, reading))
    finally:
        forget_made(around, reading)
    around.memory.making_seconds = time.monotonic() - begun
    around.deadline.check("making an observation of what was read")
    commit(around, reading)
    return observation


def _observation(around: Surroundings, estate: Estate) -> Observation:
    hosts, guests = estate.seen()
    service = around.lane.service
    return Observation(
        collected_at=around.now,
        hosts=hosts,
        guests=guests,
        clusters=estate.clusters(),
        endpoint=EndpointFacts(product=service.product, version=service.version, api_version=service.api_version),
        problems=around.findings.problems,
        partial=around.findings.unread,
        remembered=True,  # every object of the inventory is in it, whatever was not read of it this time
    )


def _first(late: Sequence[Ref]) -> str:
    return f"{late[0].kind} {late[0].id}"


# Quick statistics.


def _quick(around: Surroundings, until: Deadline) -> dict[Ref, Mapping[str, Any]]:
    """Quick statistics of all objects; of those that were not come to, the last ones."""
    memory = around.memory
    kinds = [kind for kind in FAST if kind != CLUSTER or around.lane.service.vcenter]
    everything = [ref for kind in (CLUSTER, HOST, GUEST) if kind in kinds for ref in memory.of_kind(kind)]
    turn = memory.statistics
    found: dict[Ref, Mapping[str, Any]] = {}
    found |= turns.read(around, turn, everything, {kind: FAST[kind] for kind in kinds}, until=until).objects
    memory.quick = {ref: memory.quick[ref] for ref in turn.behind if ref in memory.quick} | found
    return found | _still_true(around) if turn.behind else found


def _still_true(around: Surroundings) -> dict[Ref, Mapping[str, Any]]:
    """Statistics of those that were not come to, where they are not too old to be told."""
    quick, turn, oldest = around.memory.quick, around.memory.statistics, time.monotonic() - around.patience_seconds
    return {ref: quick[ref] for ref in turn.behind if ref in quick and turn.read_at.get(ref, 0.0) > oldest}


# Samples.


def _samples(around: Surroundings, until: Deadline) -> Reading:
    counted, resting = [], set()
    memory = around.memory
    for ref, facts in memory.of_kind(HOST, GUEST).items():
        host = memory.slow.get(facts.get("runtime.host"), {}) if ref.kind == GUEST else facts  # type: ignore[arg-type]
        if facts.get("runtime.powerState") != "poweredOn":
            resting.add(ref)
        elif connected(facts) and connected(host) and not facts.get("config.template"):
            counted.append(ref)
    memory.resting |= resting
    wanted = sorted(counted, key=lambda ref: ref.kind != HOST)
    try:
        return read_samples(around, wanted, until)
    except (TimedOut, Busy):  # the counters could not even be learned
        return Reading(left=wanted)
    except Forbidden as error:
        around.findings.note(MISSING_RIGHT, "samples", str(error))
        return Reading()
