"""A domain that was asked call by call, put into the words of a bulk record, for drivers without bulk statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.libvirt.mapping.cpu import summed_cpu_time

Numbers = Sequence[int] | None

_INTERFACE = ("rx.bytes", "rx.pkts", "rx.errs", "rx.drop", "tx.bytes", "tx.pkts", "tx.errs", "tx.drop")
_BLOCK = ("rd.reqs", "rd.bytes", "wr.reqs", "wr.bytes")
TIME_BY_VCPU = {"ch"}
"""Drivers whose sum is a constant 0, while their virDomainGetVcpus has the times of the CPUs' threads."""
_GUEST_REPORTS_MEMORY = {"test"}
"""Elsewhere `available` repeats the maximum (Xen) and `swap_in` is no counter (LXC)."""
_REPORTED = ("available", "unused", "usable", "swap_in", "swap_out")
_MEMORY_NOW_IS_USE = {"lxc"}
"""Drivers whose virDomainGetInfo tells as memory what is in use; what they grant is the statistics' `actual`."""


def whole(state: Numbers, info: Numbers, driver: str) -> dict[str, object]:
    """Answers of virDomainGetState and virDomainGetInfo (KiB; ns) as `state.*`, `vcpu.*`, `balloon.*`, `cpu.time`.

    Either may be missing: info also knows the state, without its reason. No guest has 0 CPUs or 0 bytes of memory:
    a driver that does not know writes 0.
    """
    known = state or (info[:1] if info else ())
    record: dict[str, object] = dict(zip(("state.state", "state.reason"), known, strict=False))
    if not info:
        return record
    memory_now = None if driver in _MEMORY_NOW_IS_USE else info[2]
    numbers = {"vcpu.current": info[3], "balloon.maximum": info[1], "balloon.current": memory_now}
    record |= {key: value for key, value in numbers.items() if value}
    time = summed_cpu_time(info, driver)
    return record if time is None else record | {"cpu.time": time}


def vcpus(answer: Sequence[Sequence[int]]) -> dict[str, object]:
    """The answer of virDomainGetVcpus (number, state, ns, processor) as `vcpu.N.time`."""
    record: dict[str, object] = {"vcpu.maximum": max((number for number, *_ in answer), default=-1) + 1}
    return record | {f"vcpu.{number}.time": nanoseconds for number, _, nanoseconds, *_ in answer}


def memory(answer: Mapping[str, int] | None, driver: str) -> dict[str, object]:
    """The answer of virDomainMemoryStats (KiB) as `balloon.*`."""
    if answer is None:
        return {}
    names = {"rss": "rss"}
    if driver in _MEMORY_NOW_IS_USE:
        names["actual"] = "current"
    if driver in _GUEST_REPORTS_MEMORY:
        names |= {name: name for name in _REPORTED} | {"last_update": "last-update"}
    return {f"balloon.{key}": answer[name] for name, key in names.items() if name in answer}


def disks(answers: Mapping[str, tuple[Numbers, Numbers]]) -> dict[str, object]:
    """Per disk virDomainBlockStats and virDomainGetBlockInfo (bytes) as `block.N.*`.

    The allocation of block info is what the file takes, which bulk statistics call `physical`.
    """
    record: dict[str, object] = {"block.count": len(answers)}
    for number, (name, (counters, sizes)) in enumerate(answers.items()):
        record |= {f"block.{number}.name": name, f"block.{number}.path": name}
        record |= {f"block.{number}.{key}": value for key, value in zip(_BLOCK, counters or (), strict=False)}
        if sizes is not None:
            record |= {f"block.{number}.capacity": sizes[0]}
            record |= {f"block.{number}.{key}": sizes[1] for key in ("allocation", "physical")}
    return record


def nics(answers: Mapping[str, Numbers]) -> dict[str, object]:
    """Per device virDomainInterfaceStats as `net.N.*`."""
    record: dict[str, object] = {"net.count": len(answers)}
    for number, (name, counters) in enumerate(answers.items()):
        record[f"net.{number}.name"] = name
        record |= {f"net.{number}.{key}": value for key, value in zip(_INTERFACE, counters or (), strict=False)}
    return record
