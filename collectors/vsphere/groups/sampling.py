"""Realtime samples of many objects in portions that the endpoint can bear, each object from where it was last read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.faults import Refused
from collectors.vsphere.client.performance import Sampled, Wanted
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.counters import COUNTERS, metrics_of
from exporter.errors import CollectorError

KEPT_SECONDS = 3600
"""How long an endpoint keeps realtime samples."""
PORTION = 100
"""Objects in one query."""
_TOO_MUCH = {"RestrictedByAdministrator", "InvalidArgument", "SystemError"}


def read_samples(around: Surroundings, objects: Iterable[Ref]) -> dict[Ref, Sampled]:
    """What was sampled of these objects since they were last asked; of one seen first, the newest sample."""
    _learn(around)
    found: dict[Ref, Sampled] = {}
    wanted = [_wanted(around, ref) for ref in objects]
    for start in range(0, len(wanted), PORTION):
        around.deadline.check("reading samples")
        for sampled in _query(around, wanted[start : start + PORTION]):
            found[sampled.entity] = sampled
    for ref, sampled in found.items():
        if sampled.timestamps:
            around.memory.sampled[ref] = sampled.timestamps[-1]
    return found


def _learn(around: Surroundings) -> None:
    if not around.memory.counters:
        around.memory.counters = around.lane.counters()


def _wanted(around: Surroundings, ref: Ref) -> Wanted:
    since = around.memory.sampled.get(ref)
    metrics = metrics_of(ref.kind, around.memory.counters)
    if since is None:
        return Wanted(ref, metrics, most=1)
    if around.now - since > KEPT_SECONDS:
        lost = int((around.now - since - KEPT_SECONDS) // 20)
        around.findings.note("samples_missing", ref, f"{ref.id}: {lost} samples are older than what is kept")
        since = around.now - KEPT_SECONDS
    return Wanted(ref, metrics, since=since)


def _query(around: Surroundings, wanted: Sequence[Wanted]) -> Iterator[Sampled]:
    try:
        yield from around.lane.samples(wanted)
    except Refused as error:
        if len(wanted) > 1:  # too much at once, or one of them is the trouble: find out by halves
            middle = len(wanted) // 2
            yield from _query(around, wanted[:middle])
            yield from _query(around, wanted[middle:])
        else:
            _note(around, wanted[0], error)


def _note(around: Surroundings, wanted: Wanted, error: CollectorError) -> None:
    if not isinstance(error, Refused) or error.fault.name != "ManagedObjectNotFound":  # it has just been deleted
        around.findings.note("object_inaccessible", wanted.entity, f"{wanted.entity.kind} {wanted.entity.id}: {error}")


def sampled_kinds() -> Sequence[str]:
    """Kinds of objects that have realtime counters here."""
    return tuple(COUNTERS)
