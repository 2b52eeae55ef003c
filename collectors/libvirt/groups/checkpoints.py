"""Checkpoints: where the next incremental backup of a guest begins. They need no monitor."""

from __future__ import annotations

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.endpoint import Listing
from collectors.libvirt.groups.inventory import filtered
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.snapshots import checkpoint_time

DRIVERS = {"qemu", "test"}


def guests_with_checkpoints(around: Surroundings) -> set[str]:
    """UUIDs of the guests that have any, in one call; libvirt before 5.6 and most drivers know none."""
    return (filtered(around, Listing.HAS_CHECKPOINT) or set()) if around.endpoint.driver() in DRIVERS else set()


def newest_checkpoint(around: Surroundings, domain: Domain) -> float | None:
    """When the guest's newest checkpoint was made, Unix seconds of the host."""
    with around.findings.about(f"the checkpoints of guest {domain.name!r}"):
        times = [checkpoint_time(text, domain.name) for text in around.endpoint.newest_checkpoints(domain)]
        return max((each for each in times if each is not None), default=None)
    return None
