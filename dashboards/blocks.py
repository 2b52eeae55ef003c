"""YAML for people: texts of several lines as blocks, keys in our order, nothing by reference."""

from __future__ import annotations

from typing import Any

import yaml


def dump(document: dict[str, Any]) -> str:
    """The document as text; the same document gives the same bytes."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the base class gives it
        """Whether a value that stands twice is written twice: always."""
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)
