"""Durations as operators write them (`500ms`, `30s`, `2m`, `1h30m`, `1d`) and as the program counts them: seconds."""

from __future__ import annotations

import re

PATTERN = r"^(?=[0-9])([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$"
LONGEST_SECONDS = 366 * 86400.0
EXAMPLE = "write it with its unit, as in 30s, 2m, 1h or 500ms"

_FORM = re.compile(PATTERN)
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def seconds(text: str) -> float | None:
    """The duration in seconds; None if this is none."""
    if not text.isascii() or not _FORM.fullmatch(text):
        return None
    parts = re.findall(r"([0-9]+)(ms|[dhms])", text)
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000


def written(duration_seconds: float) -> str:
    """The shortest way to write a duration: 90 is `1m30s`."""
    left = round(duration_seconds * 1000)
    text = ""
    for unit, milliseconds in _MILLISECONDS.items():
        count, left = divmod(left, milliseconds)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
