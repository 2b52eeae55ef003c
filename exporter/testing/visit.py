"""Collecting as a worker does, watched: sessions, pipelines, what came back, how long it took, what was logged."""

from __future__ import annotations

import io
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client.parser import text_fd_to_metric_families

from exporter.catalogue.family import INVENTORY, VITALS, Family
from exporter.config.model import Target
from exporter.contract import Context, Deadline, Meter, Platform, Session
from exporter.errors import CollectorError, Unsupported
from exporter.model import Observation
from exporter.report import Requests
from exporter.runtime.page import Page
from exporter.runtime.pipeline import Pipeline, families_of

GRACE_SECONDS = 2.0
"""How much longer than its deadline a call may take, and how long closing may."""


class Call:
    """An action in a thread of its own: it may hang, and the suite goes on."""

    def __init__(self, action: Callable[[], Any], name: str = "contract-call") -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0
        self._began = time.monotonic()
        self._action = action
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.value = self._action()
        except BaseException as error:  # noqa: BLE001  whatever it is, the checks judge it
            self.error = error
        self.seconds = time.monotonic() - self._began

    def returned(self, seconds: float) -> bool:
        """Whether it came back within so many seconds from now."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


@dataclass(frozen=True)
class Sample:
    """One line of a page."""

    family: Family
    labels: Mapping[str, str]
    value: float

    def __str__(self) -> str:
        own = {name: value for name, value in self.labels.items() if name not in ("target", "platform")}
        return f"{self.family.name}{own} = {self.value:g}"

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What makes it the same series in another page."""
        return self.family.name, tuple(sorted(self.labels.items()))


@dataclass(frozen=True)
class Collected:
    """One collection of one group: an observation with its page and samples, or an error."""

    group: str
    began: float
    ended: float
    observation: Observation | None = None
    error: BaseException | None = None
    page: Page | None = None
    samples: Sequence[Sample] = ()
    requests: Mapping[str, Requests] = field(default_factory=dict)


Round = Mapping[str, Collected]
"""Every group once, in the order in which a daemon begins."""


class Visit:
    """One session of a platform, with the pipelines that would make its pages."""

    def __init__(self, platform: Platform, target: Target, families: Sequence[Family]) -> None:
        self.platform, self.target, self._families = platform, target, {family.name: family for family in families}
        self.meter = Meter()
        self.session: Session = platform.open(target, Context(self.meter, logging.getLogger("contract.target")))
        self._pipelines = {
            group: Pipeline(target, platform, group, families_of(target, platform, group, families))
            for group in groups_in_order(platform)
        }

    def begin(self, group: str, seconds: float) -> Call:
        """Start a collection in a thread of its own."""
        deadline = Deadline.after(seconds)
        return Call(lambda: self.session.collect(group, deadline), f"contract-{group}")

    def collect(self, group: str, seconds: float) -> Collected:
        """Collect a group; a call that does not come back is an error as any other."""
        began = time.monotonic()
        call = self.begin(group, seconds)
        if not call.returned(seconds + GRACE_SECONDS):
            late = TimeoutError(f"collect({group!r}) was still busy {GRACE_SECONDS:g} s after its deadline")
            return Collected(group, began, time.monotonic(), error=late)
        requests = self.meter.take()
        if call.error is not None and not isinstance(call.error, Unsupported):
            return Collected(group, began, time.monotonic(), error=call.error, requests=requests)
        seen = Observation(time.time()) if call.error is not None else call.value
        ended = time.monotonic()
        try:
            page = self._pipelines[group].page(seen, whole=True)
        except Exception as error:  # noqa: BLE001  an observation that is none
            return Collected(group, began, ended, seen, error, requests=requests)
        return Collected(group, began, ended, seen, page=page, samples=self._samples(page), requests=requests)

    def round(self, seconds: float) -> Round:
        """Every group once."""
        return {group: self.collect(group, seconds) for group in self._pipelines}

    def close(self) -> Call:
        """Close the session, in a thread of its own."""
        return Call(self.session.close, "contract-close")

    def _samples(self, page: Page) -> list[Sample]:
        samples: list[Sample] = []
        for name, chunk in page.chunks.items():
            text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(chunk.body).decode()
            for family in text_fd_to_metric_families(io.StringIO(text)):
                samples += [Sample(self._families[name], dict(s.labels), s.value) for s in family.samples]
        return samples


def groups_in_order(platform: Platform) -> list[str]:
    """Slow facts first, then the vitals that they describe, then the rest."""
    groups = (*platform.groups, *platform.opt_in_groups)
    return sorted(groups, key=lambda group: {INVENTORY: 0, VITALS: 1}.get(group, 2))


def with_everything(target: Target, platform: Platform) -> Target:
    """The target with every family and every group turned on."""
    profile = replace(target.profile, family_include=("*",), family_exclude=(), group_include=platform.opt_in_groups)
    return replace(target, profile=profile)


@contextmanager
def runtime_of(platform: Platform) -> Iterator[None]:
    """The platform's process-wide state, as around all sessions of a worker."""
    runtime = platform.runtime() if platform.runtime is not None else None
    if runtime is not None:
        runtime.start()
    try:
        yield
    finally:
        if runtime is not None:
            runtime.stop()


@dataclass(frozen=True)
class Record:
    """What the suite has seen of a platform in its healthy world; the tests judge it."""

    platform: Platform
    families: Sequence[Family]
    first: Round
    second: Round
    reopened: Round
    """A round of another session, after the first one was closed."""
    closing: tuple[Call, Call]
    """The session was closed twice."""
    texts: Mapping[str, str]
    """Everything that could hold a secret, by where it was found."""

    @property
    def rounds(self) -> tuple[Round, ...]:
        """All rounds in order."""
        return self.first, self.second, self.reopened

    def collected(self) -> Iterator[Collected]:
        """Every collection in order."""
        for one in self.rounds:
            yield from one.values()

    def samples(self, which: Round | None = None) -> Iterator[Sample]:
        """Every sample of a round, the second one unless told otherwise."""
        for collected in (which or self.second).values():
            yield from collected.samples


def record(
    platform: Platform, target: Target, families: Sequence[Family], *, seconds: float, pause_seconds: float
) -> Record:
    """Live with a platform for a while: two rounds of one session, and a third of another."""
    target = with_everything(target, platform)
    with _listening() as log, runtime_of(platform):
        visit = Visit(platform, target, families)
        first = visit.round(seconds)
        time.sleep(pause_seconds)
        second = visit.round(seconds)
        shown = repr(visit.session)
        closing = visit.close(), visit.close()
        for call in closing:
            call.returned(GRACE_SECONDS)
        again = Visit(platform, target, families)
        reopened = again.round(seconds)
        again.close().returned(GRACE_SECONDS)
    texts = {"the log": log.getvalue(), "repr(session)": shown, "repr(platform)": repr(platform)}
    for collected in (*first.values(), *second.values(), *reopened.values()):
        texts |= _texts(collected)
    return Record(platform, families, first, second, reopened, closing, texts)


def _texts(collected: Collected) -> dict[str, str]:
    texts = {f"the observation of {collected.group}": repr(collected.observation)}
    if collected.error is not None:
        texts[f"the error of {collected.group}"] = error_text(collected.error)
    return texts


def error_text(error: BaseException) -> str:
    """An error as anybody may come to print it."""
    own = {name: value for name, value in vars(error).items() if isinstance(value, str)}
    return f"{error} {error!r} {own}"


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def is_core_error(error: BaseException | None) -> bool:
    """Whether a collector may raise it."""
    return isinstance(error, CollectorError)
