"""The same dashboards and rules as objects of Kubernetes: for the Prometheus Operator and Grafana's sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

_LABELS = {"app.kubernetes.io/name": "hypervisor-exporter"}
_ABOUT = "# Made by `make dashboards`; change what it is made of.\n"


def prometheus_rule(document: Mapping[str, Any]) -> str:
    """A `PrometheusRule` with the groups of a rule file."""
    return _ABOUT + _text(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": "hypervisor-exporter", "labels": _LABELS},
            "spec": document,
        }
    )


def config_map(slug: str, title: str, dashboard: str) -> str:
    """A `ConfigMap` that Grafana's sidecar picks up by its label."""
    return _ABOUT + _text(
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


def _text(document: Mapping[str, Any]) -> str:
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and the same labels twice rather than by reference."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the base class gives it
        """Whether a value that stands twice is written twice: always."""
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)
