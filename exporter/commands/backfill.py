"""What the daemon would have shown at instants of the past, for Prometheus to take in as history.

Targets are collected through the same sessions, pipelines and store as in the daemon, with `Context.now` at the wanted
instant. That makes sense for platforms that can tell the past: the simulated one. For tests of dashboards and rules:

    python -m exporter.commands.backfill --config.file fleet.yml --from 2026-01-01T00:00:00Z --to 2026-01-02T00:00:00Z \
        --step 1m --output history/
    for file in history/*.om; do promtool tsdb create-blocks-from openmetrics "$file" data/; done
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from exporter.catalogue.family import INVENTORY, VITALS
from exporter.commands import WELL, WRONG, configuration
from exporter.config.durations import EXAMPLE, seconds
from exporter.config.mistakes import ConfigError
from exporter.config.model import Config, Target
from exporter.contract import Context, Deadline, Meter, Session
from exporter.errors import CollectorError, Unsupported
from exporter.exposition.negotiation import Format
from exporter.model import Observation
from exporter.platforms import Installed, installed
from exporter.report import Requests
from exporter.runtime.collection import groups_of
from exporter.runtime.messages import Done, Key
from exporter.runtime.page import Page
from exporter.runtime.pipeline import HostUp, Pipeline, ReportPages, families_of
from exporter.runtime.store import Store
from exporter.runtime.target_state import DOWN, TargetState

FILE_SECONDS = 7200.0
"""Prometheus' blocks span two hours of UTC; promtool reads a whole file again for each block."""
_END = b"# EOF\n"
_TICK = 0.001


@dataclass(slots=True)
class _Past:
    """One target, and the instant at which it is looked at."""

    target: Target
    state: TargetState
    session: Session
    meter: Meter
    pipelines: dict[str, Pipeline]
    clock: list[float]
    due: dict[str, float] = field(default_factory=dict)


class History:
    """The estate of a configuration, taken through the past in the order of instants."""

    def __init__(self, config: Config, found: Installed | None = None) -> None:
        self._found = found or installed()
        self._store = Store(self._found.families)
        self._reports = ReportPages(self._found.families, config.limits.label_value_length)
        self._targets = [self._past(target, config) for target in config.targets if target.mode == "scheduled"]

    def _past(self, target: Target, config: Config) -> _Past:
        platform = self._found.platforms[target.platform]
        groups = sorted(groups_of(target, platform), key=lambda group: (group != INVENTORY, group != VITALS))
        clock, meter = [0.0], Meter()
        context = Context(meter, logging.getLogger(f"target.{target.name}"), now=lambda: clock[0])
        pipelines = {
            group: Pipeline(
                target, platform, group, families_of(target, platform, group, self._found.families), config.limits
            )
            for group in groups
        }
        state = TargetState(target, tuple(groups))
        return _Past(target, state, platform.open(target, context), meter, pipelines, clock)

    def close(self) -> None:
        """Close every session."""
        for past in self._targets:
            past.session.close()

    def exposition(self, instant: float) -> bytes:
        """All targets in OpenMetrics, without timestamps, as they were scraped at the instant (Unix seconds).

        Every group whose interval is over is collected, the others are shown as they were. Instants must not go back.
        """
        for past in self._targets:
            past.clock[0] = instant
            for group in past.pipelines:
                if instant >= past.due.get(group, instant) - _TICK:
                    past.due[group] = instant + past.target.profile.interval(group)
                    self._collect(past, group, instant)
            self._report(past)
        self._store.expire(instant)
        return b"".join(self._store.member(Format.OPENMETRICS_1_0, None).inflate())

    def _collect(self, past: _Past, group: str, instant: float) -> None:
        page: Page | None = None
        outcome, sentence = "success", ""
        try:
            page = past.pipelines[group].page(self._observed(past, group, instant), whole=True)
            outcome = "partial" if page.partial else outcome
        except CollectorError as error:
            outcome, sentence = error.outcome, str(error)
        requests = past.meter.take()
        taken = sum((cost for cost in requests.values()), Requests()).seconds
        done = Done(Key(past.target.name, 0), group, 0, outcome, taken, sentence, requests=requests, page=page)
        past.state.record(done, instant, instant)
        past.state.add_requests(done)
        if page is not None:
            self._store.swap(past.target.name, group, page, instant + past.target.profile.ttl(group))
        elif outcome in DOWN:
            past.state.up = False

    @staticmethod
    def _observed(past: _Past, group: str, instant: float) -> Observation:
        try:
            seen = past.session.collect(group, Deadline.after(past.target.profile.deadline(group)))
        except Unsupported:
            return Observation(instant)
        if abs(seen.collected_at - instant) > 1:
            raise _OwnClock(past.target.name)
        return seen

    def _report(self, past: _Past) -> None:
        state = past.state
        hosts = HostUp(state.host_labels, state.up) if state.host_labels and state.up is not None else None
        chunks = self._reports.target(past.target.name, past.target.platform, state.report(), hosts)
        self._store.put_report(past.target.name, chunks)


