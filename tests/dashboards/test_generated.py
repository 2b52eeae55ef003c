"""The committed files are what the generator writes, and Grafana's own types keep every part of a dashboard."""

import json

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.generate import files
from dashboards.rules.settings import Settings
from tests.backends import grafana


def test_the_committed_files_are_current_and_there_is_no_other():
    made = dict(files(Settings()))
    stale = [path.name for path, text in made.items() if not path.exists() or path.read_text() != text]
    assert not stale, "run make dashboards"
    for folder in {path.parent for path in made}:
        assert {path for path in folder.iterdir() if path.is_file()} == {path for path in made if path.parent == folder}


def paths(value, here=()):
    if isinstance(value, dict):
        return {path for key, inner in value.items() for path in paths(inner, (*here, key))}
    if isinstance(value, list):
        return {path for place, inner in enumerate(value) for path in paths(inner, (*here, place))}
    return {here}


def lost(document):
    """Parts that Grafana's types do not know: they are dropped on the way through."""
    return paths(document) - paths(json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(document))))


@pytest.mark.parametrize("slug", grafana.documents())
def test_no_part_of_a_dashboard_is_unknown_to_grafana(slug):
    assert not lost(grafana.documents()[slug])


def test_a_part_that_is_misspelt_is_noticed():
    document = grafana.documents()["fleet"]
    panel = next(grafana.panels(document))
    panel["fieldConfigg"] = panel.pop("fieldConfig")
    assert lost(document)


def test_kubernetes_is_given_the_very_same_dashboards_and_rules():
    folder = grafana.FOLDER.parent / "kubernetes"
    for slug, document in grafana.documents().items():
        made = yaml.safe_load((folder / f"dashboard-{slug}.yaml").read_text())
        assert (made["kind"], made["metadata"]["labels"]["grafana_dashboard"]) == ("ConfigMap", "1")
        assert json.loads(made["data"][f"hypervisor-{slug}.json"]) == document
        assert len(json.dumps(made)) < 1_000_000  # the most that a ConfigMap holds
    rule = yaml.safe_load((folder / "prometheus-rule.yaml").read_text())
    rules = yaml.safe_load((grafana.FOLDER.parent / "prometheus" / "hypervisor.rules.yml").read_text())
    assert (rule["kind"], rule["spec"]) == ("PrometheusRule", rules)
