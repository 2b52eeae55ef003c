"""Where a command's configuration comes from: a file, the usual place, or what runs on this very machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from exporter.config.loading import ConfigError, Mistake, load, loads
from exporter.config.model import Config
from exporter.platforms import Installed, installed

USUAL_PLACE = Path("/etc/hypervisor-exporter/config.yml")


def read(path: Path | None) -> Config:
    """The configuration of the file, else of the usual place, else of the local hypervisor. Raises `ConfigError`."""
    found = installed()
    file = path or (USUAL_PLACE if USUAL_PLACE.exists() else None)
    if file is not None:
        return load(file, platforms=found.platforms, known_labels=found.labels, known_families=names(found))
    local = [
        document for platform in found.platforms.values() if platform.local is not None for document in platform.local()
    ]
    if not local:
        raise ConfigError([_nothing_to_watch()])
    return from_targets(local, "local hypervisor")


def from_targets(targets: Sequence[Mapping[str, Any]], name: str, **rest: Any) -> Config:
    """The configuration that a file with just these target documents would make."""
    found = installed()
    text = yaml.safe_dump({"config_version": 1, **rest, "targets": [dict(target) for target in targets]})
    return loads(text, name, platforms=found.platforms, known_labels=found.labels, known_families=names(found))


def names(found: Installed) -> list[str]:
    """Names of every family of the effective catalogue."""
    return [family.name for family in found.families]


def _nothing_to_watch() -> Mistake:
    return Mistake(
        file=str(USUAL_PLACE),
        line=0,
        column=0,
        path="",
        message="there is no configuration, and no hypervisor of this machine can be watched without one",
        hint="name a file with --config.file, or try `hypervisor-exporter demo`",
    )
