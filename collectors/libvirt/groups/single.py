"""Guests of drivers without bulk statistics, asked one call after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.endpoint import Questions
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping import single
from collectors.libvirt.mapping.description import Description, describe


def ask_singly(around: Surroundings, domains: Collection[Domain], driver: str) -> Iterator[Record]:
    """A record per domain; one that vanishes meanwhile is left out, one that fails is a problem."""
    for domain in domains:
        around.deadline.check(f"reading guest {domain.name!r}")
        stats: dict[str, object] = {}
        with around.findings.about(f"guest {domain.name!r}"):
            stats |= _whole(around, domain, driver)
        if not stats:
            continue
        with around.findings.about(f"guest {domain.name!r}"):
            stats |= _parts(around, domain, driver)
        yield Record(domain, stats)


def _whole(around: Surroundings, domain: Domain, driver: str) -> dict[str, object]:
    return single.whole(around.endpoint.state(domain), around.endpoint.info(domain), driver)


def _parts(around: Surroundings, domain: Domain, driver: str) -> dict[str, object]:
    if not domain.active:
        return {}
    endpoint = around.endpoint
    description = _description(around, domain)
    disks = {disk.disk: (endpoint.block(domain, disk.disk), None) for disk in description.disks}
    nics = {nic.device: endpoint.interface(domain, nic.device) for nic in description.nics if nic.device}
    return {
        **single.memory(endpoint.memory(domain), driver),
        **single.disks(disks),
        **single.nics({name: counters for name, counters in nics.items() if counters is not None}),
    }


def _description(around: Surroundings, domain: Domain) -> Description:
    """As the last inventory has it, else read now: the names of disks and adapters are nowhere else."""
    known = around.memory.descriptions.get(domain.uuid)
    return known or describe(around.endpoint.xml(domain), f"guest {domain.name!r}")


def block_sizes(endpoint: Questions, domain: Domain, description: Description) -> dict[str, object]:
    """Sizes of a running domain's disks as a bulk record has them."""
    return single.disks({disk.disk: (None, endpoint.block_sizes(domain, disk.disk)) for disk in description.disks})
