"""A line for everything that happens to sessions, so that tests can count it: JSON, appended whole by any process."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path


class Journal:
    """Appends `{"at", "pid", "thread", "target", "event", "group", ...}`; `at` is the monotonic clock."""

    def __init__(self, path: str | None, target: str) -> None:
        self._path, self._target = path, target

    def write(self, event: str, group: str = "", **more: object) -> None:
        """One line, in one write, hence never torn."""
        if self._path is None:
            return
        line = {
            "at": time.monotonic(),
            "pid": os.getpid(),
            "thread": threading.current_thread().name,
            "target": self._target,
            "event": event,
            "group": group,
            **more,
        }
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")
        finally:
            os.close(descriptor)

    def collections(self) -> dict[str, int]:
        """How often each group of the target was asked for so far, by any process."""
        counts: dict[str, int] = {}
        if self._path is not None and Path(self._path).exists():
            for text in Path(self._path).read_text().splitlines():
                line = json.loads(text)
                if line["target"] == self._target and line["event"] == "collect":
                    counts[line["group"]] = counts.get(line["group"], 0) + 1
        return counts
