"""Panels as SVG, roughly as Grafana draws them."""

# ruff: noqa: E501  an element of SVG stays in one piece

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from tests.preview.asking import Line, View
from tests.preview.units import written

PALETTE = (
    "#7EB26D",
    "#EAB839",
    "#6ED0E0",
    "#EF843C",
    "#E24D42",
    "#1F78C1",
    "#BA43A9",
    "#705DA0",
    "#508642",
    "#CCA300",
    "#447EBC",
    "#C15C17",
    "#890F02",
    "#0A437C",
    "#6D1F62",
    "#584477",
    "#B7DBAB",
    "#F4D598",
    "#70DBED",
    "#F9BA8F",
)
COLORS = {"text": "var(--text)", "green": "#56A64B", "orange": "#FF9830", "red": "#F2495C", "blue": "#5794F2"}
LETTER = 6.1
"""Width of a letter of 12 pixels, in pixels."""


def color_of(value: float, steps: Sequence[Mapping[str, Any]]) -> str:
    """The colour of the highest threshold that the value reaches."""
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return COLORS.get(reached[-1], reached[-1])


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 11,
    anchor: str = "start",
    fill: str = "var(--text)",
    bold: bool = False,
) -> str:
    weight = ' font-weight="500"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" fill="{fill}"{weight}>{escape(words)}</text>'


def cut(words: str, width: float, size: float = 11) -> str:
    """The words, or as many of them as fit."""
    room = int(width / (LETTER * size / 12))
    return words if len(words) <= room else words[: max(room - 1, 0)] + "…"


def nothing(panel: Mapping[str, Any], width: float, height: float) -> str:
    """What a panel says that found nothing."""
    words = panel["fieldConfig"]["defaults"].get("noValue", "No data")
    size = 14 if width > 300 else 11
    return text(width / 2, height / 2, cut(words, width, size), size=size, anchor="middle", fill="var(--weak)")


def ticks(low: float, high: float, unit: str, wanted: int = 5) -> list[float]:
    """Round values between two."""
    base = 1024 ** int(math.log(max(abs(high), abs(low), 1), 1024)) if unit in ("bytes", "binBps") else 1.0
    low, high = low / base, high / base
    raw = (high - low) / wanted or 1.0
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(size * magnitude for size in (1, 2, 2.5, 5, 10) if size * magnitude >= raw)
    first = math.ceil(low / step - 1e-9)
    return [number * step * base for number in range(first, math.floor(high / step + 1e-9) + 1)]


def course(panel: Mapping[str, Any], found: Sequence[Line], view: View, width: float, height: float) -> str:
    """Lines over time, with limits and a legend."""
    defaults, legend = panel["fieldConfig"]["defaults"], panel["options"]["legend"]
    unit, right = defaults["unit"], legend["placement"] == "right"
    beside = (
        min(width * 0.5, 48 + 2 * _numbers(found, unit) + 6.4 * max(len(line.name) for line in found)) if right else 0
    )
    listed = 0.0 if right else min(18.0 * (len(found) + 1), height * 0.4)
    top, tall = 6.0, height - listed - 28
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    shapes = _piled(found) if stacked else [(line, None) for line in found]
    values = [value for line, _ in shapes for _, value in line.points]
    low = defaults["min"] if "min" in defaults else min(values)
    limits = [step["value"] for step in defaults["thresholds"]["steps"] if step["value"] is not None]
    high = max(defaults.get("max", max(values)), low + 1e-9)
    low, high = (low, high) if "max" in defaults else _wider(low, high)
    start = view.now - view.span
    scale = ticks(low, high, unit)
    left = max(62.0, 10 + LETTER * max((len(written(tick, unit)) for tick in scale), default=0))
    plot = width - beside - left - 12

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = left + (point[0] - start) / view.span * plot
        return x, top + tall - (min(max(point[1], low), high) - low) / (high - low) * tall

    drawn = []
    for tick in scale:
        _, y = at((start, tick))
        drawn.append(f'<line x1="{left}" x2="{left + plot:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--grid)"/>')
        drawn.append(text(left - 6, y + 4, written(tick, unit), size=10.5, anchor="end"))
    for number in range(1, 6):
        moment = start + view.span * number / 6
        x, _ = at((moment, low))
        drawn.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + tall:.0f}" stroke="var(--grid)"/>')
        drawn.append(
            text(x, top + tall + 16, f"{datetime.fromtimestamp(moment, UTC):%H:%M}", size=10.5, anchor="middle")
        )
    for step in defaults["thresholds"]["steps"]:
        if step["value"] in limits and low <= step["value"] <= high:
            _, y = at((start, step["value"]))
            drawn.append(
                f'<line x1="{left}" x2="{left + plot:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{COLORS[step["color"]]}"/>'
            )
    for number, (line, below) in enumerate(shapes):
        paint = PALETTE[number % len(PALETTE)]
        for run in _runs(line.points, view.step):
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, run))
            floor = dict(below.points) if below else {}
            under = " ".join(
                f"{x:.1f},{y:.1f}" for x, y in (at((when, floor.get(when, low))) for when, _ in reversed(run))
            )
            drawn.append(
                f'<polygon points="{path} {under}" fill="{paint}" opacity="{defaults["custom"]["fillOpacity"] / 100}"/>'
            )
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{paint}" stroke-width="1.2"/>')
    drawn.append(
        _legend(
            found,
            panel,
            (left + plot + 14, 0.0) if right else (left, top + tall + 24),
            (beside or width - left - 12, height if right else listed),
        )
    )
    return "".join(drawn)


