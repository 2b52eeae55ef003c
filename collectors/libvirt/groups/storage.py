"""Pools, and the sizes and places of guests' disks. Files of guests that are off are never touched."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from collectors.libvirt.answers import Domain, Pool
from collectors.libvirt.client.endpoint import How
from collectors.libvirt.client.endpoint import Stats as Groups
from collectors.libvirt.client.errors import Failed, Gone
from collectors.libvirt.client.patience import Occupied
from collectors.libvirt.client.writing import REFRESH_SECONDS
from collectors.libvirt.findings import OBJECT_INACCESSIBLE
from collectors.libvirt.groups.cells import rare_host
from collectors.libvirt.groups.inventory import read_descriptions
from collectors.libvirt.groups.single import block_sizes
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.groups.vitals import BULK_DRIVERS, chunks
from collectors.libvirt.mapping.description import Description
from collectors.libvirt.mapping.disks import disk_space
from collectors.libvirt.mapping.overlays import has_sizes, layer_bytes
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.storage import PoolFacts, place_of, pool_facts, promised_bytes, storage, usable
from exporter.errors import Forbidden, TimedOut, Unsupported
from exporter.model import Guest, Observation, Storage

STORAGE_INACCESSIBLE = "storage_inaccessible"

PAUSES_SECONDS = (0.05, 0.2)
"""A guest whose monitor somebody asks at the very moment, often our own vitals, is passed by: it is asked again."""


def collect(around: Surroundings) -> Observation:
    """The storage of one host."""
    now = around.now()
    storages, pools = _pools(around)
    domains = around.endpoint.domains()
    descriptions = read_descriptions(around, domains)
    sizes = _sizes(around, domains, descriptions)
    around.memory.layers = {uuid: layer_bytes(stats) for uuid, stats in sizes.items()}
    guests = tuple(
        Guest(
            id=domain.uuid,
            name=domain.name,
            disks=tuple(
                disk_space(source, sizes.get(domain.uuid, Stats({})), place_of(source, pools))
                for source in descriptions[domain.uuid].disks
            ),
        )
        for domain in domains
        if domain.uuid in descriptions
    )
    return Observation(
        collected_at=now,
        hosts=rare_host(around, domains),
        guests=guests,
        storages=storages,
        problems=around.findings.problems,
        partial=around.findings.any,
    )


def _pools(around: Surroundings) -> tuple[tuple[Storage, ...], list[PoolFacts]]:
    storages, facts = [], []
    try:
        pools = around.endpoint.pools()
    except Unsupported:
        # A driver without storage driver still has guests with disks.
        return (), []
    for pool in pools:
        around.deadline.check(f"reading pool {pool.name!r}")
        _refresh(around, pool)
        with around.findings.about(f"pool {pool.name!r}"):
            described = pool_facts(around.endpoint.pool_xml(pool), pool.uuid, pool.name, around.target)
            facts.append(described)
            info = around.endpoint.pool_info(pool)
            storages.append(storage(described, info, _promised(around, pool) if usable(info) else None))
    return tuple(storages), facts


def _promised(around: Surroundings, pool: Pool) -> float | None:
    """Bytes that the pool's volumes may still grow by; None where they are not to be read or cannot."""
    if not around.settings.volumes:
        return None
    with around.findings.about(f"the volumes of pool {pool.name!r}"):
        return promised_bytes(around.endpoint.volumes(pool), pool.name)
    return None


def _refresh(around: Surroundings, pool: Pool) -> None:
    """Let libvirt look at the pool anew where that was asked for; one that hangs keeps its old numbers."""
    if not around.settings.refresh_pools or around.writing is None:
        return
    try:
        around.writing.refresh(pool, min(REFRESH_SECONDS, around.deadline.remaining_seconds))
    except (TimedOut, Occupied) as error:
        around.findings.note(STORAGE_INACCESSIBLE, f"refreshing pool {pool.name!r}: {error}")
    except (Forbidden, Failed) as error:
        around.findings.note(error.problem or OBJECT_INACCESSIBLE, f"refreshing pool {pool.name!r}: {error}")
    except (Gone, Unsupported):
        # It is not active.
        pass


def _sizes(
    around: Surroundings, domains: Collection[Domain], descriptions: Mapping[str, Description]
) -> dict[str, Stats]:
    """BLOCK records of the guests that run and have disks, by UUID, with the layers below where the driver tells."""
    running = [domain for domain in domains if domain.active and _has_disks(descriptions.get(domain.uuid))]
    if around.endpoint.driver() in BULK_DRIVERS:
        return _bulk_sizes(around, running)
    found = {}
    for domain in running:
        around.deadline.check(f"reading the disks of guest {domain.name!r}")
        found[domain.uuid] = Stats(block_sizes(around, domain, descriptions[domain.uuid]))
    return found


def _bulk_sizes(around: Surroundings, running: Collection[Domain]) -> dict[str, Stats]:
    found: dict[str, Stats] = {}
    asked = list(running)
    for pause_seconds in (0.0, *PAUSES_SECONDS):
        if not asked:
            break
        time.sleep(pause_seconds)
        for chunk in chunks(asked, {}):
            around.deadline.check("reading the sizes of disks")
            for record in around.endpoint.bulk(chunk, Groups.BLOCK, How.ACTIVE | How.BACKING):
                found[record.domain.uuid] = Stats(record.stats)
        asked = [domain for domain in asked if domain.uuid in found and not has_sizes(found[domain.uuid])]
    return found


def _has_disks(description: Description | None) -> bool:
    return description is not None and bool(description.disks)
