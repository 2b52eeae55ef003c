"""State, CPU, memory, disks and network of all guests, of their hosts and clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.performance import Sampled
from collectors.vsphere.groups import inventory
from collectors.vsphere.groups.sampling import read_samples
from collectors.vsphere.groups.surroundings import Surroundings
from collectors.vsphere.mapping.counters import Readings
from collectors.vsphere.mapping.guest import GuestView, guest_id, guest_vitals
from collectors.vsphere.mapping.host import HostView, host_ids, host_vitals
from collectors.vsphere.mapping.paths import FAST, GUEST, HOST
from collectors.vsphere.mapping.places import Places
from exporter.model import EndpointFacts, Guest, Host, Observation


def collect(around: Surroundings) -> Observation:
    """The vitals of one endpoint."""
    if not around.memory.slow:
        inventory.refresh(around)
    fast: dict[Ref, dict[str, Any]] = {}
    for page in around.lane.every(FAST):
        around.deadline.check("reading quick statistics")
        fast |= page.objects
        around.findings.lost(page.lost)
    samples = read_samples(around, _counted(around))
    places = Places(around.memory.slow, around.lane.service.instance)
    service = around.lane.service
    return Observation(
        collected_at=around.now,
        hosts=_hosts(around, fast, samples, places),
        guests=_guests(around, fast, samples, places),
        endpoint=EndpointFacts(product=service.product, version=service.version, api_version=service.api_version),
        problems=around.findings.problems,
        partial=around.findings.any,
    )


def _counted(around: Surroundings) -> Iterator[Ref]:
    """The objects that the endpoint samples: hosts that are connected, guests that run."""
    for ref, facts in around.memory.of_kind(HOST, GUEST).items():
        if facts.get("runtime.connectionState") == "connected" and facts.get("runtime.powerState") == "poweredOn":
            yield ref


def _hosts(
    around: Surroundings, fast: dict[Ref, dict[str, Any]], samples: dict[Ref, Sampled], places: Places
) -> tuple[Host, ...]:
    hosts = around.memory.of_kind(HOST)
    ids = host_ids(hosts)
    found = []
    for ref, facts in hosts.items():
        readings = Readings(HOST, around.memory.counters, samples.get(ref))
        found.append(host_vitals(HostView(ref, ids[ref], readings), facts, fast.get(ref, {}), places))
    return tuple(found)


def _guests(
    around: Surroundings, fast: dict[Ref, dict[str, Any]], samples: dict[Ref, Sampled], places: Places
) -> tuple[Guest, ...]:
    ids = host_ids(around.memory.of_kind(HOST))
    networks: dict[str, str] = {}
    found: list[Guest] = []
    for ref, facts in around.memory.of_kind(GUEST).items():
        host = facts.get("runtime.host")
        identity = guest_id(ref, facts, around.memory.uuids.get(ref, ""))
        if facts.get("config.instanceUuid"):
            around.memory.uuids[ref] = identity
        readings = Readings(GUEST, around.memory.counters, samples.get(ref))
        view = GuestView(ref, identity, host, ids.get(host, "") if host is not None else "", readings, networks)
        found.append(guest_vitals(view, facts, fast.get(ref, {}), places))
    return tuple(found)
