"""Realtime counters to rates in base units: which are read, what their numbers mean, in one table.

Every realtime sample stands for the 20 seconds before its timestamp. A `summation` is a sum over these seconds,
whatever interval the exporter polls at; a `rate` holds for each of them. KB are 1,024 bytes. `percent`
counts hundredths of a percent. A value of -1 means that there is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from collectors.vsphere.client.decode import Ref
from collectors.vsphere.client.performance import REALTIME_SECONDS, Columns, Metric, Sampled, numbers
from collectors.vsphere.mapping.paths import GUEST, HOST
from exporter.model import Samples
from exporter.units import kibibytes, milliseconds

ALL = ""
"""The object as a whole."""
EACH = "*"
"""Each instance: a virtual disk, an adapter."""

Unit = Callable[[float | None], float | None]
"""From a value in the vendor's unit to base units."""


@dataclass(frozen=True, slots=True)
class Realtime:
    """A counter of vSphere's and where it is read; `summed` over the sample, or else per second of it."""

    name: str
    instance: str
    unit: Unit | None = None
    summed: bool = False

    def rates(self, values: tuple[int | None, ...], seconds: float) -> tuple[float | None, ...]:
        """Values of samples of so many seconds in base units per second."""
        found = values if self.unit is None else tuple(map(self.unit, values))
        return tuple([None if value is None else value / seconds for value in found]) if self.summed else found


_milliseconds = partial(Realtime, unit=milliseconds, summed=True)
_count = partial(Realtime, summed=True)
_kilobytes_per_second = partial(Realtime, unit=kibibytes)
_per_second = Realtime

GUEST_COUNTERS: Mapping[str, Realtime] = {
    "cpu": _milliseconds("cpu.run.summation", ALL),
    "ready": _milliseconds("cpu.ready.summation", ALL),
    "costop": _milliseconds("cpu.costop.summation", ALL),
    "swap_in": _kilobytes_per_second("mem.swapinRate.average", ALL),
    "swap_out": _kilobytes_per_second("mem.swapoutRate.average", ALL),
    "disk_read": _kilobytes_per_second("virtualDisk.read.average", EACH),
    "disk_written": _kilobytes_per_second("virtualDisk.write.average", EACH),
    "disk_reads": _per_second("virtualDisk.numberReadAveraged.average", EACH),
    "disk_writes": _per_second("virtualDisk.numberWriteAveraged.average", EACH),
    "disk_read_latency": _per_second("virtualDisk.readLatencyUS.latest", EACH),
    "disk_write_latency": _per_second("virtualDisk.writeLatencyUS.latest", EACH),
    "received": _kilobytes_per_second("net.bytesRx.average", EACH),
    "transmitted": _kilobytes_per_second("net.bytesTx.average", EACH),
    "received_packets": _count("net.packetsRx.summation", EACH),
    "transmitted_packets": _count("net.packetsTx.summation", EACH),
    "received_drops": _count("net.droppedRx.summation", EACH),
    "transmitted_drops": _count("net.droppedTx.summation", EACH),
}
HOST_COUNTERS: Mapping[str, Realtime] = {
    "utilization": _per_second("cpu.utilization.average", ALL),
    "swap_in": _kilobytes_per_second("mem.swapinRate.average", ALL),
    "swap_out": _kilobytes_per_second("mem.swapoutRate.average", ALL),
    "swap_used": _per_second("mem.swapused.average", ALL),
    "ballooned": _per_second("mem.vmmemctl.average", ALL),
    "received": _kilobytes_per_second("net.bytesRx.average", EACH),
    "transmitted": _kilobytes_per_second("net.bytesTx.average", EACH),
    "received_errors": _count("net.errorsRx.summation", EACH),
    "transmitted_errors": _count("net.errorsTx.summation", EACH),
    "received_drops": _count("net.droppedRx.summation", EACH),
    "transmitted_drops": _count("net.droppedTx.summation", EACH),
    "energy": _count("power.energy.summation", ALL),
    "power": _per_second("power.power.average", ALL),
    "memory_state": _per_second("mem.state.latest", ALL),
    "disk_latency": _per_second("disk.maxTotalLatency.latest", ALL),
    "storage_read_latency": _per_second("datastore.totalReadLatency.average", EACH),
    "storage_write_latency": _per_second("datastore.totalWriteLatency.average", EACH),
}
COUNTERS: Mapping[str, Mapping[str, Realtime]] = {GUEST: GUEST_COUNTERS, HOST: HOST_COUNTERS}


def metrics_of(kind: str, ids: Mapping[str, int]) -> tuple[Metric, ...]:
    """What is asked of an object of a kind, as far as the endpoint has the counters."""
    return tuple(Metric(ids[each.name], each.instance) for each in COUNTERS[kind].values() if each.name in ids)


_NOTHING_NEW = Samples((), (), REALTIME_SECONDS)
_NEVER = Sampled(Ref("", ""))


