"""Rules as the file that Prometheus reads. The same settings give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dashboards.blocks import dump
from dashboards.rules import alerts, recording
from dashboards.rules.expressions import EXCEPTED, ROUTED
from dashboards.rules.forms import Alert, Group, Level, Record
from dashboards.rules.settings import Settings
from exporter.config.durations import written

_ABOUT = "# Made by `hypervisor-exporter rules`; change the flags, not this file.\n"


def groups(settings: Settings) -> tuple[Group, ...]:
    """Recording rules before the alerts that read them."""
    return (*recording.groups(settings), *alerts.groups(settings))


def rules_text(settings: Settings) -> str:
    """The rule file, YAML."""
    return _ABOUT + dump(document(groups(settings), settings))


def document(found: Iterable[Group], settings: Settings) -> dict[str, Any]:
    """The rule file as plain data."""
    return {"groups": [_group(group, settings) for group in found]}


def _group(group: Group, settings: Settings) -> dict[str, Any]:
    timing = {"interval": written(group.interval_seconds)} if group.interval_seconds else {}
    return {"name": group.name, **timing, "rules": [_rule(rule, settings) for rule in group.rules]}


def _rule(rule: Record | Alert, settings: Settings) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expr}
    timing = {
        key: written(value * settings.for_scale)
        for key, value in (("for", rule.for_seconds), ("keep_firing_for", rule.keep_firing_seconds))
        if value
    }
    return {
        "alert": rule.name,
        "expr": _routed(rule, _excepted(rule, settings), settings),
        **timing,
        "labels": {"severity": str(rule.severity), **rule.labels},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": f"{settings.runbook_url.rstrip('/')}/{rule.name}.md",
            "dashboard_url": _page(rule, settings),
        },
    }


def _page(rule: Alert, settings: Settings) -> str:
    """The dashboard with the alert's thing chosen; names may hold anything, so Prometheus quotes them."""
    chosen = "&".join(f"var-{name}={{{{ $labels.{name} | urlquery }}}}" for name in rule.level.chosen)
    page = f"{settings.dashboard_url.rstrip('/')}/hypervisor-{rule.dashboard}"
    return f"{page}?{chosen}" if chosen else page


def _excepted(rule: Alert, settings: Settings) -> str:
    """Without the guests that nobody wants to hear of."""
    if rule.level is not Level.GUEST or not (settings.exclude_guests or settings.exclude_tag):
        return rule.expr
    return f"({rule.expr})\nunless on (target, guest_id) {EXCEPTED}"


def _routed(rule: Alert, expr: str, settings: Settings) -> str:
    """With the operator's labels of the target, for the routes of Alertmanager."""
    if not settings.target_labels or not rule.level.keeps_target:
        return expr
    return f"({expr})\n* on (target) group_left ({', '.join(settings.target_labels)}) {ROUTED}"
