"""The command `once`, and the single collection that `check --connect` shares with it. No processes, no clock."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, field
from pathlib import Path

from exporter import logs
from exporter.catalogue.family import INVENTORY, VITALS
from exporter.commands import FAILED, WELL, WRONG, configuration
from exporter.config.model import Config, Target
from exporter.contract import Deadline, MissingRight, Runtime
from exporter.errors import CollectorError
from exporter.exposition.negotiation import Format
from exporter.platforms import Installed, installed
from exporter.runtime.collection import CollectedTarget, groups_of
from exporter.runtime.messages import Collect, Done, Key
from exporter.runtime.pipeline import HostUp, ReportPages
from exporter.runtime.store import Store
from exporter.runtime.target_state import DELIVERED, DOWN, TargetState

AT_ONCE = 8
NEVER = float("inf")
LONGEST_SECONDS = 60.0
"""Somebody waits at a terminal: no group gets longer than this, whatever its interval."""
CLOSE_SECONDS = 3.0
"""Time for logging out."""


def once(options: argparse.Namespace) -> int:
    """Collect every group of the chosen targets once and print the exposition."""
    logs.setup(options.log_level, options.log_format)
    config = configuration.read(options.config_file)
    by_name = {target.name: target for target in config.targets}
    unknown = [name for name in options.targets if name not in by_name]
    if unknown:
        known = ", ".join(sorted(by_name))
        print(f"no target is named {', '.join(map(repr, unknown))}; there are: {known}", file=sys.stderr)
        return WRONG
    chosen = [by_name[name] for name in options.targets] if options.targets else list(config.targets)
    found = installed()
    store = Store(found.families)
    results = collect_all(chosen, config, found)
    for result in results:
        result.put_into(store, found)
        for line in result.complaints():
            print(line, file=sys.stderr)
    try:
        _write(b"".join(store.member(Format.TEXT_0_0_4, None).inflate()), options.output)
    except OSError as error:
        print(
            f"{options.output} cannot be written: {error.strerror}; is it a file in a folder of yours?", file=sys.stderr
        )
        return FAILED
    return WELL if all(result.well for result in results) else FAILED


@dataclass(frozen=True, slots=True)
class Rights:
    """What an endpoint said of the account's rights; `unknown` is why it did not."""

    missing: tuple[MissingRight, ...] = ()
    unknown: str = ""


@dataclass
class Result:
    """How the groups of one target ended."""

    target: Target
    state: TargetState
    done: list[Done] = field(default_factory=list)
    rights: Rights = field(default_factory=Rights)

    @property
    def well(self) -> bool:
        """Whether every group was delivered, and no right that is needed is known to be missing."""
        needed = [right for right in self.rights.missing if not right.optional]
        return all(done.outcome in DELIVERED for done in self.done) and not needed

    def complaints(self) -> Iterator[str]:
        """What an operator should know, a line each."""
        for done in self.done:
            if done.outcome not in DELIVERED:
                yield f"{self.target.name}: {done.group}: {done.outcome}: {done.sentence}"
            if done.page is not None and done.page.omitted:
                families = ", ".join(done.page.omitted)
                yield f"{self.target.name}: {done.group}: one collection cannot make these counters: {families}"
            for problem, (count, example) in (done.page.problems if done.page else {}).items():
                yield f"{self.target.name}: {done.group}: {problem} ({count}){': ' + example if example else ''}"
        for right in self.rights.missing:
            yield f"{self.target.name}: rights: {right}"
        if self.rights.unknown:
            yield f"{self.target.name}: rights: not examined: {self.rights.unknown}"

    def put_into(self, store: Store, found: Installed) -> None:
        """Hand the pages, and what is known of the target, to the store."""
        for done in self.done:
            if done.page is not None:
                store.swap(self.target.name, done.group, done.page, NEVER)
        state = self.state
        hosts = HostUp(state.host_labels, state.up) if state.host_labels and state.up is not None else None
        chunks = ReportPages(found.families).target(self.target.name, self.target.platform, state.report(), hosts)
        store.put_report(self.target.name, chunks)


def collect_all(
    targets: Sequence[Target], config: Config, found: Installed, *, rounds: int = 1, examine: bool = False
) -> list[Result]:
    """Collect every group of the targets, several targets at a time; a call that hangs is left behind.

    With more `rounds` the results are those of the last. With `examine` the endpoints are asked for the rights that
    their accounts lack.
    """
    with _runtimes(targets, found), ThreadPoolExecutor(AT_ONCE, "once") as pool:
        return list(pool.map(lambda target: _collect(target, config, found, rounds, examine), targets))


def _collect(target: Target, config: Config, found: Installed, rounds: int, examine: bool) -> Result:
    key = Key(target.name, 0)
    collected = CollectedTarget(key, target, found, config.limits, once=True)
    groups = sorted(
        groups_of(target, found.platforms[target.platform]), key=lambda group: (group != INVENTORY, group != VITALS)
    )
    for _ in range(rounds):
        result = Result(target, TargetState(target, tuple(groups)))
        for number, group in enumerate(groups):
            done = _in_time(collected, group, number, min(target.profile.deadline(group), LONGEST_SECONDS))
            result.done.append(done)
            result.state.record(done, time.time(), 0.0)
            result.state.add_requests(done)
            if done.outcome in DOWN:
                # Asking further would only repeat the sentence, or lock an account.
                result.state.up = False
                break
    if examine and result.state.up:
        result.rights = _examined(collected)
    # A session that is not logged out stays at the endpoint; one that hangs is not worth waiting for.
    closing = threading.Thread(target=collected.close, daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
    return result


def _in_time(collected: CollectedTarget, group: str, number: int, seconds: float) -> Done:
    answer: Future[Done] = Future()

    def work() -> None:
        deadline_at = time.monotonic() + seconds
        answer.set_result(collected.collect(Collect(collected.key, group, number, deadline_at, whole=True)))

    threading.Thread(target=work, name=f"{group}-{collected.target.name}", daemon=True).start()
    try:
        return answer.result(seconds)
    except NotInTime:
        return Done(collected.key, group, number, "timed_out", seconds, f"no answer within {seconds:.3g} s")


def _examined(collected: CollectedTarget) -> Rights:
    answer: Future[Rights] = Future()

    def ask() -> None:
        try:
            answer.set_result(Rights(tuple(collected.missing_rights(Deadline.after(LONGEST_SECONDS)) or ())))
        except CollectorError as error:
            answer.set_result(Rights(unknown=str(error)))
        except Exception as error:  # noqa: BLE001  a bug here costs this answer, not what was collected
            answer.set_result(Rights(unknown=f"{type(error).__name__}: {error}; please report it"))

    threading.Thread(target=ask, name=f"rights-{collected.target.name}", daemon=True).start()
    try:
        return answer.result(LONGEST_SECONDS)
    except NotInTime:
        return Rights(unknown=f"no answer within {LONGEST_SECONDS:.3g} s")


@contextlib.contextmanager
def _runtimes(targets: Sequence[Target], found: Installed) -> Iterator[None]:
    started: list[Runtime] = []
    for name in sorted({target.platform for target in targets}):
        make = found.platforms[name].runtime
        if make is not None:
            runtime = make()
            with contextlib.suppress(Exception):  # its targets will say what is missing
                runtime.start()
                started.append(runtime)
    yield
    for runtime in started:
        runtime.stop()


def _write(text: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    # A reader of the file sees the old or the new one, never half of it.
    descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        Path(name).replace(output)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
