"""Vitals of virtual disks and adapters, of all guests of one host at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.found import NO_ADAPTER, NO_DEVICE, Found
from collectors.hyperv.mapping.joins import disk_path
from collectors.hyperv.mapping.making import columns_of, made
from collectors.hyperv.mapping.settings import NicSettings
from collectors.hyperv.mapping.values import Field
from exporter.model import GuestDisk, GuestNic, Parts, Traffic, Wrapping

Kind = TypeVar("Kind")


def disks_of(guests: Sequence[Found], host_id: str) -> list[tuple[GuestDisk, ...]]:
    """The disks of each guest."""
    owned = [each.settings.disks or () for each in guests]
    disks = [disk for each in owned for disk in each]
    numbers = [
        each.disks.get(disk.disk, NO_DEVICE) for each, theirs in zip(guests, owned, strict=True) for disk in theirs
    ]
    # Another host and another file (a checkpoint was made) count from elsewhere.
    parts = [f"{host_id}:{disk_path(disk.path)}" for disk in disks]
    read_bytes, written_bytes, reads, writes, flushes, errors, _ = columns_of(numbers, NO_DEVICE)
    found = made(
        GuestDisk,
        len(disks),
        disk=[disk.disk for disk in disks],
        read_bytes=_singles(parts, read_bytes),
        written_bytes=_singles(parts, written_bytes),
        reads=_wrapping(parts, reads, tables.READS),
        writes=_wrapping(parts, writes, tables.WRITES),
        flushes=_wrapping(parts, flushes, tables.FLUSHES),
        errors=_wrapping(parts, errors, tables.DISK_ERRORS),
        path=[disk.path for disk in disks],
    )
    return _dealt(found, owned)


def nics_of(guests: Sequence[Found], host_id: str) -> list[tuple[GuestNic, ...]]:
    """The adapters of each guest."""
    owned = list(map(_plugged, guests))
    nics = [nic for each in owned for nic in each]
    numbers = [each.nics.get(nic.nic, NO_ADAPTER) for each, theirs in zip(guests, owned, strict=True) for nic in theirs]
    parts = [f"{host_id}:{nic.nic}" for nic in nics]
    counters = [_singles(parts, column) for column in columns_of(numbers, NO_ADAPTER)[:-1]]
    traffic = made(Traffic, len(nics), **dict(zip(_TRAFFIC, counters, strict=True)))
    found = made(
        GuestNic,
        len(nics),
        nic=[nic.nic for nic in nics],
        mac=[nic.mac or None for nic in nics],
        network=[nic.network for nic in nics],
        traffic=traffic,
    )
    return _dealt(found, owned)


_TRAFFIC = (
    "receive_bytes",
    "transmit_bytes",
    "receive_packets",
    "transmit_packets",
    "receive_drops",
    "transmit_drops",
)
"""In the order of the fields of tables.NETWORK_ADAPTERS."""


def _plugged(found: Found) -> Sequence[NicSettings]:
    """Adapters that are set up, and others that count, by name."""
    known = found.settings.nics or ()
    others = found.nics.keys() - {each.nic for each in known}
    return sorted((*known, *map(NicSettings, others)), key=lambda each: each.nic) if others else known


def _singles(parts: Sequence[str], values: Sequence[float | None]) -> list[Parts | None]:
    """A counter of one part for every value that is known."""
    known = [{part: value} for part, value in zip(parts, values, strict=True) if value is not None]
    return _placed(made(Parts, len(known), values=known), values)


def _wrapping(parts: Sequence[str], values: Sequence[float | None], counter: Field) -> list[Wrapping | None]:
    known = [{part: int(value)} for part, value in zip(parts, values, strict=True) if value is not None]
    return _placed(made(Wrapping, len(known), values=known, bits=[counter.bits] * len(known)), values)


def _placed(counters: Sequence[Kind], values: Sequence[float | None]) -> list[Kind | None]:
    """Counters where there are values, None where there are none."""
    following = iter(counters)
    return [None if value is None else next(following) for value in values]


def _dealt(found: Iterable[Kind], owned: Sequence[Sequence[object]]) -> list[tuple[Kind, ...]]:
    """To each guest as many as it owns."""
    following = iter(found)
    return [tuple(islice(following, len(each))) for each in owned]
