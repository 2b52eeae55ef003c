"""What libvirt knows of a running guest without asking its monitor, put into the words of a bulk record."""

from __future__ import annotations

from collections.abc import Sequence


def unmonitored(info: Sequence[int], vcpus: Sequence[Sequence[int]]) -> dict[str, object]:
    """Answers of virDomainGetInfo (KiB) and virDomainGetVcpus (number, state, ns, processor) as `vcpu.*`, `balloon.*`.

    The times are those of the CPUs' threads, as in bulk statistics.
    """
    record: dict[str, object] = {"balloon.maximum": info[1], "balloon.current": info[2], "vcpu.current": info[3]}
    record["vcpu.maximum"] = max((number for number, *_ in vcpus), default=-1) + 1
    return record | {f"vcpu.{number}.time": nanoseconds for number, _, nanoseconds, *_ in vcpus}
