"""Fleets of a configuration and their past in a real Prometheus, recording rules included.

`with Past(targets, hours=2, rules=text) as past: past.prometheus.query(expr, time=past.now)`
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml

from exporter.commands.backfill import instants, write
from exporter.commands.configuration import from_targets
from tests.backends.processes import BackendError, Scratch, find_binary
from tests.backends.prometheus import Prometheus

KEPT = "15y"
LONGEST_BLOCK = "54h"
"""promtool asks, and writes a block, for each rule and each span of this length: of 2 hours these were a thousand."""


class Past:
    """Seen from `now`, the last instant at which rules were evaluated; scraped every `step` seconds before it."""

    def __init__(
        self,
        targets: Sequence[Mapping[str, Any]],
        *,
        hours: float = 2.0,
        step: float = 30.0,
        now: float | None = None,
        rules: str = "",
        evaluated: float = 60.0,
        ruled_hours: float | None = None,
        intervals: Mapping[str, str] | None = None,
        exporters: int = 1,
        edited: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """`ruled_hours` of the end get recording rules, evaluated every `evaluated` seconds; all of it by default.

        `intervals` are those of the groups, as in `{"vitals": "5m"}`. With several `exporters` every series is there
        once for each of them, told apart by `instance`, as where two exporters watch the same targets. `edited` makes
        another line of every line of the exposition.
        """
        # Blocks hold no marks where a series ends: it must not be seen any more when the next evaluation finds another.
        self.lookback = 1.5 * step
        if self.lookback >= evaluated:
            raise BackendError(f"rules must be evaluated more rarely than every {self.lookback:.0f} s")
        self.targets, self.step, self.rules, self.evaluated = targets, step, rules, evaluated
        self.profiles = {"default": {"intervals": dict(intervals)}} if intervals else {}
        self.exporters, self.edited = exporters, edited
        self.flags = [f"--storage.tsdb.retention.time={KEPT}", f"--query.lookback-delta={self.lookback:.0f}s"]
        self.now = (time.time() if now is None else now) // evaluated * evaluated
        self.start_at = self.now - hours * 3600
        self.ruled_at = self.now - (hours if ruled_hours is None else ruled_hours) * 3600
        self.prometheus: Prometheus

    def __enter__(self) -> Self:
        self.scratch = Scratch("past")
        try:
            self.blocks = self.scratch.path / "blocks"
            self._samples()
            recorded = ""
            for level in levels(self.rules):
                recorded = level[0]["record"]
                with Prometheus([], flags=self.flags, blocks=self.blocks) as asked:
                    self._recorded(asked, level)
            self.prometheus = Prometheus([], flags=self.flags, blocks=self.blocks)
            self.prometheus.start()
            if recorded:
                (last,) = self.prometheus.query(f"max(max_over_time(timestamp({recorded})[10m:1s]))", time=self.now)
                self.now = last.value
        except BaseException:
            self.scratch.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.prometheus.stop()
        self.scratch.close()

    def _samples(self) -> None:
        history = self.scratch.path / "history"
        history.mkdir()
        config = from_targets(self.targets, "past", profiles=self.profiles)
        write(config, list(instants(self.start_at, self.now, self.step)), history)
        for file in sorted(history.iterdir()):
            if self.edited:
                file.write_bytes(b"".join(map(self.edited, file.read_bytes().splitlines(keepends=True))))
            if self.exporters > 1:
                _multiply(file, self.exporters)
            _well("tsdb", "create-blocks-from", "openmetrics", str(file), str(self.blocks))
            file.unlink()

    def _recorded(self, asked: Prometheus, level: Sequence[Mapping[str, Any]]) -> None:
        groups = {"groups": [{"name": "past", "rules": [*level]}]}
        # One name for all levels and pasts: when in a minute rules are evaluated depends on those of file and group.
        file = self.scratch.file("rules.yml", yaml.safe_dump(groups))
        _well(
            *("tsdb", "create-blocks-from", "rules", f"--max-block-duration={LONGEST_BLOCK}"),
            *(f"--start={self.ruled_at:.0f}", f"--end={self.now:.0f}", f"--eval-interval={self.evaluated:.0f}s"),
            *(f"--url={asked.url}", f"--output-dir={self.blocks}", file.name),
            cwd=file.parent,
        )


def levels(rules: str) -> list[list[dict[str, Any]]]:
    """Recording rules in steps that build upon each other: promtool reads only what is stored already."""
    groups = (yaml.safe_load(rules) or {}).get("groups", ()) if rules else ()
    left = {rule["record"]: rule for group in groups for rule in group["rules"] if "record" in rule}
    found = []
    while left:
        ready = [
            name for name, rule in left.items() if not any(other in rule["expr"] for other in left if other != name)
        ]
        if not ready:
            raise BackendError(f"rules wait for each other: {', '.join(left)}")
        found.append([left.pop(name) for name in ready])
    return found


def _multiply(file: Path, exporters: int) -> None:
    """Have every sample of the file once for each exporter."""
    once = file.with_suffix(".once")
    file.rename(once)
    with once.open("rb") as read, file.open("wb") as written:
        for line in read:
            if line.startswith(b"#"):
                written.write(line)
                continue
            name, labelled, rest = line.partition(b"{")
            if not labelled:
                name, _, rest = line.partition(b" ")
            rest = b"," + rest if labelled else b"} " + rest
            for number in range(exporters):
                written.write(b'%s{instance="exporter-%d"%s' % (name, number, rest))
    once.unlink()


def _well(*arguments: str, cwd: Path | None = None) -> None:
    command = [find_binary("promtool") or "promtool", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise BackendError(f"promtool {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
