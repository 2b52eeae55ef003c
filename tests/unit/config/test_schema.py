"""The JSON Schema and the reference for operators say what the loader does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from exporter.config import editor, schema

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"


def validator(platforms=None) -> jsonschema.Draft202012Validator:
    document = editor.json_schema(platforms)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_the_file_for_editors_is_current():
    hint = "run: python -m exporter.config.editor > docs/config.schema.json"
    assert (DOCS / "config.schema.json").read_text() == editor.written(), hint


@pytest.mark.parametrize("name", ["interfaces", "minimal"])
def test_good_documents_are_valid(name, platforms):
    document = yaml.safe_load((HERE / "good" / f"{name}.yml").read_text())
    validator().validate(document)
    validator(platforms).validate(document)


@pytest.mark.parametrize(
    "name",
    [
        "unknown_key",
        "wrong_types",
        "missing_keys",
        "without_values",
        "mode",
        "version",
        "passwords",
        "impossible_numbers",
    ],
)
def test_bad_documents_are_invalid(name):
    document = yaml.safe_load((HERE / "bad" / f"{name}.yml").read_text())
    assert not validator().is_valid(document)


def test_options_are_those_of_the_platform(platforms):
    def valid(platform, options) -> bool:
        target = {"name": "a", "platform": platform, "address": "x", "options": options}
        return validator(platforms).is_valid({"config_version": 1, "targets": [target]})

    assert valid("libvirt", {"refresh_pools": True})
    assert valid("hyperv", {"retry": {"attempts": 1}})
    assert not valid("hyperv", {"refresh_pools": True})
    assert not valid("hyperv", {"retry": {"attempt": 1}})
    assert not valid("xapi", {})


@pytest.mark.parametrize("key", ["workers", "auths", "discovery"])
def test_a_key_without_a_value_is_invalid_as_for_the_loader(key):
    assert not validator().is_valid({"config_version": 1, key: None})


def keys(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        yield from document.get("properties", {})
        for below in document.values():
            yield from keys(below)
    elif isinstance(document, list):
        for below in document:
            yield from keys(below)


def test_the_reference_explains_every_key():
    text = (DOCS / "configuration.md").read_text()
    missing = [key for key in keys(editor.json_schema()) if f"`{key}`" not in text]
    assert not missing


def test_every_example_of_the_reference_is_accepted(loads):
    text = (DOCS / "configuration.md").read_text()
    examples = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    assert len(examples) >= 3
    for example in examples:
        loads(example if "config_version" in example else f"config_version: 1\n{example}")


def test_the_reference_shows_the_example_of_the_tests():
    assert (HERE / "good" / "interfaces.yml").read_text() in (DOCS / "configuration.md").read_text()


def test_every_model_forbids_unknown_keys_and_hides_its_input():
    models = [model for model in vars(schema).values() if isinstance(model, type) and issubclass(model, schema.Strict)]
    assert len(models) > 10
    for model in models:
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["hide_input_in_errors"]
