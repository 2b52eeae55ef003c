"""JSON Schema of the configuration, for editors and for whoever generates target files.

Made from the models that validate; what refers to something else (accounts, families, addresses) is not in it.
`python -m exporter.config.editor > docs/config.schema.json` writes the part that is the same for all platforms.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from exporter.config.rules import PlatformSpec
from exporter.config.schema import Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(platforms: Mapping[str, PlatformSpec] | None = None) -> dict[str, Any]:
    """The schema; with platforms, `platform` is one of them and `options` is what that platform wants."""
    document = {"$schema": DIALECT} | Document.model_json_schema(mode="validation")
    definitions: dict[str, Any] = document["$defs"]
    _without_null(document)
    target: dict[str, Any] = definitions["Target"]
    if platforms:
        target["properties"]["platform"]["enum"] = sorted(platforms)
    for name, platform in sorted((platforms or {}).items()):
        place = f"Options.{name}"
        options = platform.options.model_json_schema(ref_template=f"#/$defs/{place}.{{model}}")
        for inner, schema in options.pop("$defs", {}).items():
            definitions[f"{place}.{inner}"] = schema
        definitions[place] = options
        is_this = {"properties": {"platform": {"const": name}}, "required": ["platform"]}
        condition = {"if": is_this, "then": {"properties": {"options": {"$ref": f"#/$defs/{place}"}}}}
        target.setdefault("allOf", []).append(condition)
    return document


def written(platforms: Mapping[str, PlatformSpec] | None = None) -> str:
    """The schema as the text of its file."""
    return json.dumps(json_schema(platforms), indent=2) + "\n"


def _without_null(schema: Any) -> None:
    """Takes out the null that pydantic allows for what may be left out: a key without a value is refused."""
    if isinstance(schema, list):
        for each in schema:
            _without_null(each)
    elif isinstance(schema, dict):
        if schema.get("default", "") is None:
            del schema["default"]
        choices = schema.get("anyOf")
        if isinstance(choices, list) and {"type": "null"} in choices:
            choices.remove({"type": "null"})
            if len(choices) == 1:
                del schema["anyOf"]
                schema.update({**choices[0], **schema})
        for each in list(schema.values()):
            _without_null(each)


if __name__ == "__main__":
    sys.stdout.write(written())
