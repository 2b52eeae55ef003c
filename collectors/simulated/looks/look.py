"""What one look consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collectors.simulated.fleet import Fleet
from collectors.simulated.plans import ClusterPlan, GuestPlan, HostPlan, StoragePlan
from exporter.catalogue import SHARED, Family
from exporter.catalogue.family import PARENT, Entity
from exporter.contract import Absent, Derived, Native, Support
from exporter.model import Counter

Told = Mapping[str, Counter | None]
EXACT = "worked out exactly from the seed and the instant"


@dataclass(frozen=True, slots=True)
class Words:
    """A platform's names for things."""

    disk: Callable[[int], str] = lambda number: f"disk-{number + 1}"
    nic: Callable[[GuestPlan, int], str] = lambda _guest, number: f"nic-{number + 1}"
    mac: str = "02:00:00"
    native: Callable[[GuestPlan], str] = lambda guest: f"guest-{guest.index + 1}"
    cluster_id: Callable[[ClusterPlan], str] = lambda cluster: cluster.id
    storage_id: Callable[[StoragePlan], str] = lambda storage: storage.id
    backing: Callable[[StoragePlan], str] = lambda storage: "nfs" if storage.shared else "local"
    path: Callable[[GuestPlan, int], str] = lambda guest, number: f"/{guest.id}/disk-{number + 1}"
    format: str = "raw"
    os: Callable[[GuestPlan], str] = lambda guest: guest.os


@dataclass(frozen=True, slots=True)
class Look:
    """A platform's look; `name` is None for the one that delivers every shared family."""

    name: str | None
    title: str
    product: str
    version: str
    api_version: str
    support: Mapping[str, Support]
    families: tuple[Family, ...] = ()
    groups_of: Mapping[str, str] = field(default_factory=dict)
    opt_in_groups: tuple[str, ...] = ()
    single_host: bool = False
    operations: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """By group: what is asked for, and how many things one such request answers for."""
    right: str = "the right to read"
    words: Words = Words()
    ha: str = ""
    """The word for high availability where every cluster has it; elsewhere those of three hosts and more have it."""
    host_extra: Callable[[HostPlan, float], Mapping[str, float]] | None = None
    """Values of own families of a host that is seen, from its CPU seconds; and so on."""
    guest_extra: Callable[[GuestPlan, float], Mapping[str, float]] | None = None
    storage_extra: Callable[[StoragePlan, float], Mapping[str, float]] | None = None
    host_told: Callable[[HostPlan, str, float], Told] | None = None
    """What a group other than vitals tells of a host at an instant, in Unix seconds, for own families."""
    endpoint_told: Callable[[Fleet, str, float], Told] | None = None
    """The same of the endpoint itself."""
    unreadable: Callable[[int], Told] | None = None
    """What the endpoint tells where so many objects may not be read."""

    def delivers(self, name: str) -> bool:
        """Whether the look has the family."""
        return isinstance(self.support.get(name), Native | Derived)


def support(native: Mapping[str, str], absent: Mapping[str, str]) -> dict[str, Support]:
    """A matrix over the whole shared schema, from families (without `hypervisor_`) by their source.

    What is named in neither is absent without a special reason.
    """
    found: dict[str, Support] = {}
    for family in SHARED:
        short = family.name.removeprefix("hypervisor_")
        if short in native:
            source = native[short]
            how = source.removeprefix("derived: ")
            found[family.name] = Native(source) if how == source else Derived(how)
        elif family.group != PARENT and family.entity not in (Entity.TARGET, Entity.EXPORTER):
            found[family.name] = Absent(absent.get(short, "the platform does not tell"))
    strays = (set(native) | set(absent)) - {family.name.removeprefix("hypervisor_") for family in SHARED}
    if strays:
        raise ValueError(f"no such families: {', '.join(sorted(strays))}")
    return found


def table(text: str) -> dict[str, str]:
    """`family ... = source` a line, several families of one source beside each other."""
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        names, _, source = line.partition(" = ")
        found.update(dict.fromkeys(names.split(), source))
    return found
