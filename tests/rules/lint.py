"""What no rule may do; each check answers with sentences. Some are pint's, which cannot be had everywhere."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import promql_parser as pq

from exporter.catalogue import Entity, Kind
from exporter.config.durations import seconds
from tests.rules.promql import COMPARISONS, SETS, Known, bare, by, grouped, labels, on, scalar, selectors, taken, walk

Rule = Mapping[str, Any]
Check = Callable[[Rule, Known], Iterator[str]]

KEYS = {
    frozenset(keys.split())
    for keys in (
        "",
        "target",
        "target group",
        "target platform group",
        "target host_id",
        "target guest_id",
        "target storage_id",
        "target guest_id disk",
        "target guest_id nic",
        "platform storage_key",
        "platform compute_cluster_id",
        "platform compute_cluster_id compute_cluster",  # which of a cluster's names was taken last
        "platform host_id guest_id",
    )
}
"""What two things may be joined by: never by a display name, which groups disagree on for minutes after a rename."""
IDS = {
    Entity.TARGET: {"target"},
    Entity.CLUSTER: {"compute_cluster_id"},
    Entity.STORAGE: {"target", "storage_id"},
    Entity.HOST: {"target", "host_id"},
    Entity.HOST_NIC: {"target", "host_id", "nic"},
    Entity.GUEST: {"target", "guest_id"},
    Entity.DISK: {"target", "guest_id", "disk"},
    Entity.NIC: {"target", "guest_id", "nic"},
    Entity.FILESYSTEM: {"target", "guest_id", "mountpoint"},
}
OVER_TIME = {"rate", "irate", "increase", "resets"}
TOTALS = {"last_over_time"}
LEAST_WINDOW = timedelta(minutes=1)
"""The shortest that `rules` is tried with; by default it is five."""
LEAST_ABSENCE = 180
"""Two scrapes of a minute that fail, and the rules' own interval."""
FOR_GAUGES = {"deriv", "delta", "idelta", "predict_linear"}
SEVERITIES = {"critical", "warning", "info"}
AT_ONCE = {"HypervisorHostRebooted": "a boot is seen at once or not at all"}


def reads_what_there_is(rule: Rule, known: Known) -> Iterator[str]:
    """pint's promql/series: every name is of the catalogue or was recorded before, every label is one of its own."""
    for each, _ in selectors(pq.parse(rule["expr"])):
        there = known.labels(each.name)
        if there is None:
            yield f"there is no series {each.name}"
        else:
            for matcher in each.matchers.matchers:
                if matcher.name not in there:
                    yield f"{each.name} has no label {matcher.name}"


def survives_two_exporters(rule: Rule, known: Known) -> Iterator[str]:
    """A raw family is one series for each thing, whoever shows it, before anything else is done with it."""
    for each, above in selectors(pq.parse(rule["expr"])):
        if each.name in known.families and not _reduced(each, above, known):
            yield f"{each.name} is not reduced to one series for each thing"


def _reduced(series: pq.VectorSelector, above: Sequence[Any], known: Known) -> bool:
    below: Any = series
    for node in above:
        if isinstance(node, pq.AggregateExpr):
            return _one_for_each(series, node, known)
        if isinstance(node, pq.Call) and node.func.name.startswith("absent"):
            return True
        if isinstance(node, pq.BinaryExpr) and not _bears_several(node, below, series.name):
            return False
        below = node
    return False


def _one_for_each(series: pq.VectorSelector, node: pq.AggregateExpr, known: Known) -> bool:
    family, op, kept = known.families[series.name], str(node.op), by(node)
    if kept is None:
        return False
    if family.entity is Entity.EXPORTER:
        return op in {"max", "min", "count_values"} or "instance" in kept
    chosen = {f"{one.name}_id" for one in series.matchers.matchers if one.name in kept}  # by its name, on a page
    wanted = IDS[family.entity] if family.entity is Entity.TARGET else IDS[family.entity] - {"target"}
    return op in {"max", "min"} and (family.kind is Kind.INFO or wanted <= kept | chosen)


def _bears_several(node: pq.BinaryExpr, below: Any, name: str) -> bool:
    """Whether the side that a raw family stands on may have a series from each exporter."""
    if scalar(node.lhs) or scalar(node.rhs) or str(node.op) == "or":
        return True
    if {each.name for each, _ in selectors(node)} == {name} and on(node) is None:
        return True  # with itself: each exporter's with its own
    left = below is node.lhs or any(below is each for each, _ in walk(node.lhs))
    return left and (str(node.op) in SETS or (grouped(node) and on(node) is not None))


