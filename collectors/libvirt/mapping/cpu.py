"""Virtual processors of a domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collectors.libvirt.mapping.record import Stats
from exporter.model import Counter, GuestCpu, Parts
from exporter.units import nanoseconds

CPU_TIME_IS_ALWAYS_ZERO = {"ch", "vbox", "vmware", "esx", "hyper-v"}
"""Drivers whose virDomainGetInfo has a CPU time that nobody counts (lower case of virConnectGetType)."""


def guest_cpu(stats: Stats, *, run: int | None, limit_cpus: float | None = None) -> GuestCpu:
    """CPU of one domain: `vcpu.current`, and for a run with id `run` `vcpu.N.time` and `vcpu.N.delay` (ns).

    Per virtual CPU, not summed: a CPU that is unplugged must not make the guest's counter fall; the ledger sums parts.
    `time` is that of the CPU's thread in steps of 10 ms; `delay` is what the thread was ready and waited (libvirt 7.2,
    kernels with CONFIG_SCHED_INFO). Drivers that know a sum only have it in `cpu.time`.
    """
    vcpus = stats.number("vcpu.current")
    if run is None:
        return GuestCpu(vcpus=vcpus, limit_cpus=limit_cpus)
    each = list(stats.each("vcpu", "maximum"))
    return GuestCpu(
        vcpus=vcpus,
        seconds=_parts(each, "time", vcpus, run) or nanoseconds(stats.number("cpu.time")),
        ready_seconds=_parts(each, "delay", vcpus, run),
        limit_cpus=limit_cpus,
    )


def _parts(each: Iterable[tuple[int, Stats]], key: str, vcpus: int | None, run: int) -> Counter | None:
    parts = {str(cpu): nanoseconds(value) for cpu, vcpu in each if (value := vcpu.number(key)) is not None}
    if not parts:
        return None
    return Parts(parts, complete=vcpus is None or len(parts) >= vcpus, epoch=str(run))


def summed_cpu_time(info: Sequence[int], driver: str) -> int | None:
    """Nanoseconds of CPU time of one domain (virDomainGetInfo), None for the drivers that do not count it."""
    return None if driver in CPU_TIME_IS_ALWAYS_ZERO and not info[4] else info[4]
