"""Snapshots and checkpoints of every guest, and overlays that no snapshot accounts for.

Nothing is cached: a snapshot can be deleted and made again under its name between two collections (a nightly backup
does just that), nothing but its description tells, and reading that costs 0.1 ms. Sizes and chains are those of the
last storage and inventory collections: no monitor and no file is asked for them again.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import replace

from collectors.libvirt.answers import Domain, SnapshotName
from collectors.libvirt.client.endpoint import Listing
from collectors.libvirt.client.errors import Failed, Gone, Refused, WrongState
from collectors.libvirt.findings import OBJECT_INACCESSIBLE, VALUE_REJECTED
from collectors.libvirt.groups.checkpoints import guests_with_checkpoints, newest_checkpoint
from collectors.libvirt.groups.inventory import filtered
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.overlays import files, held_bytes, orphans
from collectors.libvirt.mapping.snapshots import Taken, snapshot
from exporter.errors import Forbidden, Malformed, Unsupported
from exporter.model import Guest, Observation, Snapshot

FILTERING_DRIVERS = {"qemu", "vz", "test"}
"""Drivers that can list the domains with snapshots; the others are asked domain by domain."""


def collect(around: Surroundings) -> Observation:
    """The snapshots of one host. Raises `Unsupported` where the driver knows none."""
    now = around.now()
    domains = around.endpoint.domains()
    candidates = None
    if around.endpoint.driver() in FILTERING_DRIVERS:
        candidates = filtered(around, Listing.HAS_SNAPSHOT)
    with_checkpoints = guests_with_checkpoints(around)
    owners = Tally(path for each in around.memory.descriptions.values() for path in files([each]))
    guests = []
    for domain in domains:
        around.deadline.check(f"reading the snapshots of guest {domain.name!r}")
        bare = candidates is not None and domain.uuid not in candidates
        taken = [] if bare else _snapshots(around, domain)
        if taken is not None:
            checkpoint = newest_checkpoint(around, domain) if domain.uuid in with_checkpoints else None
            guests.append(_guest(around, domain, taken, checkpoint, owners))
    if domains and not guests and not around.findings.any:
        raise Unsupported("this driver of libvirt knows no snapshots")
    return Observation(
        collected_at=now, guests=tuple(guests), problems=around.findings.problems, partial=around.findings.any
    )


def _guest(
    around: Surroundings, domain: Domain, taken: list[Taken], checkpoint: float | None, owners: Mapping[str, int]
) -> Guest:
    layers = around.memory.layers.get(domain.uuid, {})
    sized = [replace(each.snapshot, size_bytes=held_bytes(each, layers)) for each in taken]
    sizes = [each.size_bytes for each in sized]
    return Guest(
        id=domain.uuid,
        name=domain.name,
        snapshots=tuple(sized),
        snapshots_size_bytes=sum(size for size in sizes if size is not None) if sizes and None not in sizes else None,
        orphaned_overlays=_orphans(around, domain, taken, owners),
        last_checkpoint_timestamp_seconds=checkpoint,
    )


def _orphans(around: Surroundings, domain: Domain, taken: list[Taken], owners: Mapping[str, int]) -> int | None:
    """`owners` tells of a file how many guests use it: looking through all of them for each takes seconds."""
    own = around.memory.descriptions.get(domain.uuid)
    if own is None or not all(each.read for each in taken):
        return None
    claimed = {path for each in taken for path in each.overlays}
    used = {path for path in files([own]) if owners[path] > 1}
    return orphans(own, claimed, used, around.settings.image_base_patterns)


def _snapshots(around: Surroundings, domain: Domain) -> list[Taken] | None:
    """The domain's snapshots, the oldest first; None where they cannot be listed."""
    with around.findings.about(f"guest {domain.name!r}"):
        names = around.endpoint.snapshots(domain)
        current = around.endpoint.current_snapshot(domain) if names else None
        read = [_read(around, domain, each, current) for each in names]
        return sorted((each for each in read if each is not None), key=_age)
    return None


def _read(around: Surroundings, domain: Domain, named: SnapshotName, current: str | None) -> Taken | None:
    """One snapshot; None where it was deleted since it was listed."""
    try:
        taken = snapshot(around.endpoint.snapshot_xml(named), named.name, current)
    except (Malformed, Failed, Refused, Forbidden, WrongState) as error:
        # It exists, so it counts, though its age is not known.
        around.findings.note(error.problem or OBJECT_INACCESSIBLE, f"guest {domain.name!r}: {error}")
        return Taken(Snapshot(id=named.name, name=named.name), read=False)
    except Gone:
        return None
    for sentence in taken.oddities:
        around.findings.note(VALUE_REJECTED, f"guest {domain.name!r}: {sentence}")
    return taken


def _age(taken: Taken) -> tuple[float, str]:
    return taken.snapshot.created_timestamp_seconds or 0, taken.snapshot.name
