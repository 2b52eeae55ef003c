"""What only vSphere tells of hosts and of the endpoint as a whole, and changes slowly: read with the inventory."""

from __future__ import annotations

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.groups.hardware import read_hardware
from collectors.vsphere.groups.managers import read_attributes, read_licenses
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.attributes import ATTRIBUTES, described
from collectors.vsphere.mapping.host import host_ids
from collectors.vsphere.mapping.paths import HOST
from collectors.vsphere.mapping.places import Places
from collectors.vsphere.privileges import LICENSES, MISSING_RIGHTS, READ
from exporter.model import Counter, EndpointFacts, Host, Parts


def hosts_of(around: Surroundings, places: Places) -> tuple[Host, ...]:
    """Every host that was come to, with its sensors, certificate and custom attributes."""
    read_attributes(around)
    attributes = around.memory.upkeep.attributes
    ids = host_ids(around.memory.of_kind(HOST))
    return tuple(
        Host(id=ids[ref], name=places.name(ref), extra={**told, ATTRIBUTES: described(attributes.get(ref, {}))})
        for ref, told in read_hardware(around)
    )


def endpoint_of(around: Surroundings) -> EndpointFacts:
    """The endpoint as a whole: its licences, and the rights that are missing."""
    told, forbidden = read_licenses(around)
    missing: Counter = Parts({READ: len(_unreadable(around)), LICENSES: int(forbidden)})
    return EndpointFacts(extra={**told, MISSING_RIGHTS: missing})


def _unreadable(around: Surroundings) -> set[Ref]:
    """Objects with a property that the account may not read. The other lane may add some meanwhile."""
    return {ref for ref, lost in list(around.memory.lost.items()) if "NoPermission" in lost.values()}
