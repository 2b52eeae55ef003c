"""The committed files are what the generator writes, and Grafana's own types keep every part of a dashboard."""

import json

import pytest
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
