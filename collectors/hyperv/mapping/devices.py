"""Vitals of virtual disks and adapters, of all guests of one host at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar, cast

from collectors.hyperv.mapping import tables
from collectors.hyperv.mapping.found import NO_ADAPTER, NO_DEVICE, Found
from collectors.hyperv.mapping.joins import Numbers, disk_path
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
    counters = _Counters(numbers, NO_DEVICE, [f"{host_id}:{disk_path(disk.path)}" for disk in disks])
    read_bytes, written_bytes = counters.singles(0, 2)
    reads, writes, flushes, errors = counters.wrapping(2, _WRAPPING)
    found = made(
        GuestDisk,
        len(disks),
        disk=[disk.disk for disk in disks],
        read_bytes=read_bytes,
        written_bytes=written_bytes,
        reads=reads,
        writes=writes,
        flushes=flushes,
        errors=errors,
        path=[disk.path for disk in disks],
    )
    return _dealt(found, owned)


def nics_of(guests: Sequence[Found], host_id: str) -> list[tuple[GuestNic, ...]]:
    """The adapters of each guest."""
    owned = list(map(_plugged, guests))
    nics = [nic for each in owned for nic in each]
    numbers = [each.nics.get(nic.nic, NO_ADAPTER) for each, theirs in zip(guests, owned, strict=True) for nic in theirs]
    counters = _Counters(numbers, NO_ADAPTER, [f"{host_id}:{nic.nic}" for nic in nics]).singles(0, len(_TRAFFIC))
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


_WRAPPING = (tables.READS, tables.WRITES, tables.FLUSHES, tables.DISK_ERRORS)
"""What of tables.STORAGE_DEVICES wraps: its last fields."""
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
    names = {each.nic for each in known}
    if names.issuperset(found.nics):
        return known
    return sorted((*known, *map(NicSettings, found.nics.keys() - names)), key=lambda each: each.nic)


class _Counters:
    """Counters of one part each, from what is read of devices; None where it is not known."""

    def __init__(self, numbers: Sequence[Numbers], nothing: Numbers, parts: Sequence[str]) -> None:
        """Of a device that is `nothing`, as of a guest that is off, nothing is counted."""
        self._count = len(numbers)
        self._places = [place for place, each in enumerate(numbers) if each is not nothing]
        self._parts = [parts[place] for place in self._places]
        self._columns = columns_of([numbers[place] for place in self._places], nothing)

    def singles(self, first: int, last: int) -> list[list[Parts | None]]:
        """Of the fields between two places."""
        return [self._single(values) for values in self._columns[first:last]]

    def _single(self, values: Sequence[float | None]) -> list[Parts | None]:
        known = [{part: value} for part, value in zip(self._parts, values, strict=True) if value is not None]
        return self._placed(made(Parts, len(known), values=known), values)

    def wrapping(self, first: int, fields: Sequence[Field]) -> list[list[Wrapping | None]]:
        """Of so many fields from a place on."""
        columns = zip(self._columns[first : first + len(fields)], fields, strict=True)
        return [self._wrapping(values, counter) for values, counter in columns]

    def _wrapping(self, values: Sequence[float | None], counter: Field) -> list[Wrapping | None]:
        known = [{part: int(value)} for part, value in zip(self._parts, values, strict=True) if value is not None]
        return self._placed(made(Wrapping, len(known), values=known, bits=[counter.bits] * len(known)), values)

    def _placed(self, counters: list[Kind], values: Sequence[float | None]) -> list[Kind | None]:
        """Counters where there are values, None where there are none."""
        if len(counters) == self._count:
            return cast("list[Kind | None]", counters)
        following = iter(counters)
        placed: list[Kind | None] = [None] * self._count
        for place, value in zip(self._places, values, strict=True):
            if value is not None:
                placed[place] = next(following)
        return placed


def _dealt(found: Iterable[Kind], owned: Sequence[Sequence[object]]) -> list[tuple[Kind, ...]]:
    """To each guest as many as it owns."""
    following = iter(found)
    return [tuple(islice(following, len(each))) for each in owned]