Places = Mapping[str, Mapping[str, int]]
"""Where the texts of objects with the same metrics are: by word of the table, by instance."""
_MOST_ENDPOINTS = 16
MOST_MADE = 1024
"""Values of one counter in one window for which is remembered what was made of them."""


def _places(kind: str, ids: Mapping[str, int], columns: Columns) -> Places:
    """Where texts are, without words that are not counted here; found out once for each endpoint and its ids."""
    found = columns.made.get((kind, id(ids)))
    if found is None:
        by_counter: dict[int, dict[str, int]] = defaultdict(dict)
        for place, metric in enumerate(columns.metrics):
            by_counter[metric.counter][metric.instance] = place
        words = COUNTERS[kind].items()
        of = {word: by_counter.get(ids[each.name], {}) for word, each in words if each.name in ids}
        if len(columns.made) >= _MOST_ENDPOINTS:
            columns.made.clear()
        found = columns.made[kind, id(ids)] = (of, ids)  # with the ids themselves: theirs is no other's identity
    places: Places = found[0]
    return places


class Readings:
    """The samples of one object by the words of its table.

    `late`: its samples could not be read for longer than what was counted may still be told.
    """

    __slots__ = ("_kind", "_late", "_made", "_places", "_texts", "_window")

    def __init__(self, kind: str, ids: Mapping[str, int], sampled: Sampled | None, *, late: bool = False) -> None:
        if sampled is None:
            sampled = _NEVER
        made = sampled.window.made.get(kind)
        if made is None:
            made = sampled.window.made[kind] = defaultdict(dict)
        self._places = _places(kind, ids, sampled.columns)
        self._made: Mapping[str, dict[object, Samples]] = made
        """By word and text. Of thousands of objects most tell the same of a counter: 0, or a few. Where they do not,
        there is nothing in keeping what was made for others to come."""
        self._kind, self._window, self._texts, self._late = kind, sampled.window, sampled.texts, late

    def rate(self, word: str, instance: str = ALL) -> Samples | None:
        """A counter's samples as a rate in base units per second; None where the endpoint does not have the counter.

        Without a new sample it is empty: what was counted so far stays as it is.
        """
        places = self._places.get(word)
        if places is None or self._late:
            return None
        place = places.get(instance)
        if place is None:
            return _NOTHING_NEW
        text, made = self._texts[place], self._made[word]
        found = made.get(text)
        if found is None:
            if len(made) >= MOST_MADE:
                made.clear()
            found = made[text] = self._samples(self._rates(word, instance))
        return found

    def time(self, operations: str, latency: str, instance: str) -> Samples | None:
        """Seconds that operations took, per second: operations per second times microseconds each."""
        counts, times = self._places.get(operations), self._places.get(latency)
        if counts is None or times is None or self._late:
            return None
        if instance not in counts or instance not in times:
            return _NOTHING_NEW
        made, texts = self._made[latency], (self._texts[counts[instance]], self._texts[times[instance]])
        found = made.get(texts)
        if found is None:
            if len(made) >= MOST_MADE:
                made.clear()
            pairs = zip(self._rates(operations, instance), self._rates(latency, instance), strict=True)
            values = [None if n is None or us is None else n * us / 1e6 for n, us in pairs]
            found = made[texts] = self._samples(tuple(values))
        return found

    def scaled(self, word: str, factor: float) -> Samples | None:
        """A counter's samples times a factor."""
        found = self.rate(word)
        if found is None or not found.timestamps:
            return found
        return self._samples(tuple(None if value is None else value * factor for value in found.series[ALL]))

    def has(self, word: str) -> bool:
        """Whether the object itself has samples of this counter."""
        return bool(self._places.get(word))

    def instances(self, word: str) -> list[str]:
        """The instances that have samples of this counter, without the object as a whole."""
        return sorted(instance for instance in self._places.get(word, ()) if instance != ALL)

    @property
    def any(self) -> bool:
        """Whether there are new samples at all."""
        return bool(self._window.timestamps)

    def latest(self, word: str) -> int | None:
        """The newest value of a counter, in the vendor's unit."""
        known = self._known(word, ALL)
        return known[-1] if known else None

    def largest(self, word: str) -> int | None:
        """The largest new value of a counter, in the vendor's unit."""
        return max(self._known(word, ALL), default=None)

    def mean(self, word: str, instance: str) -> float | None:
        """The mean of a counter's new values, in the vendor's unit."""
        known = self._known(word, instance)
        return sum(known) / len(known) if known else None

    def _known(self, word: str, instance: str) -> list[int]:
        """The values of a counter that the endpoint has, in the vendor's unit."""
        place = self._places.get(word, {}).get(instance)
        return [] if place is None else [value for value in numbers(self._texts[place]) if value is not None]

    def _rates(self, word: str, instance: str) -> tuple[float | None, ...]:
        values = numbers(self._texts[self._places[word][instance]])
        return COUNTERS[self._kind][word].rates(values, self._window.interval_seconds)

    def _samples(self, values: tuple[float | None, ...]) -> Samples:
        return Samples(self._window.timestamps, values, self._window.interval_seconds)