def joins_by_ids(rule: Rule, known: Known) -> Iterator[str]:
    """pint's promql/vector_matching: both sides have what they are matched by, the one side only once for each."""
    for node, above in walk(pq.parse(rule["expr"])):
        if not isinstance(node, pq.BinaryExpr) or scalar(node.lhs) or scalar(node.rhs):
            continue
        aggregated = any(isinstance(each, pq.AggregateExpr) and str(each.op) in {"max", "min"} for each in above[:2])
        sides = [labels(side, known) for side in (node.lhs, node.rhs)]
        matched, what = on(node), f"`{node.op}`"
        if matched is None:
            if node.modifier and node.modifier.matching:
                yield f"{what} ignores labels: name those that count"
            elif sides[0] != sides[1] and not (aggregated and str(node.op) == "or"):
                yield f"{what} joins series with different labels: {sorted(sides[0] ^ sides[1])}"
            continue
        if matched not in KEYS or (not matched and str(node.op) not in SETS):
            yield f"{what} joins by {sorted(matched)}"
        if any("*" not in side and not matched <= side for side in sides):
            yield f"{what} joins by labels that one side has not"
        yield from _one_side(node, sides, matched, known)


def _one_side(node: pq.BinaryExpr, sides: Sequence[Any], matched: Any, known: Known) -> Iterator[str]:
    if str(node.op) in SETS:
        return
    left = not grouped(node) or node.modifier.card == pq.VectorMatchCardinality.ManyToOne
    one = node.rhs if left else node.lhs
    if not unique(one, matched, known):
        yield f"`{node.op}`: there may be several series of one {sorted(matched)}"
    if grouped(node) and not taken(node) <= sides[1 if left else 0]:
        yield f"group_left takes {sorted(taken(node) - sides[1 if left else 0])}, which is not there"


def unique(node: Any, keys: Iterable[str], known: Known) -> bool:
    """Whether there is one series at most for each of these keys; a target has one platform."""
    node, keys = bare(node), frozenset(keys)
    node = bare(node.expr) if isinstance(node, pq.UnaryExpr) else node
    keys |= {"platform"} if "target" in keys else set()
    match node:
        case pq.VectorSelector():
            inner = known.exprs.get(node.name)
            chosen = {one.name for one in node.matchers.matchers if one.op == pq.MatchOp.Equal}
            return inner is not None and unique(inner, keys | chosen, known)
        case pq.AggregateExpr():
            return by(node) is not None and frozenset(node.modifier.labels) <= keys
        case pq.BinaryExpr() if str(node.op) == "or":
            # With `on`, the right side adds what the left has not; without, what has other labels.
            added = on(node) or labels(node.lhs, known) | labels(node.rhs, known)
            return unique(node.lhs, keys, known) and added <= keys
        case pq.BinaryExpr():
            sides = [side for side in (node.lhs, node.rhs) if not scalar(side)]
            several = grouped(node) or str(node.op) in SETS
            return any(unique(side, keys, known) for side in (sides[:1] if several else sides))
        case pq.Call():
            return all(unique(arg, keys, known) for arg in node.args if not scalar(arg))
    return False


def names_labels_that_are_there(rule: Rule, known: Known) -> Iterator[str]:
    """What is aggregated by is a label of what is aggregated: a typing error gives one series for all."""
    for node, _ in walk(pq.parse(rule["expr"])):
        if isinstance(node, pq.AggregateExpr) and node.modifier:
            there = labels(node.expr, known)
            if "*" not in there and not frozenset(node.modifier.labels) <= there:
                yield f"`{node.op}` names labels that are not there: {sorted(set(node.modifier.labels) - there)}"


def counts_what_grows(rule: Rule, known: Known) -> Iterator[str]:
    """pint's promql/rate: a counter is read as a rate only, a gauge never."""
    for each, above in selectors(pq.parse(rule["expr"])):
        calls = {node.func.name for node in above if isinstance(node, pq.Call)}
        if calls & TOTALS and _is_told_apart(each, above):
            continue
        if known.counts(each.name) != bool(calls & OVER_TIME):
            yield f"{each.name} is {'a counter' if known.counts(each.name) else 'no counter'}"
        elif known.counts(each.name) and calls & FOR_GAUGES:
            yield f"{each.name} is a counter, and deriv is for gauges"


def _is_told_apart(series: pq.VectorSelector, above: Sequence[Any]) -> bool:
    """Whether it is asked if this counter was there before, which no rate tells."""
    sides = [
        (bare(node.lhs), bare(node.rhs))
        for node in above
        if isinstance(node, pq.BinaryExpr) and str(node.op) == "unless"
    ]
    return any({each.name for side in pair for each, _ in selectors(side)} == {series.name} for pair in sides)