class _OwnClock(Exception):
    """A target that does not live by the instants that it is given."""


def instants(start: float, end: float, step: float) -> Iterator[float]:
    """From start to end, both included, in even steps."""
    yield from (start + number * step for number in range(int((end - start) / step + 1e-9) + 1))


def stamped(exposition: bytes, instant: float, told: set[bytes]) -> bytes:
    """The exposition's samples with the instant as their timestamp, without its end and headers already `told`."""
    end = f" {instant:.3f}\n".encode()
    pieces = []
    for line in exposition.removesuffix(_END).split(b"\n"):
        if not line.startswith(b"#"):
            pieces += [line, end] if line else []
        elif line not in told:
            told.add(line)
            pieces += [line, b"\n"]
    return b"".join(pieces)


def write(config: Config, wanted: Sequence[float], output: Path) -> int:
    """Write the exposition of each instant, in order, into one file, or into a folder with a file per two hours.

    Returns the number of bytes. The files are what promtool reads: its families stand together per instant only.
    """
    written = 0
    with ExitStack() as stack:
        history = History(config)
        stack.callback(history.close)
        file: BinaryIO | None = None
        block, told = -1, set[bytes]()
        for instant in wanted:
            if file is None or (output.is_dir() and int(instant / FILE_SECONDS) != block):
                block = int(instant / FILE_SECONDS)
                written += 0 if file is None else file.write(_END)
                name = output / f"{int(block * FILE_SECONDS)}.om" if output.is_dir() else output
                file = stack.enter_context(name.open("wb"))
                told.clear()
            written += file.write(stamped(history.exposition(instant), instant, told))
        written += 0 if file is None else file.write(_END)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """The tool; returns an exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m exporter.commands.backfill", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--config.file", dest="config_file", metavar="FILE", type=Path, required=True)
    parser.add_argument("--from", dest="start", metavar="INSTANT", type=_instant, required=True)
    parser.add_argument("--to", dest="end", metavar="INSTANT", type=_instant, required=True)
    parser.add_argument("--step", metavar="DURATION", type=_step, default=30.0, help="as Prometheus would scrape; 30s")
    parser.add_argument("--output", metavar="FILE or FOLDER", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.end < options.start:
        parser.error("--to must not lie before --from")
    try:
        config = configuration.read(options.config_file)
        size = write(config, list(instants(options.start, options.end, options.step)), options.output)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return WRONG
    except _OwnClock as error:
        print(
            f"{error} has a clock of its own: leave out start and speed, the instants are given here", file=sys.stderr
        )
        return WRONG
    print(f"{size / 1e6:.1f} MB")
    return WELL


def _instant(text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant, as in 2026-01-01T00:00:00Z") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _step(text: str) -> float:
    step = seconds(text)
    if not step:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; {EXAMPLE}")
    return step


if __name__ == "__main__":
    sys.exit(main())
