"""From a file to a `Config`, or to every mistake in it.

Reads the document and the target files that it names, validates all of them, and finds the place of every mistake.
Static: nothing but these files is opened, no secret is read, no host is asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pydantic

from exporter.config import files, nodes, places, resolve, schema
from exporter.config.findings import Finding, explained
from exporter.config.mistakes import ConfigError, Mistake
from exporter.config.model import Config
from exporter.config.rules import Known, PlatformSpec

_Model = TypeVar("_Model", bound=pydantic.BaseModel)

__all__ = ["ConfigError", "Mistake", "PlatformSpec", "load", "loads"]


def load(
    path: str | Path,
    *,
    platforms: Mapping[str, PlatformSpec],
    known_labels: Collection[str],
    known_families: Collection[str],
) -> Config:
    """The configuration in a file; paths in it are relative to its folder. Raises `ConfigError`."""
    document = files.read(Path(path))
    return _configure(document, Path(path).parent, Known(platforms, known_labels, known_families))


def loads(
    text: str,
    name: str = "config.yml",
    *,
    platforms: Mapping[str, PlatformSpec],
    known_labels: Collection[str],
    known_families: Collection[str],
) -> Config:
    """The configuration in a text; paths in it are relative to the working directory. Raises `ConfigError`."""
    return _configure(nodes.compose(text, name), Path(), Known(platforms, known_labels, known_families))


def _configure(document: nodes.Document, folder: Path, known: Known) -> Config:
    main = files.main(document)
    known = dataclasses.replace(known, auths=_keys(main, "auths"), profiles=_keys(main, "profiles"))
    others = [files.with_targets(files.read(path)) for path in files.discovered(main, folder)]
    parsed = _validated(main, schema.Document, known)
    further = [_validated(other, schema.TargetFile, known) for other in others]
    places.repeated_names([main, *others])
    mistakes = [mistake for each in (main, *others) for mistake in places.in_order(each.mistakes)]
    if mistakes or parsed is None:
        raise ConfigError(mistakes)
    sources = [resolve.Source(main.file, folder, parsed.targets)]
    for other, targets in zip(others, further, strict=True):
        if targets is not None:
            sources.append(resolve.Source(other.file, Path(other.file).parent, targets.targets))
    config = resolve.config(parsed, sources, known)
    warnings = places.in_order(places.placed(finding, main) for finding in _doubts(parsed, config, known))
    return dataclasses.replace(config, warnings=tuple(warnings))


def _validated(document: nodes.Document, model: type[_Model], known: Known) -> _Model | None:
    """The document as its model, or None; what is wrong is added to the document's mistakes."""
    if document.root is None:
        return None
    told = dict(places.structural(document))
    document.mistakes += told.values()
    try:
        return model.model_validate(document.root.plain(), context=known)
    except pydantic.ValidationError as error:
        findings = explained(error, model)
    # A key without a value is not also of the wrong type.
    document.mistakes += (places.placed(finding, document) for finding in findings if finding.path not in told)
    return None


def _keys(document: nodes.Document, name: str) -> list[str]:
    node = document.root and document.root.get(name)
    return list(node.value) if node and isinstance(node.value, dict) else []


def _doubts(document: schema.Document, config: Config, known: Known) -> Iterator[Finding]:
    """What is allowed and still worth a word."""
    for name, auth in document.auths.items():
        if auth.password is not None and auth.password.kind == "literal":
            hint = "use {file: PATH}, {env: NAME} or {credential: NAME}"
            yield Finding(("auths", name, "password"), "the password stands in this file", hint)
    for name, profile in document.profiles.items():
        for group in sorted(known.opt_in_groups & profile.intervals.keys() - set(profile.families.include)):
            hint = f"families.include: [{group}] does"
            yield Finding(
                ("profiles", name, "intervals", group), "an interval does not turn this group on", hint, at_key=True
            )
    if not config.targets and not config.discovery.files:
        yield Finding((), "there are no targets")
