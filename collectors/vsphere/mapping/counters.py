"""Realtime counters to rates in base units: which are read, what their numbers mean, in one table.

Every realtime sample stands for the 20 seconds before its timestamp. A `summation` is a sum over these seconds,
whatever interval the exporter polls at; a `rate` holds for each of them. KB are 1,024 bytes. `percent`
counts hundredths of a percent. A value of -1 means that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collectors.vsphere.client.performance import REALTIME_SECONDS, Metric, Sampled
from collectors.vsphere.mapping.paths import GUEST, HOST
from exporter.model import Samples

ALL = ""
"""The object as a whole."""
EACH = "*"
"""Each instance: a virtual disk, an adapter."""

Rate = Callable[[int, float], float]
"""From a sample's value and its length in seconds to base units per second."""


def _milliseconds_of(value: int, interval: float) -> float:
    return value / 1000 / interval


def _count_of(value: int, interval: float) -> float:
    return value / interval


def _per_second(value: int, _interval: float) -> float:
    return float(value)


def _kilobytes_per_second(value: int, _interval: float) -> float:
    return value * 1024.0


@dataclass(frozen=True, slots=True)
class Realtime:
    """A counter of vSphere's, where it is read, and the rate that its samples mean."""

    name: str
    instance: str
    rate: Rate


GUEST_COUNTERS: Mapping[str, Realtime] = {
    "cpu": Realtime("cpu.run.summation", ALL, _milliseconds_of),
    "ready": Realtime("cpu.ready.summation", ALL, _milliseconds_of),
    "costop": Realtime("cpu.costop.summation", ALL, _milliseconds_of),
    "swap_in": Realtime("mem.swapinRate.average", ALL, _kilobytes_per_second),
    "swap_out": Realtime("mem.swapoutRate.average", ALL, _kilobytes_per_second),
    "disk_read": Realtime("virtualDisk.read.average", EACH, _kilobytes_per_second),
    "disk_written": Realtime("virtualDisk.write.average", EACH, _kilobytes_per_second),
    "disk_reads": Realtime("virtualDisk.numberReadAveraged.average", EACH, _per_second),
    "disk_writes": Realtime("virtualDisk.numberWriteAveraged.average", EACH, _per_second),
    "disk_read_latency": Realtime("virtualDisk.readLatencyUS.latest", EACH, _per_second),
    "disk_write_latency": Realtime("virtualDisk.writeLatencyUS.latest", EACH, _per_second),
    "received": Realtime("net.bytesRx.average", EACH, _kilobytes_per_second),
    "transmitted": Realtime("net.bytesTx.average", EACH, _kilobytes_per_second),
    "received_packets": Realtime("net.packetsRx.summation", EACH, _count_of),
    "transmitted_packets": Realtime("net.packetsTx.summation", EACH, _count_of),
    "received_drops": Realtime("net.droppedRx.summation", EACH, _count_of),
    "transmitted_drops": Realtime("net.droppedTx.summation", EACH, _count_of),
}
HOST_COUNTERS: Mapping[str, Realtime] = {
    "utilization": Realtime("cpu.utilization.average", ALL, _per_second),
    "swap_in": Realtime("mem.swapinRate.average", ALL, _kilobytes_per_second),
    "swap_out": Realtime("mem.swapoutRate.average", ALL, _kilobytes_per_second),
    "swap_used": Realtime("mem.swapused.average", ALL, _per_second),
    "ballooned": Realtime("mem.vmmemctl.average", ALL, _per_second),
    "received": Realtime("net.bytesRx.average", EACH, _kilobytes_per_second),
    "transmitted": Realtime("net.bytesTx.average", EACH, _kilobytes_per_second),
    "received_errors": Realtime("net.errorsRx.summation", EACH, _count_of),
    "transmitted_errors": Realtime("net.errorsTx.summation", EACH, _count_of),
    "received_drops": Realtime("net.droppedRx.summation", EACH, _count_of),
    "transmitted_drops": Realtime("net.droppedTx.summation", EACH, _count_of),
    "energy": Realtime("power.energy.summation", ALL, _count_of),
    "power": Realtime("power.power.average", ALL, _per_second),
    "memory_state": Realtime("mem.state.latest", ALL, _per_second),
    "disk_latency": Realtime("disk.maxTotalLatency.latest", ALL, _per_second),
    "storage_read_latency": Realtime("datastore.totalReadLatency.average", EACH, _per_second),
    "storage_write_latency": Realtime("datastore.totalWriteLatency.average", EACH, _per_second),
}
COUNTERS: Mapping[str, Mapping[str, Realtime]] = {GUEST: GUEST_COUNTERS, HOST: HOST_COUNTERS}


