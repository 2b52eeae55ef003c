"""A dashboard as one self-contained page: panels where Grafana's grid has them, each with its description."""

# ruff: noqa: E501  a rule of CSS stays in one piece

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from tests.preview import asking, drawing
from tests.preview.asking import View

WIDTH = 1600
CELL, GAP, TITLE, WORDS = 38, 8, 30, 15
"""Pixels: a grid row with its gap, the gap, a panel's title, and the description under it."""
_STYLE = """
body{margin:0;padding:12px;width:1600px;font-family:Inter,Roboto,"DejaVu Sans","Noto Sans",sans-serif;background:var(--page);color:var(--text)}
.dark{--page:#111217;--panel:#181b1f;--edge:#2a2d33;--text:#ccccdc;--weak:#8e8e99;--grid:#2b2e34;--link:#6e9fff;--unfilled:#25282e}
.light{--page:#f4f5f5;--panel:#fff;--edge:#e4e5e6;--text:#24292e;--weak:#767c85;--grid:#e8e9ea;--link:#1f62e0;--unfilled:#eceded}
.panel{position:absolute;background:var(--panel);border:1px solid var(--edge);border-radius:3px;overflow:hidden;box-sizing:border-box}
.panel h3{font-size:14px;font-weight:500;margin:7px 8px 0;line-height:17px;white-space:nowrap;overflow:hidden}
.panel p{font-size:10px;margin:1px 8px 0;color:var(--weak);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;line-height:13px}
.row{position:absolute;font-size:15px;font-weight:500;line-height:30px}
.grid{position:relative}h1{font-size:19px;margin:0 0 2px}.about{font-size:12px;color:var(--weak);margin:0 0 8px}
.choice{display:inline-block;border:1px solid var(--edge);background:var(--panel);border-radius:2px;font-size:12px;padding:4px 8px;margin:0 6px 8px 0}
svg{display:block}text{font-variant-numeric:tabular-nums;white-space:pre}
"""


THEMES = ("light", "dark")


def pages(document: Mapping[str, Any], view: View) -> tuple[dict[str, str], int]:
    """The page in each theme, asked for and drawn once; and its height in pixels."""
    tall = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in document["panels"]) * CELL
    choices = "".join(
        f'<span class="choice">{escape(variable["label"])}: {escape(_chosen(variable["name"], view))}</span>'
        for variable in document["templating"]["list"]
        if variable["hide"] == 0 and variable["name"] != "datasource"
    )
    panels = "".join(_placed(panel, view) for panel in document["panels"])
    drawn = (
        f'<!doctype html><meta charset="utf-8"><title>{escape(document["title"])}</title><style>{_STYLE}</style>'
        f'<body class="THEME"><h1>{escape(document["title"])}</h1><p class="about">{escape(document["description"])}'
        f" — last {view.span / 3600:g} hours</p>{choices}"
        f'<div class="grid" style="height:{tall}px">{panels}</div></body>'
    )
    return {theme: drawn.replace("THEME", theme, 1) for theme in THEMES}, tall + 110


def _chosen(name: str, view: View) -> str:
    choice = view.choices.get(name, ".*")
    return "All" if isinstance(choice, str) else " + ".join(choice)


def _placed(panel: Mapping[str, Any], view: View) -> str:
    where = panel["gridPos"]
    cell = WIDTH / 24
    x, y, width, height = where["x"] * cell, where["y"] * CELL, where["w"] * cell - GAP, where["h"] * CELL - GAP
    style = f"left:{x:.0f}px;top:{y}px;width:{width:.0f}px;height:{height}px"
    if panel["type"] == "row":
        return f'<div class="row" style="{style}">▾ {escape(panel["title"])}</div>'
    inner_width, inner_height = width - 18, height - TITLE - WORDS - 8
    picture = _picture(panel, view, inner_width, inner_height)
    return (
        f'<div class="panel" style="{style}"><h3>{escape(panel["title"])}</h3><p>{escape(panel["description"])}</p>'
        f'<svg width="{inner_width:.0f}" height="{inner_height:.0f}" style="margin:4px 8px">{picture}</svg></div>'
    )


def _picture(panel: Mapping[str, Any], view: View, width: float, height: float) -> str:
    if panel["type"] == "table":
        rows = asking.rows(panel, view)
        return drawing.table(panel, rows, width, height) if rows else drawing.nothing(panel, width, height)
    found = asking.lines(panel, view)
    draw = {"timeseries": drawing.course, "stat": drawing.stat, "bargauge": drawing.bars}[panel["type"]]
    return draw(panel, found, view, width, height) if found else drawing.nothing(panel, width, height)
