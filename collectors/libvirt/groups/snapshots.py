"""Snapshots of every guest.

Nothing is cached: a snapshot can be deleted and made again under its name between two collections (a nightly backup
does just that), nothing but its description tells, and reading that costs 0.1 ms.
"""

from __future__ import annotations

from collectors.libvirt.answers import Domain, SnapshotName
from collectors.libvirt.client.endpoint import Listing
from collectors.libvirt.client.errors import Failed, Gone
from collectors.libvirt.findings import OBJECT_INACCESSIBLE
from collectors.libvirt.groups.inventory import filtered
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.snapshots import snapshot
from exporter.errors import Malformed, Unsupported
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
    guests = []
    for domain in domains:
        around.deadline.check(f"reading the snapshots of guest {domain.name!r}")
        if candidates is not None and domain.uuid not in candidates:
            guests.append(Guest(id=domain.uuid, name=domain.name, snapshots=()))
        elif (found := _snapshots(around, domain)) is not None:
            guests.append(Guest(id=domain.uuid, name=domain.name, snapshots=found))
    if domains and not guests and not around.findings.any:
        raise Unsupported("this driver of libvirt knows no snapshots")
    return Observation(
        collected_at=now, guests=tuple(guests), problems=around.findings.problems, partial=around.findings.any
    )


def _snapshots(around: Surroundings, domain: Domain) -> tuple[Snapshot, ...] | None:
    """The domain's snapshots, the oldest first; None where they cannot be listed."""
    with around.findings.about(f"guest {domain.name!r}"):
        names = around.endpoint.snapshots(domain)
        current = around.endpoint.current_snapshot(domain) if names else None
        read = [_read(around, domain, each, current) for each in names]
        return tuple(sorted((each for each in read if each is not None), key=_age))
    return None


def _read(around: Surroundings, domain: Domain, named: SnapshotName, current: str | None) -> Snapshot | None:
    """One snapshot; None where it was deleted since it was listed."""
    try:
        return snapshot(around.endpoint.snapshot_xml(named), named.name, current)
    except Gone:
        return None
    except (Malformed, Failed) as error:
        # It exists, so it counts, though its age is not known.
        around.findings.note(error.problem or OBJECT_INACCESSIBLE, f"guest {domain.name!r}: {error}")
        return Snapshot(id=named.name, name=named.name)


def _age(snapshot: Snapshot) -> tuple[float, str]:
    return snapshot.created_timestamp_seconds or 0, snapshot.name
