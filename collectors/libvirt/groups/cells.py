"""What few people need of a host, asked only where its families are turned on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.endpoint import How
from collectors.libvirt.client.endpoint import Stats as Groups
from collectors.libvirt.client.errors import Failed
from collectors.libvirt.groups.host import host_identity
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.cells import (
    IN,
    OUT,
    Cells,
    arriving,
    cells,
    huge_free,
    leaving,
    numa_free,
    on_the_doorstep,
)
from collectors.libvirt.mapping.record import Stats
from exporter.model import Host

_NUMA = "hypervisor_host_numa_memory_free_bytes"
_HUGE = "hypervisor_host_hugepages_free"
_MIGRATIONS = "hypervisor_host_migrations"
_MONITOR_FREE = {0, 1}
"""VIR_DOMAIN_CONTROL_OK, JOB: what is occupied or broken could keep us waiting."""


def rare_host(around: Surroundings, domains: Collection[Domain]) -> tuple[Host, ...]:
    """The host with cells, huge pages and migrations as wanted; nothing where none is."""
    wants = around.settings.wants
    if not any(wants(family) for family in (_NUMA, _HUGE, _MIGRATIONS)):
        return ()
    numa: Mapping[str, float] = {}
    huge: Mapping[str, float] = {}
    moving: Mapping[str, float] = {}
    with around.findings.about("the host's memory cells"):
        host = cells(around.endpoint.node().capabilities)
        numa = numa_free(host, around.endpoint.cells_free(host.bound)) if wants(_NUMA) and host.ids else {}
        huge = _huge(around, host) if wants(_HUGE) else {}
    with around.findings.about("the guests' migrations"):
        moving = _migrations(around, domains) if wants(_MIGRATIONS) else {}
    name, uuid = host_identity(around)
    return (Host(id=uuid, name=name, numa_memory_free_bytes=numa, hugepages_free=huge, migrations=moving),)


def _huge(around: Surroundings, host: Cells) -> Mapping[str, float]:
    if not host.ids or not host.huge_kibibytes:
        return {}
    return huge_free(host, around.endpoint.free_pages(host.huge_kibibytes, host.bound))


def _migrations(around: Surroundings, domains: Collection[Domain]) -> Mapping[str, float]:
    """Live migrations by direction; only QEMU tells which job a guest has, and whether asking would wait."""
    if around.endpoint.driver() != "qemu":
        return {}
    running = [domain for domain in domains if domain.active]
    records = around.endpoint.bulk(running, Groups.STATE, How.ACTIVE) if running else ()
    ways = [_way(around, record) for record in records]
    return {way: float(ways.count(way)) for way in (IN, OUT)}


def _way(around: Surroundings, record: Record) -> str | None:
    """Whether a running guest comes, goes or stays."""
    state = Stats(record.stats).number("state.state"), Stats(record.stats).number("state.reason")
    if arriving(*state):
        return IN
    name = record.domain.name
    around.deadline.check(f"reading the job of guest {name!r}")
    with around.findings.about(f"the job of guest {name!r}"):
        control = around.endpoint.control(record.domain)
        if control is None or control[0] not in _MONITOR_FREE:
            return None
        try:
            return OUT if leaving(around.endpoint.job(record.domain)) else None
        except Failed:
            # Of an incoming copy libvirt tells the job to the source only, also while QEMU is being started for it and
            # for a moment after it has taken over.
            if not on_the_doorstep(*state):
                raise
            return IN
    return None
