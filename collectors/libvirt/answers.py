"""Raw answers of libvirt as plain data: what the client returns and the mappings read. No meaning lives here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OFF = -1
"""`id` of a domain that does not run."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain as a list names it. `id` is of this run, `handle` the SDK's object, for one collection only."""

    uuid: str
    name: str
    id: int = OFF
    handle: Any = field(default=None, compare=False, repr=False)

    @property
    def active(self) -> bool:
        """Whether the domain has a process: it runs, is paused, suspended or crashed with its memory kept."""
        return self.id != OFF


@dataclass(frozen=True, slots=True)
class Record:
    """What the bulk statistics say of one domain, keys as in virConnectGetAllDomainStats."""

    domain: Domain
    stats: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Pool:
    """A storage pool as a list names it."""

    uuid: str
    name: str
    handle: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SnapshotName:
    """A snapshot as a list names it."""

    name: str
    handle: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Node:
    """What does not change while a connection lasts.

    `product` is virConnectGetType, `version` and `libvirt_version` are numbers such as 9000000, `info` is
    virNodeGetInfo: architecture, MiB, processors, MHz, NUMA nodes, sockets per node, cores, threads. Unknown: None.
    """

    product: str
    version: int | None = None
    libvirt_version: int | None = None
    hostname: str | None = None
    info: tuple[Any, ...] | None = None
    capabilities: str | None = None
    sysinfo: str | None = None
