"""Scripted worlds for tests: a world in three lines, faults by name, and a journal that says what happened.

world = scripted(tmp_path, guests=3, faults=[hang(at=10, until=40, group="vitals")])
with Daemon(document([world.target("a")]), env=ENV) as daemon: ...
assert world.journal.count("login", target="a") == 1
world.change(faults=[])      # read anew at the next call; a hang that is no longer in the script ends
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

SITE = Path(__file__).parent / "site"
ENV = {"PYTHONPATH": os.pathsep.join(filter(None, (str(SITE), os.environ.get("PYTHONPATH"))))}
"""What a process needs in its environment to find the platform."""

GIB = 1024**3


def load() -> Any:
    """The platform's declaration in this process. Its folder leaves the path again: entry points are found there."""
    sys.path.insert(0, str(SITE))
    try:
        importlib.import_module("scripted_sdk")
        return importlib.import_module("scripted_platform.platform").PLATFORM
    finally:
        sys.path.remove(str(SITE))


def fault(kind: str, **rest: Any) -> dict[str, Any]:
    """`at`, `until` (seconds), `first`, `last` (collections), `group`, `target`, `phase`, and its own options.

    Phases: `collect`, `connect`, `close`, and `open` for targets with `options={"troubled_open": True}`.
    """
    return {"kind": kind, **rest}


hang = partial(fault, "hang")  # unblockable=False
slow = partial(fault, "slow")  # seconds, stubborn=False
seize = partial(fault, "seize")  # seconds, with the interpreter lock held
spin = partial(fault, "spin")  # seconds of Python
die = partial(fault, "die")  # signal="SIGSEGV"; "SIGSTOP" freezes the process
leave = partial(fault, "leave")  # status=1
fail = partial(fault, "fail")  # error="Unreachable", sentence
bug = partial(fault, "bug")  # raises="ZeroDivisionError"
grow = partial(fault, "grow")  # bytes
flood = partial(fault, "flood")  # guests or series
lie = partial(fault, "lie")  # what: see LIES in scripted_platform/lies.py; guests=1
repeat = partial(fault, "repeat")
half = partial(fault, "half")  # keep, problem
vanish = partial(fault, "vanish")  # guests=1
lose_right = partial(fault, "lose_right")  # right, partial=False
migrate = partial(fault, "migrate")  # arrived=False; needs two hosts
lose_vcpu = partial(fault, "lose_vcpu")  # how="unknown" or "gone"; needs cpu_counter="parts"
reboot = partial(fault, "reboot")  # needs cpu_counter="parts"
gaps = partial(fault, "gaps")  # needs cpu_counter="samples"
garbage = partial(fault, "garbage")  # what: none, text, list


@dataclass(frozen=True)
class Journal:
    """Everything that happened to the sessions of a script, in order."""

    path: Path

    def lines(self, event: str | None = None, **wanted: object) -> list[Mapping[str, Any]]:
        """The lines of an event, or of all, that have these values (`target`, `group`, `pid`, ...)."""
        if not self.path.exists():
            return []
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [
            line
            for line in lines
            if event in (None, line["event"]) and all(line.get(key) == value for key, value in wanted.items())
        ]

    def count(self, event: str, **wanted: object) -> int:
        return len(self.lines(event, **wanted))

    def pids(self, **wanted: object) -> list[int]:
        """The processes that have held the target, in order of their first line."""
        return list(dict.fromkeys(line["pid"] for line in self.lines(**wanted)))

    def most_at_once(self, **wanted: object) -> int:
        """The most collections under way at the same time; one that died with its process by a fault has ended."""
        now = most = 0
        for line in self.lines(**wanted):
            now += {"collect": 1, "return": -1, "raise": -1, "die": -1}.get(line["event"], 0)
            most = max(most, now)
        return most

    def pauses(self, event: str, **wanted: object) -> list[float]:
        """Seconds between one such event and the next."""
        return [after["at"] - before["at"] for before, after in pairwise(self.lines(event, **wanted))]


class World:
    """A script in a file, and its journal beside it."""

    def __init__(self, folder: Path, name: str, **script: Any) -> None:
        self.path = folder / f"{name}.json"
        self.journal = Journal(folder / f"{name}.journal")
        self._script = {
            "journal": str(self.journal.path),
            "began_monotonic": time.monotonic(),
            "began_wall": time.time(),
            **script,
        }
        self.change()

    def change(self, **script: Any) -> None:
        """Write the script anew, whole or not at all; what is not named stays."""
        self._script |= script
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self._script, indent=1))
        new.replace(self.path)

    def restart_clock(self) -> None:
        """Let the seconds of faults and counters begin now, for example once a daemon is ready."""
        self.change(began_monotonic=time.monotonic(), began_wall=time.time())

    @property
    def seconds(self) -> float:
        """Seconds since the script began, as faults count them."""
        return time.monotonic() - self._script["began_monotonic"]

    def target(self, name: str, **rest: Any) -> dict[str, Any]:
        """A target document that shows this world; several may."""
        return {"name": name, "platform": "scripted", "address": str(self.path), **rest}


def scripted(folder: Path, *, name: str = "script", faults: Sequence[Mapping[str, Any]] = (), **script: Any) -> World:
    """A world in `folder`; `script` as in scripted_platform/script.py: guests=3, disks=1, cpu_counter="parts", ..."""
    return World(folder, name, faults=list(faults), **script)
