"""Families about targets, rendered by the parent on events from `exporter.report.TargetReport`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from exporter.catalogue.family import PARENT, Entity, Family, Priority, Row, Section, mapping_of, one_of
from exporter.report import GroupReport, Requests, TargetReport

_target = Section(Entity.TARGET, PARENT, Priority.TARGET)


def _per_group(read: Callable[[GroupReport], float | None]) -> Callable[[TargetReport], Iterable[Row]]:
    return lambda report: [((group,), read(state)) for group, state in report.groups.items()]


def _outcomes(report: TargetReport) -> Iterable[Row]:
    for group, state in report.groups.items():
        for outcome, count in state.outcomes.items():
            yield (group, outcome), count


def _problems(report: TargetReport) -> Iterable[Row]:
    for group, state in report.groups.items():
        for problem, count in state.problems.items():
            yield (group, problem), count


def _per_operation(read: Callable[[Requests], float]) -> Callable[[TargetReport], Iterable[Row]]:
    return lambda report: [((operation,), read(cost)) for operation, cost in report.requests.items()]


def _about(report: TargetReport) -> Iterable[Row]:
    known = {
        "address": report.address,
        "product": report.product,
        "version": report.version,
        "api_version": report.api_version,
    }
    return [({**known, **dict(report.labels)}, 1)]


FAMILIES: tuple[Family, ...] = (
    _target.gauge(
        "hypervisor_target_up",
        "1 if the last vitals collection reached the endpoint and was authenticated; absent before the first attempt.",
        value=lambda t: t.up,
    ),
    _target.info_rows(
        "hypervisor_target_info",
        "What the endpoint says it is, and the labels configured for the target.",
        labels=("address", "product", "version", "api_version"),
        each=_about,
    ),
    _target.gauge(
        "hypervisor_target_last_success_timestamp_seconds",
        "When data of the group was last collected, Unix time.",
        labels=("group",),
        each=_per_group(lambda g: g.last_success_timestamp_seconds),
        cost=4,
    ),
    _target.gauge(
        "hypervisor_target_collection_duration_seconds",
        "Duration of the group's last collection.",
        labels=("group",),
        each=_per_group(lambda g: g.duration_seconds),
        cost=4,
    ),
    _target.counter(
        "hypervisor_target_collections_total",
        "Collections by outcome; skipped: the one before was still under way, held: suppressed by back-off or lock.",
        labels=("group", "outcome"),
        each=_outcomes,
        cost=40,
    ),
    _target.gauge(
        "hypervisor_target_interval_seconds",
        "Configured interval of the group.",
        labels=("group",),
        each=_per_group(lambda g: g.interval_seconds),
        cost=4,
    ),
    _target.gauge(
        "hypervisor_target_problems",
        "Objects affected by a problem in the group's last collection.",
        labels=("group", "problem"),
        each=_problems,
        cost=2,
    ),
    _target.gauge(
        "hypervisor_target_objects",
        "Objects seen in the last collection that looked for them.",
        labels=("kind",),
        each=mapping_of(lambda t: t.objects),
        cost=4,
    ),
    _target.counter(
        "hypervisor_target_api_requests_total",
        "Requests made to the endpoint.",
        labels=("operation",),
        each=_per_operation(lambda cost: cost.count),
        cost=8,
    ),
    _target.counter(
        "hypervisor_target_api_request_seconds_total",
        "Time the endpoint took to answer.",
        labels=("operation",),
        each=_per_operation(lambda cost: cost.seconds),
        cost=8,
    ),
    _target.counter(
        "hypervisor_target_api_received_bytes_total",
        "Bytes the endpoint sent, where the transport tells.",
        labels=("operation",),
        each=_per_operation(lambda cost: cost.received_bytes),
        cost=8,
    ),
    _target.gauge(
        "hypervisor_target_clock_offset_seconds",
        "The endpoint's clock minus ours.",
        value=lambda t: t.clock_offset_seconds,
    ),
    _target.gauge(
        "hypervisor_target_tls_verified",
        "1 if the endpoint's certificate is verified, 0 if verification is switched off.",
        value=lambda t: t.tls_verified,
    ),
    _target.gauge(
        "hypervisor_target_tls_not_after_timestamp_seconds",
        "When the endpoint's certificate expires, Unix time.",
        value=lambda t: t.tls_not_after_timestamp_seconds,
    ),
    _target.gauge(
        "hypervisor_target_breaker_state",
        "Whether collections are attempted: closed, open, half_open or auth_locked; value 1.",
        labels=("state",),
        each=one_of(lambda t: t.breaker_state),
    ),
)
