"""What libvirt knows of a running guest without asking its monitor, put into the words of a bulk record."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.libvirt.mapping.single import vcpus as vcpu_times


def unmonitored(info: Sequence[int], vcpus: Sequence[Sequence[int]]) -> dict[str, object]:
    """Answers of virDomainGetInfo (KiB) and virDomainGetVcpus (number, state, ns, processor) as `vcpu.*`, `balloon.*`.

    The times are those of the CPUs' threads, as in bulk statistics.
    """
    numbers = {"balloon.maximum": info[1], "balloon.current": info[2], "vcpu.current": info[3]}
    return {**numbers, **vcpu_times(vcpus)}
