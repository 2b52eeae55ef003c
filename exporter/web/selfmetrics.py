"""The exporter's metrics about its own process and its HTTP server: the only ones that are rendered at scrape.

prometheus_client counts; its own text would be half of what a scrape costs, so the few lines are written here.
One object, made by the composition root: the app counts requests in it, the estate appends its bytes to an exposition.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, ProcessCollector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

from exporter.exposition.negotiation import Format

BUCKETS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0)

_DURATION = Metric(
    "hypervisor_exporter_http_request_duration_seconds",
    "Time from the end of a request's header to the end of its answer, slow clients included.",
    "histogram",
)


class SelfMetrics:
    """Counts HTTP requests and renders them with the `process_*` metrics; safe to use from several threads."""

    def __init__(self, paths: Iterable[str]) -> None:
        """`paths` is the route table: they are exported from the start, and bound the values of the label."""
        registry = CollectorRegistry()
        self._registry = registry
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
        self._lock = threading.Lock()
        self._durations: dict[str, Histogram] = {}
        self._told: dict[str, str] = {}
        """Lines of each path's histogram, as long as they are true: most paths are asked seldom."""
        for path in paths:
            self._requests.labels(path, "200")
            self._duration(path)

    def count(self, path: str, code: int, duration_seconds: float) -> None:
        """Record one answered request; `path` is a path of the route table, never the client's."""
        self._requests.labels(path, str(code)).inc()
        with self._lock:
            self._duration(path).observe(duration_seconds)
            self._told.pop(path, None)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request as being answered for as long as the block runs."""
        with self._in_flight.track_inprogress():
            yield

    def render(self, wanted: Format) -> bytes:
        """The families as text of this format; in OpenMetrics without `# EOF`, which only the whole has."""
        lines: list[str] = []
        for metric in self._registry.collect():
            lines += _HEADERS[wanted](metric)
            lines += _lines(metric, {})
        lines += _HEADERS[wanted](_DURATION)
        with self._lock:
            lines += [self._told.get(path) or self._tell(path) for path in self._durations]
        return "".join(lines).encode()

    def _duration(self, path: str) -> Histogram:
        known = self._durations.get(path)
        if known is None:
            known = Histogram(_DURATION.name, _DURATION.documentation, buckets=BUCKETS, registry=None)
            self._durations[path] = known
        return known

    def _tell(self, path: str) -> str:
        [metric] = self._durations[path].collect()
        told = self._told[path] = "".join(_lines(metric, {"path": path}))
        return told


def _lines(metric: Metric, labels: Mapping[str, str]) -> list[str]:
    return [_line(sample, labels) for sample in metric.samples if not sample.name.endswith("_created")]


def _text_header(metric: Metric) -> tuple[str, str]:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    return f"# HELP {name} {metric.documentation}\n", f"# TYPE {name} {metric.type}\n"


def _openmetrics_header(metric: Metric) -> tuple[str, str]:
    return f"# TYPE {metric.name} {metric.type}\n", f"# HELP {metric.name} {metric.documentation}\n"


_HEADERS = {Format.TEXT_0_0_4: _text_header, Format.OPENMETRICS_1_0: _openmetrics_header}


def _line(sample: Sample, more: Mapping[str, str]) -> str:
    """Labels are paths, codes and limits of buckets: nothing in them or in the help texts needs to be escaped."""
    labels = ",".join([f'{name}="{value}"' for name, value in sorted({**sample.labels, **more}.items())])
    number = floatToGoString(sample.value)  # type: ignore[no-untyped-call]
    return f"{sample.name}{{{labels}}} {number}\n" if labels else f"{sample.name} {number}\n"
