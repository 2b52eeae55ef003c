"""How alerts name the thing they are about and its value, in Prometheus' templates."""

from __future__ import annotations

_WHERE = "({{ $labels.platform }}, {{ $labels.target }})"
TARGET = "{{ $labels.target }} ({{ $labels.platform }})"
HOST = f"{{{{ $labels.host }}}} {_WHERE}"
GUEST = f"{{{{ $labels.guest }}}} {_WHERE}"
STORAGE = "{{ $labels.storage }} ({{ $labels.platform }}, {{ $labels.storage_key }})"
CLUSTER = "{{ $labels.compute_cluster }}"

PERCENT = "{{ $value | humanizePercentage }}"
DURATION = "{{ $value | humanizeDuration }}"
NUMBER = "{{ $value | humanize }}"
BYTES = "{{ $value | humanize1024 }}B"
MINUTE, HOUR = 60.0, 3600.0


def days(seconds: float) -> str:
    """A limit for people."""
    return f"{seconds / 86400:g} days" if seconds >= 2 * 86400 else f"{seconds / 3600:g} hours"


def number(value: float) -> str:
    """A limit as PromQL writes it."""
    return f"{value:.10g}"
