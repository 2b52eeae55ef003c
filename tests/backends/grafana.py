"""Grafana's side of a dashboard, as far as queries go: choices put into expressions, panels asked of a Prometheus."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.generate import HERE
from tests.backends.prometheus import Prometheus, Sample

FOLDER = HERE / "grafana"
EVERYTHING = {"platform": ".*", "target": ".*", "compute_cluster": ".*", "host": ".*", "guest": ".*", "storage": ".*"}
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")


@dataclass(frozen=True)
class Asked:
    """A query of a panel. `kind` and `unit` are the panel's."""

    dashboard: str
    panel: str
    kind: str
    unit: str
    expr: str
    legend: str
    instant: bool
    no_value: str
    panel_model: Mapping[str, Any] = field(repr=False, compare=False, default_factory=dict)

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}"

    def sane(self, value: float) -> bool:
        """Whether a value can be one of the unit."""
        if not math.isfinite(value):
            return False
        if self.unit == "percentunit":
            return -0.01 <= value <= 50
        return value >= 0 or self.unit == "none" or self.may_lack

    @property
    def may_lack(self) -> bool:
        """Whether it is what is left after a failure, or on a host that may promise more than it has."""
        return "headroom" in self.expr or ("usable:bytes" in self.expr and " - on " in self.expr)

    def lacks(self, labels: Mapping[str, str]) -> set[str]:
        """The labels of the legend that a series has not."""
        return set(re.findall(r"\{\{(\w+)\}\}", self.legend)) - labels.keys()


def documents() -> dict[str, dict[str, Any]]:
    """The committed dashboards by slug."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def panels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel but the headings, also in collapsed rows."""
    for panel in document["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def asked(slug: str, document: Mapping[str, Any]) -> Iterator[Asked]:
    """Every query of every panel, as it is written."""
    for panel in panels(document):
        defaults = panel["fieldConfig"]["defaults"]
        for target in panel.get("targets", ()):
            yield Asked(
                slug,
                panel["title"],
                panel["type"],
                defaults["unit"],
                target["expr"],
                target["legendFormat"],
                target["instant"],
                defaults["noValue"],
                panel,
            )


Choice = str | Sequence[str]
"""Of a variable: text that is put in as it is, as `.*` for everything; or the names that a person picked."""


def filled(expr: str, choices: Mapping[str, Choice] = EVERYTHING, *, interval: float = 30.0) -> str:
    """The expression that Grafana would send; `interval` is that of vitals."""
    least = -(-1.25 * interval // 1)
    own = {
        "__rate_interval": f"{4 * least:.0f}s",
        "__interval": f"{least:.0f}s",
        "__range": "1h",
        "min_step": f"{least:.0f}",
    }
    known = {**own, **choices}
    return _VARIABLE.sub(lambda found: _put(known[found.group(1) or found.group(3)], found.group(2) or ""), expr)


def _put(choice: Choice, form: str) -> str:
    """A choice as Grafana 10 to 13 puts it in: `${name:regex}` escapes for the regular expression alone, `$name` also
    for the string in quotes around it, save for the quotes."""
    if isinstance(choice, str):
        return choice
    escaped = [
        re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", name)
        if form == "regex"
        else re.sub(r"[$^*{}\[\]+?.()|]", r"\\\\\g<0>", name.replace("\\", "\\" * 4))
        for name in choice
    ]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def options(
    prometheus: Prometheus,
    variable: Mapping[str, Any],
    choices: Mapping[str, Choice] = EVERYTHING,
    at: float | None = None,
) -> list[str]:
    """What a variable offers, asked for and cut as Grafana does."""
    query = filled(variable["definition"], choices)
    if labels := re.fullmatch(r"label_values\((?:(?P<series>.+),\s*)?(?P<label>[a-zA-Z_]\w*)\)\s*", query):
        end = time.time() if at is None else at
        given = {"match[]": labels["series"], "start": f"{end - 6 * 3600}", "end": f"{end}"}
        found = prometheus._get(f"label/{labels['label']}/values", **given)
    elif result := re.fullmatch(r"query_result\((.+)\)\s*", query):
        found = [_as_text(sample) for sample in prometheus.query(result[1], at)]
    else:
        raise AssertionError(f"Grafana would take {query} for a query of metrics' names")
    if variable["regex"]:
        cuts = [re.search(variable["regex"].strip("/"), each) for each in found]
        found = [cut[1] for cut in cuts if cut]
    return list(dict.fromkeys(found))


def _as_text(sample: Sample) -> str:
    """A sample as `query_result` shows it to the regular expression."""
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items() if name != "__name__")
    return f"{sample.labels.get('__name__', '')}{{{labels}}} {sample.value:.15g} {sample.time * 1000:.15g}"
