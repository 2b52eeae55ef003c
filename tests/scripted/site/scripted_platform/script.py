"""What a script says: the estate, how its counters grow, and what goes wrong when. Read anew whenever it changes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from exporter.config.model import Target
from exporter.errors import Unreachable

COUNTERS = ("native", "parts", "samples", "wrapping")
GROUPS = ("vitals", "storage", "snapshots", "inventory", "agent")
PHASES = ("open", "connect", "collect", "close")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong: from `at` to `until` seconds after the script began, or collections `first` to `last`.

    Collections are counted per target and group from 1, across worker processes. None leaves a side open.
    """

    kind: str
    at: float | None = None
    until: float | None = None
    first: int | None = None
    last: int | None = None
    group: str | None = None
    target: str | None = None
    phase: str = "collect"
    options: Mapping[str, Any] = field(default_factory=dict)

    def over(self, seconds: float) -> bool:
        """Whether its time has passed."""
        return self.until is not None and seconds >= self.until

    def strikes(self, target: str, group: str | None, seconds: float, number: int) -> bool:
        """Whether it is in force for this call; `number` is the collection's."""
        if self.target not in (None, target) or (group is not None and self.group not in (None, group)):
            return False
        if self.over(seconds) or (self.at is not None and seconds < self.at):
            return False
        return (self.first or 0) <= number and (self.last is None or number <= self.last)


@dataclass(frozen=True)
class Script:
    """An estate in numbers. Rates are per second and per guest, disk or adapter; what is not said is small."""

    seed: int = 1
    hosts: int = 1
    guests: int = 3
    stopped: int = 0
    """The last so many guests are off."""
    vcpus: int = 2
    disks: int = 1
    nics: int = 1
    snapshots: int = 0
    """Per guest: 1, 2, ... days old, each the child of the one before."""
    storages: int = 1
    clusters: int = 0
    filesystems: int = 1
    marks: int = 0
    """Series of hypervisor_scripted_guest_marks per guest."""
    prefix: str = "guest"
    groups: tuple[str, ...] = GROUPS
    cpu_rate: float = 0.5
    ready_rate: float = 0.05
    busy_rate: float = 2.0
    disk_rate: float = 1_000_000.0
    network_rate: float = 2_000_000.0
    cpu_counter: str = "native"
    disk_counter: str = "native"
    network_counter: str = "native"
    sample_seconds: float = 1.0
    password: str | None = None
    """Sessions log in only with this one, read through the target's `auth`."""
    faults: tuple[Fault, ...] = ()
    journal: str | None = None
    began_monotonic: float = 0.0
    began_wall: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the script began; the same in every process."""
        return time.monotonic() - self.began_monotonic


def parse(document: Mapping[str, Any]) -> Script:
    """The script of a document; what it does not know is a mistake, so that no test waits for a misspelt fault."""
    known = {item.name for item in fields(Script)}
    if strange := sorted(set(document) - known):
        raise ValueError(f"a script has no {', '.join(strange)}")
    values = dict(document)
    values["faults"] = tuple(_fault(entry) for entry in document.get("faults", ()))
    values["groups"] = tuple(document.get("groups", GROUPS))
    script = Script(**values)
    for name in ("cpu_counter", "disk_counter", "network_counter"):
        if getattr(script, name) not in COUNTERS:
            raise ValueError(f"{name} is one of {', '.join(COUNTERS)}")
    return script


def _fault(entry: Mapping[str, Any]) -> Fault:
    own = {item.name for item in fields(Fault)} - {"options"}
    fault = Fault(
        **{name: value for name, value in entry.items() if name in own},
        options={name: value for name, value in entry.items() if name not in own},
    )
    if fault.phase not in PHASES:
        raise ValueError(f"a fault strikes at {', '.join(PHASES)}, not at {fault.phase!r}")
    return fault


class Source:
    """The script of a target: its option `script`, else the file at its address, as it is now."""

    def __init__(self, target: Target) -> None:
        self._path = Path(target.address)
        self._mark: tuple[int, int] | None = None
        self._script: Script | None = None
        inline = target.options.get("script")
        if isinstance(inline, Mapping):
            now = {"began_monotonic": time.monotonic(), "began_wall": time.time()}
            self._script, self._mark = parse({**now, **inline}), (0, 0)

    @property
    def last(self) -> Script | None:
        """The script as it was last read."""
        return self._script

    def read(self) -> Script:
        """The script; raises `Unreachable` where there is no such file."""
        if self._mark == (0, 0) and self._script is not None:
            return self._script
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_ino)
            if mark != self._mark or self._script is None:
                self._script, self._mark = parse(json.loads(self._path.read_text())), mark
        except OSError as error:
            raise Unreachable(f"there is no script at {self._path}: {error.strerror}") from error
        return self._script
