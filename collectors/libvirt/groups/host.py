"""The host of a target, asked once per vitals collection."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.host import HostFacts, host_cpu, host_facts, host_memory, version
from exporter.model import EndpointFacts, Host, HostCpu, HostMemory, HostState

INVENTED = "test"
"""The driver that invents its host: it bears the exporter's own name, a CPU map and free memory of other units."""


@dataclass(frozen=True, slots=True)
class HostView:
    """A host and what its endpoint says of itself."""

    host: Host
    endpoint: EndpointFacts


def view_host(around: Surroundings) -> HostView:
    """The host; what may not be asked or is not supported is absent."""
    node, driver, findings = around.endpoint.node(), around.endpoint.driver(), around.findings
    name = _name(around)
    facts, cpu, memory = HostFacts(), HostCpu(), HostMemory()
    with findings.about("the host's capabilities"):
        facts = host_facts(node)
    with findings.about("the host's processors"):
        online = None if driver == INVENTED else around.endpoint.online_cpus()
        cpu = host_cpu(node, facts.topology, online, around.endpoint.node_cpu())
    with findings.about("the host's memory"):
        stats = around.endpoint.node_memory()
        free = around.endpoint.free_memory() if stats is None and driver != INVENTED else None
        memory = host_memory(node, stats, free)
    host = Host(
        id=around.memory.host_id(name, facts.uuid, fallback=around.target),
        name=name,
        product=node.product,
        version=version(node.version),
        vendor=facts.vendor,
        model=facts.model,
        cpu_model=facts.cpu_model,
        compute_cluster=around.compute_cluster,
        compute_cluster_id=around.compute_cluster,
        state=HostState.CONNECTED,
        cpu=cpu,
        memory=memory,
    )
    endpoint = EndpointFacts(
        product=node.product, version=version(node.version), api_version=version(node.libvirt_version)
    )
    return HostView(host, endpoint)


def host_identity(around: Surroundings) -> tuple[str, str]:
    """Name and identity of the host, as in its vitals."""
    name, uuid = _name(around), ""
    with around.findings.about("the host's capabilities"):
        uuid = host_facts(around.endpoint.node()).uuid
    return name, around.memory.host_id(name, uuid, fallback=around.target)


def _name(around: Surroundings) -> str:
    invented = around.endpoint.driver() == INVENTED
    return around.target if invented else around.endpoint.node().hostname or around.target
