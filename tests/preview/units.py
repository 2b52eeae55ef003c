"""Numbers as Grafana writes them, for the units that the dashboards use."""

from __future__ import annotations

import math

_SI = (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15))
_COUNT = (("", 1.0), (" K", 1e3), (" Mil", 1e6), (" Bil", 1e9), (" Tri", 1e12))
_IEC = (("", 1.0), ("Ki", 2.0**10), ("Mi", 2.0**20), ("Gi", 2.0**30), ("Ti", 2.0**40), ("Pi", 2.0**50))
_TIMES = (
    (1e-6, 1e-9, "ns"),
    (1e-3, 1e-6, "µs"),
    (1.0, 1e-3, "ms"),
    (60.0, 1.0, "s"),
    (3600.0, 60.0, "mins"),
    (86_400.0, 3600.0, "hours"),
    (604_800.0, 86_400.0, "days"),
    (31_536_000.0, 604_800.0, "weeks"),
    (math.inf, 31_536_000.0, "years"),
)


def decimals(value: float) -> int:
    """How many of them Grafana shows of its own accord."""
    if abs(value - round(value)) < 1e-9:
        return 0
    found = 1 - math.floor(math.log10(abs(value)))
    return max(0, found + (abs(value) * 10**found > 2.25) if found >= 0 else 0)


def plain(value: float, places: int | None = None) -> str:
    """A number with as many decimals as Grafana would show, or so many."""
    return f"{value:.{min(decimals(value), 6) if places is None else places}f}"


def _scaled(value: float, steps: tuple[tuple[str, float], ...], unit: str, places: int | None) -> str:
    prefix, factor = next((each for each in reversed(steps) if abs(value) >= each[1]), steps[0])
    return f"{plain(value / factor, places)}{' ' if unit else ''}{prefix}{unit}"


def written(value: float, unit: str, places: int | None = None) -> str:
    """The value with its unit."""
    if unit in _WORDS:
        return _WORDS[unit](value, places)
    steps, name = _WAYS.get(unit, ((("", 1.0),), ""))
    return _scaled(value, steps, name, places)


def _seconds(value: float, places: int | None) -> str:
    _, factor, name = next(each for each in _TIMES if abs(value) < each[0] or each[0] == math.inf)
    return f"{plain(value / factor, places)} {name}" if value else "0 s"


_WORDS = {
    "percentunit": lambda value, places: f"{plain(value * 100, places)}%",
    "s": _seconds,
    "bool_yes_no": lambda value, _: "Yes" if value else "No",
}
_WAYS = {
    "short": (_COUNT, ""),
    "bytes": (_IEC, "B"),
    "Bps": (_SI, "B/s"),
    "binBps": (_IEC, "B/s"),
    "ops": (_COUNT, "ops/s"),
    "opm": (_COUNT, "ops/min"),
    "pps": (_SI, "p/s"),
    "watt": (_SI, "W"),
    "hertz": (_SI, "Hz"),
}
