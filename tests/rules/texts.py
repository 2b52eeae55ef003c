"""What the texts of an alert must say: of what, how much, what the limit is, and where to go on."""

from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser as pq

from dashboards.rules.alerts.words import days, short, size
from tests.rules.lint import SEVERITIES
from tests.rules.promql import COMPARISONS, SETS, Known, bare, labels, scalar

_NAMES = ("guest", "host", "storage", "compute_cluster", "target", "instance", "job")
"""What people call things, the most precise first."""


def limits(node: Any) -> Iterator[float]:
    """The numbers that decide whether an alert fires; 0 and 1 are answers, not limits."""
    node = bare(node)
    match node:
        case pq.BinaryExpr() if str(node.op) in COMPARISONS and isinstance(bare(node.rhs), pq.NumberLiteral):
            if bare(node.rhs).val not in {0, 1}:
                yield bare(node.rhs).val
        case pq.BinaryExpr():
            sides = [node.lhs] if str(node.op) in SETS - {"or"} else [node.lhs, node.rhs]
            for side in sides:
                if not scalar(side):
                    yield from limits(side)
        case pq.AggregateExpr():
            yield from limits(node.expr)


def written(limit: float) -> set[str]:
    """How a limit may be written for people."""
    forms = {f"{limit:g}", f"{limit:.0%}", days(limit), short(limit), f"{limit * 1000:g} ms"}
    return forms | ({size(limit)} if limit >= 1 else set())


def shortcomings(rule: Mapping[str, Any], known: Known, dashboards: set[str]) -> Iterator[str]:
    """What is missing from the texts of an alert."""
    texts, tree = rule["annotations"], pq.parse(rule["expr"])
    summary, description = texts.get("summary", ""), texts.get("description", "")
    there = labels(tree, known)
    thing = next((name for name in _NAMES if name in there), None)
    for name, text in (("summary", summary), ("description", description)):
        if not text:
            yield f"no {name}"
    if thing not in {None, "job"} and f"$labels.{thing}" not in summary:
        yield f"the summary does not name the {thing}"
    found = set(limits(tree))
    if found and "$value" not in description:
        yield "the description does not say how much it is"
    yield from (f"the description does not say the limit {one:g}" for one in found if not _said(one, description))
    if not texts.get("runbook_url", "").endswith(f"/{rule['alert']}.md"):
        yield "no runbook_url"
    if texts.get("dashboard_url", "").partition("?")[0].rpartition("/")[2] not in dashboards:
        yield "no dashboard_url of a dashboard that is there"
    if rule["labels"].get("severity") not in SEVERITIES:
        yield "no severity"


def _said(limit: float, description: str) -> bool:
    return any(form in description for form in written(limit))