def looks_back_far_enough(rule: Rule, known: Known) -> Iterator[str]:
    """pint's promql/rate too: a window holds two samples though a scrape is missed, a rate is of what was scraped."""
    for node, above in walk(pq.parse(rule["expr"])):
        if not isinstance(node, pq.MatrixSelector | pq.SubqueryExpr):
            continue
        if node.range < LEAST_WINDOW:
            yield f"a window of {node.range.total_seconds():g} s holds too few samples"
        call = next(each for each in above if isinstance(each, pq.Call))
        if call.func.name in OVER_TIME and not (
            isinstance(node, pq.MatrixSelector) and known.counts(node.vector_selector.name)
        ):
            yield f"{call.func.name} of what is no scraped counter"


def is_not_absent_at_once(rule: Rule, _: Known) -> Iterator[str]:
    """pint's alerts/absent: nothing is there for a while after Prometheus or a target has started."""
    calls = {node.func.name for node, _ in walk(pq.parse(rule["expr"])) if isinstance(node, pq.Call)}
    if (
        "alert" in rule
        and calls & {"absent", "absent_over_time"}
        and (seconds(rule.get("for") or "") or 0) < LEAST_ABSENCE
    ):
        yield f"it does not wait for {LEAST_ABSENCE} s"


def is_aggregated_by_names(rule: Rule, known: Known) -> Iterator[str]:
    """pint's promql/fragile: `without` changes its answer with every new label of a raw family."""
    for node, _ in walk(pq.parse(rule["expr"])):
        if isinstance(node, pq.AggregateExpr) and by(node) is None and node.modifier:
            raw = [each.name for each, _ in selectors(node) if each.name in known.families]
            if raw:
                yield f"`without` over {raw[0]}"


def fires_on_a_condition(rule: Rule, _: Known) -> Iterator[str]:
    """pint's alerts/comparison: without one, an alert always fires."""
    if "alert" in rule and not _filters(pq.parse(rule["expr"])):
        yield "it compares nothing"


def _filters(node: Any) -> bool:
    node = bare(node)
    if isinstance(node, pq.Call):
        return node.func.name.startswith("absent") or any(_filters(arg) for arg in node.args)
    if isinstance(node, pq.AggregateExpr):
        return _filters(node.expr)
    if not isinstance(node, pq.BinaryExpr):
        return False
    if str(node.op) in COMPARISONS:
        return not (node.modifier and node.modifier.return_bool)
    if str(node.op) == "or":
        return _filters(node.lhs) and _filters(node.rhs)
    return str(node.op) == "unless" or _filters(node.lhs) or _filters(node.rhs)


def waits(rule: Rule, _: Known) -> Iterator[str]:
    """pint's alerts/for: or one failed scrape, one slow answer, calls somebody."""
    if "alert" in rule and not rule.get("for") and rule["alert"] not in AT_ONCE:
        yield "it does not wait, and nobody says why"
    if "alert" in rule and not rule.get("keep_firing_for"):
        yield "one scrape that fails resolves it"


def speaks_of_what_it_has(rule: Rule, known: Known) -> Iterator[str]:
    """pint's alerts/template: every label in its texts is one that the expression keeps."""
    texts = {**rule.get("annotations", {}), **rule.get("labels", {})}
    there = labels(pq.parse(rule["expr"]), known) if "alert" in rule else frozenset()
    for name, text in texts.items():
        for label in re.findall(r"\$labels\.(\w+)", text):
            if label not in there:
                yield f"{name} names {label}, which is not there"
    if any("$value" in text for text in rule.get("labels", {}).values()):
        yield "a label with the value begins a new alert at every change"


CHECKS: tuple[Check, ...] = (
    reads_what_there_is,
    survives_two_exporters,
    joins_by_ids,
    names_labels_that_are_there,
    counts_what_grows,
    looks_back_far_enough,
    is_not_absent_at_once,
    is_aggregated_by_names,
    fires_on_a_condition,
    waits,
    speaks_of_what_it_has,
)


def findings(rules: Iterable[Rule], known: Known | None = None, checks: Sequence[Check] = CHECKS) -> Iterator[str]:
    """Every sentence on every rule, in the file's order."""
    known = known or Known()
    seen: dict[str, str] = {}
    for rule in rules:
        name = rule.get("alert") or rule["record"]
        known = known.then(rule)  # it may read its own last value
        for check in checks:
            yield from (f"{name}: {check.__name__}: {sentence}" for sentence in check(rule, known))
        for key in (name, pq.parse(rule["expr"]).prettify()):  # pint's rule/duplicate
            if key in seen:
                yield f"{name}: is {seen[key]} once more"
            seen[key] = name
