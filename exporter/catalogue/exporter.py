"""Families about the daemon itself, rendered by the parent on events from `exporter.report.ExporterReport`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from exporter.catalogue.family import PARENT, Entity, Family, Priority, Row, Section, mapping_of
from exporter.report import ExporterReport, WorkerReport

_self = Section(Entity.EXPORTER, PARENT, Priority.TARGET)


def _per_worker(read: Callable[[WorkerReport], float | None]) -> Callable[[ExporterReport], Iterable[Row]]:
    return lambda report: [((name,), read(worker)) for name, worker in report.workers.items()]


FAMILIES: tuple[Family, ...] = (
    _self.info(
        "hypervisor_exporter_build_info",
        "Version of the exporter and of Python.",
        labels=("version", "python"),
        describe=lambda e: (e.version, e.python),
    ),
    _self.gauge(
        "hypervisor_exporter_config_last_reload_successful",
        "1 if the last load of the configuration succeeded; on 0 the one before is still in force.",
        value=lambda e: e.reload_successful,
    ),
    _self.gauge(
        "hypervisor_exporter_config_last_reload_success_timestamp_seconds",
        "When the configuration in force was loaded, Unix time.",
        value=lambda e: e.reload_success_timestamp_seconds,
    ),
    _self.gauge("hypervisor_exporter_workers", "Worker processes.", value=lambda e: len(e.workers)),
    _self.counter(
        "hypervisor_exporter_worker_restarts_total",
        "Worker processes that were started again after one died.",
        value=lambda e: e.worker_restarts,
    ),
    _self.counter(
        "hypervisor_exporter_worker_cpu_seconds_total",
        "CPU time used by a worker process.",
        labels=("worker",),
        each=_per_worker(lambda w: w.cpu_seconds),
    ),
    _self.gauge(
        "hypervisor_exporter_worker_resident_memory_bytes",
        "Memory held by a worker process.",
        labels=("worker",),
        each=_per_worker(lambda w: w.resident_memory_bytes),
    ),
    _self.gauge(
        "hypervisor_exporter_worker_targets",
        "Targets that live in a worker process.",
        labels=("worker",),
        each=_per_worker(lambda w: w.targets),
    ),
    _self.gauge(
        "hypervisor_exporter_abandoned_calls",
        "Collections past their deadline whose call has not returned yet.",
        value=lambda e: e.abandoned_calls,
    ),
    _self.gauge("hypervisor_exporter_series", "Series of all targets now held.", value=lambda e: e.series),
    _self.counter(
        "hypervisor_exporter_series_dropped_total",
        "Series left out of a target's pages.",
        labels=("target", "reason"),
        each=lambda e: [(key, count) for key, count in e.series_dropped.items()],
    ),
    _self.counter(
        "hypervisor_exporter_labels_sanitised_total",
        "Label values that had to be shortened or had characters replaced.",
        value=lambda e: e.labels_sanitised,
    ),
    _self.counter(
        "hypervisor_exporter_samples_rejected_total",
        "Values that were no finite number and so were left out.",
        labels=("reason",),
        each=mapping_of(lambda e: e.samples_rejected),
    ),
    _self.gauge("hypervisor_exporter_shard_index", "Number of this shard, from 0.", value=lambda e: e.shard_index),
    _self.gauge("hypervisor_exporter_shards", "Shards that share the targets.", value=lambda e: e.shards),
)