def _wider(low: float, high: float) -> tuple[float, float]:
    """With room above, and below where there is no floor; something to see where all is 0."""
    room = (high - low) * 0.06
    return (low if low == 0 else low - room), (high + room if high - low > 1e-6 else low + 1)


def _piled(found: Sequence[Line]) -> list[tuple[Line, Line | None]]:
    """Each line on the sum of those before it."""
    piled: list[tuple[Line, Line | None]] = []
    sums: dict[float, float] = {}
    for line in found:
        below = Line("", {}, list(sums.items()))
        for when, value in line.points:
            sums[when] = sums.get(when, 0.0) + value
        piled.append((Line(line.name, line.labels, [(when, sums[when]) for when, _ in line.points]), below))
    return piled


def _runs(points: Sequence[tuple[float, float]], step: float) -> list[list[tuple[float, float]]]:
    """The points in pieces without a gap."""
    runs: list[list[tuple[float, float]]] = []
    for point in points:
        if not runs or point[0] - runs[-1][-1][0] > 1.5 * step:
            runs.append([])
        runs[-1].append(point)
    return runs


def _numbers(found: Sequence[Line], unit: str) -> float:
    """Pixels of a column of values beside names."""
    longest = max(len(written(value, unit)) for line in found for value in (line.last, line.highest))
    return max(68.0, 10 + LETTER * longest)


def _legend(
    found: Sequence[Line], panel: Mapping[str, Any], place: tuple[float, float], size: tuple[float, float]
) -> str:
    """Names with their last and highest value; those that do not fit are counted."""
    (x, y), (width, height), unit = place, size, panel["fieldConfig"]["defaults"]["unit"]
    numbers = _numbers(found, unit)
    drawn = [
        text(x + width - numbers - 8, y + 12, "Last", size=10.5, anchor="end", fill="var(--link)"),
        text(x + width - 6, y + 12, "Max", size=10.5, anchor="end", fill="var(--link)"),
    ]
    room = int((height - 18) / 18)
    order = (
        sorted(enumerate(found), key=lambda each: -each[1].last)
        if panel["options"]["legend"].get("sortBy")
        else enumerate(found)
    )
    for place_, (number, line) in enumerate(order):
        if place_ >= room - 1 and len(found) > room:
            drawn.append(
                text(x, y + 30 + place_ * 18, f"… {len(found) - place_} more (scroll)", size=10.5, fill="var(--weak)")
            )
            break
        below = y + 30 + place_ * 18
        drawn.append(
            f'<rect x="{x}" y="{below - 5:.1f}" width="12" height="4" rx="2" fill="{PALETTE[number % len(PALETTE)]}"/>'
        )
        drawn.append(text(x + 18, below, cut(line.name, width - 2 * numbers - 34), size=11))
        drawn.append(text(x + width - numbers - 8, below, written(line.last, unit), size=11, anchor="end"))
        drawn.append(text(x + width - 6, below, written(line.highest, unit), size=11, anchor="end"))
    return "".join(drawn)


