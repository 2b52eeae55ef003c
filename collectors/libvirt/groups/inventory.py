"""The slow facts of guests: descriptions, adapters, autostart. They also feed `guest_info` of vitals."""

from __future__ import annotations

from collections.abc import Collection

from collectors.libvirt.answers import Domain
from collectors.libvirt.client.endpoint import Listing
from collectors.libvirt.client.errors import Refused
from collectors.libvirt.findings import VALUE_REJECTED
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.description import Description, describe
from exporter.errors import Unsupported
from exporter.model import Guest, GuestNic, Observation


def collect(around: Surroundings) -> Observation:
    """The inventory of one host."""
    now = around.now()
    domains = around.endpoint.domains()
    autostart = filtered(around, Listing.AUTOSTART)
    descriptions = read_descriptions(around, domains)
    guests = tuple(
        Guest(
            id=domain.uuid,
            name=domain.name,
            autostart=None if autostart is None else domain.uuid in autostart,
            agent_up=description.agent_up,
            nics=tuple(GuestNic(nic=nic.nic, mac=nic.mac, network=nic.network) for nic in description.nics),
            extra=description.io_limits,
        )
        for domain in domains
        if (description := descriptions.get(domain.uuid)) is not None
    )
    return Observation(collected_at=now, guests=guests, problems=around.findings.problems, partial=around.findings.any)


def read_descriptions(
    around: Surroundings, domains: Collection[Domain], among: Collection[Domain] | None = None
) -> dict[str, Description]:
    """The description of every domain that can be read, by UUID; the session keeps them for vitals.

    `among`: the domains there are, where not all of them are to be read.
    """
    found: dict[str, Description] = {}
    for domain in domains:
        around.deadline.check(f"reading the description of guest {domain.name!r}")
        with around.findings.about(f"guest {domain.name!r}"):
            described = describe(around.endpoint.xml(domain), f"guest {domain.name!r}", around.settings.tags)
            found[domain.uuid] = described
            for sentence in described.oddities:
                around.findings.note(VALUE_REJECTED, f"guest {domain.name!r}: {sentence}")
    known = around.memory.descriptions
    listed = {domain.uuid for domain in among or domains}
    # A guest whose description could not be read this time keeps the last one.
    around.memory.descriptions = {uuid: known[uuid] for uuid in listed & known.keys()} | found
    return found


def filtered(around: Surroundings, which: Listing) -> set[str] | None:
    """UUIDs that a filter of the daemon leaves: one call for what would else be one per guest. None: no such filter."""
    try:
        return {domain.uuid for domain in around.endpoint.domains(which)}
    except (Unsupported, Refused):
        return None
