"""The normalised world that every platform is translated into, in base units: seconds, bytes, hertz, counts.

Pure data: no I/O, no metric names. A field that the platform does not know is None and its series is absent. Mappings
of `collectors` build these; the catalogue reads them. All of it is public and versioned with `exporter.contract`.
"""

from exporter.model.counters import Counter, Parts, Samples, Wrapping
from exporter.model.estate import Cluster, EndpointFacts, Observation, Problem, Storage
from exporter.model.guest import (
    Guest,
    GuestCpu,
    GuestDisk,
    GuestFilesystem,
    GuestMemory,
    GuestNic,
    GuestState,
    Snapshot,
    SnapshotSummary,
)
from exporter.model.host import Allocation, Host, HostCpu, HostMemory, HostNic, HostState, Traffic

__all__ = [
    "Allocation",
    "Cluster",
    "Counter",
    "EndpointFacts",
    "Guest",
    "GuestCpu",
    "GuestDisk",
    "GuestFilesystem",
    "GuestMemory",
    "GuestNic",
    "GuestState",
    "Host",
    "HostCpu",
    "HostMemory",
    "HostNic",
    "HostState",
    "Observation",
    "Parts",
    "Problem",
    "Samples",
    "Snapshot",
    "SnapshotSummary",
    "Storage",
    "Traffic",
    "Wrapping",
]
