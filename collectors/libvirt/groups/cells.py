"""What few people need of a host, asked only where its families are turned on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.endpoint import How
from collectors.libvirt.client.endpoint import Stats as Groups
from collectors.libvirt.groups.host import host_identity
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.cells import Cells, arriving, cells, huge_free, leaving, numa_free
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
    incoming = {
        record.domain.uuid
        for record in (around.endpoint.bulk(running, Groups.STATE, How.ACTIVE) if running else ())
        if arriving(Stats(record.stats).number("state.state"), Stats(record.stats).number("state.reason"))
    }
    outgoing = sum(_leaves(around, domain) for domain in running if domain.uuid not in incoming)
    return {"in": float(len(incoming)), "out": float(outgoing)}


def _leaves(around: Surroundings, domain: Domain) -> bool:
    around.deadline.check(f"reading the job of guest {domain.name!r}")
    with around.findings.about(f"the job of guest {domain.name!r}"):
        control = around.endpoint.control(domain)
        return control is not None and control[0] in _MONITOR_FREE and leaving(around.endpoint.job(domain))
    return False
