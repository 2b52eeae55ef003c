"""What each path answers: exposition, health, configuration and the first page, all from memory.

Bounds on clients are server.py's part; what is exported or shown comes from the Estate.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler

from exporter.exposition.negotiation import accepts_gzip, negotiate
from exporter.web.page import STYLE_SOURCE, render_first_page
from exporter.web.selfmetrics import SelfMetrics
from exporter.web.source import Estate, Member, UnknownTarget

log = logging.getLogger(__name__)

PATHS = ("/", "/metrics", "/config", "/-/healthy", "/-/ready")
"""The route table; also the values of the label `path`, next to "other"."""

_BATCH_BYTES = 64 * 1024
_POLICY = f"default-src 'none'; style-src {STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PLAIN = "text/plain; charset=utf-8"

Outcome = TypeVar("Outcome")


def build_app(estate: Estate, metrics: SelfMetrics) -> Application:
    """The app that a Server serves."""
    parts = {"estate": estate, "metrics": metrics}
    return Application(
        [
            ("/", _FirstPage, parts),
            ("/metrics", _Exposition, parts),
            ("/config", _Configuration, parts),
            ("/-/healthy", _Health, parts | {"reason": estate.healthy, "well": "healthy"}),
            ("/-/ready", _Health, parts | {"reason": estate.ready, "well": "ready"}),
            (".*", _NotFound, parts),
        ],
        log_function=_count,
    )


def _count(answered: RequestHandler) -> None:
    if isinstance(answered, _Answer):
        request = answered.request
        answered.metrics.count(answered.path_label(), answered.get_status(), request.request_time())


class _Answer(RequestHandler):
    """What all answers have in common: methods, headers, errors as plain text, counting."""

    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "HEAD")

    def initialize(self, estate: Estate, metrics: SelfMetrics) -> None:
        self.estate = estate
        self.metrics = metrics

    async def get(self) -> None:
        with self.metrics.in_flight():
            try:
                await self.answer()
            except StreamClosedError:  # the client left, or was too slow
                return

    head = get

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

    def say(self, status: int, sentence: str) -> None:
        """Answer with a line of text."""
        self.set_status(status)
        self.finish(_utf8(sentence + "\n"))

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Write pieces as the client takes them: what waits for a slow one is a batch, not a body."""
        if self.request.method != "HEAD":
            for batch in _batches(pieces):
                self.write(batch)
                await self.flush()


class _Exposition(_Answer):
    async def answer(self) -> None:
        wanted = negotiate(self._header("Accept"))
        targets = list(dict.fromkeys(self.get_query_arguments("target", strip=False))) or None
        try:
            member = self.estate.exposition(wanted, targets)
        except UnknownTarget as unknown:
            self.say(404, str(unknown))
            return
        self.set_header("Content-Type", wanted.content_type)
        self.set_header("Vary", "Accept, Accept-Encoding")
        if accepts_gzip(self._header("Accept-Encoding")):
            fragments = member.gzip()
            self.set_header("Content-Encoding", "gzip")
            self.set_header("Content-Length", sum(map(len, fragments)))
            await self.send(fragments)
        else:
            self.set_header("Content-Length", member.size)
            await self._send_inflated(member)

    def _header(self, name: str) -> str | None:
        """A header's value; several of one name are one list (RFC 9110, section 5.3)."""
        return ",".join(self.request.headers.get_list(name)) or None

    async def _send_inflated(self, member: Member) -> None:
        """Inflate in another thread, and never further ahead than the client reads."""
        if self.request.method == "HEAD":
            return
        pieces = _batches(member.inflate())
        while piece := await _elsewhere(lambda: next(pieces, b"")):
            await self.send([piece])


class _Health(_Answer):
    def initialize(  # type: ignore[override]  # tornado's own way of handing parts to a handler
        self, estate: Estate, metrics: SelfMetrics, reason: Callable[[], str | None], well: str
    ) -> None:
        super().initialize(estate, metrics)
        self.reason = reason
        self.well = well

    async def answer(self) -> None:
        reason = self.reason()
        self.say(200 if reason is None else 503, reason or self.well)


class _Configuration(_Answer):
    async def answer(self) -> None:
        self.finish(_utf8(await _elsewhere(self.estate.config_text)))


class _FirstPage(_Answer):
    async def answer(self) -> None:
        html = await _elsewhere(lambda: render_first_page(self.estate.status()))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(_utf8(html))


class _NotFound(_Answer):
    SUPPORTED_METHODS = RequestHandler.SUPPORTED_METHODS

    def prepare(self) -> None:
        self.say(404, "nothing is here; the page / shows what there is")

    def path_label(self) -> str:
        return "other"


def _elsewhere(work: Callable[[], Outcome]) -> Awaitable[Outcome]:
    """Run in one of the server's helper threads."""
    return asyncio.get_running_loop().run_in_executor(None, work)


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
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


def _utf8(text: str) -> bytes:
    """What came from hypervisors may hold lone surrogates; they become question marks."""
    return text.encode("utf-8", "replace")
