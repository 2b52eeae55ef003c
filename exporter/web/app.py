"""What each path answers: the route table, and the answers for people and for supervision, all from memory.

Bounds on clients are server.py's part; what is exported or shown comes from the Estate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.web import Application, RequestHandler

from exporter.web.answer import Answer, Site, count, elsewhere, utf8
from exporter.web.exposition import Discovery, Metrics, Probe
from exporter.web.page import render_first_page
from exporter.web.reloading import ReloadRefused, Stopping

PATHS = ("/", "/metrics", "/probe", "/sd", "/config", "/-/healthy", "/-/ready", "/-/reload")
"""The route table; also the values of the label `path`, next to "other"."""


def build_app(site: Site) -> Application:
    """The app that a Server serves."""
    estate = site.estate
    return Application(
        [
            ("/", _FirstPage),
            ("/metrics", Metrics),
            ("/probe", Probe),
            ("/sd", Discovery),
            ("/config", _Configuration),
            ("/-/healthy", _Health, {"reason": estate.healthy, "well": "healthy"}),
            ("/-/ready", _Health, {"reason": estate.ready, "well": "ready"}),
            ("/-/reload", _Reload),
            (".*", _NotFound),
        ],
        log_function=count,
        site=site,
    )


class _Health(Answer):
    ALWAYS = True

    def initialize(self, reason: Callable[[], str | None], well: str) -> None:
        self.reason = reason
        self.well = well

    async def answer(self) -> None:
        reason = self.reason()
        self.say(200 if reason is None else 503, reason or self.well)


class _Configuration(Answer):
    async def answer(self) -> None:
        self.finish(utf8(await elsewhere(self.site.estate.config_text)))


class _FirstPage(Answer):
    async def answer(self) -> None:
        prefix = self.site.external.prefix
        html = await elsewhere(lambda: render_first_page(self.site.estate.status(), prefix=prefix))
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(utf8(html))


class _Reload(Answer):
    SUPPORTED_METHODS = ("POST",)

    async def answer(self) -> None:
        if self.site.reload is None:
            self.say(403, "reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP")
            return
        try:
            await asyncio.wrap_future(self.site.reload())
        except ReloadRefused as refused:
            self.say(400, f"the new configuration is refused and the old one stays:\n{refused}")
        except Stopping:
            self.say(503, "stopping")
        else:
            self.say(200, "the configuration is loaded")

    post = Answer.get


class _NotFound(Answer):
    SUPPORTED_METHODS = RequestHandler.SUPPORTED_METHODS

    def prepare(self) -> None:
        prefix = self.site.external.prefix
        if prefix and self.request.path == prefix and self.request.method in ("GET", "HEAD"):
            self.redirect(f"{prefix}/", permanent=False)
            return
        self.say(404, "nothing is here; the page / shows what there is")

    def path_label(self) -> str:
        return "other"
