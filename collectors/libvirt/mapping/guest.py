"""A guest put together from its record, its description and what the lists say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.libvirt.answers import Domain
from collectors.libvirt.mapping.cpu import guest_cpu
from collectors.libvirt.mapping.description import Description
from collectors.libvirt.mapping.disks import guest_disks, monitor_answered
from collectors.libvirt.mapping.memory import guest_memory
from collectors.libvirt.mapping.nics import guest_nics
from collectors.libvirt.mapping.record import Stats
from collectors.libvirt.mapping.state import guest_state
from exporter.model import Guest, GuestState, Host


@dataclass(frozen=True, slots=True)
class GuestView:
    """What is known of a guest beside its record.

    `fresh`: its own report of memory is new. `has_monitor`: the driver asks a monitor that may fail to answer.
    """

    domain: Domain
    host: Host
    description: Description | None = None
    fresh: bool = False
    saved: bool | None = None
    persistent: bool | None = None
    disk_errors: Mapping[str, int] = field(default_factory=dict)
    has_monitor: bool = True
    system: str = ""
    """The operating system as the guest's agent names it."""


def guest_vitals(stats: Stats, view: GuestView) -> Guest:
    """The vitals of one guest; usage only where it has a process (`domain.id`), as what is off uses nothing."""
    domain, host = view.domain, view.host
    about = view.description or Description()
    state = guest_state(stats.number("state.state") or 0, stats.number("state.reason") or 0)
    return Guest(
        id=domain.uuid,
        name=domain.name,
        bios_uuid=about.bios_uuid,
        host=host.name,
        host_id=host.id,
        compute_cluster=host.compute_cluster,
        compute_cluster_id=host.compute_cluster_id,
        os=view.system or about.os,
        kind=about.kind,
        tags=about.tags,
        saved=view.saved,
        described=view.description is not None,
        state=state.state,
        state_reason=state.reason,
        holds_memory=state.holds_memory,
        migrating=state.migrating,
        persistent=view.persistent,
        io_error=state.io_error,
        stats_complete=_complete(view, stats, migrating=state.state is GuestState.MIGRATING),
        cpu=guest_cpu(stats, run=domain.id if domain.active else None, limit_cpus=about.limit_cpus),
        memory=guest_memory(
            stats,
            active=domain.active,
            fresh=view.fresh,
            limit_bytes=about.memory_limit_bytes,
            reservation_bytes=about.memory_reservation_bytes,
        ),
        disks=guest_disks(stats, view.disk_errors) if domain.active else (),
        nics=guest_nics(stats) if domain.active else (),
    )


def _complete(view: GuestView, stats: Stats, *, migrating: bool) -> bool | None:
    """Whether QEMU told what only it knows; of a copy that is arriving nothing is expected."""
    if migrating:
        return None
    return not (view.domain.active and view.has_monitor) or monitor_answered(stats)
