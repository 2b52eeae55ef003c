"""Notices that discovery files have appeared, changed or vanished. Cheap enough to ask every few seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exporter.config.files import matching
from exporter.config.model import Config

Marks = Mapping[str, tuple[int, int, int]]


class DiscoveryWatch:
    """Compares the files that the configuration's patterns match with those of the last look."""

    def __init__(self, config: Config) -> None:
        self._patterns = config.discovery.files
        self._folder = Path(config.source).parent
        self._marks = self._look()

    def changed(self) -> bool:
        """Whether anything is different from the last look; a change is told once, also if it is then refused."""
        marks = self._look()
        different, self._marks = marks != self._marks, marks
        return different

    def _look(self) -> Marks:
        marks = {}
        for path in matching(self._patterns, self._folder):
            try:
                stat = path.stat()
            except OSError:
                continue  # gone between the listing and the look: as if it had not been there
            marks[str(path)] = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        return marks
