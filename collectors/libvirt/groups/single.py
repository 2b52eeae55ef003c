"""Guests of drivers without bulk statistics, asked one call after the other: a call that fails costs what it tells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.errors import Gone
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping import single
from collectors.libvirt.mapping.description import Description, describe

Numbers = Sequence[int] | None


def ask_singly(around: Surroundings, domains: Collection[Domain], driver: str) -> Iterator[Record]:
    """A record per domain; one that vanishes meanwhile is left out, so is one that tells neither state nor numbers."""
    for domain in domains:
        around.deadline.check(f"reading guest {domain.name!r}")
        stats = _whole(around, domain, driver)
        if stats:
            yield Record(domain, {**stats, **(_parts(around, domain, driver) if domain.active else {})})


def _whole(around: Surroundings, domain: Domain, driver: str) -> Mapping[str, object]:
    answers: dict[str, Sequence[int]] = {}
    for kind, ask in (("state", around.endpoint.state), ("info", around.endpoint.info)):
        with around.findings.about(_called(domain), kind=kind):
            try:
                answers[kind] = ask(domain)
            except Gone:
                return {}
    return single.whole(answers.get("state"), answers.get("info"), driver)


def _parts(around: Surroundings, domain: Domain, driver: str) -> Mapping[str, object]:
    """What a domain with a process tells of its CPUs, memory, disks and adapters."""
    ask, about, guest = around.endpoint, around.findings.about, _called(domain)
    stats: dict[str, object] = {}
    if driver in single.TIME_BY_VCPU:
        with about(guest, kind="vcpus"):
            stats |= single.vcpus(ask.vcpus(domain))
    with about(guest, kind="memory"):
        stats |= single.memory(ask.memory(domain), driver)
    with about(guest, kind="description"):
        description = _description(around, domain)
        disks = _each(around, domain, "disks", (disk.disk for disk in description.disks), ask.block)
        nics = _each(around, domain, "adapters", (nic.device for nic in description.nics if nic.device), ask.interface)
        stats |= single.disks({disk: (counters, None) for disk, counters in disks.items()}) | single.nics(nics)
    return stats


def _each(
    around: Surroundings, domain: Domain, kind: str, parts: Iterable[str], ask: Callable[[Domain, str], Numbers]
) -> dict[str, Sequence[int]]:
    """The answers of the parts that answer, None of drivers that do not know the call left out."""
    found: dict[str, Sequence[int]] = {}
    for part in parts:
        with around.findings.about(_called(domain), kind=kind, part=part):
            answer = ask(domain, part)
            if answer is not None:
                found[part] = answer
    return found


def _description(around: Surroundings, domain: Domain) -> Description:
    """As the last inventory has it, else read now: the names of disks and adapters are nowhere else."""
    known = around.memory.descriptions.get(domain.uuid)
    return known or describe(around.endpoint.xml(domain), _called(domain))


def _called(domain: Domain) -> str:
    return f"guest {domain.name!r}"


def block_sizes(around: Surroundings, domain: Domain, description: Description) -> dict[str, object]:
    """Sizes of a running domain's disks as a bulk record has them."""
    disks = (disk.disk for disk in description.disks)
    sizes = _each(around, domain, "disk sizes", disks, around.endpoint.block_sizes)
    return single.disks({disk: (None, answer) for disk, answer in sizes.items()})
