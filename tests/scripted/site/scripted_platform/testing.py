"""The scripted platform's world for the contract suite: healthy, and with each fault while that is entered."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from exporter.config.model import Auth, Target
from exporter.secrets import SecretSource
from exporter.testing import World

SECRET = "correct horse battery"
ESTATE = {
    "hosts": 2,
    "guests": 4,
    "stopped": 1,
    "snapshots": 2,
    "clusters": 1,
    "marks": 1,
    "cpu_counter": "parts",
    "disk_counter": "samples",
    "network_counter": "wrapping",
    "sample_seconds": 0.2,
    "password": SECRET,
}


@contextmanager
def world() -> Iterator[World]:
    """A script in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="scripted-") as folder:
        script = _File(Path(folder) / "script.json")
        target = Target("contract", "scripted", str(script.path), auth=_account(SECRET))
        yield World(
            target=target,
            unreachable=Target("contract", "scripted", str(script.path.with_name("missing.json"))),
            refused=Target("contract", "scripted", str(script.path), auth=_account("wrong")),
            secret=SECRET,
            sdk=("scripted_sdk",),
            undelivered={
                "hypervisor_guest_oldest_backup_snapshot_timestamp_seconds": "no snapshot here is a backup's",
            },
            hang=partial(script.broken, kind="hang", unblockable=True),
            vanish=partial(script.broken, kind="fail", error="Unreachable", sentence="the scripted endpoint is gone"),
            break_part=partial(script.broken, kind="half"),
            deadline_seconds=5.0,
            pause_seconds=0.5,
        )


class _File:
    """The script, which faults come into and leave again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._began = {"began_monotonic": time.monotonic(), "began_wall": time.time()}
        self._write([])

    @contextmanager
    def broken(self, **fault: Any) -> Iterator[None]:
        """The fault strikes every collection while this is entered."""
        self._write([fault])
        try:
            yield
        finally:
            self._write([])

    def _write(self, faults: list[dict[str, Any]]) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({**ESTATE, **self._began, "faults": faults}))
        new.replace(self.path)


def _account(password: str) -> Auth:
    return Auth("contract", "monitor", SecretSource("literal", password))
