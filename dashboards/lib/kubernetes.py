"""The same dashboards and rules as objects of Kubernetes: for the Prometheus Operator and Grafana's sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.blocks import dump

_LABELS = {"app.kubernetes.io/name": "hypervisor-exporter"}
_ABOUT = "# Made by `make dashboards`; change what it is made of.\n"


def prometheus_rule(document: Mapping[str, Any]) -> str:
    """A `PrometheusRule` with the groups of a rule file."""
    return _ABOUT + dump(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": "hypervisor-exporter", "labels": _LABELS},
            "spec": dict(document),
        }
    )


def config_map(slug: str, title: str, dashboard: str) -> str:
    """A `ConfigMap` that Grafana's sidecar picks up by its label."""
    return _ABOUT + dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"hypervisor-dashboard-{slug}",
                "labels": {**_LABELS, "grafana_dashboard": "1"},
                "annotations": {"grafana_folder": "Hypervisors", "description": title},
            },
            "data": {f"hypervisor-{slug}.json": dashboard},
        }
    )
