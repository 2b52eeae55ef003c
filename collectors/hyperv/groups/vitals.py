"""State, processors, memory, disks and network of all guests, of their hosts and of the cluster.

Twelve queries of a host, once its slow facts are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collectors.hyperv.groups import hosts, topology
from collectors.hyperv.groups.estate import Estate
from collectors.hyperv.groups.surroundings import Surroundings
from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.found import unsettled
from collectors.hyperv.mapping.host import clock
from collectors.hyperv.mapping.values import Table
from collectors.hyperv.reach import Reading
from exporter.model import EndpointFacts, Observation

TABLES: Sequence[Table] = (
    tables.COMPUTER_SYSTEMS,
    tables.SUMMARIES,
    tables.OPERATING_SYSTEM,
    tables.LOGICAL_PROCESSORS,
    tables.VIRTUAL_PROCESSORS,
    tables.BALANCED_GUESTS,
    tables.BALANCER,
    tables.PARTITIONS,
    tables.STORAGE_DEVICES,
    tables.NETWORK_ADAPTERS,
    tables.HOST_ADAPTERS,
    tables.ROOT_PROCESSORS,
)


def collect(around: Surroundings) -> Observation:
    """The vitals of one target."""
    topology.learn(around, again=False)

    def new(node: str, reading: Reading) -> bool:
        slow = around.memory.slow.get(node)
        return slow is not None and unsettled(reading.answers, slow.settings)

    told = hosts.read_hosts(around, TABLES, hosts.with_slow(around, new))
    offset = _clock_offset(told.readings.values())
    if offset is not None:
        around.memory.clock_offset = offset
    estate = Estate(around, told)
    seen_hosts, guests = estate.seen()
    around.deadline.check("making an observation of what was read")
    return Observation(
        collected_at=around.now,
        hosts=seen_hosts,
        guests=guests,
        clusters=estate.clusters(seen_hosts),
        endpoint=EndpointFacts(
            product=seen_hosts[0].product if seen_hosts else "",
            version=seen_hosts[0].version if seen_hosts else "",
            clock_offset_seconds=offset,
        ),
        problems=around.findings.problems,
        partial=around.findings.unread,
    )


def _clock_offset(readings: Iterable[Reading]) -> float | None:
    """The first host's clock less the middle of our clock around its answer, in seconds."""
    for reading in readings:
        at = clock(reading.answers)
        moment = reading.clocks.get(tables.OPERATING_SYSTEM)
        if at is not None and moment is not None:
            return at - moment.middle
    return None