def metrics_of(kind: str, ids: Mapping[str, int]) -> tuple[Metric, ...]:
    """What is asked of an object of a kind, as far as the endpoint has the counters."""
    return tuple(Metric(ids[each.name], each.instance) for each in COUNTERS[kind].values() if each.name in ids)


_NOTHING_NEW = Samples((), {ALL: ()}, REALTIME_SECONDS)


class Readings:
    """The samples of one object by the words of its table.

    `late`: its samples could not be read for longer than what was counted may still be told.
    """

    def __init__(self, kind: str, ids: Mapping[str, int], sampled: Sampled | None, *, late: bool = False) -> None:
        self._table = COUNTERS[kind]
        self._ids = ids
        self._sampled = sampled
        self._late = late
        self._values: dict[int, dict[str, tuple[int | None, ...]]] = {}
        if sampled is not None:
            for metric, values in sampled.values.items():
                self._values.setdefault(metric.counter, {})[metric.instance] = values

    def _raw(self, word: str) -> Mapping[str, tuple[int | None, ...]]:
        identity = self._ids.get(self._table[word].name)
        return self._values.get(identity, {}) if identity is not None else {}

    def instances(self, word: str) -> list[str]:
        """The instances that have samples of this counter, without the object as a whole."""
        return sorted(instance for instance in self._raw(word) if instance != ALL)

    def rate(self, word: str, instance: str = ALL) -> Samples | None:
        """A counter's samples as a rate in base units per second; None where the endpoint does not have the counter.

        Without a new sample it is empty: what was counted so far stays as it is.
        """
        if self._late or self._table[word].name not in self._ids:
            return None
        values = self._raw(word).get(instance)
        if values is None or self._sampled is None:
            return _NOTHING_NEW
        rate, seconds = self._table[word].rate, self._sampled.interval_seconds
        return self._samples(tuple(None if value is None else rate(value, seconds) for value in values))

    def has(self, word: str) -> bool:
        """Whether the object itself has samples of this counter."""
        return bool(self._raw(word))

    @property
    def any(self) -> bool:
        """Whether there are new samples at all."""
        return self._sampled is not None and bool(self._sampled.timestamps)

    def latest(self, word: str, instance: str = ALL) -> int | None:
        """The newest value of a counter, in the vendor's unit."""
        return next((value for value in reversed(self._raw(word).get(instance, ())) if value is not None), None)

    def largest(self, word: str) -> int | None:
        """The largest new value of a counter, in the vendor's unit."""
        return max((value for value in self._raw(word).get(ALL, ()) if value is not None), default=None)

    def mean(self, word: str, instance: str) -> float | None:
        """The mean of a counter's new values, in the vendor's unit."""
        known = [value for value in self._raw(word).get(instance, ()) if value is not None]
        return sum(known) / len(known) if known else None

    def scaled(self, word: str, factor: float) -> Samples | None:
        """A counter's samples times a factor."""
        found = self.rate(word)
        if found is None or not found.timestamps:
            return found
        return self._samples(tuple(None if value is None else value * factor for value in found.series[ALL]))

    def time(self, operations: str, latency: str, instance: str) -> Samples | None:
        """Seconds that operations took, per second: operations per second times microseconds each."""
        count, each = self.rate(operations, instance), self.rate(latency, instance)
        if count is None or each is None:
            return None
        if not count.timestamps or not each.timestamps:
            return _NOTHING_NEW
        pairs = zip(count.series[ALL], each.series[ALL], strict=True)
        return self._samples(tuple(None if n is None or us is None else n * us / 1e6 for n, us in pairs))

    def _samples(self, values: tuple[float | None, ...]) -> Samples:
        assert self._sampled is not None  # noqa: S101  asked by whoever has looked
        return Samples(self._sampled.timestamps, {ALL: values}, self._sampled.interval_seconds)
