"""The exporter's metrics about its own process and its HTTP server: the only ones that are rendered at scrape.

One object, made by the composition root: the app counts requests in it, the estate appends its bytes to an exposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector
from prometheus_client.exposition import generate_latest as text_of
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_of

from exporter.exposition.negotiation import Format

BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
_END = b"# EOF\n"


@dataclass(frozen=True, slots=True)
class _WithoutCreated:
    """A registry less its `_created` samples: prometheus_client can only switch them off for the whole process."""

    registry: CollectorRegistry

    def collect(self) -> Iterable[Metric]:
        for metric in self.registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class SelfMetrics:
    """Counts HTTP requests and renders them with the `process_*` metrics; safe to use from several threads."""

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` is the route table: they are exported from the start, and bound the values of the label."""
        registry = CollectorRegistry()
        self._exported = _WithoutCreated(registry)
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "hypervisor_exporter_http_requests_total",
            "HTTP requests answered.",
            ["path", "code"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "hypervisor_exporter_http_requests_in_flight",
            "HTTP requests being answered now.",
            registry=registry,
        )
        self._duration = Histogram(
            "hypervisor_exporter_http_request_duration_seconds",
            "Time from the end of a request's header to the end of its answer, slow clients included.",
            ["path"],
            buckets=BUCKETS,
            registry=registry,
        )
        for path in paths:
            self._requests.labels(path, "200")
            self._duration.labels(path)

    def count(self, path: str, code: int, duration_seconds: float) -> None:
        """Record one answered request; `path` is a path of the route table, never the client's."""
        self._requests.labels(path, str(code)).inc()
        self._duration.labels(path).observe(duration_seconds)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as being answered for as long as the block runs."""
        with self._in_flight.track_inprogress():
            yield

    def render(self, wanted: Format) -> bytes:
        """The families as text of this format; in OpenMetrics without `# EOF`, which only the whole has."""
        if wanted is Format.OPENMETRICS_1_0:
            return bytes(openmetrics_of(self._exported)).removesuffix(_END)  # type: ignore[no-untyped-call]
        return text_of(self._exported)
