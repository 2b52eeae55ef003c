"""State, CPU, memory, disks and network of all guests, and of their host."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from collectors.libvirt.answers import Domain, Record
from collectors.libvirt.client.endpoint import How, Listing
from collectors.libvirt.client.endpoint import Stats as Groups
from collectors.libvirt.groups.host import HostView, view_host
from collectors.libvirt.groups.inventory import filtered
from collectors.libvirt.groups.single import ask_singly
from collectors.libvirt.groups.surroundings import Surroundings
from collectors.libvirt.mapping.disks import monitor_answered
from collectors.libvirt.mapping.guest import GuestView, guest_vitals
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.state import PAUSED, PAUSED_FOR_IO_ERROR
from collectors.libvirt.memory import UNKNOWN_VCPUS
from exporter.model import Guest, Observation

BULK_DRIVERS = {"qemu", "vz"}
"""Drivers whose bulk statistics hold more than the state (lower case of virConnectGetType)."""

RUNNING_GROUPS = Groups.STATE | Groups.VCPU | Groups.BALLOON | Groups.INTERFACE | Groups.BLOCK
"""Not CPU_TOTAL: it costs as much as VCPU and says less. IOTHREAD, PERF, DIRTYRATE and VM are not needed."""
RESTING_GROUPS = Groups.STATE | Groups.VCPU | Groups.BALLOON
"""Never BLOCK: for a guest that is off libvirt opens its files, and dead storage then blocks it for all."""

PAUSE_SECONDS = 0.05
"""A monitor that answers at all is mostly free again after this."""
FREE = 0
"""Of virDomainGetControlInfo: nobody is asking the monitor."""

VCPUS_PER_CALL = 2000
"""An answer over 32 MiB fails as a whole; KVM tells some 2 kB per virtual CPU."""


@dataclass(frozen=True, slots=True)
class _Flags:
    transient: set[str] | None
    saved: set[str] | None
    has_monitor: bool


def collect(around: Surroundings) -> Observation:
    """The vitals of one host."""
    host = view_host(around)
    domains = around.endpoint.domains()
    flags = _Flags(
        transient=filtered(around, Listing.TRANSIENT),
        saved=filtered(around, Listing.MANAGED_SAVE),
        has_monitor=around.endpoint.driver() == "qemu",
    )
    records = list(_records(around, domains))
    now = around.now()
    guests = tuple(_guest(around, host, record, flags, now) for record in records)
    around.memory.forget_all_but({domain.uuid for domain in domains})
    return Observation(
        collected_at=now,
        hosts=(host.host,),
        guests=guests,
        endpoint=host.endpoint,
        problems=around.findings.problems,
        partial=around.findings.any,
    )


def _records(around: Surroundings, domains: Collection[Domain]) -> Iterator[Record]:
    if around.endpoint.driver() not in BULK_DRIVERS:
        yield from ask_singly(around, domains, around.endpoint.driver())
        return
    running = [domain for domain in domains if domain.active]
    resting = [domain for domain in domains if not domain.active]
    for chunk in chunks(running, around.memory.vcpus):
        around.deadline.check("reading the statistics of running guests")
        # The filter leaves out a guest that was switched off since it was listed; it is asked with its like below.
        records = _with_second_answers(around, around.endpoint.bulk(chunk, RUNNING_GROUPS, How.ACTIVE))
        yield from records
        answered = {record.domain.uuid for record in records}
        resting += [domain for domain in chunk if domain.uuid not in answered]
    for chunk in chunks(resting, around.memory.vcpus):
        around.deadline.check("reading the state of guests that are off")
        yield from around.endpoint.bulk(chunk, RESTING_GROUPS)


def _with_second_answers(around: Surroundings, records: list[Record]) -> list[Record]:
    """The records, where guests were passed by because somebody asked them at that very moment with what they say now.

    That is often our own other lane. A guest that is still occupied after a short while is left as it is.
    """
    if around.endpoint.driver() != "qemu":
        return records
    passed_by = [each.domain for each in records if each.domain.active and not monitor_answered(Stats(each.stats))]
    if not passed_by:
        return records
    time.sleep(PAUSE_SECONDS)
    free = [domain for domain in passed_by if _is_free(around, domain)]
    again = {each.domain.uuid: each for each in around.endpoint.bulk(free, RUNNING_GROUPS, How.ACTIVE)} if free else {}
    return [again.get(each.domain.uuid, each) for each in records]


def _is_free(around: Surroundings, domain: Domain) -> bool:
    with around.findings.about(f"guest {domain.name!r}"):
        return (around.endpoint.control(domain) or (FREE,))[0] == FREE
    return False


def chunks(
    domains: Collection[Domain], vcpus: Mapping[str, int], limit: int = VCPUS_PER_CALL
) -> Iterator[list[Domain]]:
    """The domains in portions of at most `limit` virtual CPUs; one that has more stands alone."""
    portion: list[Domain] = []
    size = 0
    for domain in domains:
        weight = vcpus.get(domain.uuid, UNKNOWN_VCPUS)
        if portion and size + weight > limit:
            yield portion
            portion, size = [], 0
        portion.append(domain)
        size += weight
    if portion:
        yield portion


def _guest(around: Surroundings, host: HostView, record: Record, flags: _Flags, now: float) -> Guest:
    memory, uuid, stats = around.memory, record.domain.uuid, Stats(record.stats)
    memory.vcpus[uuid] = stats.number("vcpu.current") or UNKNOWN_VCPUS
    description = memory.descriptions.get(uuid)
    period = description.balloon_period_seconds if description else None
    view = GuestView(
        domain=record.domain,
        host=host.host,
        description=description,
        fresh=memory.fresh(uuid, stats.number("balloon.last-update") or None, now, period),
        saved=None if flags.saved is None else uuid in flags.saved,
        persistent=None if flags.transient is None else uuid not in flags.transient,
        disk_errors=_disk_errors(around, record, stats),
        has_monitor=flags.has_monitor,
        system=memory.systems.get(uuid, ""),
    )
    return guest_vitals(stats, view)


def _disk_errors(around: Surroundings, record: Record, stats: Stats) -> Mapping[str, int]:
    """Asked only where an I/O error paused the guest: the call takes a job."""
    if (stats.number("state.state"), stats.number("state.reason")) != (PAUSED, PAUSED_FOR_IO_ERROR):
        return {}
    with around.findings.about(f"guest {record.domain.name!r}"):
        return around.endpoint.disk_errors(record.domain) or {}
    return {}
