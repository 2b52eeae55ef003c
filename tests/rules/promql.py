"""PromQL as a tree, and which labels an expression keeps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import promql_parser as pq

from collectors.hyperv.families import FAMILIES as OF_HYPERV
from collectors.libvirt.families import FAMILIES as OF_LIBVIRT
from collectors.vsphere.families import FAMILIES as OF_VSPHERE
from exporter.catalogue import SHARED, Family, Kind

FAMILIES = {family.name: family for family in (*SHARED, *OF_HYPERV, *OF_LIBVIRT, *OF_VSPHERE)}
"""Everything that any platform may show."""
SCRAPED = frozenset({"instance", "job"})
COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
SETS = {"and", "or", "unless"}
Labels = frozenset[str]


@dataclass(frozen=True)
class Known:
    """Families of the catalogue, and what was recorded so far: labels, and the expression."""

    families: Mapping[str, Family] = field(default_factory=lambda: FAMILIES)
    recorded: Mapping[str, Labels] = field(default_factory=dict)
    exprs: Mapping[str, Any] = field(default_factory=dict)

    def labels(self, name: str | None) -> Labels | None:
        """Labels of the series of this name; None if there are none."""
        if name in self.recorded:
            return self.recorded[name]
        return frozenset(self.families[name].all_labels) | SCRAPED if name in self.families else None

    def counts(self, name: str | None) -> bool:
        """Whether these are counters."""
        return name in self.families and self.families[name].kind is Kind.COUNTER

    def without(self, family: str) -> "Known":
        """Had the catalogue lost a family."""
        return replace(self, families={name: one for name, one in self.families.items() if name != family})

    def then(self, rule: Mapping[str, Any]) -> "Known":
        """After this rule was recorded; it may read its own last value."""
        if "record" not in rule:
            return self
        name, tree = rule["record"], pq.parse(rule["expr"])
        once = replace(self, recorded={**self.recorded, name: _EVERY})
        recorded = {**self.recorded, name: labels(tree, once)}
        return replace(self, recorded=recorded, exprs={**self.exprs, name: tree})


_EVERY: Labels = frozenset({"*"})
"""Stands for the labels of a record that reads itself: it neither adds nor takes any."""


def children(node: Any) -> list[Any]:
    """The expressions inside, from left to right."""
    match node:
        case pq.BinaryExpr():
            return [node.lhs, node.rhs]
        case pq.AggregateExpr() | pq.ParenExpr() | pq.UnaryExpr() | pq.SubqueryExpr():
            return [node.expr]
        case pq.Call():
            return list(node.args)
        case pq.MatrixSelector():
            return [node.vector_selector]
    return []


def walk(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every expression, with those it stands in, the nearest first."""
    yield node, above
    for child in children(node):
        yield from walk(child, (node, *above))


def selectors(node: Any) -> list[tuple[pq.VectorSelector, tuple[Any, ...]]]:
    """Every series that is read, with the expressions it stands in."""
    return [(each, above) for each, above in walk(node) if isinstance(each, pq.VectorSelector)]


def names(expr: str) -> set[str]:
    """Every name of a series that an expression reads."""
    return {each.name for each, _ in selectors(pq.parse(expr))}


def bare(node: Any) -> Any:
    """Without parentheses."""
    while isinstance(node, pq.ParenExpr):
        node = node.expr
    return node


def scalar(node: Any) -> bool:
    """Whether it is one number without labels, like `5` or `time()`."""
    node = bare(node)
    if isinstance(node, pq.Call):
        return node.func.name in {"time", "scalar"}
    if isinstance(node, pq.BinaryExpr):
        return scalar(node.lhs) and scalar(node.rhs)
    return isinstance(node, pq.NumberLiteral) or (isinstance(node, pq.UnaryExpr) and scalar(node.expr))


def on(node: pq.BinaryExpr) -> Labels | None:
    """What two sides are matched by, if that is said."""
    matching = node.modifier.matching if node.modifier else None
    if matching is None or matching.type != pq.LabelModifierType.Include:
        return None
    return frozenset(matching.labels)


def grouped(node: pq.BinaryExpr) -> bool:
    """Whether one side has several series for one of the other."""
    cards = (pq.VectorMatchCardinality.ManyToOne, pq.VectorMatchCardinality.OneToMany)
    return bool(node.modifier) and node.modifier.card in cards


def taken(node: pq.BinaryExpr) -> Labels:
    """The labels that `group_left` takes from the other side."""
    return frozenset(node.modifier.group_labels or ())


def by(node: pq.AggregateExpr) -> Labels | None:
    """What is aggregated by; None with `without` or nothing."""
    if node.modifier is None or node.modifier.type != pq.AggModifierType.By:
        return None
    return frozenset(node.modifier.labels)


def labels(node: Any, known: Known) -> Labels:
    """The labels that every series of the answer may have."""
    match node:
        case pq.VectorSelector():
            return known.labels(node.name) or frozenset()
        case pq.AggregateExpr():
            return _aggregated(node, known)
        case pq.BinaryExpr():
            return _combined(node, known)
        case pq.Call():
            return _called(node, known)
    inside = [labels(child, known) for child in children(node) if not scalar(child)]
    return inside[0] if inside else frozenset()


def _aggregated(node: pq.AggregateExpr, known: Known) -> Labels:
    inner, op = labels(node.expr, known), str(node.op)
    if op in {"topk", "bottomk"}:
        return inner
    if node.modifier is None:
        kept: Labels = frozenset()
    else:
        named = frozenset(node.modifier.labels)
        kept = named & inner if by(node) is not None else inner - named
    return kept | {node.param.val} if op == "count_values" else kept


def _combined(node: pq.BinaryExpr, known: Known) -> Labels:
    if scalar(node.lhs) or scalar(node.rhs):
        return labels(node.rhs if scalar(node.lhs) else node.lhs, known)
    left, right = labels(node.lhs, known), labels(node.rhs, known)
    if str(node.op) == "or":
        return right if left == _EVERY else left if right == _EVERY else left & right
    if str(node.op) in SETS:
        return left
    if grouped(node):
        many = left if node.modifier.card == pq.VectorMatchCardinality.ManyToOne else right
        return many | taken(node)
    matched = on(node)
    return left if matched is None else matched & left


def _called(node: pq.Call, known: Known) -> Labels:
    name = node.func.name
    if name in {"absent", "absent_over_time", "time", "vector", "scalar"}:
        return frozenset()
    inner = next((labels(arg, known) for arg in node.args if not isinstance(arg, pq.StringLiteral)), frozenset())
    return inner | {node.args[1].val} if name in {"label_replace", "label_join"} else inner