def stat(panel: Mapping[str, Any], found: Sequence[Line], view: View, width: float, height: float) -> str:
    """Numbers with their course behind them."""
    defaults = panel["fieldConfig"]["defaults"]
    drawn, each = [], width / len(found)
    for number, line in enumerate(found):
        paint = color_of(line.last, defaults["thresholds"]["steps"])
        words = (
            line.name  # the label whose value is shown
            if panel["options"]["reduceOptions"]["fields"]
            else written(line.last, defaults["unit"], defaults.get("decimals"))
        )
        low, high = min(value for _, value in line.points), line.highest
        if panel["options"]["graphMode"] == "area" and len(line.points) > 1:
            path = " ".join(
                f"{number * each + (when - view.now + view.span) / view.span * each:.1f},"
                f"{height - 4 - (value - low) / ((high - low) or 1) * height * 0.3:.1f}"
                for when, value in line.points
            )
            drawn.append(
                f'<polygon points="{number * each:.1f},{height} {path} {(number + 1) * each:.1f},{height}" fill="{paint}" opacity="0.15"/>'
            )
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{paint}" stroke-width="1"/>')
        size = min(38.0, 1.6 * each / max(len(words), 1), height * 0.5)
        drawn.append(
            text(
                (number + 0.5) * each,
                height * 0.52 + size * 0.2,
                words,
                size=size,
                anchor="middle",
                fill=paint,
                bold=True,
            )
        )
    return "".join(drawn)


def bars(panel: Mapping[str, Any], found: Sequence[Line], _view: View, width: float, height: float) -> str:
    """A bar for each series, its name before it and its value behind it."""
    defaults = panel["fieldConfig"]["defaults"]
    highest = defaults.get("max", max(line.last for line in found)) or 1.0
    names = min(width * 0.4, 18 + 1.12 * LETTER * max(len(line.name.strip()) for line in found))
    each, drawn = min(height / len(found), 40.0), []
    for number, line in enumerate(found):
        paint = color_of(line.last, defaults["thresholds"]["steps"])
        y, room = number * each, width - names - 90
        drawn.append(text(names - 8, y + each / 2 + 4, cut(line.name.strip(), names - 10, 13.4), size=12, anchor="end"))
        drawn.append(
            f'<rect x="{names}" y="{y + 2:.1f}" width="{room:.1f}" height="{each - 4:.1f}" fill="var(--unfilled)"/>'
        )
        share = min(max(line.last / highest, 0), 1)
        drawn.append(
            f'<rect x="{names}" y="{y + 2:.1f}" width="{room * share:.1f}" height="{each - 4:.1f}" fill="{paint}" opacity="0.75"/>'
        )
        drawn.append(
            text(width - 84, y + each / 2 + 5, written(line.last, defaults["unit"]), size=13, fill=paint, bold=True)
        )
    return "".join(drawn)


def table(panel: Mapping[str, Any], found: Sequence[Mapping[str, Any]], width: float, height: float) -> str:
    """Rows under headings; those that do not fit are counted."""
    columns = [_column(override) for override in panel["fieldConfig"]["overrides"]]
    wanted = panel["transformations"][-1]["options"]["indexByName"]
    columns = [
        column for column in columns if column["source"] in wanted and any(column["source"] in row for row in found)
    ]
    order = panel["options"].get("sortBy") or []
    for sort in reversed(order):
        source = next((column["source"] for column in columns if column["displayName"] == sort["displayName"]), "")
        found = sorted(found, key=lambda row: (source not in row, row.get(source) or 0), reverse=bool(sort.get("desc")))
        found = [row for row in found if source in row] + [row for row in found if source not in row]
    fixed = sum(column.get("custom.width", 0) for column in columns)
    free = [column for column in columns if "custom.width" not in column]
    share = (width - fixed) / max(len(free), 1)
    drawn, x = [], 0.0
    room = int(height / 30) - 1
    for column in columns:
        wide = column.get("custom.width", share)
        numeric = column["source"].startswith("Value")
        place, anchor = (x + wide - 10, "end") if numeric else (x + 6, "start")
        drawn.append(
            text(
                place,
                19,
                cut(column["displayName"], wide - 8, 12),
                size=12,
                anchor=anchor,
                fill="var(--link)",
                bold=True,
            )
        )
        for number, row in enumerate(found[:room]):
            value = row.get(column["source"], "")
            paint = "var(--link)" if "links" in column else "var(--text)"
            words = str(value) or column["noValue"]
            if numeric and value != "":
                words = written(value, column["unit"])
                paint = color_of(value, column["thresholds"]["steps"]) if "thresholds" in column else paint
            drawn.append(text(place, 30 * number + 49, cut(words, wide - 10, 12), size=12, anchor=anchor, fill=paint))
        x += wide
    drawn += [
        f'<line x1="0" x2="{width:.0f}" y1="{30 * number + 29}" y2="{30 * number + 29}" stroke="var(--grid)"/>'
        for number in range(min(len(found), room) + 1)
    ]
    if len(found) > room:
        drawn.append(
            text(
                width - 4,
                height - 2,
                f"{room} of {len(found)} rows (scroll)",
                size=10,
                anchor="end",
                fill="var(--weak)",
            )
        )
    return "".join(drawn)


def _column(override: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": override["matcher"]["options"], **{each["id"]: each["value"] for each in override["properties"]}}
