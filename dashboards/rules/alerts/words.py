"""How alerts name the thing they are about and its value, in Prometheus' templates."""

from __future__ import annotations

import math

from exporter.config.durations import written

_WHERE = "({{ $labels.platform }}, {{ $labels.target }})"
TARGET = "{{ $labels.target }} ({{ $labels.platform }})"
HOST = f"{{{{ $labels.host }}}} {_WHERE}"
GUEST = f"{{{{ $labels.guest }}}} {_WHERE}"
STORAGE = "{{ $labels.storage }} ({{ $labels.platform }}, {{ $labels.storage_key }})"
CLUSTER = "{{ $labels.compute_cluster }} ({{ $labels.platform }})"

PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | humanizeDuration }}"
NUMBER = "{{ $value | humanize }}"
COUNT = '{{ $value | printf "%.0f" }}'
"""Of things: `increase` is no whole number where a scrape is missing."""
BYTES = "{{ $value | humanize1024 }}B"
MINUTE, HOUR = 60.0, 3600.0


def days(seconds: float) -> str:
    """A limit for people."""
    return f"{seconds / 86400:g} days" if seconds >= 2 * 86400 else f"{seconds / 3600:g} hours"


def short(seconds: float) -> str:
    """A limit of seconds or minutes for people."""
    return written(seconds)


def size(count: float) -> str:
    """A limit of bytes for people."""
    power = max(0, min(4, int(math.log2(count) // 10)))
    return f"{count / 1024**power:g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def number(value: float) -> str:
    """A limit as PromQL writes it."""
    return f"{value:.10g}"
