"""What all answers have in common: methods, headers, errors as plain text, counting, a bound on how many at once.

The answers themselves are in exposition.py and app.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeVar

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from exporter.web.links import ExternalUrl
from exporter.web.page import STYLE_SOURCE
from exporter.web.reloading import Reload
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.source import Estate

log = logging.getLogger(__name__)

DEFAULT_MAX_REQUESTS = 40

_BATCH_BYTES = 64 * 1024
_POLICY = f"default-src 'none'; style-src {STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PLAIN = "text/plain; charset=utf-8"

Outcome = TypeVar("Outcome")


@dataclass(slots=True)
class Places:
    """How many answers may be made at once; 0 is any number. Waiting probes leave a quarter to the others.

    An answer that is only being sent has no place any more: clients that do not read must not keep others out.
    """

    most: int = DEFAULT_MAX_REQUESTS
    taken: int = 0

    def free(self, *, waits: bool) -> bool:
        """Whether one more may be answered; `waits` says that it may take long."""
        most = max(1, self.most * 3 // 4) if waits else self.most
        return not self.most or self.taken < most


@dataclass(frozen=True, slots=True)
class Site:
    """What the answers are made from, and how they are given."""

    estate: Estate
    metrics: SelfMetrics
    external: ExternalUrl = field(default_factory=ExternalUrl)
    places: Places = field(default_factory=Places)
    reload: Reload | None = None
    """Reads the configuration anew; None where that is not allowed over HTTP."""
    headers: Callable[[], Mapping[str, str]] = dict
    """What the web configuration adds to every answer, or replaces."""


class Answer(RequestHandler):
    """One answer; counts as one request until it is given."""

    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "HEAD")
    ALWAYS = False
    """Whether it is given however many are being answered."""
    WAITS = False
    """Whether it may take long."""

    @property
    def site(self) -> Site:
        """Kept in the app's settings: the headers are set before `initialize` is called."""
        site: Site = self.settings["site"]
        return site

    async def get(self) -> None:
        places = self.site.places
        if not self.ALWAYS and not places.free(waits=self.WAITS):
            self.set_header("Retry-After", "1")
            self.say(503, f"{places.taken} requests are being answered already; see --web.max-requests")
            return
        places.taken += 1
        self._placed = True
        try:
            with self.site.metrics.in_flight():
                await self.answer()
        except StreamClosedError:  # the client left, or was too slow
            return
        finally:
            self._leave_place()

    head = get

    def _leave_place(self) -> None:
        if self._placed:
            self._placed = False
            self.site.places.taken -= 1

    async def answer(self) -> None:
        """Answer a GET or HEAD."""
        raise NotImplementedError

    def path_label(self) -> str:
        return self.request.path

    def set_default_headers(self) -> None:
        self.set_header("Server", "hypervisor-exporter")
        self.set_header("Content-Type", _PLAIN)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Content-Security-Policy", _POLICY)
        for name, value in self.site.headers().items():
            self.set_header(name, value)

    def compute_etag(self) -> None:
        """None: every answer is new, so hashing it is work for nothing."""

    def write_error(self, status_code: int, **_: object) -> None:
        if status_code == 405:
            self.set_header("Allow", ", ".join(self.SUPPORTED_METHODS))
        self.say(status_code, f"{status_code} {self._reason}")

    def log_exception(
        self, _type: type[BaseException] | None, value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if not isinstance(value, HTTPError):  # a client's mistake is no news
            log.error("%s %s failed", self.request.method, self.request.path, exc_info=value)

    def header(self, name: str) -> str | None:
        """A header's value; several of one name are one list (RFC 9110, section 5.3)."""
        return ",".join(self.request.headers.get_list(name)) or None

    def say(self, status: int, sentence: str) -> None:
        """Answer with a line of text."""
        self.set_status(status)
        self.finish(utf8(sentence + "\n"))

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Write pieces as the client takes them: what waits for a slow one is a batch, not a body."""
        self._leave_place()
        if self.request.method != "HEAD":
            for batch in batches(pieces):
                self.write(batch)
                await self.flush()


def count(answered: RequestHandler) -> None:
    """The app's log function."""
    if isinstance(answered, Answer):
        request = answered.request
        answered.site.metrics.count(answered.path_label(), answered.get_status(), request.request_time())


def elsewhere(work: Callable[[], Outcome]) -> Awaitable[Outcome]:
    """Run in one of the server's helper threads."""
    return asyncio.get_running_loop().run_in_executor(None, work)


def batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth a system call."""
    batch: list[bytes] = []
    held = 0
    for piece in pieces:
        batch.append(piece)
        held += len(piece)
        if held >= _BATCH_BYTES:
            yield b"".join(batch)
            batch, held = [], 0
    if batch:
        yield b"".join(batch)


def utf8(text: str) -> bytes:
    """What came from hypervisors may hold lone surrogates; they become question marks."""
    return text.encode("utf-8", "replace")
