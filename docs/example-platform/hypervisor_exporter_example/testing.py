"""The example's world for the contract suite: `python -m exporter.testing --platform example`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from exporter.config.model import Target
from exporter.testing import World

GUESTS = [
    {"id": "g-1", "name": "web", "running": True, "cpu_ms": 1500, "stars": 3},
    {"id": "g-2", "name": "attic", "running": False, "cpu_ms": 0},
]


@contextmanager
def world() -> Iterator[World]:
    """A document in a folder of its own, which faults take away or spoil for as long as they are entered."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "guests.json"
        _write(path, GUESTS)
        yield World(
            target=Target("contract", "example", str(path)),
            unreachable=Target("contract", "example", str(path.with_name("missing.json"))),
            vanish=partial(_without, path),
            break_part=partial(_with, path, [*GUESTS, {"id": "g-3"}]),
        )


def _write(path: Path, guests: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"host": "h1", "guests": guests}))


@contextmanager
def _without(path: Path) -> Iterator[None]:
    aside = path.rename(path.with_suffix(".aside"))
    yield
    aside.rename(path)


@contextmanager
def _with(path: Path, guests: list[dict[str, Any]]) -> Iterator[None]:
    _write(path, guests)
    yield
    _write(path, GUESTS)
