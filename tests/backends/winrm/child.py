"""The server in a process of its own, so that what it costs is not counted as the exporter's."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def served(*arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """Start `python -m tests.backends.winrm` with these arguments: what it tells about itself, with `counts` once it
    has ended, and its process."""
    command = [sys.executable, "-m", "tests.backends.winrm", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told: dict[str, Any] = {}
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            yield told, process
        finally:
            process.terminate()
            said, _ = process.communicate()
            told["counts"] = json.loads(said)
